"""What people look at before they decide: runs, estimates, evaluations, lineage, quarantined rows, contracts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain.dataset import ColumnKind
from millrace.domain.model import ModelEvent, ModelEventKind
from millrace.domain.run import Job, RunState, Step
from millrace.errors import ChangedMeanwhile, Conflict, EvaluationInvalid, InvalidInput, NotFound
from millrace.use_cases.describe_model_version import alias_periods, read_evaluation, thin, write_model_card
from millrace.use_cases.describe_model_version import trace_model_version as trace
from millrace.use_cases.describe_training import TrainingOptions, describe_training
from millrace.use_cases.estimate_training import Estimate, estimate_training
from millrace.use_cases.read_quarantine import read_quarantine
from millrace.use_cases.replace_contract import replace_contract
from millrace.use_cases.stop_run import stop_run
from tests.builders import NOON, a_column, a_run, later
from tests.unit.use_cases.world import World


class TestStopping:
    def stop(self, world: World, run_id: str, reason: str = "wrong data") -> None:
        stop_run(ledger=world.ledger, pipelines=world.pipelines, run_id=run_id, actor="user:ada", reason=reason)

    def test_the_execution_ends_and_says_who_wanted_it_and_why(self, world: World) -> None:
        world.configure(target="status")
        world.ready()
        run = world.start()

        self.stop(world, run.run_id)

        assert world.pipelines.stopped == [(run.run_id, "user:ada: wrong data")]

    def test_what_ended_cannot_be_stopped(self, world: World) -> None:
        run, _ = world.trained()
        world.ledger.close(run.run_id, state=RunState.SUCCEEDED, reason=None, steps=[], at=later(9))

        with pytest.raises(Conflict, match="SUCCEEDED"):
            self.stop(world, run.run_id)

    def test_what_is_not_there_cannot_be_stopped(self, world: World) -> None:
        with pytest.raises(NotFound):
            self.stop(world, "training-9")
        world.ledger.open(a_run())
        with pytest.raises(Conflict, match="no execution to stop yet"):
            self.stop(world, "training-1")

    def test_it_needs_a_reason(self, world: World) -> None:
        with pytest.raises(InvalidInput):
            self.stop(world, "training-1", " ")


def ended(world: World, name: str, minutes: float, *, dataset: str = "credit", **facts: Any) -> None:
    world.ledger.open(a_run(name, dataset=dataset, pipeline=facts.pop("pipeline", "training")))
    state = facts.pop("state", RunState.SUCCEEDED)
    billed = Job(service="sagemaker", name=name, machine="ml.m5.large", billable_seconds=minutes * 60)
    steps = [Step(name="TrainOnSpot", state=state, job=billed), Step(name="PlanTraining", state=state)]
    world.ledger.close(name, state=state, reason=None, steps=steps, at=later(minutes))


class TestEstimates:
    def estimate(self, world: World, dataset: str = "credit") -> Estimate:
        return estimate_training(catalog=world.catalog, ledger=world.ledger, dataset=dataset)

    def test_the_datasets_own_runs_say_what_the_next_will_take(self, world: World) -> None:
        world.catalog.ensure("credit", at=NOON, actor="ada")
        for minutes in (10, 30, 20):
            ended(world, f"training-{minutes}", minutes)
        ended(world, "training-other", 500, dataset="churn")
        ended(world, "training-failed", 1, state=RunState.FAILED)
        ended(world, "ingest-1", 1, pipeline="ingest")

        found = self.estimate(world)

        assert found[:5] == (3, True, 1200.0, 600.0, 1800.0)
        assert found.cost_usd == pytest.approx(20 / 60 * 0.115)

    def test_a_dataset_without_runs_is_told_what_others_took(self, world: World) -> None:
        world.catalog.ensure("credit", at=NOON, actor="ada")
        ended(world, "training-other", 50, dataset="churn")

        assert self.estimate(world)[:3] == (1, False, 3000.0)

    def test_without_any_run_nothing_is_made_up(self, world: World) -> None:
        world.catalog.ensure("credit", at=NOON, actor="ada")

        assert self.estimate(world) == Estimate(0, False, None, None, None, None)
        with pytest.raises(NotFound):
            self.estimate(world, "nobody")


class TestTrainingOptions:
    def described(self, world: World, dataset: str | None = "credit") -> TrainingOptions:
        return describe_training(catalog=world.catalog, ledger=world.ledger, dataset=dataset)

    def trained(self, world: World, name: str, whole: float, **minutes: float) -> None:
        """A run of `whole` minutes in which each algorithm was trained, side by side, for so many."""
        steps = [
            Step(
                name="Train",
                item=algorithm,
                state=RunState.SUCCEEDED,
                started_at=NOON,
                ended_at=later(each),
                job=Job(service="sagemaker", name=algorithm, machine="ml.m5.large", billable_seconds=each * 60),
            )
            for algorithm, each in minutes.items()
        ]
        evaluated = Job(service="sagemaker", name="evaluation", machine="ml.m5.large", billable_seconds=60)
        steps.append(Step(name="EvaluateCandidates", state=RunState.SUCCEEDED, job=evaluated))
        world.ledger.open(a_run(run_id=name, pipeline="training", dataset="credit", started_at=NOON))
        world.ledger.close(name, state=RunState.SUCCEEDED, reason=None, steps=steps, at=later(whole))

    def test_each_algorithm_says_what_it_took_and_the_rest_what_is_around_them(self, world: World) -> None:
        world.catalog.ensure("credit", at=NOON, actor="ada")
        self.trained(world, "training-1", 30, xgboost=20, linear=5)
        self.trained(world, "training-2", 20, xgboost=10)

        found = self.described(world)

        assert [each[:3] for each in found.algorithms] == [("linear", 1, 300.0), ("xgboost", 2, 900.0)]
        assert found.algorithms[1].cost_usd == pytest.approx(15 / 60 * 0.115)
        assert found.around_seconds == 600.0
        assert found.around_cost_usd == pytest.approx(1 / 60 * 0.115)
        assert found.estimate is not None
        assert found.estimate.runs == 2

    def test_versions_that_are_ready_are_offered_newest_first(self, world: World) -> None:
        world.configure(target="status")
        world.ready("uploads/credit/may.csv", b"1")
        world.ready("uploads/credit/june.csv", b"2")
        world.register(world.dropped("uploads/credit/july.csv", b"3"))

        assert [each.version for each in self.described(world).versions] == [2, 1]

    def test_without_a_name_the_first_dataset_that_can_be_trained_on_is_meant(self, world: World) -> None:
        assert self.described(world, None).dataset is None
        world.catalog.ensure("apples", at=NOON, actor="ada")
        assert str(self.described(world, None).dataset).startswith("name='apples'")
        world.configure(target="status")
        world.ready()

        found = self.described(world, None)

        assert [each.name for each in found.datasets] == ["apples", "credit"]
        assert found.dataset is not None
        assert found.dataset.name == "credit"
        with pytest.raises(NotFound):
            self.described(world, "nobody")


class TestEvaluations:
    def test_an_evaluation_is_the_versions_own(self, world: World) -> None:
        _, versions = world.trained()

        said = read_evaluation(store=world.store, version=versions[1])

        assert said["algorithm"] == versions[1].algorithm
        assert said["test_rows"] == 668

    def test_an_evaluation_that_is_gone_or_of_others_is_an_error_of_ours(self, world: World) -> None:
        _, (version, *_) = world.trained()
        with pytest.raises(EvaluationInvalid, match="does not know"):
            read_evaluation(store=world.store, version=version.model_copy(update={"artifact_digest": "other"}))
        world.store.delete(version.evaluation_uri)
        with pytest.raises(EvaluationInvalid, match="not where it was stored"):
            read_evaluation(store=world.store, version=version)

    @pytest.mark.parametrize("per_class", [True, False])
    def test_curves_are_thinned_whether_of_one_class_or_of_several(self, per_class: bool, world: World) -> None:
        _, (version, *_) = world.trained()
        document = json.loads(world.store.read(version.evaluation_uri))
        points = [{"false_positive_rate": number / 999} for number in range(1000)]
        document["candidates"][0]["curves"] = {"roc": [{"class": "bad", "points": points}] if per_class else points}
        world.store.write(version.evaluation_uri, json.dumps(document).encode())

        (curve,) = read_evaluation(store=world.store, version=version)["curves"]["roc"]

        assert curve["class_name"] == ("bad" if per_class else None)
        assert len(curve["points"]) == 200
        assert (curve["points"][0], curve["points"][-1]) == (points[0], points[-1])

    @given(count=st.integers(0, 1000), most=st.integers(2, 300))
    def test_thinning_keeps_the_ends_the_order_and_the_limit(self, count: int, most: int) -> None:
        thinned = thin(list(range(count)), most)

        assert len(thinned) == min(count, most)
        assert thinned == sorted(set(thinned))
        if count:
            assert (thinned[0], thinned[-1]) == (0, count - 1)


def moved(sequence: int, alias: str, number: int, before: int | None, at: datetime) -> ModelEvent:
    return ModelEvent(
        model="credit",
        sequence=sequence,
        kind=ModelEventKind.ALIAS_MOVED,
        number=number,
        previous_number=before,
        alias=alias,
        actor="ada",
        reason="better",
        at=at,
    )


class TestLineage:
    def test_when_a_version_served_and_until_when(self) -> None:
        history = [
            moved(1, "champion", 1, None, later(0)),
            moved(2, "shadow", 1, None, later(1)),
            moved(3, "champion", 2, 1, later(2)),
            moved(4, "champion", 1, 2, later(3)),
        ]

        assert alias_periods(history, 1) == [
            ("champion", later(0), later(2)),
            ("shadow", later(1), None),
            ("champion", later(3), None),
        ]
        assert alias_periods(history, 2) == [("champion", later(2), later(3))]
        assert alias_periods(history, 3) == []

    def test_where_it_comes_from_and_who_had_to_beat_it(self, world: World) -> None:
        _, (version, *_) = world.trained()

        descent = trace(registry=world.registry, catalog=world.catalog, version=version)

        assert descent.upload_id == world.catalog.version("credit", 1).upload_id
        assert descent.challengers == []

    def test_a_card_says_what_is_recorded(self, world: World) -> None:
        _, (version, *_) = world.trained()
        evaluation = read_evaluation(store=world.store, version=version)
        descent = trace(registry=world.registry, catalog=world.catalog, version=version)

        waiting = write_model_card(version, {**evaluation, "importance": []}, descent)
        decided = world.registry.decide("credit", 1, approve=True, actor="grace", reason="fair enough", at=NOON)
        card = write_model_card(decided, evaluation, descent)

        assert "Nobody yet" in waiting
        for fact in ("# credit:1", "`status`", "668 test rows", "| **roc_auc** | 0.8300 | 0.7900 to 0.8600 | higher |"):
            assert fact in card
        assert "APPROVED by grace at 2026-11-20T12:00:00+00:00: fair enough" in card
        assert version.artifact_digest in card


class TestQuarantine:
    def rows(self, world: World, *parts: int, text: str = "x") -> Any:
        version = world.ready(key="uploads/credit/q.csv")
        line = 0
        for index, count in enumerate(parts):
            lines = []
            for _ in range(count):
                line += 1
                lines.append(json.dumps({"line": line, "text": text, "reasons": ["bad"]}))
            body = "".join(f"{each}\n" for each in lines).encode()
            world.store.write(f"{version.quarantine_location}part-{index:05}.jsonl", body)
        return version

    def walked(self, world: World, version: Any, limit: int) -> list[list[int]]:
        pages, position = [], None
        while True:
            page = read_quarantine(store=world.store, version=version, after=position, limit=limit)
            pages.append([row.line for row in page.rows])
            position = page.position
            if position is None:
                return pages

    @pytest.mark.parametrize("parts", [(), (5,), (3, 2), (2, 0, 3), (0, 5), (5, 0)])
    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
    def test_every_row_comes_once_in_order_however_it_lies(
        self, parts: tuple[int, ...], limit: int, world: World
    ) -> None:
        version = self.rows(world, *parts)

        pages = self.walked(world, version, limit)

        assert [line for page in pages for line in page] == list(range(1, sum(parts) + 1))
        assert all(len(page) <= limit for page in pages)

    def test_long_rows_make_short_pages_and_are_shown_in_part(self, world: World) -> None:
        version = self.rows(world, 5, text="y" * 400_000)

        first = read_quarantine(store=world.store, version=version, limit=50)

        assert [row.line for row in first.rows] == [1, 2, 3]
        assert (len(first.rows[0].text), first.rows[0].cut) == (10_000, True)
        assert [line for page in self.walked(world, version, 50) for line in page] == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize("position", ["9:0", "x", "0:x", "0:3", ""])
    def test_a_position_that_there_is_not_is_refused(self, position: str, world: World) -> None:
        version = self.rows(world, 2)

        with pytest.raises(InvalidInput):
            read_quarantine(store=world.store, version=version, after=position)


class TestContracts:
    def replace(self, world: World, *names: str, seen: int | None = None, **facts: Any) -> Any:
        return replace_contract(
            catalog=world.catalog,
            clock=world.clock,
            dataset="credit",
            columns=[a_column(name, ColumnKind.NUMBER, **facts) for name in names],
            missing_values=["-"],
            actor="user:ada",
            seen=seen,
        )

    def test_the_next_one_is_in_force_and_the_one_before_is_kept(self, world: World) -> None:
        world.ready()

        made = self.replace(world, "age", "income", seen=1)

        assert (made.version, made.created_by, made.missing_values) == (2, "user:ada", ("-",))
        assert world.catalog.get("credit").contract_version == 2
        assert world.catalog.contract("credit", 2) == made
        assert world.catalog.contract("credit", 1).column("status") is not None

    def test_who_saw_another_one_is_told(self, world: World) -> None:
        world.ready()

        with pytest.raises(ChangedMeanwhile, match="contract 1 of credit is in force now, not 7"):
            self.replace(world, "age", seen=7)

    def test_every_fault_is_told_at_once_and_nothing_is_stored(self, world: World) -> None:
        world.configure(target="status", key=["id"])
        world.ready()

        with pytest.raises(InvalidInput) as refused:
            self.replace(world, "age", "age", minimum=5, maximum=1)

        for part in ("'age' is there 2 times", "minimum 5.0 is above maximum 1.0", "no 'status'", "no 'id'"):
            assert part in str(refused.value)
        assert world.catalog.get("credit").contract_version == 1
