"""Settings: by hand, by a file, judged as a whole, never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from millrace.domain.dataset import DatasetSettings, Task, UploadKind, UploadState
from millrace.domain.event import DatasetVersionReady
from millrace.domain.rollout import DeploymentPolicy, Strategy
from millrace.errors import Conflict, InvalidInput
from millrace.use_cases.configure_dataset import configure_dataset, parse_settings
from millrace.use_cases.judge_settings import judge_settings
from tests.builders import a_contract, settings
from tests.contract.concurrency import all_at_once
from tests.unit.use_cases.world import ROWS, World

DEFAULTS = DatasetSettings()


def test_what_is_named_is_set_and_what_is_not_stays() -> None:
    first = judge_settings(DEFAULTS, {"target": "status", "training": {"trials": 9}})

    second = judge_settings(first, {"task": "binary", "training": {"seed": 3}})

    assert (second.target, second.task, second.training.trials, second.training.seed) == ("status", Task.BINARY, 9, 3)


def test_null_resets_to_the_default() -> None:
    given = judge_settings(DEFAULTS, {"target": "status", "max_quarantined_share": 0.5})

    assert judge_settings(given, {"target": None, "max_quarantined_share": None}) == DEFAULTS


def test_one_key_column_needs_no_list() -> None:
    assert judge_settings(DEFAULTS, {"key": "id", "exclude": "remarks"}).key == ("id",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"traget": "x"}, ["traget is not a setting: did you mean target?"]),
        ({"training": {"metrik": "f1"}}, ["training.metrik is not a setting: did you mean metric?"]),
        ({"zzz": 1}, ["zzz is not a setting: there are target, task"]),
        ({"constraints": {"age": {"min": 1}}}, ["constraints.age.min is not a setting: did you mean minimum?"]),
        ({"task": "classify"}, ["task: should be 'binary', 'multiclass' or 'regression', not 'classify'"]),
        ({"max_quarantined_share": 5}, ["max_quarantined_share: should be less than or equal to 1, not 5"]),
        ({"training": {"trials": 0}}, ["training.trials", "greater than or equal to 1, not 0"]),
        ({"split": {"train": 0.9}}, ["split", "must add up to 1"]),
        ({"training": "often"}, ["training", "not 'often'"]),
        (
            {"constraints": {"home": {"categories": [True, False]}}},
            ["constraints.home.categories.0", "put it in quotes"],
        ),
        ({"training": {"algorithms": []}}, ["training.algorithms: name at least one of"]),
        (
            {"deployment": {"strategy": "linear", "share": 0.05, "step_seconds": 86_400}},
            ["deployment.step_seconds: 19 steps of 86,400 s take 456 hours, and a rollout takes at most 336"],
        ),
        (
            {"deployment": {"strategy": "linear", "share": 0.004}},
            ["deployment.share: 0.004 makes 249 steps, and there may be 100"],
        ),
        ({"training": {"algorithms": ["xgbost"]}}, ["there is no 'xgbost', did you mean xgboost?"]),
        ({"training": {"algorithms": ["linear", "linear"]}}, ["each algorithm may be named once"]),
        ({"training": {"hyperparameters": {"xgboost": {"max_depth": -1}}}}, ["training.hyperparameters.xgboost", "-1"]),
        ({"training": {"hyperparameters": {"svm": {}}}}, ["training.hyperparameters.svm", "svm"]),
        ({"training": {"metric": "acuracy"}}, ["training.metric: there is no 'acuracy', did you mean accuracy?"]),
        ({"task": "regression", "training": {"metric": "f1"}}, ["training.metric", "f1", "rmse"]),
        ({"target": "id", "key": ["id"]}, ["target: 'id' is also the key"]),
        ({"target": "g", "group": "g"}, ["target: 'g' is also"]),
    ],
)
def test_a_fault_names_its_place_its_value_and_what_is_allowed(changes: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        judge_settings(DEFAULTS, changes)

    for part in said:
        assert part in str(refusal.value)


def test_a_rollout_that_was_allowed_before_is_no_fault_of_another_change() -> None:
    before = DEFAULTS.model_copy(update={"deployment": DeploymentPolicy(strategy=Strategy.LINEAR, share=0.004)})

    assert judge_settings(before, {"training": {"trials": 2}}).deployment == before.deployment
    with pytest.raises(InvalidInput, match="makes 249 steps"):
        judge_settings(before, {"deployment": {"step_seconds": 60}})


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as refusal:
        judge_settings(DEFAULTS, {"traget": "x", "max_quarantined_share": 5, "training": {"trials": 99}})

    assert str(refusal.value).count("; ") == 2


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"target": "statsu"}, "target"),
        ({"key": ["statsu"]}, "key"),
        ({"exclude": ["statsu"]}, "exclude"),
        ({"group": "statsu"}, "group"),
        ({"constraints": {"statsu": {"nullable": False}}}, "constraints"),
    ],
)
def test_a_column_that_is_not_in_the_contract_is_refused_with_the_nearest(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput, match=f"{path}: there is no column 'statsu', did you mean status"):
        judge_settings(DEFAULTS, changes, contract=a_contract())


def test_before_the_first_version_any_column_may_be_named() -> None:
    assert judge_settings(DEFAULTS, {"target": "whatever"}).target == "whatever"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"target: [", "not YAML in line"),
        (b"\xff\xfet", "not UTF-8"),
        (b"- target", "must hold settings"),
        (b"just words", "must hold settings"),
        (b"1: 2", "must hold settings"),
    ],
)
def test_a_file_that_holds_no_settings_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_settings(text, "dataset.yaml")


def test_a_settings_file_may_be_empty_or_begin_with_a_mark() -> None:
    assert parse_settings(b"# nothing yet\n", "dataset.yaml") == {}
    assert parse_settings(b"\xef\xbb\xbftarget: status", "dataset.yaml") == {"target": "status"}


def test_settings_cannot_make_python_objects() -> None:
    with pytest.raises(InvalidInput):
        parse_settings(b"target: !!python/object/apply:os.getcwd []", "dataset.yaml")


def test_configuring_creates_the_dataset_and_is_found_again(world: World) -> None:
    after = world.configure(target="status")

    assert after == world.catalog.get("credit")
    assert (after.settings, after.created_by, after.revision) == (settings(target="status"), "ada", 2)


def test_configuring_what_is_set_already_is_no_edit(world: World) -> None:
    world.configure(target="status")

    assert world.configure(target="status").revision == 2


def test_an_edit_of_what_somebody_else_changed_is_a_conflict(world: World) -> None:
    world.configure(target="status")

    with pytest.raises(Conflict):
        configure_dataset(
            catalog=world.catalog,
            bus=world.bus,
            clock=world.clock,
            dataset="credit",
            changes={"target": "income"},
            actor="bob",
            revision=1,
        )


def test_a_wrong_name_creates_nothing(world: World) -> None:
    with pytest.raises(InvalidInput, match="lowercase"):
        world.configure("My Data", target="x")

    assert world.catalog.list() == []


def test_a_first_target_wakes_the_version_that_waits_for_it(world: World) -> None:
    version = world.ready()
    world.bus.published.clear()

    world.configure(target="status")
    world.configure(target="home")

    assert world.bus.published == [DatasetVersionReady(dataset="credit", version=1, run_id=version.run_id)]


def test_a_target_before_the_first_version_wakes_nothing(world: World) -> None:
    world.configure(target="status")

    assert world.bus.published == []


def test_a_settings_file_configures_its_dataset_and_is_no_data(world: World) -> None:
    registration = world.register(world.dropped("uploads/credit/dataset.yaml", b"target: status\nkey: id\n"))

    assert (registration.kind, registration.version, registration.request_uri) == (UploadKind.SETTINGS, None, None)
    assert world.catalog.get("credit").settings == settings(target="status", key=["id"])
    assert world.catalog.upload("credit", registration.upload_id).state == UploadState.ACCEPTED
    assert list(world.catalog.versions("credit")) == []


def test_a_settings_file_that_names_a_target_wakes_the_waiting_version(world: World) -> None:
    version = world.ready()
    world.bus.published.clear()

    world.register(world.dropped("uploads/credit/dataset.yaml", b"target: status\n"))

    assert world.bus.published == [DatasetVersionReady(dataset="credit", version=1, run_id=version.run_id)]


@pytest.mark.parametrize("place", ["uploads/credit/2026/dataset.yaml", "uploads/credit/dataset.yaml"])
def test_a_file_finds_the_settings_beside_it_before_their_own_event_comes(world: World, place: str) -> None:
    world.put(place, b"target: status\n")

    registration = world.register(world.dropped("uploads/credit/2026/may.csv"))

    assert world.request(registration).settings.target == "status"


def test_the_nearest_settings_file_counts(world: World) -> None:
    world.put("uploads/credit/dataset.yaml", b"target: home\n")
    world.put("uploads/credit/2026/dataset.yaml", b"target: status\n")

    registration = world.register(world.dropped("uploads/credit/2026/may.csv"))

    assert world.request(registration).settings.target == "status"


def test_a_settings_file_is_applied_once_and_does_not_undo_later_edits(world: World) -> None:
    sidecar = world.dropped("uploads/credit/dataset.yaml", b"target: status\n")
    world.register(sidecar)
    world.configure(target="home")

    world.register(sidecar)
    registration = world.register(world.dropped("uploads/credit/may.csv"))

    assert world.catalog.get("credit").settings.target == "home"
    assert world.request(registration).settings.target == "home"


def test_a_new_version_of_the_settings_file_applies_again(world: World) -> None:
    world.register(world.dropped("uploads/credit/dataset.yaml", b"target: status\n"))
    world.configure(target="home")

    world.register(world.dropped("uploads/credit/dataset.yaml", b"target: status\n# again\n"))

    assert world.catalog.get("credit").settings.target == "status"


def test_a_wrong_settings_file_refuses_the_data_beside_it_too(world: World) -> None:
    world.put("uploads/credit/dataset.yaml", b"traget: status\n")

    with pytest.raises(InvalidInput, match=r"uploads/credit/dataset\.yaml: traget is not a setting"):
        world.register(world.dropped("uploads/credit/may.csv"))

    assert list(world.catalog.versions("credit")) == []


def test_a_rejected_settings_file_refuses_data_until_it_is_replaced(world: World) -> None:
    run = world.dropped("uploads/credit/dataset.yaml", b"traget: status\n")
    with pytest.raises(InvalidInput):
        world.register(run)
    [upload] = world.catalog.uploads("credit")
    world.catalog.reject_upload(upload, ["traget is not a setting"])

    with pytest.raises(InvalidInput, match="traget is not a setting"):
        world.register(world.dropped("uploads/credit/may.csv"))
    world.put("uploads/credit/dataset.yaml", b"target: status\n")

    assert world.register(world.dropped("uploads/credit/may.csv")).version == 1


def test_a_huge_settings_file_is_not_read(world: World) -> None:
    run = world.arrives("uploads/credit/dataset.yaml", world.put("uploads/credit/dataset.yaml", b"#"), size=10**9)

    assert run is not None
    with pytest.raises(InvalidInput, match="1000000000 bytes"):
        world.register(run)


def test_the_settings_and_the_data_at_once_end_with_the_settings_applied_once(world: World) -> None:
    sidecar = world.dropped("uploads/credit/dataset.yaml", b"target: status\n")
    data = [world.dropped(f"uploads/credit/{n}.csv", ROWS + f"{n},1,1,own,x,good\n".encode()) for n in range(8)]

    _, errors = all_at_once([lambda run=run: world.register(run) for run in [sidecar, *data]])

    assert errors == []
    assert world.catalog.get("credit").settings.target == "status"
    assert world.catalog.get("credit").revision == 2
    assert world.catalog.get("credit").latest_version == 8


def test_the_retraining_policy_is_changed_key_by_key(world: World) -> None:
    world.configure(retraining={"min_new_rows": 500})
    policy = world.configure(retraining={"cool_down_hours": 2, "daily_spend_cap_usd": None}).settings.retraining

    assert (policy.min_new_rows, policy.cool_down_hours, policy.daily_spend_cap_usd) == (500, 2.0, None)
    with pytest.raises(InvalidInput, match=r"retraining.min_rows is not a setting: did you mean min_new_rows"):
        world.configure(retraining={"min_rows": 1})
