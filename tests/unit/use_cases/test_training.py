"""From a dataset version to registered model versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from millrace.domain import identity, place
from millrace.domain.dataset import ColumnKind
from millrace.domain.model import ApprovalState
from millrace.domain.run import RunState
from millrace.errors import EvaluationInvalid, InvalidInput, NotFound, TrainingFailed, TrainingImpossible
from millrace.use_cases.approve_model_version import approve_model_version
from millrace.use_cases.promote_model_version import promote_model_version
from millrace.use_cases.start_training import train_again, train_on_new_version
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET, a_column, a_contract, a_quality
from tests.contract.concurrency import all_at_once
from tests.unit.use_cases.world import ROWS, World, a_profile


def announced(world: World, dataset: str = "credit", version: int = 1) -> Any:
    return train_on_new_version(
        catalog=world.catalog,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        dataset=dataset,
        version=version,
        ingest_run_id="ingest-1",
    )


def training_runs(world: World) -> list[str]:
    return [started.run_id for started in world.pipelines.started if started.pipeline == "training"]


def again(world: World, run_id: str) -> Any:
    return train_again(
        catalog=world.catalog,
        ledger=world.ledger,
        pipelines=world.pipelines,
        clock=world.clock,
        run_id=run_id,
        started_by="bob",
    )


def test_training_starts_on_the_newest_ready_version(world: World) -> None:
    world.configure(target="status")
    world.ready()
    world.ready("uploads/credit/june.csv", ROWS + b"3,1,1,own,x,good\n")

    run = world.start(reason="new rows")

    assert run == world.ledger.get(run.run_id)
    assert (run.pipeline, run.dataset, run.dataset_version, run.model) == ("training", "credit", 2, "credit")
    assert world.pipelines.started[-1] == (
        "training",
        run.run_id,
        {
            "run_id": run.run_id,
            "dataset": "credit",
            "dataset_version": 2,
            "model": "credit",
            "started_by": "ada",
            "training": {},
            "reason": "new rows",
        },
    )


def test_the_same_request_twice_is_one_run_and_a_later_one_another(world: World) -> None:
    world.configure(target="status")
    world.ready()

    first, second = world.start(), world.start()
    world.clock.pass_time(timedelta(seconds=1))
    third = world.start()

    assert first == second
    assert training_runs(world) == [first.run_id, third.run_id]


def test_what_cannot_be_trained_on_is_refused_before_a_run_is_opened(world: World) -> None:
    with pytest.raises(NotFound):
        world.start()
    world.configure(max_quarantined_share=0.2)
    with pytest.raises(TrainingImpossible, match="no version that is ready"):
        world.start()
    world.ready()
    with pytest.raises(TrainingImpossible, match=r"has no target: name the column to predict.*id, age, income"):
        world.start()
    with pytest.raises(NotFound):
        world.start(version=9)

    assert training_runs(world) == []


def test_a_suggested_target_is_shown_and_not_taken(world: World) -> None:
    world.ready(contract=a_contract().model_copy(update={"target_suggestion": "status"}))

    with pytest.raises(TrainingImpossible, match="It might be 'status'"):
        world.start()


def test_a_version_that_is_not_ready_is_refused(world: World) -> None:
    world.configure(target="status")
    world.register(world.dropped("uploads/credit/may.csv"))

    with pytest.raises(TrainingImpossible, match="credit v1 is PREPARING"):
        world.start(version=1)


def test_few_rows_are_refused_with_how_many_it_takes(world: World) -> None:
    world.configure(target="status")
    world.ready(quality=a_quality(accepted=49))

    with pytest.raises(TrainingImpossible, match="49 accepted rows: upload at least 50"):
        world.start()


def test_a_target_that_the_contract_does_not_have_is_refused_with_the_nearest(world: World) -> None:
    world.configure(target="statsu")
    world.ready()

    with pytest.raises(TrainingImpossible, match="no column 'statsu' to predict: did you mean 'status'"):
        world.start()


def test_no_column_to_learn_from_is_refused(world: World) -> None:
    world.configure(target="status", key="id")
    columns = (a_column("id"), a_column("note", ColumnKind.TEXT), a_column("status", ColumnKind.CATEGORY))
    world.ready(contract=a_contract(columns=columns))

    with pytest.raises(TrainingImpossible, match="no column left to learn from"):
        world.start()


def test_training_again_uses_the_same_version_and_says_after_which_run(world: World) -> None:
    world.configure(target="status")
    world.ready()
    first = world.start()
    world.ready("uploads/credit/june.csv", ROWS + b"3,1,1,own,x,good\n")

    second = again(world, first.run_id)

    assert second.run_id != first.run_id
    assert (second.dataset_version, second.started_by) == (1, "bob")
    assert second.input["reason"] == f"again, after {first.run_id}"


def test_a_run_may_do_otherwise_than_its_dataset_says_and_the_settings_stay(world: World) -> None:
    world.configure(target="status", training={"trials": 2, "seed": 11})
    world.ready()

    choices = {"algorithms": ["xgboost"], "trials": 9, "hyperparameters": {"xgboost": {"max_depth": 3}}}
    run = world.start(choices=choices)
    told = world.plan(run)

    plan = world.read_json(ARTIFACTS_BUCKET, f"runs/{run.run_id}/plan/plan.json")
    assert world.ledger.get(run.run_id).input["training"] == choices
    assert (plan["trials"], plan["seed"]) == (9, 11)
    assert [each["algorithm"] for each in plan["candidates"]] == ["xgboost"]
    assert plan["candidates"][0]["hyperparameters"] == {"max_depth": 3}
    assert [each["algorithm"] for each in told["candidates"]] == ["xgboost"]
    assert world.catalog.get("credit").settings.training.trials == 2


def test_a_run_on_another_machine_trains_there(world: World) -> None:
    world.configure(target="status")
    world.ready()

    told = world.plan(world.start(choices={"instance_type": "ml.m5.4xlarge", "max_runtime_seconds": 600}))

    assert {each["instance_type"] for each in told["candidates"]} == {"ml.m5.4xlarge"}
    assert {each["max_runtime_seconds"] for each in told["candidates"]} == {600}


def test_training_again_chooses_as_before(world: World) -> None:
    world.configure(target="status")
    world.ready()
    first = world.start(choices={"algorithms": ["linear"]})

    assert again(world, first.run_id).input["training"] == {"algorithms": ["linear"]}


def test_wrong_choices_are_refused_all_at_once_before_a_run_is_opened(world: World) -> None:
    world.configure(target="status")
    world.ready()

    faulty = {"algorithms": ["forest"], "trials": 99, "hyperparameters": {"xgboost": {"max_depth": 99, "eta": 1}}}
    with pytest.raises(InvalidInput, match=r"training\.trials: "):
        world.start(choices=faulty)
    with pytest.raises(InvalidInput) as refusal:
        world.start(choices={**faulty, "trials": 9})

    said = str(refusal.value).split("; ")
    assert said[0].startswith("training.algorithms: there is no 'forest'")
    assert said[1].startswith("training.hyperparameters.xgboost.max_depth: ")
    assert "max_depth is 99, but must be an integer from" in said[1]
    assert said[2].startswith("training.hyperparameters.xgboost.eta: ")
    assert training_runs(world) == []


def test_an_ingest_run_is_not_trained_again(world: World) -> None:
    world.ready()

    with pytest.raises(InvalidInput, match="upload it again"):
        again(world, world.ledger.list()[0].run_id)


def test_a_new_version_starts_its_training_once_however_often_it_is_announced(world: World) -> None:
    world.configure(target="status")
    world.ready()

    runs, errors = all_at_once([lambda: announced(world) for _ in range(20)])

    assert errors == []
    assert {run.run_id for run in runs} == {identity.automatic_training_run_id("credit", 1)}
    assert training_runs(world) == [identity.automatic_training_run_id("credit", 1)]


@pytest.mark.parametrize("settings", [{}, {"target": "status", "training": {"on_new_version": False}}])
def test_a_new_version_starts_nothing_unless_its_dataset_says_so(world: World, settings: dict[str, Any]) -> None:
    world.configure(**settings)
    world.ready()

    assert announced(world) is None
    assert training_runs(world) == []


def test_an_impossible_automatic_training_gets_a_run_where_the_refusal_is_seen(world: World) -> None:
    world.configure(target="statsu")
    world.ready()

    run = announced(world)

    assert world.ledger.get(run.run_id).state == RunState.RUNNING
    with pytest.raises(TrainingImpossible, match="statsu"):
        world.plan(run)


def test_a_plan_says_what_the_jobs_do(world: World) -> None:
    hyperparameters = {"xgboost": {"max_depth": 3}}
    world.configure(target="status", key="id", training={"trials": 2, "seed": 11, "hyperparameters": hyperparameters})
    world.ready()
    run = world.start()

    world.plan(run)

    plan = world.read_json(ARTIFACTS_BUCKET, f"runs/{run.run_id}/plan/plan.json")
    reason = plan.pop("task_reason")
    assert plan == {
        "run_id": run.run_id,
        "model": "credit",
        "dataset": "credit",
        "dataset_version": 1,
        "task": "binary",
        "target": "status",
        "features": [
            {"name": "age", "kind": "integer"},
            {"name": "income", "kind": "number"},
            {"name": "home", "kind": "category"},
        ],
        "primary_metric": "roc_auc",
        "seed": 11,
        "trials": 2,
        "candidates": [
            {"algorithm": name, "job_name": f"{run.run_id}-{job}", "hyperparameters": hyperparameters.get(name, {})}
            for name, job in (("random_forest", "random-forest"), ("xgboost", "xgboost"), ("linear", "linear"))
        ],
    }
    assert "2 classes (good, bad)" in reason
    outcome = str(world.ledger.get(run.run_id).outcome)
    assert reason in outcome
    assert "random_forest, xgboost, linear" in outcome


def test_an_environment_without_spot_capacity_trains_on_demand(world: World) -> None:
    world.configure(target="status")
    world.ready()

    assert not any(candidate["spot"] for candidate in world.plan(world.start(), spot=False)["candidates"])


def test_the_state_machine_learns_all_it_needs(world: World) -> None:
    world.configure(target="status", training={"instance_count": 2, "instance_type": "ml.m5.xlarge"})
    version = world.ready()
    run = world.start()

    answer = world.plan(run)

    runs = f"s3://{ARTIFACTS_BUCKET}/runs/{run.run_id}"
    candidates = {candidate["algorithm"]: candidate for candidate in answer.pop("candidates")}
    assert answer == {
        "run_id": run.run_id,
        "plan_uri": f"{runs}/plan/",
        "train_uri": f"{version.location}data/split=train/",
        "validation_uri": f"{version.location}data/split=validation/",
        "test_uri": f"{version.location}data/split=test/",
        "champion_uri": f"{runs}/champion/",
        "candidates_uri": f"{runs}/training/",
        "evaluation_uri": f"{runs}/evaluation",
        "evaluation_job": f"{run.run_id}-evaluation",
        "instance_type": "ml.m5.xlarge",
        "max_runtime_seconds": 3600,
    }
    assert candidates["xgboost"] == {
        "algorithm": "xgboost",
        "job_name": f"{run.run_id}-xgboost",
        "hyperparameters": {"algorithm": "xgboost"},
        "output_uri": f"{runs}/training",
        "checkpoint_uri": f"{runs}/checkpoints/xgboost/",
        "spot": True,
        "instance_type": "ml.m5.xlarge",
        "instance_count": 2,
        "max_runtime_seconds": 3600,
        "max_wait_seconds": 7200,
    }
    assert (candidates["linear"]["spot"], candidates["linear"]["instance_count"]) == (False, 1)


def test_planning_again_answers_the_same(world: World) -> None:
    world.configure(target="status")
    world.ready()
    run = world.start()

    assert world.plan(run) == world.plan(run)


def test_one_class_is_refused(world: World) -> None:
    world.configure(target="status")
    profile = a_profile()
    profile["columns"]["status"] = {"counts": {"good": 990}, "distinct": 1}
    world.ready(profile=profile)

    with pytest.raises(TrainingImpossible, match="only 'good'"):
        world.plan(world.start())


def test_a_split_with_one_class_only_is_refused(world: World) -> None:
    world.configure(target="status")
    both = {"good": 600, "bad": 60}
    classes = {"train": both, "validation": both, "test": {"good": 165, "bad": 0}}
    world.ready(profile=a_profile(target="status", classes=classes))

    with pytest.raises(TrainingImpossible, match=r"the test split of credit holds rows of one class only \(good\)"):
        world.plan(world.start())


def test_an_empty_split_is_refused(world: World) -> None:
    world.configure(target="status")
    world.ready(profile=a_profile(splits={"train": 60, "validation": 0, "test": 5}))

    with pytest.raises(TrainingImpossible, match="the validation split of credit holds no row"):
        world.plan(world.start())


def test_classes_counted_for_an_earlier_target_do_not_judge_this_one(world: World) -> None:
    world.configure(target="status")
    one = {"own": 500}
    world.ready(profile=a_profile(target="home", classes={"train": one, "validation": one, "test": one}))

    assert world.plan(world.start())["candidates"]


def test_hyperparameters_that_do_not_fit_the_task_are_refused(world: World) -> None:
    world.configure(target="income", training={"metric": "roc_auc"})
    world.ready()

    with pytest.raises(InvalidInput, match="roc_auc"):
        world.plan(world.start())


def test_without_a_champion_the_file_says_so(world: World) -> None:
    world.configure(target="status")
    world.ready()
    run = world.start()
    world.plan(run)

    assert world.read_json(ARTIFACTS_BUCKET, f"runs/{run.run_id}/champion/champion.json") == {"champion": None}


def with_champion(world: World) -> str:
    """A champion; its id."""
    _, versions = world.trained()
    chosen = versions[1]
    approve_model_version(
        registry=world.registry,
        catalog=world.catalog,
        ledger=world.ledger,
        bus=world.bus,
        clock=world.clock,
        version_id=chosen.id,
        actor="ada",
        reason="good",
    )
    promote_model_version(
        registry=world.registry,
        notifier=world.notifier,
        clock=world.clock,
        model="credit",
        number=chosen.number,
        actor="ada",
        reason="good",
    )
    world.clock.pass_time(timedelta(hours=1))
    return chosen.id


def test_the_champion_is_copied_beside_its_facts(world: World) -> None:
    champion = with_champion(world)
    run = world.start()

    world.plan(run)

    facts = world.read_json(ARTIFACTS_BUCKET, f"runs/{run.run_id}/champion/champion.json")["champion"]
    version = world.registry.get("credit", int(champion.split(":")[1]))
    assert (facts["id"], facts["artifact_digest"], facts["algorithm"]) == (
        champion,
        version.artifact_digest,
        version.algorithm,
    )
    copied = place.run_uri(ARTIFACTS_BUCKET, run.run_id, "champion/model.tar.gz")
    assert world.store.read(copied) == world.store.read(version.artifact_uri)


def test_a_champion_of_another_target_is_not_compared_with(world: World) -> None:
    champion = with_champion(world)
    world.configure(target="home")
    run = world.start()

    world.plan(run)

    facts = world.read_json(ARTIFACTS_BUCKET, f"runs/{run.run_id}/champion/champion.json")
    assert facts["champion"] is None
    assert champion in facts["reason"]
    assert "'status'" in facts["reason"]


def test_what_each_job_said_is_written_down(world: World) -> None:
    world.configure(target="status")
    world.ready()
    run = world.start()
    cause = '{"TrainingJobName": "j", "TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: no rows"}'
    candidates = world.train(run, world.plan(run), failing={"linear": cause})

    assert world.collect(run, candidates) == {
        "trained": ["random_forest", "xgboost"],
        "failed": {"linear": "job j ended Failed: no rows"},
    }
    stored = world.read_json(ARTIFACTS_BUCKET, f"runs/{run.run_id}/training.json")
    assert [(item["algorithm"], item["status"], item["reason"]) for item in stored] == [
        ("random_forest", "TRAINED", None),
        ("xgboost", "TRAINED", None),
        ("linear", "FAILED", "job j ended Failed: no rows"),
    ]
    assert (stored[0]["training_seconds"], stored[0]["billable_seconds"]) == (12.0, 4.0)


def test_no_trained_candidate_is_a_failure_with_every_reason(world: World) -> None:
    world.configure(target="status")
    world.ready()
    run = world.start()
    failing = {"random_forest": "out of memory", "xgboost": "no capacity", "linear": "no rows"}
    candidates = world.train(run, world.plan(run), failing=failing)

    with pytest.raises(TrainingFailed) as failure:
        world.collect(run, candidates)

    assert all(f"{name}: {reason}" in str(failure.value) for name, reason in failing.items())
    assert len(world.read_json(ARTIFACTS_BUCKET, f"runs/{run.run_id}/training.json")) == 3


def test_candidates_become_pending_versions_with_verdict_lineage_and_artefact(world: World) -> None:
    run, versions = world.trained()

    assert [world.registry.get("credit", n) for n in (1, 2, 3)] == versions
    first = versions[0]
    assert (first.id, first.algorithm, first.target, first.recommended) == (
        "credit:1",
        "random_forest",
        "status",
        True,
    )
    assert first.approval.state == ApprovalState.PENDING
    assert first.verdict.sentence == "random_forest gains 0.3."
    assert (first.training_seconds, first.billable_seconds) == (12.0, 4.0)
    assert first.lineage.model_dump() == {
        "run_id": run.run_id,
        "dataset": "credit",
        "dataset_version": 1,
        "dataset_sha256": world.catalog.version("credit", 1).sha256,
        "contract_version": 1,
        "code_digest": "code-digest",
        "image": "image:3.2-0",
        "champion_compared": None,
    }
    for version in versions:
        body = world.store.read(f"s3://{ARTIFACTS_BUCKET}/models/credit/v{version.number}/model.tar.gz")
        assert body == f"artefact of {run.run_id}-{version.algorithm.replace('_', '-')}".encode()
        evaluation = world.read_json(ARTIFACTS_BUCKET, f"models/credit/v{version.number}/evaluation.json")
        assert evaluation["run_id"] == run.run_id


def test_the_run_says_what_it_brought_about_and_why_it_took_this_task(world: World) -> None:
    run, _ = world.trained()

    outcome = str(world.ledger.get(run.run_id).outcome)
    assert "credit:1 (random_forest), credit:2 (xgboost), credit:3 (linear)" in outcome
    assert "credit:1 is recommended: random_forest gains 0.3." in outcome
    assert "binary classification" in outcome


def test_approval_is_asked_for_with_the_verdict(world: World) -> None:
    world.trained()

    [sent] = world.notifier.sent
    assert sent.subject == "Millrace: approval needed for credit:1"
    assert "random_forest gains 0.3." in sent.message
    assert sent.attributes == {"kind": "approval_needed", "model": "credit"}
    assert sent.path == "/models/credit/1"


def test_a_retried_registration_makes_no_second_version(world: World) -> None:
    run, versions = world.trained()
    before = world.registry.history("credit")

    assert world.register_candidates(run) == versions

    assert world.registry.model("credit").latest_number == 3
    assert world.registry.history("credit") == before


def test_a_registration_that_died_halfway_is_completed_under_the_same_numbers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.configure(target="status")
    world.ready()
    run = world.start()
    candidates = world.train(run, world.plan(run))
    world.collect(run, candidates)
    world.evaluate(run, candidates)
    copy, copies = world.store.copy, iter(range(100))

    def dying(source: str, target: str) -> None:
        if next(copies) == 4:
            raise ConnectionError("the network is gone")
        copy(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(world.store, "copy", dying)
        with pytest.raises(ConnectionError):
            world.register_candidates(run)
    assert [version.number for version in world.registry.versions("credit")] == [1]

    assert [version.number for version in world.register_candidates(run)] == [1, 2, 3]
    assert [event.sequence for event in world.registry.history("credit")] == [1, 2, 3]


def test_nobody_sees_a_version_before_its_artefact_is_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    register = world.registry.register

    def watched(version: Any, **given: Any) -> Any:
        assert world.store.read(version.artifact_uri)
        assert world.store.read(version.evaluation_uri)
        assert world.store.read(version.baseline_uri).decode() == f"baseline of {version.algorithm}"
        return register(version, **given)

    monkeypatch.setattr(world.registry, "register", watched)
    _, versions = world.trained()

    assert len(versions) == 3


def test_a_second_run_goes_on_numbering(world: World) -> None:
    world.trained()
    world.clock.pass_time(timedelta(hours=1))

    _, versions = world.trained()

    assert [version.number for version in versions] == [4, 5, 6]


def half_registered(world: World, **facts: Any) -> Any:
    world.configure(target="status")
    world.ready()
    run = world.start()
    candidates = world.train(run, world.plan(run), failing=facts.pop("failing", None))
    world.collect(run, candidates)
    return run, world.evaluate(run, candidates, **facts)


def test_failed_and_unjudged_candidates_are_left_out_with_their_reasons(world: World) -> None:
    run, report = half_registered(world, failing={"linear": "no rows"})
    left_out = report["candidates"].pop()
    failed = [
        {"algorithm": "linear", "job_name": "l", "reason": "it left no artefact"},
        {"algorithm": left_out["algorithm"], "job_name": left_out["job_name"], "reason": "its digest differs"},
    ]
    world.write_evaluation(run, report | {"failed": failed})

    versions = world.register_candidates(run)

    assert [version.algorithm for version in versions] == ["random_forest"]
    outcome = str(world.ledger.get(run.run_id).outcome)
    assert "linear is left out: no rows." in outcome
    assert "xgboost is left out: its digest differs." in outcome


def test_the_champion_compared_with_is_kept_in_the_lineage(world: World) -> None:
    run, _ = half_registered(world, champion={"id": "credit:9", "metrics": {}, "obstacle": None})

    assert {v.lineage.champion_compared for v in world.register_candidates(run)} == {"credit:9"}


def test_a_champion_that_could_not_be_judged_was_not_compared_with(world: World) -> None:
    run, _ = half_registered(world, champion={"id": "credit:9", "metrics": {}, "obstacle": "it needs a column"})

    assert {v.lineage.champion_compared for v in world.register_candidates(run)} == {None}


def test_without_a_recommendation_the_message_says_so(world: World) -> None:
    run, report = half_registered(world)
    report["candidates"][0]["recommended"] = False
    world.write_evaluation(run, report)

    world.register_candidates(run)

    [sent] = world.notifier.sent
    assert sent.subject == "Millrace: approval needed for new versions of credit"
    assert "None is recommended." in sent.message
    assert sent.path == "/models/credit"


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"run_id": "training-other"}, "about run training-other"),
        ({"candidates": []}, "trained linear, random_forest, xgboost, but its evaluation is about nothing"),
        ({"task": "guess"}, "is not an evaluation"),
    ],
)
def test_an_evaluation_that_does_not_match_its_run_registers_nothing(
    world: World, facts: dict[str, Any], said: str
) -> None:
    run, _ = half_registered(world, **facts)

    with pytest.raises(EvaluationInvalid, match=said):
        world.register_candidates(run)

    assert world.registry.models() == []
    assert world.notifier.sent == []


def test_a_candidate_judged_from_another_job_is_refused(world: World) -> None:
    run, report = half_registered(world)
    report["candidates"][0]["job_name"] = "another-job"
    world.write_evaluation(run, report)

    with pytest.raises(EvaluationInvalid):
        world.register_candidates(run)


def test_a_missing_evaluation_is_said_with_its_place(world: World) -> None:
    world.configure(target="status")
    world.ready()
    run = world.start()
    world.collect(run, world.train(run, world.plan(run)))

    with pytest.raises(EvaluationInvalid, match=rf"{ARTIFACTS_BUCKET}/runs/{run.run_id}/evaluation/evaluation\.json"):
        world.register_candidates(run)


def test_training_writes_to_the_artifacts_alone(world: World) -> None:
    world.configure(target="status")
    world.ready()
    before = world.store.list(f"s3://{DATA_BUCKET}/")
    run = world.start()
    candidates = world.train(run, world.plan(run))
    world.collect(run, candidates)
    world.evaluate(run, candidates)
    world.register_candidates(run)

    assert world.store.list(f"s3://{DATA_BUCKET}/") == before
