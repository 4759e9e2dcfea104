"""What the busiest reads take from the table does not grow with what is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from lambdas.api.limits import RateLimit
from millrace import bootstrap
from millrace.adapters.dynamodb import (
    DynamoAuditTrail,
    DynamoDatasetCatalog,
    DynamoModelRegistry,
    DynamoRunLedger,
    DynamoTallies,
    Table,
)
from millrace.domain.run import RunState
from tests.builders import NOON, a_model_version, a_run, later
from tests.contract.conftest import REGION, TABLE
from tests.unit.api.conftest import Api

MANY = 10_000
MOTO_ACCOUNT = "123456789012"
# A page and the item beyond it, the latest and champion versions of each model on it, and the kept counts.
MOST_ITEMS = 200
# A filter without an index of its own gives up after as many, and the next page goes on from there.
MOST_FILTERED = 1000 + MOST_ITEMS
MODEL, RUN = "m00000", "r00000"


class Counter:
    """Counts the items that DynamoDB looks at, also those that a filter then leaves out: what it charges for."""

    def __init__(self, client: Any) -> None:
        self.items, self._call = 0, client._make_api_call
        client._make_api_call = self.call

    def call(self, operation: str, arguments: dict[str, Any]) -> Any:
        answer = self._call(operation, arguments)
        found = sum(len(items) for items in answer.get("Responses", {}).values()) if operation == "BatchGetItem" else 0
        self.items += int(answer.get("ScannedCount", 0)) + int("Item" in answer) + found
        return answer


@pytest.fixture
def api(table: Table, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Api:
    """On a table with MANY models, and MANY runs with what the audit trail says of them."""
    registry, ledger = DynamoModelRegistry(table), DynamoRunLedger(table)
    registry.claim_number(MODEL, dataset=MODEL, run_id=RUN, algorithm="xgboost", at=NOON)
    registry.register(a_model_version(1, model=MODEL, run_id=RUN), actor="training")
    ledger.open(a_run(RUN, dataset="credit"))
    ledger.close(RUN, state=RunState.FAILED, reason="no", steps=[], at=later(1))
    copy_many(dynamodb)
    parts = {
        "registry": registry,
        "ledger": ledger,
        "audit": DynamoAuditTrail(table),
        "tallies": DynamoTallies(table),
        "catalog": DynamoDatasetCatalog(table),
    }
    made = Api()
    fakes = made.platform()
    monkeypatch.setattr(bootstrap, "platform", lambda: fakes.with_parts(**parts))
    monkeypatch.setattr("lambdas.api.app.limit", RateLimit())
    return made


def copy_many(client: Any) -> None:
    """What was stored of the one model and the one run, MANY times under other names of the same length.

    Put into moto's table directly: as many transactions would take minutes.
    """
    stored = dynamodb_backends[MOTO_ACCOUNT][REGION].get_table(TABLE)
    texts = [json.dumps(item) for item in client.scan(TableName=TABLE)["Items"] if _is_read(item)]
    for number in range(1, MANY):
        for text in texts:
            stored.put_item(json.loads(text.replace(MODEL, f"m{number:05}").replace(RUN, f"r{number:05}")))


def _is_read(item: Any) -> bool:
    """Whether a list or a page shows it: the run's trail stands for all trails, its first entry for all entries."""
    pk, sk = str(item["pk"]["S"]), str(item["sk"]["S"])
    return sk == "META" or sk.startswith("VERSION#") or (pk == f"AUDIT#run:{RUN}" and sk == "ENTRY#00000001")


def test_the_busiest_reads_look_at_a_bounded_number_of_items(api: Api, dynamodb: Any) -> None:
    counted = Counter(dynamodb)
    last = f"m{MANY - 1:05}"
    assert api.get(f"/models/{last}").json["latest"]["id"] == f"{last}:1"
    for path, most in (
        ("/models", MOST_ITEMS),
        ("/runs", MOST_ITEMS),
        ("/runs?state=FAILED", MOST_ITEMS),
        ("/runs?state=RUNNING", MOST_ITEMS),
        ("/runs?dataset=credit", MOST_ITEMS),
        ("/runs?dataset=credit&state=RUNNING", MOST_FILTERED),
        ("/runs?pipeline=drift", MOST_FILTERED),
        ("/dashboard/stats", MOST_ITEMS),
        ("/activity", MOST_ITEMS),
        ("/activity?actor=training", MOST_ITEMS),
        (f"/activity?subject=run:{RUN}", MOST_ITEMS),
    ):
        counted.items = 0
        plain, _, query = path.partition("?")
        answer = api.get(plain, query=dict(pair.split("=") for pair in query.split("&")) if query else None)
        assert answer.status == 200, (path, answer.text)
        assert counted.items <= most, (path, counted.items)
        assert "items" not in answer.json or counted.items >= len(answer.json["items"]), (path, counted.items)
