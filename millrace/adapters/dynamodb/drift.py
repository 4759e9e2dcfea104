"""Drift reports in the registry table: a summary for each, an item for each day of a heatmap, one for the labels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Item, Plain, Table
from millrace.domain import audit
from millrace.domain.drift import DriftDay, DriftKind, DriftSummary, counts_better, outranks
from millrace.errors import NotFound
from millrace.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_META = "META"
_LISTING = "DRIFT_REPORTS"
_LABELS = "DRIFTLABELS"


class DynamoDriftReports:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)

    def record(self, summary: DriftSummary, day: DriftDay) -> None:
        self._table.decide(lambda: self._record_once(summary, day))

    def get(self, report_id: str) -> DriftSummary:
        item = self._table.get(_pk(report_id), _META)
        if item is None:
            raise NotFound(f"there is no drift report {report_id}")
        return _summary(item)

    def page(
        self, *, model: str | None = None, kind: DriftKind | None = None, after: str | None = None, limit: int = 50
    ) -> Page[DriftSummary]:
        index, partition = (names.LISTING_INDEX, _LISTING) if model is None else (names.DATASET_INDEX, _of_model(model))
        items, position = self._table.page(
            index, partition, after=after, limit=limit, newest_first=True, where={"kind": kind} if kind else None
        )
        return Page([_summary(item) for item in items], position)

    def days(self, model: str, kind: DriftKind, first: date, last: date) -> Sequence[DriftDay]:
        items = self._table.between(f"MODEL#{model}", _day_sk(kind, first), _day_sk(kind, last))
        return [DriftDay.read(item[BODY]) for item in items]

    def labels_counted(self, model: str) -> DriftSummary | None:
        item = self._table.get(f"MODEL#{model}", _LABELS)
        return None if item is None else _summary(item)

    def _record_once(self, summary: DriftSummary, day: DriftDay) -> None:
        if self._table.get(_pk(summary.id), _META) is not None:
            return
        listed_at = f"{summary.created_at.isoformat(timespec='microseconds')}#{summary.id}"
        attributes: dict[str, Plain] = {
            BODY: summary.model_dump_json(),
            "kind": summary.kind,
            names.LISTING_PARTITION_KEY: _LISTING,
            names.DATASET_PARTITION_KEY: _of_model(summary.model),
            names.LISTING_SORT_KEY: listed_at,
        }
        pk, sk = f"MODEL#{day.model}", _day_sk(day.kind, day.day)
        seen = self._table.get(pk, sk)
        told: dict[str, Plain] = {BODY: day.model_dump_json(), "reported_at": listed_at}
        writes = [self._table.create(_pk(summary.id), _META, attributes)]
        if seen is None:
            writes.append(self._table.create(pk, sk, told))
        elif outranks(day, DriftDay.read(seen[BODY])):
            writes.append(self._table.change(pk, sk, told, when={"reported_at": seen["reported_at"]}))
        if summary.labels is not None:
            writes += self._counting(summary, listed_at)
        self._table.write(*writes, *self._trail.recording(audit.drift_reported(summary)))

    def _counting(self, summary: DriftSummary, listed_at: str) -> list[TransactWriteItemTypeDef]:
        """The write that makes `summary` what is told of the model's labels, if it tells them better."""
        pk = f"MODEL#{summary.model}"
        seen = self._table.get(pk, _LABELS)
        told: dict[str, Plain] = {BODY: summary.model_dump_json(), "reported_at": listed_at}
        if seen is None:
            return [self._table.create(pk, _LABELS, told)]
        if not counts_better(summary, _summary(seen)):
            return []
        return [self._table.change(pk, _LABELS, told, when={"reported_at": seen["reported_at"]})]


def _pk(report_id: str) -> str:
    return f"DRIFT#{report_id}"


def _of_model(model: str) -> str:
    return f"DRIFT#{model}"


def _day_sk(kind: DriftKind, day: date) -> str:
    return f"DRIFTDAY#{kind}#{day.isoformat()}"


def _summary(item: Item) -> DriftSummary:
    return DriftSummary.read(item[BODY])
