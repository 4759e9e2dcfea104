"""Register an upload: whose it is, which bytes it holds, how they are read, which version they become."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import NamedTuple

from millrace.analytics.detection import SAMPLE_BYTES, detect_dialect
from millrace.domain import identity, place
from millrace.domain.dataset import (
    DatasetVersion,
    Dialect,
    PreparationRequest,
    Registration,
    Upload,
    UploadKind,
)
from millrace.ports import Clock, DatasetCatalog, EventBus, ObjectStore, RunLedger
from millrace.use_cases.configure_dataset import apply_settings_file

_CHUNK_BYTES = 4 * 1024 * 1024
_UPLOADER = "upload"


class _Content(NamedTuple):
    sha256: str
    size_bytes: int
    head: bytes


def register_upload(
    *,
    catalog: DatasetCatalog,
    ledger: RunLedger,
    store: ObjectStore,
    bus: EventBus,
    clock: Clock,
    data_bucket: str,
    run_id: str,
    bucket: str,
    key: str,
    object_version: str,
    size_bytes: int,
    dataset: str,
    received_at: datetime,
) -> Registration:
    """Settings are applied; known bytes are found identical; new bytes get a version and a preparation request.

    Repeating it gives the same answer, with a request that holds the settings and the contract of now. Raises
    InvalidInput for a wrong name or wrong settings, DatasetInvalid for what is no table, NotFound when the object is
    gone.
    """
    catalog.ensure(place.check_name(dataset), at=clock.now(), actor=_UPLOADER)
    upload = catalog.open_upload(
        Upload(
            upload_id=identity.upload_id(bucket, key, object_version),
            dataset=dataset,
            bucket=bucket,
            key=key,
            object_version=object_version,
            size_bytes=size_bytes,
            run_id=run_id,
            received_at=received_at,
        )
    )
    if place.is_settings_file(key):
        apply_settings_file(catalog=catalog, bus=bus, store=store, upload=upload)
        ledger.annotate(run_id, outcome=f"The settings of {dataset} are those of {key}.")
        return Registration(kind=UploadKind.SETTINGS, dataset=dataset, upload_id=upload.upload_id)
    _apply_sidecar(catalog, bus, store, upload)
    registration = _register_data(catalog, store, clock, data_bucket, upload)
    ledger.annotate(run_id, dataset_version=registration.version, outcome=_outcome(registration))
    return registration


def _outcome(registration: Registration) -> str | None:
    """Known bytes end the run here; for new ones the outcome comes with their version."""
    if registration.kind != UploadKind.IDENTICAL:
        return None
    return f"Identical to {registration.dataset} v{registration.version}: nothing new to prepare or to train on."


def _apply_sidecar(catalog: DatasetCatalog, bus: EventBus, store: ObjectStore, upload: Upload) -> None:
    """The settings file beside the upload may have arrived a moment before it, or its own run may not be there yet."""
    found = next((key for key in place.sidecar_keys(upload.key) if _exists(store, upload.bucket, key)), None)
    if found is None:
        return
    info = store.head(place.uri(upload.bucket, found))
    sidecar = catalog.open_upload(
        Upload(
            upload_id=identity.upload_id(upload.bucket, found, info.version_id),
            dataset=upload.dataset,
            bucket=upload.bucket,
            key=found,
            object_version=info.version_id,
            size_bytes=info.size_bytes,
            run_id=identity.ingest_run_id(upload.bucket, found, info.version_id),
            received_at=upload.received_at,
        )
    )
    apply_settings_file(catalog=catalog, bus=bus, store=store, upload=sidecar)


def _exists(store: ObjectStore, bucket: str, key: str) -> bool:
    """By listing: a head of what is not there is refused, not answered, to a role that may list only `uploads/`."""
    address = place.uri(bucket, key)
    return any(info.uri == address for info in store.list(address))


def _register_data(
    catalog: DatasetCatalog, store: ObjectStore, clock: Clock, data_bucket: str, upload: Upload
) -> Registration:
    content = _content(store, upload)
    dialect = detect_dialect(content.head, upload.key.rpartition("/")[2], content.size_bytes)
    read = upload.model_copy(update={"sha256": content.sha256, "size_bytes": content.size_bytes, "dialect": dialect})
    claim = catalog.claim_content(
        read,
        location_prefix=place.datasets_uri(data_bucket, upload.dataset),
        quarantine_prefix=place.quarantine_uri(data_bucket, upload.dataset),
        at=clock.now(),
    )
    answer = {"dataset": upload.dataset, "upload_id": upload.upload_id, "version": claim.version}
    if not claim.new:
        return Registration.model_validate({"kind": UploadKind.IDENTICAL, **answer})
    version = catalog.version(upload.dataset, claim.version)
    request = _request(catalog, version, read, dialect, clock.now())
    store.write(place.request_uri(version.location), request.model_dump_json().encode())
    return Registration.model_validate(
        {
            "kind": UploadKind.DATASET,
            **answer,
            "request_uri": place.request_uri(version.location),
            "report_uri": place.report_uri(version.location),
        }
    )


def _content(store: ObjectStore, upload: Upload) -> _Content:
    """One pass over the bytes: what is hashed is what is looked at. Memory: one chunk and the head."""
    digest, size, head = hashlib.sha256(), 0, bytearray()
    with store.open(place.uri(upload.bucket, upload.key), version_id=upload.object_version) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            head += chunk[: SAMPLE_BYTES - len(head)]
    return _Content(digest.hexdigest(), size, bytes(head))


def _request(
    catalog: DatasetCatalog, version: DatasetVersion, upload: Upload, dialect: Dialect, at: datetime
) -> PreparationRequest:
    dataset = catalog.get(upload.dataset)
    contract = catalog.contract(dataset.name, dataset.contract_version) if dataset.contract_version else None
    return PreparationRequest(
        dataset=dataset.name,
        version=version.version,
        upload_id=upload.upload_id,
        run_id=upload.run_id,
        source_uri=place.uri(upload.bucket, upload.key),
        object_version=upload.object_version,
        dialect=dialect,
        settings=dataset.settings,
        contract=contract,
        location=version.location,
        quarantine_location=version.quarantine_location,
        created_at=at,
    )
