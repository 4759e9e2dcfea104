"""Rows of a file of ground truth, read as uploads are: labels by record id, and what is set aside."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from millrace.analytics.detection import SAMPLE_BYTES, detect_dialect
from millrace.analytics.preparation import Source
from millrace.analytics.records import Batch, Reason, read_batches, text_problem
from millrace.analytics.validation import QuarantinedRow
from millrace.domain.truth import is_number
from millrace.errors import DatasetInvalid

RECORD_ID, TRUTH, AT = "record_id", "truth", "at"
LONGEST_RECORD_ID, LONGEST_TRUTH = 200, 1000


class TruthRow(NamedTuple):
    """`at` is None where the file does not say when the truth was known."""

    line: int
    text: str
    record_id: str
    truth: str
    at: datetime | None


def read_truth(source: Source, name: str, *, numbers: bool) -> Iterator[TruthRow | QuarantinedRow]:
    """Every row of the file, in order within each batch. `numbers`: the truth is a number, and nothing else is.

    Raises DatasetInvalid for a file that is no table, is damaged, or lacks a column.
    """
    with source.open(0, min(SAMPLE_BYTES, source.size_bytes)) as stream:
        dialect = detect_dialect(stream.read(), name, source.size_bytes)
    seen: set[str] = set()
    with source.open() as stream:
        for batch in read_batches(stream, dialect):
            seen |= batch.columns.keys()
            if batch.columns:
                _check_columns(seen)
            yield from _rows(batch, numbers)
    _check_columns(seen)


def _check_columns(seen: set[str]) -> None:
    lacking = [name for name in (RECORD_ID, TRUTH) if name not in seen]
    if lacking:
        raise DatasetInvalid(
            f"the file lacks the column {' and '.join(lacking)}. Upload one with the columns record_id and truth."
        )


def _rows(batch: Batch, numbers: bool) -> Iterator[TruthRow | QuarantinedRow]:
    for record in batch.unreadable:
        yield QuarantinedRow(record.line, record.text, tuple(reason.sentence for reason in record.reasons))
    absent: list[str | None] = [None] * len(batch.lines)
    ids, truths, times = (
        batch.columns[name].to_pylist() if name in batch.columns else absent for name in (RECORD_ID, TRUTH, AT)
    )
    for index, (line, record_id, truth, at) in enumerate(zip(batch.lines.tolist(), ids, truths, times, strict=True)):
        moment = _moment(at)
        unfit = [found for told in (record_id, truth) if told and (found := text_problem(told))]
        reasons = [*_id_faults(record_id), *_truth_faults(truth, numbers), *unfit]
        if isinstance(moment, Reason):
            reasons.append(moment)
        text = batch.text_of(index)
        if reasons or isinstance(moment, Reason):
            yield QuarantinedRow(line, text, tuple(reason.sentence for reason in reasons))
        else:
            yield TruthRow(line, text, str(record_id).strip(), str(truth).strip(), moment)


def _id_faults(record_id: str | None) -> Iterator[Reason]:
    if record_id is None or not record_id.strip():
        yield Reason("no record_id", "it has no record_id")
    elif len(record_id.strip()) > LONGEST_RECORD_ID:
        yield Reason("record_id too long", f"its record_id is longer than {LONGEST_RECORD_ID} characters")


def _truth_faults(truth: str | None, numbers: bool) -> Iterator[Reason]:
    if truth is None or not truth.strip():
        yield Reason("no truth", "it has no truth")
    elif len(truth) > LONGEST_TRUTH:
        yield Reason("truth too long", f"its truth is longer than {LONGEST_TRUTH} characters")
    elif numbers and not is_number(truth):
        yield Reason("truth is no number", f"its truth is {truth.strip()[:40]!r}, and the model predicts numbers")


def _moment(told: str | None) -> datetime | Reason | None:
    """UTC; a time without a zone is taken for UTC."""
    if told is None or not told.strip():
        return None
    try:
        moment = datetime.fromisoformat(told.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return Reason("no time", f"its time is {told.strip()[:40]!r}: write ISO 8601, for example 2026-11-20T12:00:00Z")
