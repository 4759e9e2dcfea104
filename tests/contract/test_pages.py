"""Every list in pages: nothing twice, nothing left out, and never more work than a page is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest

from millrace.adapters.dynamodb import DynamoRunLedger, Table
from millrace.domain.run import RunState
from millrace.ports import DatasetCatalog, ModelRegistry, Page, RunLedger
from tests.builders import NOON, a_model_version, a_run, an_upload, later

T = TypeVar("T")


def walked(page: Callable[..., Page[T]], **given: Any) -> list[Sequence[T]]:
    """All pages, one after the other."""
    pages, position = [], None
    while True:
        found = page(after=position, **given)
        pages.append(found.items)
        position = found.position
        if position is None:
            return pages


def names_of(pages: list[Sequence[Any]]) -> list[list[str]]:
    return [[item.name for item in page] for page in pages]


def test_datasets_come_by_name_in_pages_that_do_not_overlap(catalog: DatasetCatalog) -> None:
    for name in ("c", "a", "e", "b", "d"):
        catalog.ensure(name, at=NOON, actor="ada")

    assert names_of(walked(catalog.page, limit=2)) == [["a", "b"], ["c", "d"], ["e"]]


def test_datasets_and_models_come_the_other_way_round_too(catalog: DatasetCatalog, registry: ModelRegistry) -> None:
    for name in ("c", "a", "e", "b", "d"):
        catalog.ensure(name, at=NOON, actor="ada")
        registry.claim_number(name, dataset=name, run_id="r", algorithm="xgboost", at=NOON)
        registry.register(a_model_version(1, model=name, run_id="r"), actor="training")

    for page in (catalog.page, registry.page):
        assert names_of(walked(page, limit=2, reverse=True)) == [["e", "d"], ["c", "b"], ["a"]]


def test_a_full_last_page_is_the_last(catalog: DatasetCatalog) -> None:
    for name in ("a", "b"):
        catalog.ensure(name, at=NOON, actor="ada")

    assert names_of(walked(catalog.page, limit=2)) == [["a", "b"]]
    assert names_of(walked(catalog.page, limit=5)) == [["a", "b"]]


def test_an_empty_list_is_one_empty_page(catalog: DatasetCatalog, ledger: RunLedger, registry: ModelRegistry) -> None:
    assert catalog.page() == ledger.page() == registry.page() == Page([], None)
    assert catalog.page_versions("credit") == registry.page_versions("credit") == Page([], None)
    assert registry.page_history("credit") == Page([], None)


def test_dataset_versions_come_newest_first(catalog: DatasetCatalog) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")
    for month in ("may", "june", "july"):
        upload = catalog.open_upload(an_upload(f"{month}.csv"))
        catalog.claim_content(upload, location_prefix="s3://d/x", quarantine_prefix="s3://d/q", at=later(1))

    pages = walked(lambda **given: catalog.page_versions("credit", **given), limit=2)

    assert [[version.version for version in page] for page in pages] == [[3, 2], [1]]


def test_versions_of_several_datasets_are_looked_up_together(catalog: DatasetCatalog) -> None:
    for dataset in ("churn", "credit"):
        catalog.ensure(dataset, at=NOON, actor="ada")
        upload = catalog.open_upload(an_upload("may.csv", dataset=dataset))
        catalog.claim_content(upload, location_prefix="s3://d/x", quarantine_prefix="s3://d/q", at=later(1))

    found = catalog.look_up([("credit", 1), ("churn", 1), ("churn", 2)])

    assert found == {(name, 1): catalog.version(name, 1) for name in ("credit", "churn")}
    assert catalog.look_up([]) == {}


def test_uploads_come_latest_first_and_of_one_dataset_alone(catalog: DatasetCatalog) -> None:
    for dataset in ("credit", "churn"):
        catalog.ensure(dataset, at=NOON, actor="ada")
        for minute, month in enumerate(("may", "june", "july")):
            catalog.open_upload(an_upload(f"{month}.csv", dataset=dataset, received_at=later(minute)))
    catalog.reject_upload(an_upload("june.csv", received_at=later(1)), ["empty"])

    pages = walked(lambda **given: catalog.page_uploads("credit", **given), limit=2)

    assert [[upload.key.rpartition("/")[2] for upload in page] for page in pages] == [
        ["july.csv", "june.csv"],
        ["may.csv"],
    ]
    assert pages[0][1].reasons == ("empty",)
    assert catalog.page_uploads("nobody's") == Page([], None)


def opened(ledger: RunLedger, count: int) -> None:
    """Runs of two datasets and two pipelines; every third has failed."""
    for minute in range(count):
        dataset, pipeline = ("credit", "training") if minute % 2 else ("churn", "ingest")
        ledger.open(a_run(f"run-{minute:03}", pipeline=pipeline, minutes=minute, dataset=dataset))
        if minute % 3 == 0:
            ledger.close(f"run-{minute:03}", state=RunState.FAILED, reason="no", steps=[], at=later(minute + 1))


@pytest.mark.parametrize(
    ("wanted", "minutes"),
    [
        ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ({"state": RunState.FAILED}, [9, 6, 3, 0]),
        ({"state": RunState.RUNNING}, [8, 7, 5, 4, 2, 1]),
        ({"dataset": "credit"}, [9, 7, 5, 3, 1]),
        ({"pipeline": "ingest"}, [8, 6, 4, 2, 0]),
        ({"dataset": "credit", "state": RunState.FAILED}, [9, 3]),
        ({"pipeline": "ingest", "state": RunState.FAILED}, [6, 0]),
        ({"dataset": "nobody's"}, []),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_runs_come_newest_first_or_oldest_first_of_what_was_asked_for(
    ledger: RunLedger, wanted: dict[str, Any], minutes: list[int], limit: int
) -> None:
    opened(ledger, 10)

    for reverse in (False, True):
        pages = walked(ledger.page, limit=limit, reverse=reverse, **wanted)

        in_order = sorted(minutes, reverse=not reverse)
        assert [run.run_id for page in pages for run in page] == [f"run-{minute:03}" for minute in in_order]
        assert all(len(page) <= limit for page in pages)


def test_a_run_knows_how_often_it_changed(ledger: RunLedger) -> None:
    ledger.open(a_run())
    ledger.annotate("training-1", outcome="almost")
    ledger.close("training-1", state=RunState.SUCCEEDED, reason=None, steps=[], at=later(1))

    assert ledger.get("training-1").revision == ledger.page().items[0].revision == 3


def test_looking_for_rare_runs_stops_and_goes_on_from_there(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millrace.adapters.dynamodb.table._LOOKED_AT", (1, 3))
    ledger = DynamoRunLedger(table)
    for minute in range(10):
        ledger.open(a_run(f"run-{minute}", minutes=minute, pipeline="ingest" if minute == 1 else "training"))

    first = ledger.page(pipeline="ingest", limit=5)
    pages = walked(ledger.page, pipeline="ingest", limit=5)

    assert list(first.items) == []
    assert first.position is not None
    assert [run.run_id for page in pages for run in page] == ["run-1"]
    assert len(pages) == 3


def registered(registry: ModelRegistry, model: str, run_id: str) -> None:
    number = registry.claim_number(model, dataset=model, run_id=run_id, algorithm="xgboost", at=NOON)
    registry.register(a_model_version(number, model=model, run_id=run_id), actor="training")


def test_models_versions_and_events_come_in_pages(registry: ModelRegistry) -> None:
    for model in ("b", "a", "c"):
        registered(registry, model, "training-1")
    for run_id in ("training-2", "training-3"):
        registered(registry, "a", run_id)

    assert names_of(walked(registry.page, limit=2)) == [["a", "b"], ["c"]]
    versions = walked(lambda **given: registry.page_versions("a", **given), limit=2)
    assert [[version.number for version in page] for page in versions] == [[3, 2], [1]]
    events = walked(lambda **given: registry.page_history("a", **given), limit=1)
    assert [[event.sequence for event in page] for page in events] == [[3], [2], [1]]


def test_versions_are_looked_up_together_and_the_missing_are_left_out(registry: ModelRegistry) -> None:
    for model in ("a", "b"):
        registered(registry, model, "training-1")

    found = registry.look_up([("a", 1), ("b", 1), ("a", 2), ("a", 1)])

    assert found == {("a", 1): registry.get("a", 1), ("b", 1): registry.get("b", 1)}
    assert registry.look_up([]) == {}


def test_a_model_says_what_is_newest_and_what_waits_and_moves_with_every_event(registry: ModelRegistry) -> None:
    for run_id in ("training-1", "training-2", "training-3"):
        registered(registry, "a", run_id)
    registry.decide("a", 2, approve=True, actor="ada", reason="good", at=later(1))

    model = registry.model("a")

    assert (model.newest, model.pending, model.revision) == (3, (1, 3), 4)
    registry.move_alias("a", "champion", 2, expected=None, actor="ada", reason="good", at=later(2))
    assert registry.model("a").revision == 5
    assert registry.page().items[0] == registry.model("a")
