"""Describe a model version: its evaluation, where it comes from, what came of it, and a card for whoever decides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from millrace.domain.model import Metric, ModelEvent, ModelVersion, parse_version_id
from millrace.errors import EvaluationInvalid, NotFound
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore

MAX_CURVE_POINTS = 200
_LOOKED_AT = 100


class Period(NamedTuple):
    """From when to when an alias pointed at a version. `until` is None while it still does."""

    alias: str
    since: datetime
    until: datetime | None


class Descent(NamedTuple):
    """What came of a version. `challengers` are later versions that were compared with it."""

    upload_id: str | None
    periods: Sequence[Period]
    challengers: Sequence[ModelVersion]


def read_evaluation(*, store: ObjectStore, version: ModelVersion) -> Mapping[str, Any]:
    """What evaluation.json says of `version`: its entry among the candidates, and `test_rows`, with curves thinned.

    Raises EvaluationInvalid when the file is gone or does not know the version.
    """
    try:
        document = json.loads(store.read(version.evaluation_uri))
    except NotFound as missing:
        raise EvaluationInvalid(f"the evaluation of {version.id} is not where it was stored") from missing
    mine = [entry for entry in document["candidates"] if entry["artifact_digest"] == version.artifact_digest]
    named = [entry for entry in mine if entry["algorithm"] == version.algorithm]
    if not named:
        raise EvaluationInvalid(f"the evaluation at {version.evaluation_uri} does not know {version.id}")
    curves = {name: [_thin_curve(each) for each in _per_class(found)] for name, found in named[0]["curves"].items()}
    return {**named[0], "curves": curves, "test_rows": document["test_rows"]}


def find_evaluation(*, store: ObjectStore, version: ModelVersion) -> Mapping[str, Any] | None:
    """As `read_evaluation`; None when it cannot be read."""
    try:
        return read_evaluation(store=store, version=version)
    except EvaluationInvalid:
        return None


def find_rival(*, registry: ModelRegistry, version: ModelVersion) -> ModelVersion | None:
    """The version that it had to beat. A first one is compared with a constant prediction, which is no version."""
    rival = version.verdict.compared_with
    if ":" not in rival:
        return None
    try:
        return registry.get(*parse_version_id(rival))
    except NotFound:
        return None


def trace_model_version(*, registry: ModelRegistry, catalog: DatasetCatalog, version: ModelVersion) -> Descent:
    """Where the data came from and what the version has been used for since."""
    newer = registry.page_versions(version.model, limit=_LOOKED_AT).items
    return Descent(
        upload_id=_upload_of(catalog, version),
        periods=alias_periods(registry.history(version.model), version.number),
        challengers=[each for each in newer if each.lineage.champion_compared == version.id],
    )


def alias_periods(history: Sequence[ModelEvent], number: int) -> list[Period]:
    """When which alias pointed at version `number`, in order."""
    periods: list[Period] = []
    for event in history:
        if event.alias is None:
            continue
        if event.previous_number == number:
            periods = [_ended(period, event) for period in periods]
        if event.number == number:
            periods.append(Period(event.alias, event.at, None))
    return periods


def write_model_card(version: ModelVersion, evaluation: Mapping[str, Any], descent: Descent) -> str:
    """Markdown for whoever decides: what the version is for, how good it is, on what, and who let it go live."""
    lines = [
        f"# {version.id}",
        "",
        f"Predicts `{version.target}` ({version.task}) with {version.algorithm}, trained on "
        f"{version.lineage.dataset} v{version.lineage.dataset_version}.",
        "",
        "## How good it is",
        "",
        version.verdict.sentence,
        "",
        f"On {evaluation['test_rows']:,} test rows, with 95 % intervals:",
        "",
        "| metric | value | interval | better when |",
        "|---|---|---|---|",
        *(_metric_row(name, metric, version.primary_metric) for name, metric in sorted(version.metrics.items())),
        "",
        "## What it looks at",
        "",
        *_importance_lines(evaluation),
        "",
        "## How it was made",
        "",
        f"- run `{version.lineage.run_id}`, code `{version.lineage.code_digest[:12]}`, image `{version.lineage.image}`",
        f"- data `sha256:{version.lineage.dataset_sha256}`, contract {version.lineage.contract_version}",
        f"- artefact `{version.artifact_digest}`",
        f"- {version.training_seconds:.0f} s of training",
        *_origin_lines(version),
        *(f"- {name} = {_shown(value)}" for name, value in sorted(version.hyperparameters.items())),
        "",
        "## Who decided",
        "",
        *_decision_lines(version, descent),
        "",
    ]
    return "\n".join(lines)


def _origin_lines(version: ModelVersion) -> list[str]:
    origin = version.origin
    if origin is None:
        return []
    approval = origin.approval
    return [
        f"- taken over from {origin.environment}, where it is {origin.version_id} of run `{origin.run_id}`, "
        f"approved by {approval.actor}: {approval.reason}"
    ]


def _upload_of(catalog: DatasetCatalog, version: ModelVersion) -> str | None:
    if version.origin is not None:
        return None  # the number is one of another environment's catalog
    try:
        return catalog.version(version.lineage.dataset, version.lineage.dataset_version).upload_id
    except NotFound:
        return None  # a dataset may be forgotten; what was made of it stays explained by its digest


def _ended(period: Period, event: ModelEvent) -> Period:
    ends = period.alias == event.alias and period.until is None
    return period._replace(until=event.at) if ends else period


def _per_class(found: Any) -> list[Mapping[str, Any]]:
    """A curve of one class is a list of points; of several, one entry each with `class` and `points`."""
    if found and "points" in found[0]:
        return list(found)
    return [{"class": None, "points": found}] if found else []


def _thin_curve(curve: Mapping[str, Any]) -> dict[str, Any]:
    return {"class_name": curve.get("class"), "points": thin(curve["points"], MAX_CURVE_POINTS)}


def thin(points: Sequence[Any], most: int) -> list[Any]:
    """At most `most` of the points, evenly spread; the first and the last stay."""
    if len(points) <= most:
        return list(points)
    return [points[round(position * (len(points) - 1) / (most - 1))] for position in range(most)]


def _metric_row(name: str, metric: Metric, primary: str) -> str:
    direction = "higher" if metric.higher_is_better else "lower"
    shown = f"**{name}**" if name == primary else name
    return f"| {shown} | {metric.value:.4f} | {metric.low:.4f} to {metric.high:.4f} | {direction} |"


def _importance_lines(evaluation: Mapping[str, Any]) -> list[str]:
    features = sorted(evaluation.get("importance", []), key=lambda entry: entry["importance"], reverse=True)
    return [f"- {entry['feature']}: {entry['importance']:.4f} ± {entry['deviation']:.4f}" for entry in features[:10]]


def _decision_lines(version: ModelVersion, descent: Descent) -> list[str]:
    approval = version.approval
    if approval.decided_at is None:
        said = "Nobody yet: it waits for approval."
    else:
        said = f"{approval.state} by {approval.actor} at {approval.decided_at.isoformat()}: {approval.reason}"
    lives = [
        f"- {period.alias} from {period.since.isoformat()} to {period.until.isoformat() if period.until else 'now'}"
        for period in descent.periods
    ]
    return [said, *(["", *lives] if lives else [])]


def _shown(value: object) -> str:
    return f"`{value}`"
