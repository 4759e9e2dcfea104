"""Predict rows now: read them as training did, score them, remember what was asked and answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millrace.analytics.serving import Notice, Prediction, predictions_of, read_rows
from millrace.errors import InvalidInput
from millrace.ports import Clock, RecordQueue
from millrace.use_cases.load_served_model import ServedModel, ServedModels


@dataclass(frozen=True)
class Answer:
    """`predictions` and `record_ids` are in the order of the rows."""

    version_id: str
    predictions: Sequence[Prediction]
    record_ids: Sequence[str]
    notices: Sequence[Notice]
    ignored_columns: Sequence[str]


def predict_rows(
    *,
    served_models: ServedModels,
    records: RecordQueue,
    clock: Clock,
    model: str,
    rows: Sequence[Mapping[str, Any]],
    record_ids: Sequence[str] | None,
    actor: str,
    request_id: str,
) -> Answer:
    """Ids that the caller does not give are made of the request's own.

    Raises NotFound, NotDeployed, RowsInvalid, and InvalidInput for ids that do not name each row once.
    """
    ids = [f"{request_id}-{number}" for number in range(len(rows))] if record_ids is None else list(record_ids)
    if len(ids) != len(rows) or len(set(ids)) != len(ids):
        raise InvalidInput(f"record_ids names {len(set(ids))} different records for {len(rows)} rows: one each")
    served = served_models.champion(model)
    read = read_rows(rows, served.signature)
    predictions = predictions_of(served.graph.scores(read).tolist(), served.signature)
    said = {"model": model, "number": served.number, "at": clock.now().isoformat(), "request_id": request_id}
    records.send(_records({**said, "actor": actor}, ids, rows, served, predictions))
    return Answer(served.version_id, predictions, ids, read.notices, read.ignored_columns)


def _records(
    said: Mapping[str, Any],
    ids: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    served: ServedModel,
    predictions: Sequence[Prediction],
) -> list[str]:
    """What is kept of each row: the columns that the model read, as they were sent."""
    names = [each.name for each in served.signature.inputs]
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
        for record_id, row, prediction in zip(ids, rows, predictions, strict=True)
    ]
