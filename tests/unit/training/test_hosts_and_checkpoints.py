"""XGBoost on several hosts equals XGBoost on one, and a fit that was interrupted equals one that was not."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost
from training_containers import FRAMES, REPOSITORY, Experiment, Result, binary_frame, splits

from sagemaker_scripts.artefact import open_artefact
from sagemaker_scripts.hosts import HostNames, HostsApart, joined, port_of, read_hosts

# Hosts talk over sockets, which other unit tests may not.
pytestmark = pytest.mark.enable_socket

HOSTS = ["127.0.0.1", "127.0.0.2"]


def boosting(root: Path, task: str = "binary", **params: float) -> Experiment:
    fits = {"xgboost": {"n_estimators": 40, "early_stopping_rounds": 10, **params}}
    return Experiment(root, task, splits(FRAMES[task](900)), hyperparameters=fits)


def container_of(experiment: Experiment, host: str, algorithm: str = "xgboost") -> Path:
    base = experiment.training_container(algorithm, f"{algorithm}-{host}")
    resources = {"current_host": host, "hosts": HOSTS[::-1], "network_interface_name": "lo"}
    (base / "input/config/resourceconfig.json").write_text(json.dumps(resources))
    return base


def train_on_two_hosts(experiment: Experiment, *, late: str = "") -> list[Result]:
    """One process per host. The `late` one starts a second after the other."""
    bases = {host: container_of(experiment, host) for host in HOSTS}
    processes = {}
    for host in sorted(HOSTS, key=lambda host: host == late):
        if host == late:
            time.sleep(1)
        processes[host] = experiment.start("train", bases[host])
    return [experiment.finish(processes[host], bases[host]) for host in HOSTS]


@pytest.mark.parametrize(("task", "late"), [("binary", "127.0.0.1"), ("multiclass", ""), ("regression", "127.0.0.2")])
def test_two_hosts_train_the_model_that_one_host_trains(tmp_path: Path, task: str, late: str) -> None:
    experiment = boosting(tmp_path, task, colsample_bytree=0.8)
    first, second = train_on_two_hosts(experiment, late=late)
    assert (first.code, second.code) == (0, 0), first.output + second.output

    rows = experiment.data["test"]
    alone = open_artefact(experiment.train("xgboost").base / "model").scores(rows)
    together = open_artefact(first.base / "model").scores(rows)
    # On data this small the merged sketches are exact: the tolerance is that of summing float32 in another order.
    assert np.abs(together - alone).max() <= 1e-4 * max(1.0, np.abs(alone).max())
    assert first.manifest["hosts"] == 2


def test_the_other_host_writes_no_model_and_no_metrics(tmp_path: Path) -> None:
    first, second = train_on_two_hosts(boosting(tmp_path))
    assert (first.base / "model/manifest.json").exists()
    assert list((second.base / "model").iterdir()) == []
    assert "validation:" not in second.output
    assert list((second.base / "checkpoints").iterdir()) == []


def test_each_host_takes_its_share_of_the_rows(tmp_path: Path) -> None:
    """With row sampling each host draws from its own rows: the result is another, though about as good."""
    experiment = boosting(tmp_path, subsample=0.5)
    first, _ = train_on_two_hosts(experiment)
    alone = experiment.train("xgboost")
    assert first.manifest["files"]["model.joblib"] != alone.manifest["files"]["model.joblib"]
    assert first.manifest["metrics"]["roc_auc"] == pytest.approx(alone.manifest["metrics"]["roc_auc"], abs=0.05)


def test_two_jobs_in_a_row_on_the_same_hosts_both_work(tmp_path: Path) -> None:
    for name in ("one", "two"):
        results = train_on_two_hosts(boosting(tmp_path / name))
        assert [result.failure for result in results] == ["", ""]


def test_an_algorithm_for_one_host_leaves_the_others_idle(tmp_path: Path) -> None:
    experiment = replace(boosting(tmp_path), hyperparameters={"linear": {}})
    first, second = (experiment.run("train", container_of(experiment, host, "linear")) for host in HOSTS)
    assert (first.code, second.code) == (0, 0)
    assert (first.base / "model/manifest.json").exists()
    assert list((second.base / "model").iterdir()) == []
    assert second.said("idle") == [{"event": "idle", "reason": "linear trains on the first host alone"}]


def test_hosts_agree_on_who_is_first_whatever_order_they_are_told(tmp_path: Path) -> None:
    path = tmp_path / "resourceconfig.json"
    assert read_hosts(path).place.count == 1
    path.write_text(json.dumps({"current_host": "algo-2", "hosts": ["algo-2", "algo-1"]}))
    assert read_hosts(path).names == ("algo-1", "algo-2")
    assert read_hosts(path).place.rank == 1


def test_jobs_have_ports_of_their_own_below_those_the_system_hands_out() -> None:
    ports = {port_of(f"run-{number}", "xgboost") for number in range(100)}
    assert len(ports) > 95
    assert all(20000 <= port < 30000 for port in ports)
    assert port_of("run-1", "xgboost") == port_of("run-1", "xgboost")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_host_that_waits_in_vain_says_for_whom() -> None:
    port = free_port()
    with (
        pytest.raises(HostsApart, match=f"the first host does not answer at 127.0.0.1:{port}"),
        joined(HostNames(("127.0.0.1", "127.0.0.2"), "127.0.0.2"), port, patience_seconds=0.5),
    ):
        pass


def test_a_first_host_that_nobody_joins_says_how_many_came() -> None:
    port = free_port()

    def one_guest() -> None:
        time.sleep(0.2)
        socket.create_connection(("127.0.0.1", port)).close()

    guest = threading.Thread(target=one_guest)
    guest.start()
    with (
        pytest.raises(HostsApart, match=r"only 1 of the 2 other hosts came to 127\.0\.0\.1"),
        joined(HostNames(("127.0.0.1", "127.0.0.2", "127.0.0.3"), "127.0.0.1"), port, patience_seconds=1),
    ):
        pass
    guest.join()


LEAVE_LATE = """
import sys, time
from sagemaker_scripts.hosts import HostNames, joined
names, current, port, seconds = tuple(sys.argv[1].split()), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
with joined(HostNames(names, current), port):
    time.sleep(seconds)
