"""A version is taken over the same way by every registry, ledger, catalog and store."""

from __future__ import annotations

from millrace.adapters.memory import InMemoryDatasetCatalog, InMemoryModelRegistry, InMemoryNotifier, SetClock
from millrace.domain.model import ApprovalState, ModelVersion
from millrace.domain.run import RunState
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore, RunLedger
from millrace.use_cases.export_model_version import export_model_version
from millrace.use_cases.import_model_version import import_model_version
from tests.builders import NOON, a_contract, a_model_version, later

STAGING, PROD = "data", "artifacts"
SERVING = ("serving.json", "golden.json", "model.onnx")


def exported(store: ObjectStore) -> str:
    """The address of staging's credit:1, which has no baseline."""
    folder = f"s3://{STAGING}/models/credit/v1"
    for file in ("model.tar.gz", "evaluation.json", *(f"serving/{name}" for name in SERVING)):
        store.write(f"{folder}/{file}", b'{"of": "%s"}' % file.encode())
    catalog, registry = InMemoryDatasetCatalog(), InMemoryModelRegistry()
    catalog.ensure("credit", at=NOON, actor="ada")
    catalog.put_contract(a_contract())
    registry.claim_number("credit", dataset="credit", run_id="training-1", algorithm="xgboost", at=NOON)
    registry.register(a_model_version(), actor="training")
    registry.decide("credit", 1, approve=True, actor="ada", reason="good", at=later(1))
    return export_model_version(
        registry=registry,
        catalog=catalog,
        store=store,
        artifacts_bucket=STAGING,
        environment="staging",
        version_id="credit:1",
    )


def test_a_version_is_taken_over_once_under_the_next_number(
    catalog: DatasetCatalog, registry: ModelRegistry, ledger: RunLedger, store: ObjectStore
) -> None:
    registry.claim_number("credit", dataset="credit", run_id="training-9", algorithm="linear", at=NOON)
    address, notifier = exported(store), InMemoryNotifier()

    def taken_over() -> ModelVersion:
        return import_model_version(
            catalog=catalog,
            registry=registry,
            ledger=ledger,
            source=store,
            store=store,
            notifier=notifier,
            clock=SetClock(later(5)),
            artifacts_bucket=PROD,
            environment="prod",
            address=address,
            actor="cli:olga",
        )

    first = taken_over()
    written = store.head(first.artifact_uri).version_id

    assert taken_over() == first == registry.get("credit", 2)
    assert first.approval.state is ApprovalState.PENDING
    assert first.origin is not None
    assert first.origin.contract == a_contract()
    assert registry.model("credit").pending == (2,)
    assert ledger.get(first.lineage.run_id).state is RunState.SUCCEEDED
    assert catalog.get("credit").latest_ready_version in (None, 0)
    for name in SERVING:
        assert store.read(f"s3://{PROD}/models/credit/v2/origin/{name}") == b'{"of": "serving/%s"}' % name.encode()
    assert store.head(first.artifact_uri).version_id == written, "what is registered is never written again"
    assert store.read(first.artifact_uri) == b'{"of": "model.tar.gz"}'
