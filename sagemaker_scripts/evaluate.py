"""Judges all candidates of a run and the champion on the same held-out rows, inside a SageMaker processing job."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from millrace.algorithms.base import BINARY, MULTICLASS, REGRESSION
from millrace.algorithms.features import model_frame
from millrace.analytics.comparison import CONSTANT, Opponent, Scored, judge, recommended
from millrace.analytics.evaluation import (
    Floats,
    Predictions,
    confusion,
    curves,
    intervals,
    labels_of,
    metric_values,
    resampled_metrics,
)
from millrace.analytics.importance import permutation_importance
from millrace.analytics.measures import MEASURES
from millrace.errors import EvaluationInvalid, TrainingFailed
from millrace.settings import ContainerSettings
from sagemaker_scripts.artefact import Artefact, extract, open_artefact, scores_of
from sagemaker_scripts.container import ProcessingPaths, read_json, reproducible_sums, run, say, write_json
from sagemaker_scripts.plan import Candidate, Plan, read_plan
from sagemaker_scripts.rows import Rows, column_names, read_rows

# More rows sharpen no verdict that anybody waits for, and the bootstrap's cost grows with them.
MAX_TEST_ROWS = 100_000
LATENCY_CALLS = 50
CHAMPION = "champion"


@dataclass(frozen=True)
class Opened:
    """A candidate whose artefact was proven and loaded."""

    candidate: Candidate
    artefact: Artefact
    size_bytes: int


@dataclass(frozen=True)
class Champion:
    """The version that serves. `obstacle` says why it cannot score these rows; None when it can."""

    id: str
    artefact: Artefact
    obstacle: str | None


@dataclass(frozen=True)
class TestRows:
    """The held-out rows all models are judged on. `truth` is class indices into `classes`, or numbers."""

    rows: Rows
    classes: tuple[Any, ...]
    truth: npt.NDArray[Any]
    of_unknown_class: int
    available: int


def main() -> int:
    paths = ProcessingPaths(ContainerSettings.from_env().base_dir)
    return run(lambda: evaluate(paths), paths.message)


def evaluate(paths: ProcessingPaths) -> None:
    """The whole job. Raises TrainingFailed when no candidate can be judged, EvaluationInvalid for a wrong champion."""
    plan = read_plan(paths.input("plan") / "plan.json")
    paths.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, reproducible_sums():
        opened, failed = open_candidates(plan, paths.input("candidates"), Path(scratch))
        champion = open_champion(plan, paths, Path(scratch), opened[0].artefact)
        test = read_test_rows(plan, paths.input("test"), opened[0].artefact, champion)
        say("judging", {"test_rows": len(test.rows), "candidates": len(opened), "failed": len(failed)})
        report, scored = _judged(plan, opened, champion, test)
        write_json(paths.output / "evaluation.json", {**report, "failed": failed})
        _write_predictions(paths.output / "predictions.parquet", test, scored)
    for candidate in report["candidates"]:
        say("verdict", {"algorithm": candidate["algorithm"], **candidate["verdict"]})


def open_candidates(plan: Plan, directory: Path, scratch: Path) -> tuple[list[Opened], list[dict[str, str]]]:
    """Every candidate of the plan, opened, or with the reason why it is left out. Raises TrainingFailed if all are."""
    opened: list[Opened] = []
    failed: list[dict[str, str]] = []
    for candidate in plan.candidates:
        archive = directory / candidate.job_name / "output" / "model.tar.gz"
        try:
            artefact = _open(archive, scratch / candidate.job_name)
            _check_belongs(artefact, candidate, opened)
        except EvaluationInvalid as error:
            failed.append({"algorithm": candidate.algorithm, "job_name": candidate.job_name, "reason": str(error)})
            say("candidate_left_out", failed[-1])
        else:
            opened.append(Opened(candidate, artefact, archive.stat().st_size))
    if not opened:
        reasons = "; ".join(f"{entry['algorithm']}: {entry['reason']}" for entry in failed)
        raise TrainingFailed(f"no candidate of run {plan.run_id} can be judged. {reasons}")
    return opened, failed


def open_champion(plan: Plan, paths: ProcessingPaths, scratch: Path, candidate: Artefact) -> Champion | None:
    """The champion, or None when there is none yet. Raises EvaluationInvalid when its artefact was changed."""
    facts = read_json(paths.input(CHAMPION) / "champion.json").get(CHAMPION)
    if facts is None:
        return None
    archive = paths.input(CHAMPION) / "model.tar.gz"
    try:
        artefact = _open(archive, scratch / CHAMPION, expected_digest=str(facts["artifact_digest"]))
    except EvaluationInvalid as error:
        raise EvaluationInvalid(f"the champion {facts['id']} cannot be judged: {error}") from error
    return Champion(facts["id"], artefact, _obstacle(plan, artefact, candidate, column_names(paths.input("test"))))


def read_test_rows(plan: Plan, directory: Path, candidate: Artefact, champion: Champion | None) -> TestRows:
    """Rows with a target, and with a class the task can have. Raises EvaluationInvalid when none is left."""
    names = {feature.name for feature in plan.features}
    old = [] if champion is None or champion.obstacle else champion.artefact.features
    more = [replace(feature, categories=()) for feature in old if feature.name not in names]
    rows = read_rows(directory, [*plan.features, *more], plan.target)
    classes, known = _classes(plan, candidate, rows)
    kept = rows.only(known)
    if not len(kept):
        raise EvaluationInvalid(f"the test split has no row with a usable value in {plan.target!r}: add rows")
    chosen = _at_most(len(kept), MAX_TEST_ROWS, plan.seed)
    judged = kept.only(chosen)
    return TestRows(judged, classes, _truth(judged, classes), int((~known).sum()), len(kept))


def _open(archive: Path, directory: Path, expected_digest: str | None = None) -> Artefact:
    if not archive.exists():
        raise EvaluationInvalid("its training job left no model.tar.gz")
    extract(archive, directory)
    return open_artefact(directory, expected_digest=expected_digest)


def _check_belongs(artefact: Artefact, candidate: Candidate, opened: Sequence[Opened]) -> None:
    found = artefact.manifest["algorithm"]
    if found != candidate.algorithm:
        raise EvaluationInvalid(f"its artefact was trained by {found}")
    if opened and artefact.manifest["classes"] != opened[0].artefact.manifest["classes"]:
        raise EvaluationInvalid("it was trained on other classes than the candidates before it")


def _obstacle(plan: Plan, champion: Artefact, candidate: Artefact, columns: Sequence[str]) -> str | None:
    """Why the champion cannot score the test rows as the candidates do."""
    if champion.manifest["task"] != plan.task:
        return f"it solves a {champion.manifest['task']} task and this is {plan.task}"
    if plan.task == BINARY and set(champion.manifest["classes"]) != set(candidate.manifest["classes"]):
        return f"it tells apart {champion.manifest['classes']} and the target now holds {candidate.manifest['classes']}"
    absent = [feature.name for feature in champion.features if feature.name not in columns]
    if absent:
        return f"it needs the columns {', '.join(absent)}, which this dataset version does not have"
    kinds = {feature.name: feature for feature in plan.features}
    changed = [f.name for f in champion.features if f.name in kinds and kinds[f.name].is_category != f.is_category]
    return f"the columns {', '.join(changed)} are of another kind now" if changed else None


def _classes(plan: Plan, candidate: Artefact, rows: Rows) -> tuple[tuple[Any, ...], npt.NDArray[np.bool_]]:
    """All classes to judge by, and which rows have one. With several classes a new one is an error of every model."""
    trained = tuple(candidate.manifest["classes"])
    if plan.task == MULTICLASS:
        new = sorted(set(rows.target.tolist()) - set(trained))
        return (*trained, *new), np.ones(len(rows), dtype=np.bool_)
    if plan.task == BINARY:
        return trained, np.array([label in trained for label in rows.target.tolist()], dtype=np.bool_)
    return (), np.ones(len(rows), dtype=np.bool_)


def _truth(rows: Rows, classes: tuple[Any, ...]) -> npt.NDArray[Any]:
    if not classes:
        return rows.target.astype(np.float64)
    index = {label: position for position, label in enumerate(classes)}
    return np.array([index[label] for label in rows.target.tolist()], dtype=np.int64)


def _at_most(rows: int, limit: int, seed: int) -> npt.NDArray[np.int64]:
    if rows <= limit:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, size=limit, replace=False))


def _predicted(artefact: Artefact, frame: pd.DataFrame, test: TestRows) -> Predictions:
    """What a model says about rows of the test (a model frame whose index tells which), in the classes of the test."""
    task = artefact.manifest["task"]
    scores = scores_of(artefact.pipeline, task, frame)
    if task != REGRESSION:
        aligned = np.zeros((len(frame), len(test.classes)))
        for position, label in enumerate(artefact.manifest["classes"]):
            if label in test.classes:
                aligned[:, test.classes.index(label)] = scores[:, position]
        scores = aligned
    return Predictions(task, test.truth[frame.index], scores, labels_of(task, scores, artefact.manifest["threshold"]))


def _constant(plan: Plan, manifest: Mapping[str, Any], test: TestRows) -> Predictions:
    """The best answer without looking at a row, learnt from the training rows."""
    told, rows = manifest["constant_prediction"], len(test.rows)
    if plan.task == REGRESSION:
        centre = told["median"] if plan.measure.name in ("mae", "median_absolute_error", "mape") else told["mean"]
        return Predictions(plan.task, test.truth, np.full(rows, centre), labels_of(plan.task, np.empty(0), None))
    shares = np.zeros(len(test.classes))
    shares[: len(told["class_shares"])] = told["class_shares"]
    scores = np.tile(shares, (rows, 1))
    return Predictions(plan.task, test.truth, scores, labels_of(plan.task, scores, None))


def _judged(
    plan: Plan, opened: Sequence[Opened], champion: Champion | None, test: TestRows
) -> tuple[dict[str, Any], dict[str, Predictions]]:
    frames = [model_frame(test.rows.frame, one.artefact.features) for one in opened]
    models = [_predicted(one.artefact, frame, test) for one, frame in zip(opened, frames, strict=True)]
    constant = _constant(plan, opened[0].artefact.manifest, test)
    rivals = [] if champion is None or champion.obstacle else [
        _predicted(champion.artefact, model_frame(test.rows.frame, champion.artefact.features), test)
    ]  # fmt: skip
    resampled = resampled_metrics([*models, constant, *rivals], seed=plan.seed)
    primary = [_scored(plan, one, drawn) for one, drawn in zip([*models, constant, *rivals], resampled, strict=True)]
    names = [one.candidate.algorithm for one in opened]
    opponent = _opponent(champion, primary[len(models) :])
    verdicts = judge(
        plan.measure, dict(zip(names, primary[: len(models)], strict=True)), opponent, test_rows=len(test.rows)
    )
    best = recommended(verdicts)
    candidates = []
    for one, frame, predictions, drawn in zip(opened, frames, models, resampled, strict=False):
        say("described", {"algorithm": one.candidate.algorithm})
        facts = _described(plan, one, frame, predictions, drawn, test)
        verdict = verdicts[one.candidate.algorithm]
        candidates.append({**facts, "verdict": asdict(verdict), "recommended": one.candidate.algorithm == best})
    report = {
        "run_id": plan.run_id,
        "task": plan.task,
        "primary_metric": plan.measure.name,
        "test_rows": len(test.rows),
        "test_rows_available": test.available,
        "test_rows_without_target": test.rows.without_target,
        "test_rows_of_unknown_class": test.of_unknown_class,
        "candidates": candidates,
        "champion": _champion_facts(champion, rivals, resampled),
        "constant_prediction": metric_values(constant),
    }
    return report, dict(zip([*names, CHAMPION], [*models, *rivals], strict=False))


def _scored(plan: Plan, predictions: Predictions, resampled: Mapping[str, Floats]) -> Scored:
    values = metric_values(predictions)
    if plan.measure.name not in values:
        raise EvaluationInvalid(
            f"{plan.measure.name} is undefined on the {predictions.rows} test rows, so nothing can be judged by it: "
            "add rows, or choose another metric"
        )
    return Scored(values[plan.measure.name], resampled[plan.measure.name])


def _opponent(champion: Champion | None, constant_then_champion: Sequence[Scored]) -> Opponent:
    if champion is None:
        return Opponent(CONSTANT, constant_then_champion[0], "There is no champion yet.")
    if champion.obstacle:
        return Opponent(
            CONSTANT, constant_then_champion[0], f"{champion.id} cannot score these rows: {champion.obstacle}."
        )
    return Opponent(champion.id, constant_then_champion[1])


def _metrics(predictions: Predictions, resampled: Mapping[str, Floats]) -> dict[str, Any]:
    return {
        name: {**asdict(interval), "higher_is_better": MEASURES[name].higher_is_better}
        for name, interval in intervals(predictions, dict(resampled)).items()
    }


def _champion_facts(
    champion: Champion | None, rivals: Sequence[Predictions], resampled: Sequence[Mapping[str, Floats]]
) -> dict[str, Any] | None:
    if champion is None:
        return None
    metrics = _metrics(rivals[0], resampled[-1]) if rivals else {}
    return {"id": champion.id, "metrics": metrics, "obstacle": champion.obstacle}


def _described(
    plan: Plan, one: Opened, frame: pd.DataFrame, predictions: Predictions, drawn: Mapping[str, Floats], test: TestRows
) -> dict[str, Any]:
    manifest = one.artefact.manifest
    importance = permutation_importance(
        lambda rows: _predicted(one.artefact, rows, test), frame, list(frame.columns), plan.measure, plan.seed
    )
    return {
        "algorithm": one.candidate.algorithm,
        "job_name": one.candidate.job_name,
        "artifact_digest": manifest["artifact_digest"],
        "hyperparameters": manifest["hyperparameters"],
        "signature": manifest["signature"],
        "metrics": _metrics(predictions, drawn),
        "curves": curves(predictions, test.classes),
        "confusion": confusion(predictions, test.classes, manifest["threshold"]),
        "importance": [asdict(item) for item in importance],
        **_speed(one.artefact, test.rows.frame),
        "size_bytes": one.size_bytes,
    }


def _speed(artefact: Artefact, frame: pd.DataFrame) -> dict[str, Any]:
    """Milliseconds for one raw row, and rows per second for all of them at once, conversion included."""
    times = []
    for call in range(LATENCY_CALLS):
        row = frame.iloc[[call % len(frame)]]
        started = time.perf_counter()
        artefact.scores(row)
        times.append((time.perf_counter() - started) * 1000)
    started = time.perf_counter()
    artefact.scores(frame)
    batch = time.perf_counter() - started
    p50, p99 = np.quantile(times[1:], [0.5, 0.99])
    return {
        "latency_ms": {"single_row_p50": float(p50), "single_row_p99": float(p99)},
        "batch_rows_per_second": len(frame) / batch,
    }


def _write_predictions(path: Path, test: TestRows, scored: Mapping[str, Predictions]) -> None:
    """`row` (its place in the split's files), `truth`, and each model's scores, one column per class."""
    columns: dict[str, Any] = {"row": test.rows.number, "truth": test.rows.target}
    for name, predictions in scored.items():
        if test.classes:
            for position, label in enumerate(test.classes):
                columns[f"{name}.{label}"] = predictions.scores[:, position]
        else:
            columns[name] = predictions.scores
    pq.write_table(pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False), path)


if __name__ == "__main__":
    sys.exit(main())
