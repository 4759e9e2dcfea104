"""Compare candidates: what differs in how they were made, how good they are, and what that says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from millrace.domain.cost import cost_of_steps
from millrace.domain.model import CHAMPION, Metric, ModelVersion, parse_version_id
from millrace.domain.run import Run
from millrace.errors import Conflict, InvalidInput
from millrace.ports import ModelRegistry, ObjectStore, RunLedger
from millrace.use_cases.describe_model_version import read_evaluation, thin

FEWEST, MOST = 2, 5
MOST_POINTS = 60
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}(:[1-9][0-9]{0,7})?")
_VERSIONS_AT_ONCE = 100


class Candidate(NamedTuple):
    """One column of a comparison. `cost_usd` is what training this candidate cost, `run_cost_usd` its whole run.

    `revision` moves with everything that is shown.
    """

    version: ModelVersion
    run: Run
    live: bool
    cost_usd: float | None
    run_cost_usd: float | None
    revision: str


def find_candidates(*, registry: ModelRegistry, ledger: RunLedger, ids: Sequence[str]) -> list[Candidate]:
    """The candidates named: version ids, and runs, which stand for the best candidate that they trained.

    In the order given, each once. Raises InvalidInput for too few, too many or what is no id, NotFound, and Conflict
    for a run that trained nothing.
    """
    wrong = [each for each in ids if not _ID.fullmatch(each)]
    if wrong:
        raise InvalidInput(f"query.of: {wrong[0]!r} is neither a version such as churn:7 nor a run")
    if len(ids) > MOST:
        raise InvalidInput(f"query.of: at most {MOST} are compared at once, and these are {len(ids)}")
    found = {version.id: version for version in (_resolved(registry, ledger, each) for each in ids)}
    if len(found) < FEWEST:
        raise InvalidInput("query.of: choose at least two that differ")
    return [_candidate(registry, ledger, version) for version in found.values()]


def read_curves(store: ObjectStore, version: ModelVersion) -> dict[str, list[dict[str, Any]]]:
    """The curves of a version's evaluation with at most MOST_POINTS points each, to be laid over others'.

    Raises EvaluationInvalid when its file is gone.
    """
    curves: Mapping[str, Any] = read_evaluation(store=store, version=version)["curves"]
    return {
        name: [{**each, "points": [_rounded(point) for point in thin(each["points"], MOST_POINTS)]} for each in found]
        for name, found in curves.items()
        if found
    }


def on_same_rows(versions: Sequence[ModelVersion]) -> bool:
    """Whether all were judged on the same test rows, which a dataset version has once and for all."""
    return len({(each.lineage.dataset, each.lineage.dataset_sha256, each.target) for each in versions}) == 1


def best_of(versions: Sequence[ModelVersion]) -> ModelVersion:
    """By the primary metric of the first; of equals the one named first."""
    metric = versions[0].primary_metric
    rated = [version for version in versions if metric in version.metrics]
    return max(rated, key=lambda version: _goodness(version.metrics[metric]))


def say(versions: Sequence[ModelVersion]) -> str:
    """What the comparison comes to, in sentences. It claims no more than the figures do."""
    metric = versions[0].primary_metric
    if any(each.target != versions[0].target or metric not in each.metrics for each in versions):
        told = " and ".join(f"{each.id} predicts {each.target}" for each in versions)
        return f"{told}: their figures do not compare."
    best = best_of(versions)
    others = [each for each in versions if each is not best]
    second = best_of(others)
    mine, next_best = best.metrics[metric], second.metrics[metric]
    if mine.value == next_best.value:
        first = f"{best.id} and {second.id} have the same {metric}, {_shown(mine.value)}"
    else:
        first = (
            f"{best.id} has the best {metric}, {_shown(mine.value)} against {_shown(next_best.value)} of {second.id}"
        )
    if not on_same_rows(versions):
        places = ", ".join(f"{each.id} on {each.lineage.dataset} v{each.lineage.dataset_version}" for each in versions)
        return f"{first}, but they were judged on different rows: {places}."
    return f"{first}{_certainty(mine, next_best)}{_judged_directly(best, second)}"


def _certainty(mine: Metric, other: Metric) -> str:
    if mine.value == other.value:
        return "."
    if _apart(mine, other):
        return ", and their 95 % intervals do not overlap."
    return "; their 95 % intervals overlap, so these test rows may not tell them apart."


def _judged_directly(best: ModelVersion, second: ModelVersion) -> str:
    """The paired verdict, where one of the two had to beat the other: it sees more than two intervals do."""
    for one, other in ((best, second), (second, best)):
        if one.verdict.compared_with == other.id:
            return f" Judged row by row: {one.verdict.sentence}"
    return ""


def _apart(one: Metric, other: Metric) -> bool:
    return one.low > other.high or other.low > one.high


def _goodness(metric: Metric) -> float:
    return metric.value if metric.higher_is_better else -metric.value


def _resolved(registry: ModelRegistry, ledger: RunLedger, name: str) -> ModelVersion:
    if ":" in name:
        return registry.get(*parse_version_id(name))
    run = ledger.get(name)
    trained = _trained_by(registry, run)
    if not trained:
        raise Conflict(f"{name} registered no candidate, so there is nothing of it to compare")
    recommended = [version for version in trained if version.recommended]
    return best_of(recommended or trained)


def _trained_by(registry: ModelRegistry, run: Run) -> list[ModelVersion]:
    """In the order of their numbers. Versions are listed newest first: those before the run are not looked at."""
    found: list[ModelVersion] = []
    after: str | None = None
    while run.model is not None:
        page = registry.page_versions(run.model, after=after, limit=_VERSIONS_AT_ONCE)
        found += [version for version in page.items if version.lineage.run_id == run.run_id]
        older = any(version.created_at < run.started_at for version in page.items)
        if older or page.position is None:
            break
        after = page.position
    return sorted(found, key=lambda version: version.number)


def _candidate(registry: ModelRegistry, ledger: RunLedger, version: ModelVersion) -> Candidate:
    run, model = ledger.get(version.lineage.run_id), registry.model(version.model)
    return Candidate(
        version=version,
        run=run,
        live=model.aliases.get(CHAMPION) == version.number,
        cost_usd=cost_of_steps(step for step in run.steps if step.item == version.algorithm),
        run_cost_usd=cost_of_steps(run.steps),
        revision=f"{version.id}.{version.revision}.{model.revision}.{run.revision}",
    )


def _rounded(point: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in point.items()}


def _shown(value: float) -> str:
    return f"{value:.4g}"
