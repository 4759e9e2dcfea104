"""The container's paths and environment, as a process on this machine sees them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.jobs.layout import HostDirectory, bare_environment, host_names, resource_config

HOST = HostDirectory(Path("/disk/algo-1"))


@pytest.mark.parametrize(
    ("container", "here"),
    [
        ("/opt/ml", "/disk/algo-1/opt/ml"),
        ("/opt/ml/model", "/disk/algo-1/opt/ml/model"),
        (
            "/opt/ml/input/data/code/a.zip:/opt/ml/code",
            "/disk/algo-1/opt/ml/input/data/code/a.zip:/disk/algo-1/opt/ml/code",
        ),
        ("--model-dir=/opt/ml/model", "--model-dir=/disk/algo-1/opt/ml/model"),
        ("file:///opt/ml/model", "file:///disk/algo-1/opt/ml/model"),
        ("s3://bucket/opt/ml/model", "s3://bucket/opt/ml/model"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/opt/ml-data", "/opt/ml-data"),
        ("/srv/opt/ml", "/srv/opt/ml"),
        ("plain text", "plain text"),
    ],
)
def test_only_the_containers_own_paths_are_rewritten(container: str, here: str) -> None:
    assert HOST.local(container) == here


@given(st.text(alphabet=st.characters(blacklist_characters="/"), max_size=40))
def test_text_without_a_path_is_left_alone(text: str) -> None:
    assert HOST.local(text) == text


def test_a_path_that_has_no_place_here_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for /var/x"):
        HOST.path("/var/x")


@pytest.mark.parametrize("python", ["python", "python3", "python3.12", "/usr/bin/python3", "/miniconda3/bin/python"])
def test_every_name_of_python_is_this_machines_python(python: str) -> None:
    assert HOST.argv([python, "-m", "package.train"], ["--x"], "/venv/bin/python") == [
        "/venv/bin/python",
        "-m",
        "package.train",
        "--x",
    ]


def test_other_programs_keep_their_name() -> None:
    assert HOST.argv(["bash", "/opt/ml/code/run.sh"], [], "/venv/bin/python") == [
        "bash",
        "/disk/algo-1/opt/ml/code/run.sh",
    ]


def test_nothing_of_the_machines_environment_but_path_and_language_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the host")
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")

    environment = HOST.environment({"OWN": "/opt/ml/x"}, python="/venv/bin/python", threads=2)

    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert environment["PATH"] == "/venv/bin:/bin"
    assert environment["LANG"] == "de_DE.UTF-8"
    assert environment["OWN"] == "/disk/algo-1/opt/ml/x"
    assert environment["SAGEMAKER_BASE_DIR"] == "/disk/algo-1/opt/ml"


def test_threads_are_bounded_and_wait_without_spinning() -> None:
    environment = bare_environment(Path("/disk"), python="/venv/bin/python", threads=1)

    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"


def test_configuration_files_show_paths_of_this_machine(tmp_path: Path) -> None:
    host = HostDirectory(tmp_path)

    host.write_config("config/x.json", {"Inputs": [{"LocalPath": "/opt/ml/processing/a", "S3Uri": "s3://b/opt/ml"}]})

    assert (host.base / "config/x.json").read_text() == (
        f'{{"Inputs": [{{"LocalPath": "{tmp_path}/opt/ml/processing/a", "S3Uri": "s3://b/opt/ml"}}]}}'
    )


def test_a_message_is_cut_at_1024_characters(tmp_path: Path) -> None:
    host = HostDirectory(tmp_path)
    host.create()
    (host.base / "output/failure").write_text("x" * 5000)

    assert host.read_message("output/failure") == "x" * 1024
    assert host.read_message("output/absent") == ""


def test_hosts_have_distinct_loopback_names() -> None:
    assert host_names(3) == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_a_host_is_told_its_name_and_its_peers() -> None:
    config = resource_config("127.0.0.2", host_names(2), "ml.m5.large")

    assert config["current_host"] == "127.0.0.2"
    assert config["hosts"] == config["instance_groups"][0]["hosts"] == ["127.0.0.1", "127.0.0.2"]
