"""Record ground truth: what was really so, by record id, written where monitoring joins it to predictions.

Labels come in any order, before or after their records, and as often as they like. A file's name is computed from what
it holds, so the same labels twice are one file; of several labels of one record the latest `at` holds, and readers go
through days and files in that order. A label whose record is not known yet waits in the same place until it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from millrace.domain import place
from millrace.domain.dataset import Task
from millrace.domain.event import GroundTruthArrived
from millrace.domain.truth import Truth, is_number
from millrace.errors import InvalidInput
from millrace.ports import Clock, EventBus, ModelRegistry, ObjectStore

CONTENT_TYPE = "application/jsonl"
_FILE = re.compile(r".*/date=(?P<day>[\d-]{10})/\d{8}T\d{12}-(?P<labels>\d+)-[0-9a-f]{24}\.jsonl")


class Label(NamedTuple):
    """`at` is when the truth was known; without it, when it was told."""

    record_id: str
    truth: Truth
    at: datetime | None = None


class DayOfTruth(NamedTuple):
    day: date
    labels: int


def record_ground_truth(
    *,
    registry: ModelRegistry,
    store: ObjectStore,
    bus: EventBus,
    clock: Clock,
    data_bucket: str,
    model: str,
    labels: Sequence[Label],
    actor: str,
) -> int:
    """How many labels were kept: one per record and request. Raises NotFound, and InvalidInput for a record that has
    two truths at one time, and for a truth that is no number where the model predicts numbers."""
    days = _written(registry, store, clock, data_bucket, model, labels, actor)
    kept = sum(map(len, days.values()))
    bus.publish(GroundTruthArrived(model=model, labels=kept))
    return kept


def tell_ground_truth(
    *,
    registry: ModelRegistry,
    store: ObjectStore,
    bus: EventBus,
    clock: Clock,
    data_bucket: str,
    model: str,
    labels: Sequence[Label],
    actor: str,
) -> int:
    """The same, by somebody at the API: the audit trail says who, once for the same labels.

    Of a file the trail says what became of the file.
    """
    days = _written(registry, store, clock, data_bucket, model, labels, actor)
    kept = sum(map(len, days.values()))
    names = "\n".join(_name(lines) for lines in days.values())
    told_id = hashlib.sha256(names.encode()).hexdigest()[:24]
    registry.note_truth_told(model, told_id, kept, days=days.keys(), actor=actor)
    bus.publish(GroundTruthArrived(model=model, labels=kept))
    return kept


def _written(
    registry: ModelRegistry,
    store: ObjectStore,
    clock: Clock,
    data_bucket: str,
    model: str,
    labels: Sequence[Label],
    actor: str,
) -> dict[date, list[dict[str, object]]]:
    """The latest truth of each record, by the day it is of, written."""
    numbers = predicts_numbers(registry, model)
    now = clock.now()
    latest: dict[str, tuple[datetime, Truth]] = {}
    for label in labels:
        if numbers and not is_number(label.truth):
            raise InvalidInput(
                f"the truth of record {label.record_id!r} is {str(label.truth)[:40]!r}, and {model} predicts numbers"
            )
        at = (label.at or now).astimezone(UTC)
        known = latest.get(label.record_id)
        if known is not None and known[0] == at and not _same(known[1], label.truth):
            raise InvalidInput(f"record {label.record_id!r} has two truths at {at.isoformat()}: send the right one")
        if known is None or at > known[0]:
            latest[label.record_id] = (at, label.truth)
    days = _by_day(latest, actor)
    for day, lines in days.items():
        address = place.truth_uri(data_bucket, model, day.isoformat())
        store.write(f"{address}{_name(lines)}", _body(lines), content_type=CONTENT_TYPE)
    return days


def predicts_numbers(registry: ModelRegistry, model: str) -> bool:
    """Whether a truth must be a number: as the newest version predicts. Raises NotFound."""
    newest = registry.model(model).newest
    return bool(newest) and registry.get(model, newest).task == Task.REGRESSION


def count_ground_truth(
    *, registry: ModelRegistry, store: ObjectStore, clock: Clock, data_bucket: str, model: str, days: int
) -> list[DayOfTruth]:
    """Labels by the day they are of, the latest day first, of the last `days` days. Raises NotFound.

    A label that came again in other company counts again; readers tell labels apart by record id.
    """
    registry.model(model)
    today = clock.now().date()
    counted = []
    for ago in range(days):
        day = today - timedelta(days=ago)
        files = store.list(place.truth_uri(data_bucket, model, day.isoformat()))
        labels = sum(int(found["labels"]) for file in files if (found := _FILE.fullmatch(file.uri)))
        if labels:
            counted.append(DayOfTruth(day, labels))
    return counted


def _same(one: Truth, other: Truth) -> bool:
    return type(one) is type(other) and one == other


def _by_day(latest: dict[str, tuple[datetime, Truth]], actor: str) -> dict[date, list[dict[str, object]]]:
    days: dict[date, list[dict[str, object]]] = defaultdict(list)
    for record_id, (at, truth) in sorted(latest.items(), key=lambda item: (item[1][0], item[0])):
        days[at.date()].append({"record_id": record_id, "label": truth, "at": at.isoformat(), "actor": actor})
    return days


def _name(lines: Sequence[dict[str, object]]) -> str:
    """Files of one day sort by their latest label, so that a reader who goes on overwrites with what is newer."""
    last = datetime.fromisoformat(str(lines[-1]["at"]))
    digest = hashlib.sha256(_body(lines)).hexdigest()[:24]
    return f"{last.strftime('%Y%m%dT%H%M%S%f')}-{len(lines)}-{digest}.jsonl"


def _body(lines: Sequence[dict[str, object]]) -> bytes:
    return "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines).encode()
