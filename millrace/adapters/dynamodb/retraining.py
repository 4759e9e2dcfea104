"""The retrain governor's decisions in the registry table."""

from __future__ import annotations

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Lost, Table
from millrace.domain import audit
from millrace.domain.retraining import RetrainingDecision
from millrace.errors import NotFound
from millrace.ports import Page


class DynamoRetrainingLog:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)

    def record(self, decision: RetrainingDecision) -> RetrainingDecision:
        attributes = {
            BODY: decision.model_dump_json(),
            names.LISTING_PARTITION_KEY: f"RETRAINING#{decision.model}",
            names.LISTING_SORT_KEY: f"{decision.at.isoformat(timespec='microseconds')}#{decision.decision_id}",
        }
        try:
            self._table.write(
                self._table.create(_pk(decision.model), _sk(decision.decision_id), attributes),
                *self._trail.recording(audit.retraining_decided(decision)),
            )
        except Lost:
            return self._get(decision.model, decision.decision_id)
        return decision

    def page(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[RetrainingDecision]:
        items, position = self._table.page(
            names.LISTING_INDEX, f"RETRAINING#{model}", after=after, limit=limit, newest_first=True
        )
        return Page([RetrainingDecision.read(item[BODY]) for item in items], position)

    def _get(self, model: str, decision_id: str) -> RetrainingDecision:
        item = self._table.get(_pk(model), _sk(decision_id))
        if item is None:
            raise NotFound(f"there is no decision {decision_id} on {model}")
        return RetrainingDecision.read(item[BODY])


def _pk(model: str) -> str:
    return f"MODEL#{model}"


def _sk(decision_id: str) -> str:
    return f"RETRAINING#{decision_id}"
