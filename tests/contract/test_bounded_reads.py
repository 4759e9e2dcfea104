"""What the busiest reads take from the table does not grow with what is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from lambdas.api.limits import RateLimit
from millrace import bootstrap, names
from millrace.adapters.dynamodb import (
    DynamoAuditTrail,
    DynamoDatasetCatalog,
    DynamoDriftReports,
    DynamoEndpointUses,
    DynamoModelRegistry,
    DynamoRunLedger,
    DynamoTallies,
    Table,
)
from millrace.domain.model import CHAMPION
from millrace.domain.run import RunState
from tests.builders import NOON, a_model_version, a_run, later
from tests.contract.conftest import REGION, TABLE
from tests.unit.api.conftest import Api

MANY = 10_000
MANY_RUNS = 100_000
MOTO_ACCOUNT = "123456789012"
# A page and the item beyond it, the latest and champion versions of each model on it, and the kept counts.
MOST_ITEMS = 200
# A filter without an index of its own gives up after as many, and the next page goes on from there.
MOST_FILTERED = 1000 + MOST_ITEMS
# The first screen shows 20 models of each sort with their latest events and versions, the runs that such a run is held
# against, and asks of each sort of failed run whether anything followed.
MOST_OF_THE_OVERVIEW = 500
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


class Partitions:
    """Hands moto the items of the partition that a query is about: by itself it sorts the whole table each time."""

    def __init__(self, stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self._found: dict[tuple[str, str], list[Any]] = {}
        for item in (item for partition in stored.items.values() for item in partition.values()):
            for field in ("pk", *names.INDEXES.values()):
                if field in item.attrs:
                    self._found.setdefault((field, item.attrs[field].value), []).append(item)
        ask = stored.query

        def query(hash_key: Any, *arguments: Any, **options: Any) -> Any:
            field, asked = options["hash_key_conditions"][0]
            monkeypatch.setattr(stored, "all_items", lambda: self._found.get((field, asked.value), []))
            return ask(hash_key, *arguments, **options)

        monkeypatch.setattr(stored, "query", query)


@pytest.fixture
def api(table: Table, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Api:
    """On a table with MANY models that are live and wait, MANY_RUNS runs, and MANY entries of trails."""
    registry, ledger = DynamoModelRegistry(table), DynamoRunLedger(table)
    registry.claim_number(MODEL, dataset=MODEL, run_id=RUN, algorithm="xgboost", at=NOON)
    registry.register(a_model_version(1, model=MODEL, run_id=RUN), actor="training")
    registry.decide(MODEL, 1, approve=True, actor="ada", reason="good", at=NOON)
    registry.move_alias(MODEL, CHAMPION, 1, expected=None, actor="ada", reason="good", at=NOON)
    registry.claim_number(MODEL, dataset=MODEL, run_id=RUN, algorithm="linear", at=NOON)
    registry.register(a_model_version(2, model=MODEL, run_id=RUN, algorithm="linear"), actor="training")
    ledger.open(a_run(RUN, dataset="credit"))
    ledger.close(RUN, state=RunState.FAILED, reason="no", steps=[], at=later(1))
    copy_many(dynamodb, monkeypatch)
    parts = {
        "registry": registry,
        "ledger": ledger,
        "audit": DynamoAuditTrail(table),
        "tallies": DynamoTallies(table),
        "catalog": DynamoDatasetCatalog(table),
        "drift_reports": DynamoDriftReports(table),
        "endpoint_uses": DynamoEndpointUses(table),
    }
    made = Api()
    fakes = made.platform()
    monkeypatch.setattr(bootstrap, "platform", lambda: fakes.with_parts(**parts))
    monkeypatch.setattr("lambdas.api.app.limit", RateLimit())
    return made


def copy_many(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored of the one model and the one run, under other names of the same length.

    Laid into moto's table directly: as many transactions would take minutes.
    """
    stored = dynamodb_backends[MOTO_ACCOUNT][REGION].get_table(TABLE)
    for item in client.scan(TableName=TABLE)["Items"]:
        text = json.dumps(item)
        for number in range(1, _copies(item)):
            copied = json.loads(text.replace(MODEL, f"m{number:05}").replace(RUN, f"r{number:05}"))
            pk, sk = DynamoType(copied["pk"]), DynamoType(copied["sk"])
            stored.items[pk][sk] = Item(pk, sk, copied)
    Partitions(stored, monkeypatch)


def _copies(item: Any) -> int:
    """What lists and pages show: the run's trail stands for all trails, its first entry for all entries."""
    pk, sk = str(item["pk"]["S"]), str(item["sk"]["S"])
    if pk == f"RUN#{RUN}":
        return MANY_RUNS
    return MANY if pk == f"MODEL#{MODEL}" or (pk == f"AUDIT#run:{RUN}" and sk == "ENTRY#00000001") else 0


def test_the_busiest_reads_look_at_a_bounded_number_of_items(api: Api, dynamodb: Any) -> None:
    counted = Counter(dynamodb)
    last = f"m{MANY - 1:05}"
    assert api.get(f"/models/{last}").json["latest"]["id"] == f"{last}:2"
    overview = api.get("/dashboard/overview").json
    assert len(overview["live_models"]) == len([n for n in overview["needs"] if n["kind"] == "approval"]) == 20
    for path, most in (
        ("/models", MOST_ITEMS),
        ("/runs", MOST_ITEMS),
        ("/runs?sort=started_at", MOST_ITEMS),
        ("/models?sort=-name", MOST_ITEMS),
        ("/runs?state=FAILED", MOST_ITEMS),
        ("/runs?state=RUNNING", MOST_ITEMS),
        ("/runs?dataset=credit", MOST_ITEMS),
        ("/runs?dataset=credit&state=RUNNING", MOST_FILTERED),
        ("/runs?pipeline=drift", MOST_FILTERED),
        (f"/runs/r{MANY_RUNS - 1}", 1),
        ("/dashboard/stats", MOST_ITEMS),
        ("/dashboard/overview", MOST_OF_THE_OVERVIEW),
        (f"/dashboard/models/{last}:1", MOST_ITEMS),
        ("/dashboard/monitoring", MOST_ITEMS),
        (f"/dashboard/monitoring?model={last}", MOST_ITEMS),
        ("/dashboard/predictions", MOST_FILTERED + MOST_ITEMS),
        ("/training/options", MOST_FILTERED + MOST_ITEMS),
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
