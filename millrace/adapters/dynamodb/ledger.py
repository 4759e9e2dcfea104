"""Runs in the registry table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Item, Lost, Plain, Table
from millrace.adapters.dynamodb.tally import DynamoTallies
from millrace.domain import audit, tally
from millrace.domain.run import Run, RunState, Step
from millrace.errors import Conflict, NotFound
from millrace.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_META = "META"
_LISTING = "RUNS"


class DynamoRunLedger:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)
        self._tallies = DynamoTallies(table)

    def open(self, run: Run) -> Run:
        attributes: dict[str, Plain] = {
            BODY: run.model_dump_json(),
            "state": run.state,
            "change": 1,
            "pipeline": run.pipeline,
            "listing": _LISTING,
            "listing_state": _state_listing(run.state),
            "listing_dataset": _dataset_listing(run.dataset),
            "listed_at": f"{run.started_at.isoformat(timespec='microseconds')}#{run.run_id}",
        }
        try:
            self._table.write(
                self._table.create(_pk(run.run_id), _META, attributes),
                *self._tallies.counting_run(run, tally.opened(run)),
                *self._trail.recording(audit.run_started(run)),
            )
        except Lost:
            return self.get(run.run_id)
        return run

    def get(self, run_id: str) -> Run:
        return _run(self._item(run_id))

    def list(self, *, pipeline: str | None = None, state: RunState | None = None, limit: int = 50) -> Sequence[Run]:
        runs = map(_run, self._table.listing(_LISTING, newest_first=True))
        return list(
            islice((run for run in runs if pipeline in (None, run.pipeline) and state in (None, run.state)), limit)
        )

    def page(
        self,
        *,
        pipeline: str | None = None,
        state: RunState | None = None,
        dataset: str | None = None,
        after: str | None = None,
        limit: int = 50,
        reverse: bool = False,
    ) -> Page[Run]:
        where: dict[str, Plain] = {} if pipeline is None else {"pipeline": pipeline}
        index, partition = names.LISTING_INDEX, _LISTING
        if dataset is not None:
            index, partition = names.DATASET_INDEX, _dataset_listing(dataset)
            where |= {} if state is None else {"state": state}
        elif state is not None:
            index, partition = names.STATE_INDEX, _state_listing(state)
        items, position = self._table.page(
            index, partition, after=after, limit=limit, newest_first=not reverse, where=where
        )
        return Page([_run(item) for item in items], position)

    def annotate(self, run_id: str, *, dataset_version: int | None = None, outcome: str | None = None) -> None:
        found = {"dataset_version": dataset_version, "outcome": outcome}
        changes = {name: value for name, value in found.items() if value is not None}
        self._table.decide(lambda: self._annotate_once(run_id, changes))

    def request_stop(self, run_id: str, *, actor: str, reason: str) -> Run:
        return self._table.decide(lambda: self._request_stop_once(run_id, actor, reason))

    def close(self, run_id: str, *, state: RunState, reason: str | None, steps: Sequence[Step], at: datetime) -> bool:
        ending = {"state": state, "reason": reason, "steps": tuple(steps), "ended_at": at}
        return self._table.decide(lambda: self._close_once(run_id, ending))

    def _annotate_once(self, run_id: str, changes: Mapping[str, object]) -> None:
        item = self._item(run_id)
        self._table.write(
            self._replacing(item, _run(item).model_copy(update=changes)),
            *self._trail.recording(audit.run_annotated(run_id, changes)),
        )

    def _request_stop_once(self, run_id: str, actor: str, reason: str) -> Run:
        run = self.get(run_id)
        if run.state != RunState.RUNNING:
            raise Conflict(f"{run_id} has ended already: it is {run.state}")
        self._table.write(
            self._table.check(_pk(run_id), _META, when={"state": RunState.RUNNING}),
            *self._trail.recording(audit.run_stop_requested(run_id, actor, reason)),
        )
        return run

    def _close_once(self, run_id: str, ending: Mapping[str, object]) -> bool:
        item = self._item(run_id)
        run = _run(item)
        if run.state != RunState.RUNNING:
            return False
        ended = run.model_copy(update=ending)
        self._table.write(
            self._replacing(item, ended),
            *self._tallies.counting_run(ended, tally.closed(ended)),
            *self._trail.recording(audit.run_ended(ended)),
        )
        return True

    def _replacing(self, seen: Item, run: Run) -> TransactWriteItemTypeDef:
        attributes: dict[str, Plain] = {
            BODY: run.model_dump_json(),
            "state": run.state,
            "listing_state": _state_listing(run.state),
            "change": seen["change"] + 1,
        }
        return self._table.change(_pk(run.run_id), _META, attributes, when={"change": seen["change"]})

    def _item(self, run_id: str) -> Item:
        item = self._table.get(_pk(run_id), _META)
        if item is None:
            raise NotFound(f"there is no run {run_id}")
        return item


def _pk(run_id: str) -> str:
    return f"RUN#{run_id}"


def _run(item: Item) -> Run:
    return Run.read(item[BODY]).model_copy(update={"revision": item["change"]})


def _state_listing(state: RunState) -> str:
    return f"{_LISTING}#{state.value}"


def _dataset_listing(dataset: str) -> str:
    return f"{_LISTING}#{dataset}"
