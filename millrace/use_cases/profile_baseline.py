"""Profile what a run's candidates will be judged against later: their training rows, and their held-out answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from millrace.analytics.drift.baseline import LABEL, PREDICTION, Baseline, HeldOut, Output
from millrace.analytics.drift.performance import expected_metrics
from millrace.analytics.drift.rows import WindowProfiler, label_text, scores_of
from millrace.analytics.evaluation import labels_of
from millrace.analytics.profiling import DatasetProfile
from millrace.domain import place
from millrace.ports import ObjectStore
from millrace.use_cases.read_window import parquet_tables


def profile_baseline(
    *, store: ObjectStore, artifacts_bucket: str, run_id: str, train_uri: str, evaluation_uri: str
) -> dict[str, str]:
    """Where each judged candidate's baseline lies now: algorithm → address. Repeating it writes the same bytes.

    Memory holds one batch of rows, the profiles, and the scores of the held-out rows (at most 100,000).
    """
    plan = json.loads(store.read(place.run_uri(artifacts_bucket, run_id, "plan/plan.json")))
    evaluation = json.loads(store.read(f"{evaluation_uri.rstrip('/')}/evaluation.json"))
    kinds = {each["name"]: each["kind"] for each in plan["features"]}
    profiler = WindowProfiler(kinds)
    for table in parquet_tables(store, train_uri, repeated=[name for name in kinds if kinds[name] == "category"]):
        profiler.add(table)
    scored = pa.concat_tables(list(parquet_tables(store, f"{evaluation_uri.rstrip('/')}/predictions.parquet")))
    written = {}
    for candidate in evaluation["candidates"]:
        address = place.baseline_uri(artifacts_bucket, run_id, candidate["algorithm"])
        baseline = _baseline(evaluation, candidate, profiler.profile, scored)
        store.write(address, json.dumps(baseline.to_json(), sort_keys=True).encode())
        written[candidate["algorithm"]] = address
    return written


def _baseline(
    evaluation: Mapping[str, Any], candidate: Mapping[str, Any], train: DatasetProfile, scored: pa.Table
) -> Baseline:
    output = Output.of(candidate["signature"])
    answers = _answers(output, str(candidate["algorithm"]), scored)
    inputs = {each["name"] for each in candidate["signature"]["inputs"]}
    predictions, labels = WindowProfiler(output.profiled_kinds), WindowProfiler({LABEL: output.label_kind})
    predictions.add(answers)
    truth = scored.column("truth")
    labels.add(pa.table({LABEL: pa.array([label_text(each.as_py()) for each in truth]) if output.classes else truth}))
    return Baseline(
        signature=candidate["signature"],
        inputs=DatasetProfile(
            columns={name: column for name, column in train.columns.items() if name in inputs}, rows=train.rows
        ),
        predictions=predictions.profile,
        labels=labels.profile,
        importances={each["feature"]: each["importance"] for each in candidate["importance"]},
        held_out=HeldOut(
            rows=scored.num_rows,
            primary_metric=evaluation["primary_metric"],
            metrics=candidate["metrics"],
            expected=expected_metrics(output, scores_of(answers, output)),
        ),
    )


def _answers(output: Output, algorithm: str, scored: pa.Table) -> pa.Table:
    """What the candidate said about the held-out rows, in the columns of batch results."""
    if not output.classes:
        return pa.table({PREDICTION: scored.column(algorithm)})
    columns = {
        name: scored.column(f"{algorithm}.{label}")
        for name, label in zip(output.probability_columns, output.classes, strict=True)
    }
    scores = np.stack([column.to_numpy() for column in columns.values()], axis=1)
    chosen = labels_of(output.task, scores, output.threshold)
    said = pa.array(np.array(output.class_names, dtype=object)[chosen], pa.string())
    return pa.table({PREDICTION: said, **columns})
