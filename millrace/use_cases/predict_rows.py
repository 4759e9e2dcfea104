"""Predict rows now: read them as training did, score them, remember what was asked and answered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millrace.analytics.explanation import Explanation, explain_rows
from millrace.analytics.serving import Prediction, ReadRows, read_rows
from millrace.domain.rollout import Rollout
from millrace.domain.traffic import AskedOutcome
from millrace.errors import InvalidInput, RowsInvalid
from millrace.ports import Clock, RecordQueue
from millrace.use_cases.load_served_model import ServedModel, ServedModels

_REASON_LENGTH = 300

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Answer:
    """All in the order of the rows; `explanations` is empty unless they were asked for."""

    version_id: str
    predictions: Sequence[Prediction]
    record_ids: Sequence[str]
    read: ReadRows
    explanations: Sequence[Explanation] = ()


@dataclass(frozen=True)
class _Answered:
    """What one version made of a request."""

    number: int
    latency_ms: float
    served: ServedModel
    read: ReadRows
    predictions: Sequence[Prediction]


@dataclass(frozen=True)
class _Failed:
    """Why one version could not answer a request."""

    number: int
    latency_ms: float
    error: Exception


_Attempt = _Answered | _Failed


def predict_rows(
    *,
    served_models: ServedModels,
    records: RecordQueue,
    clock: Clock,
    model: str,
    rows: Rows,
    record_ids: Sequence[str] | None,
    actor: str,
    request_id: str,
    explain: bool = False,
    seconds: Callable[[], float] = time.perf_counter,
) -> Answer:
    """Ids that the caller does not give are made of the request's own.

    While a challenger is rolled out it answers its share of the requests, told apart by the first record id that the
    caller gave, else by the request's id. What it cannot answer the champion does: a bad challenger costs nobody an
    answer, and counts as failed. Each request to a model that is served counts in its traffic. Raises NotFound,
    NotDeployed, RowsInvalid, and InvalidInput for ids that do not name each row once.
    """
    ids = [f"{request_id}-{number}" for number in range(len(rows))] if record_ids is None else list(record_ids)
    if len(ids) != len(rows) or len(set(ids)) != len(ids):
        raise InvalidInput(f"record_ids names {len(set(ids))} different records for {len(rows)} rows: one each")
    started = seconds()
    route = served_models.route(model)

    def attempt(number: int) -> _Attempt:
        return _attempt(served_models, model, number, rows, seconds)

    attempts = _attempts(attempt, route.champion, route.rollout, ids[0] if record_ids else request_id)
    said = {"model": model, "at": clock.now().isoformat(), "request_id": request_id}
    asked = {"asked": request_id, "model": model, "at": said["at"], "latency_ms": (seconds() - started) * 1000}
    observations = [] if route.rollout is None else _observations(said, route.rollout, ids, attempts)
    given = next(
        (each for each in attempts if isinstance(each, _Answered) and not _withheld(each, route.rollout)), None
    )
    if given is None:
        # The champion's: it is what the caller would have got without a rollout.
        error = next(each.error for each in attempts if isinstance(each, _Failed) and each.number == route.champion)
        outcome = AskedOutcome.REFUSED if isinstance(error, RowsInvalid) else AskedOutcome.FAILED
        records.send([*observations, json.dumps({**asked, "outcome": outcome})])
        raise error
    kept = _records({**said, "number": given.number, "actor": actor}, ids, rows, given)
    records.send([*kept, *observations, json.dumps({**asked, "outcome": AskedOutcome.ANSWERED})])
    return Answer(f"{model}:{given.number}", given.predictions, ids, given.read, _explained(given) if explain else ())


def _explained(given: _Answered) -> Sequence[Explanation]:
    said = [each.prediction for each in given.predictions]
    if given.served.graph is None:
        raise InvalidInput(f"{given.served.version_id} is served by an endpoint, which explains no predictions")
    return explain_rows(given.served.graph, given.read, said, given.served.signature)


def _attempts(
    attempt: Callable[[int], _Attempt], champion: int, rollout: Rollout | None, key: str
) -> Sequence[_Attempt]:
    """In the order they were made; the first that holds an answer is given, unless it is a shadow's."""
    if rollout is None or (not rollout.shadows and not rollout.takes(key)):
        return [attempt(champion)]
    if rollout.shadows:
        return [attempt(champion), attempt(rollout.number)]
    challenger = attempt(rollout.number)
    return [challenger] if isinstance(challenger, _Answered) else [challenger, attempt(champion)]


def _attempt(
    served_models: ServedModels, model: str, number: int, rows: Rows, seconds: Callable[[], float]
) -> _Attempt:
    started = seconds()
    try:
        served = served_models.version(model, number)
        read = read_rows(rows, served.signature)
        predictions = served.answer(read, rows)
    except Exception as error:  # whatever a version breaks with, another one may answer
        return _Failed(number, (seconds() - started) * 1000, error)
    return _Answered(number, (seconds() - started) * 1000, served, read, predictions)


def _withheld(attempt: _Attempt, rollout: Rollout | None) -> bool:
    return rollout is not None and rollout.shadows and attempt.number == rollout.number


def _observations(
    said: Mapping[str, Any], rollout: Rollout, ids: Sequence[str], attempts: Sequence[_Attempt]
) -> list[str]:
    """What each version did with the request; nothing when the rows are to blame, because the champion refuses them."""
    for each in attempts:
        if isinstance(each, _Failed) and isinstance(each.error, RowsInvalid) and each.number == rollout.champion:
            return []
    return [
        json.dumps(
            {
                "observation": rollout.run_id,
                **said,
                "number": each.number,
                "latency_ms": each.latency_ms,
                **(_answer_told(ids, each, rollout) if isinstance(each, _Answered) else _failure_told(each)),
            },
            ensure_ascii=False,
        )
        for each in attempts
    ]


def _answer_told(ids: Sequence[str], attempt: _Answered, rollout: Rollout) -> dict[str, Any]:
    """Its first prediction, for the comparison; all of them when nobody was given them."""
    told = {"failure": None, "prediction": attempt.predictions[0].prediction}
    if not _withheld(attempt, rollout):
        return told
    answers = zip(ids, attempt.predictions, strict=True)
    return told | {
        "not_given": [
            {"record_id": record_id, "prediction": each.prediction, "probabilities": each.probabilities}
            for record_id, each in answers
        ]
    }


def _failure_told(attempt: _Failed) -> dict[str, Any]:
    reason = f"{type(attempt.error).__name__}: {attempt.error}"
    return {"failure": reason[:_REASON_LENGTH], "prediction": None}


def _records(said: Mapping[str, Any], ids: Sequence[str], rows: Rows, given: _Answered) -> list[str]:
    """What is kept of each row: the columns that the model read, as they were sent."""
    names = [each.name for each in given.served.signature.inputs]
    return [
        json.dumps(
            {
                "record_id": record_id,
                **said,
                "row": {name: row[name] for name in names},
                "prediction": prediction.prediction,
                "probabilities": prediction.probabilities,
            },
            ensure_ascii=False,
        )
        for record_id, row, prediction in zip(ids, rows, given.predictions, strict=True)
    ]