"""


def test_the_first_host_stays_until_the_others_have_left() -> None:
    port = free_port()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", LEAVE_LATE, " ".join(HOSTS), host, str(port), str(seconds)],
            cwd=REPOSITORY, stderr=subprocess.PIPE, text=True,
        )
        for host, seconds in zip(HOSTS, (0, 1.5), strict=True)
    ]  # fmt: skip
    first, second = (process.communicate(timeout=120)[1] for process in started)
    assert [process.returncode for process in started] == [0, 0], first + second


def test_a_name_that_does_not_resolve_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> str:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "gethostbyname", unknown)
    with (
        pytest.raises(HostsApart, match="the name of host algo-1 does not resolve: Name or service not known"),
        joined(HostNames(("algo-1", "algo-2"), "algo-2"), 20000, patience_seconds=0.3),
    ):
        pass


# Checkpoints


def long_boosting(root: Path) -> Experiment:
    """Two trials that draw rows and columns at random, long enough to be killed in."""
    fits = {"xgboost": {"n_estimators": 400, "early_stopping_rounds": 400, "subsample": 0.7, "colsample_bytree": 0.7}}
    return Experiment(root, "binary", splits(binary_frame(2000)), hyperparameters=fits, trials=2)


def test_a_killed_training_continues_and_ends_in_the_same_artefact(tmp_path: Path) -> None:
    experiment = long_boosting(tmp_path)
    whole = experiment.train("xgboost", "whole")

    base = experiment.training_container("xgboost", "killed")
    process = experiment.start("train", base)
    deadline = time.monotonic() + 120
    while not (base / "checkpoints/trial-001.ubj").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (base / "model/manifest.json").exists()

    resumed = experiment.run("train", base)
    assert resumed.code == 0, resumed.output
    assert resumed.manifest == whole.manifest
    continued = [line["rounds"] for line in resumed.said("resumed")]
    assert continued[0] == 400
    assert 0 < continued[1] < 400
    assert not whole.said("resumed")


def test_the_trees_after_the_best_round_are_dropped(tmp_path: Path) -> None:
    result = boosting(tmp_path, n_estimators=300, early_stopping_rounds=15, learning_rate=0.3).train("xgboost")
    progress = xgboost.Booster(model_file=result.base / "checkpoints/trial-000.ubj").attr("millrace_progress")
    losses = json.loads(str(progress))["losses"]
    kept = open_artefact(result.base / "model").pipeline[-1].get_booster()
    assert len(losses) == losses.index(min(losses)) + 1 + 15 < 300
    assert kept.num_boosted_rounds() == losses.index(min(losses)) + 1
    assert kept.attr("millrace_progress") is None


def test_random_draws_do_not_repeat_after_a_checkpoint(tmp_path: Path) -> None:
    """With one column for a tree, the trees tell which column each round drew."""
    result = boosting(tmp_path, n_estimators=50, early_stopping_rounds=1000, colsample_bytree=0.05).train("xgboost")
    booster = xgboost.Booster(model_file=result.base / "checkpoints/trial-000.ubj")
    splits_ = booster.trees_to_dataframe().query("Feature != 'Leaf'").groupby("Tree")["Feature"].first()
    drawn = [splits_.get(number) for number in range(50)]
    assert drawn[:25] != drawn[25:]
    assert len(set(drawn)) > 3


def with_checkpoint_of(trained: Experiment, experiment: Experiment, name: str) -> Path:
    """A container of `experiment` that finds the checkpoint which `trained` left."""
    base = experiment.training_container("xgboost", name)
    (base / "checkpoints").mkdir()
    left = trained.root / "train-xgboost/checkpoints/trial-000.ubj"
    (base / "checkpoints/trial-000.ubj").write_bytes(left.read_bytes())
    return base


def test_a_finished_fit_is_not_done_again(tmp_path: Path) -> None:
    experiment = boosting(tmp_path)
    first = experiment.train("xgboost")
    again = experiment.run("train", with_checkpoint_of(experiment, experiment, "again"))
    assert again.manifest == first.manifest
    assert not again.said("rounds")


def test_early_stopping_remembers_the_rounds_before_the_interruption(tmp_path: Path) -> None:
    experiment = boosting(tmp_path, n_estimators=500, early_stopping_rounds=25, learning_rate=0.3)
    first = experiment.train("xgboost")
    assert first.said("rounds")[-1]["rounds"] < 400
    again = experiment.run("train", with_checkpoint_of(experiment, experiment, "again"))
    assert again.manifest == first.manifest
    assert not again.said("rounds")


@pytest.mark.parametrize("change", ["seed", "data", "hyperparameters"])
def test_a_checkpoint_of_another_fit_is_not_continued(tmp_path: Path, change: str) -> None:
    experiment = boosting(tmp_path / "one")
    experiment.train("xgboost")
    other = replace(experiment, root=tmp_path / "other")
    if change == "seed":
        other.seed += 1
    elif change == "data":
        other.data = {**other.data, "train": other.data["train"].iloc[:-1]}
    else:
        other.hyperparameters = {"xgboost": {"n_estimators": 41, "early_stopping_rounds": 10}}
    result = other.run("train", with_checkpoint_of(experiment, other, "later"))
    assert result.said("checkpoint_of_another_fit")
    assert result.manifest == other.train("xgboost", "afresh").manifest


def test_an_unreadable_checkpoint_is_said_and_training_starts_afresh(tmp_path: Path) -> None:
    experiment = boosting(tmp_path)
    first = experiment.train("xgboost")
    base = experiment.training_container("xgboost", "later")
    (base / "checkpoints").mkdir()
    (base / "checkpoints/trial-000.ubj").write_bytes(b"{torn")
    result = experiment.run("train", base)
    assert result.said("checkpoint_unreadable")[0]["checkpoint"] == "trial-000.ubj"
    assert result.manifest == first.manifest


def test_checkpoints_appear_whole_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    result = boosting(tmp_path).train("xgboost")
    assert [path.name for path in (result.base / "checkpoints").iterdir()] == ["trial-000.ubj"]


def test_two_hosts_continue_from_the_checkpoint_of_the_first(tmp_path: Path) -> None:
    experiment = boosting(tmp_path)
    first, _ = train_on_two_hosts(experiment)
    for path in (first.base / "model").iterdir():
        path.unlink()
    again, other = train_on_two_hosts(experiment)
    assert again.manifest["metrics"] == pytest.approx(open_artefact(again.base / "model").manifest["metrics"])
    assert again.said("resumed")
    assert other.said("resumed")
    assert not again.said("rounds")
