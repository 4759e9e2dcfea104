"""What happens between the reading and the writing of a decision: each test puts one rival exactly there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from millrace.adapters.dynamodb import DynamoDatasetCatalog, DynamoModelRegistry, DynamoRunLedger, Table
from millrace.domain.dataset import UploadState, VersionState
from millrace.domain.run import RunState
from millrace.errors import AlreadyDecided, Conflict, ContractMoved
from tests.builders import NOON, a_column, a_contract, a_run, an_upload, later, prepared, settings
from tests.contract.test_catalog import accepted, claim, opened, reserved
from tests.contract.test_registry import approved, claimed, promote, registered

Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.fixture
def meanwhile(dynamodb: Any) -> Meanwhile:
    """`meanwhile(rival)`: the rival acts just before the next transaction is sent."""
    rivals: list[Callable[[], Any]] = []
    call = dynamodb._make_api_call

    def intercepted(operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "TransactWriteItems" and rivals:
            rivals.pop()()
        return call(operation, arguments)

    dynamodb._make_api_call = intercepted
    return rivals.append


@pytest.fixture
def catalog(table: Table) -> DynamoDatasetCatalog:
    return DynamoDatasetCatalog(table)


@pytest.fixture
def registry(table: Table) -> DynamoModelRegistry:
    return DynamoModelRegistry(table)


@pytest.fixture
def ledger(table: Table) -> DynamoRunLedger:
    return DynamoRunLedger(table)


def test_a_contract_edited_in_the_moment_of_acceptance_is_noticed(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    accepted(catalog, an_upload("a.csv"))
    version = prepared(reserved(catalog, an_upload("b.csv")))
    meanwhile(lambda: catalog.put_contract(a_contract(2, columns=(a_column("age"),))))

    with pytest.raises(ContractMoved):
        catalog.accept_version(version, None)

    assert catalog.version("credit", 2).state == VersionState.PREPARING


def test_a_newer_version_accepted_in_the_same_moment_stays_the_newest(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    accepted(catalog, an_upload("a.csv"))
    two, three = (prepared(reserved(catalog, an_upload(name))) for name in ("b.csv", "c.csv"))
    meanwhile(lambda: catalog.accept_version(three, None))

    catalog.accept_version(two, None)

    assert catalog.get("credit").latest_ready_version == 3
    assert [version.state for version in catalog.versions("credit")] == [VersionState.READY] * 3


def test_an_upload_rejected_in_the_moment_of_its_claim_claims_nothing(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    upload = an_upload()
    opened(catalog, upload)
    meanwhile(lambda: catalog.reject_upload(upload, ["stopped"]))

    with pytest.raises(Conflict):
        claim(catalog, upload)

    assert catalog.get("credit").latest_version == 0
    assert catalog.upload("credit", upload.upload_id).reasons == ("stopped",)


def test_an_upload_claimed_in_the_moment_of_its_rejection_takes_its_version_along(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    upload = an_upload()
    opened(catalog, upload)
    meanwhile(lambda: claim(catalog, upload))

    catalog.reject_upload(upload, ["stopped"])

    assert catalog.version("credit", 1).state == VersionState.REJECTED
    again = an_upload("again.csv", sha256=upload.sha256)
    opened(catalog, again)
    assert claim(catalog, again) == (2, True)


def test_bytes_released_in_the_moment_they_are_found_identical_become_a_version(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    first, second = an_upload("a.csv", sha256="same"), an_upload("b.csv", sha256="same")
    reserved(catalog, first)
    opened(catalog, second)
    meanwhile(lambda: catalog.reject_upload(first, ["crashed"]))

    assert claim(catalog, second) == (2, True)

    assert catalog.upload("credit", second.upload_id).state == UploadState.PREPARING


def test_a_version_claimed_in_the_same_moment_moves_the_next_one_on(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    one, two = an_upload("a.csv"), an_upload("b.csv")
    opened(catalog, one)
    opened(catalog, two)
    meanwhile(lambda: claim(catalog, two))

    assert claim(catalog, one) == (2, True)
    assert catalog.get("credit").latest_version == 2


def test_settings_changed_in_the_same_moment_are_a_conflict(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")
    meanwhile(lambda: catalog.configure("credit", settings(target="first"), revision=1, actor="ada"))

    with pytest.raises(Conflict):
        catalog.configure("credit", settings(target="second"), revision=1, actor="ada")

    assert catalog.get("credit").settings.target == "first"


def test_a_contract_stored_in_the_same_moment_is_a_conflict(
    catalog: DynamoDatasetCatalog, meanwhile: Meanwhile
) -> None:
    catalog.ensure("credit", at=NOON, actor="ada")
    meanwhile(lambda: catalog.put_contract(a_contract(1)))

    with pytest.raises(Conflict):
        catalog.put_contract(a_contract(1, columns=(a_column("age"),)))

    assert catalog.contract("credit", 1) == a_contract(1)


def test_a_dataset_created_in_the_same_moment_is_found(catalog: DynamoDatasetCatalog, meanwhile: Meanwhile) -> None:
    meanwhile(lambda: catalog.ensure("credit", at=NOON, actor="bob"))

    assert catalog.ensure("credit", at=NOON, actor="ada").created_by == "bob"


def test_a_decision_taken_in_the_same_moment_is_not_overwritten(
    registry: DynamoModelRegistry, meanwhile: Meanwhile
) -> None:
    registered(registry)
    meanwhile(lambda: registry.decide("credit", 1, approve=False, actor="bob", reason="worse", at=later(1)))

    with pytest.raises(AlreadyDecided, match="bob"):
        registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=later(1))

    assert len(registry.history("credit")) == 2


def test_an_alias_moved_in_the_same_moment_is_a_conflict(registry: DynamoModelRegistry, meanwhile: Meanwhile) -> None:
    one, two = approved(registry, "training-1"), approved(registry, "training-2")
    meanwhile(lambda: promote(registry, two, expected=None))

    with pytest.raises(Conflict):
        promote(registry, one, expected=None)

    assert registry.model("credit").aliases == {"champion": two}


def test_another_event_in_the_same_moment_only_moves_the_sequence_on(
    registry: DynamoModelRegistry, meanwhile: Meanwhile
) -> None:
    one = approved(registry, "training-1")
    meanwhile(lambda: registered(registry, "training-2"))

    promote(registry, one, expected=None)

    assert registry.model("credit").aliases == {"champion": one}
    assert registry.model("credit").latest_number == 2
    assert [event.sequence for event in registry.history("credit")] == [1, 2, 3, 4]


def test_a_model_created_in_the_same_moment_is_the_same_model(
    registry: DynamoModelRegistry, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: claimed(registry, "training-1"))

    assert claimed(registry, "training-2") == 2


def test_a_run_annotated_in_the_moment_of_its_close_keeps_the_annotation(
    ledger: DynamoRunLedger, meanwhile: Meanwhile
) -> None:
    ledger.open(a_run())
    meanwhile(lambda: ledger.annotate("training-1", outcome="registered"))

    assert ledger.close("training-1", state=RunState.SUCCEEDED, reason=None, steps=[], at=later(1))

    assert (ledger.get("training-1").outcome, ledger.get("training-1").state) == ("registered", RunState.SUCCEEDED)


def test_a_run_closed_in_the_same_moment_stays_as_the_first_close_left_it(
    ledger: DynamoRunLedger, meanwhile: Meanwhile
) -> None:
    ledger.open(a_run())
    meanwhile(lambda: ledger.close("training-1", state=RunState.FAILED, reason="first", steps=[], at=later(1)))

    assert not ledger.close("training-1", state=RunState.SUCCEEDED, reason=None, steps=[], at=later(2))

    assert ledger.get("training-1").reason == "first"


def test_decisions_rest_on_consistent_reads(dynamodb: Any, table: Table) -> None:
    """moto is always consistent and could not show the difference; DynamoDB is so only when asked."""
    asked: list[Any] = []
    for operation in ("GetItem", "Query"):
        dynamodb.meta.events.register(
            f"provide-client-params.dynamodb.{operation}",
            lambda params, **_: asked.append(params.get("ConsistentRead")),
        )

    table.get("A", "1")
    list(table.query("A", "1"))

    assert asked == [True, True]
