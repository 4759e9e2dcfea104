"""Record a file of ground truth that was dropped: CSV or JSON Lines with `record_id`, `truth` and, if known, `at`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from typing import IO, Any, NamedTuple

from millrace import names
from millrace.domain import place
from millrace.errors import InvalidInput, NotFound
from millrace.ports import Clock, EventBus, ModelRegistry, Notifier, ObjectStore
from millrace.use_cases.record_ground_truth import Label, Truth, record_ground_truth

# Labels in memory at a time, and in one file.
CHUNK = 20_000
NAMED_FAULTS = 10
DELIMITERS = ",;\t|"


class FileOutcome(NamedTuple):
    """`refused` counts rows; `reasons` names the first of them by line."""

    labels: int
    refused: int
    reasons: tuple[str, ...]


def record_ground_truth_file(
    *,
    registry: ModelRegistry,
    store: ObjectStore,
    bus: EventBus,
    notifier: Notifier,
    clock: Clock,
    data_bucket: str,
    key: str,
    object_version: str | None,
    at: datetime,
) -> FileOutcome | None:
    """What became of a file at `ground-truth/{model}/{file}`; None for every other key.

    A label without a time is of `at`, when the file arrived, so that a repeated delivery changes nothing. Rows that say
    nothing are counted and told by notification, as is a file that cannot be read; the labels beside them are kept.
    """
    model = place.dropped_for(key, names.GROUND_TRUTH_PREFIX)
    if model is None:
        return None
    kept, refused = 0, 0
    reasons: list[str] = []
    try:
        with store.open(place.uri(data_bucket, key), version_id=object_version) as stream:
            found = _labels(stream, at)
            while chunk := list(islice(found, CHUNK)):
                labels = [each for each in chunk if isinstance(each, Label)]
                faults = [each for each in chunk if isinstance(each, str)]
                refused, reasons = refused + len(faults), [*reasons, *faults][:NAMED_FAULTS]
                if labels:
                    kept += record_ground_truth(
                        registry=registry,
                        store=store,
                        bus=bus,
                        clock=clock,
                        data_bucket=data_bucket,
                        model=model,
                        labels=labels,
                        actor="upload",
                    )
    except (InvalidInput, NotFound, UnicodeDecodeError, csv.Error) as error:
        reasons = [*reasons, f"the rest of the file was not read: {error}"]
    if reasons:
        message = f"{key}: {kept} labels kept, {refused} rows refused.\n\n" + "\n".join(reasons) + "\n"
        attributes = {"kind": "ground_truth", "model": model}
        notifier.notify(subject=f"Millrace: ground truth of {model}", message=message, attributes=attributes)
    return FileOutcome(kept, refused, tuple(reasons))


def _labels(stream: IO[bytes], at: datetime) -> Iterator[Label | str]:
    """Labels, and for each row that holds none a sentence with its line."""
    text = io.TextIOWrapper(stream, "utf-8-sig", newline="")
    first = text.readline()
    rows = _json_rows(first, text) if first.lstrip().startswith("{") else _delimited_rows(first, text)
    for line, row in rows:
        try:
            yield _label(row, at)
        except (ValueError, TypeError) as error:
            yield f"line {line}: {error}"


def _json_rows(first: str, rest: IO[str]) -> Iterator[tuple[int, Any]]:
    for line, text in enumerate(chain([first], rest), start=1):
        if text.strip():
            try:
                yield line, json.loads(text)
            except ValueError:
                yield line, None


def _delimited_rows(first: str, rest: IO[str]) -> Iterator[tuple[int, Any]]:
    delimiter = max(DELIMITERS, key=first.count)
    header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    lacking = [name for name in ("record_id", "truth") if name not in header]
    if lacking:
        raise InvalidInput(f"it lacks the column {' and '.join(lacking)}; send CSV or JSON Lines with both")
    reader = csv.reader(rest, delimiter=delimiter)
    for values in reader:
        if values:
            yield reader.line_num + 1, dict(zip(header, values, strict=False))


def _label(row: Any, at: datetime) -> Label:
    if not isinstance(row, dict):
        raise ValueError("it is no object")
    record_id, truth = row.get("record_id"), row.get("truth")
    if isinstance(record_id, int) and not isinstance(record_id, bool):
        record_id = str(record_id)
    if not isinstance(record_id, str) or not record_id.strip():
        raise ValueError("it has no record_id")
    if not isinstance(truth, str | bool | int | float) or truth == "" or truth != truth:
        raise ValueError("it has no truth")
    said: Truth = truth
    return Label(record_id.strip(), said, _moment(row.get("at")) or at)


def _moment(told: Any) -> datetime | None:
    if told in (None, ""):
        return None
    moment = datetime.fromisoformat(str(told))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
