"""Transfers in the registry table."""

from __future__ import annotations

from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Table
from millrace.domain import audit
from millrace.domain.transfer import Transfer, TransferState
from millrace.errors import Conflict, NotFound


class DynamoTransfers:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)

    def open(self, transfer: Transfer) -> Transfer:
        return self._table.decide(lambda: self._open_once(transfer))

    def get(self, dataset: str, transfer_id: str) -> Transfer:
        item = self._table.get(_pk(dataset), _sk(transfer_id))
        if item is None:
            raise NotFound(f"dataset {dataset} has no transfer {transfer_id}")
        return Transfer.read(item[BODY])

    def settle(self, dataset: str, transfer_id: str, state: TransferState, *, actor: str) -> Transfer:
        return self._table.decide(lambda: self._settle_once(dataset, transfer_id, state, actor))

    def _open_once(self, transfer: Transfer) -> Transfer:
        stored = self._table.get(_pk(transfer.dataset), _sk(transfer.transfer_id))
        if stored is not None:
            return Transfer.read(stored[BODY])
        attributes = {BODY: transfer.model_dump_json(), "state": transfer.state.value}
        self._table.write(
            self._table.create(_pk(transfer.dataset), _sk(transfer.transfer_id), attributes),
            *self._trail.recording(audit.transfer_moved(transfer, transfer.actor)),
        )
        return transfer

    def _settle_once(self, dataset: str, transfer_id: str, state: TransferState, actor: str) -> Transfer:
        transfer = self.get(dataset, transfer_id)
        if transfer.state is not TransferState.OPEN:
            raise Conflict(f"transfer {transfer_id} is {transfer.state} already")
        settled = transfer.model_copy(update={"state": state})
        self._table.write(
            self._table.change(
                _pk(dataset),
                _sk(transfer_id),
                {BODY: settled.model_dump_json(), "state": state.value},
                when={"state": TransferState.OPEN.value},
            ),
            *self._trail.recording(audit.transfer_moved(settled, actor)),
        )
        return settled


def _pk(dataset: str) -> str:
    return f"DATASET#{dataset}"


def _sk(transfer_id: str) -> str:
    return f"TRANSFER#{transfer_id}"
