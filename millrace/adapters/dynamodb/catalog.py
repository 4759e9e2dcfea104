"""Datasets, uploads, versions and contracts in the registry table.

A dataset's counters (`latest_version`, `latest_ready_version`, `contract_version`) and its `revision` are attributes of
their own, so that an arriving upload never collides with a person who edits the settings: only edits move `revision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from millrace import names
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.table import BODY, Item, Lost, Plain, Table
from millrace.adapters.dynamodb.tally import DynamoTallies
from millrace.domain import audit, tally
from millrace.domain.dataset import (
    Contract,
    Dataset,
    DatasetSettings,
    DatasetVersion,
    Upload,
    UploadState,
    VersionState,
)
from millrace.errors import Conflict, ContractMoved, NotFound
from millrace.ports import ContentClaim, Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_META = "META"
_LISTING = "DATASETS"
_ARRIVALS = "UPLOADS#"
_COUNTERS = ("revision", "contract_version", "latest_version", "latest_ready_version")


class DynamoDatasetCatalog:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._trail = DynamoAuditTrail(table)
        self._tallies = DynamoTallies(table)

    def ensure(self, name: str, *, at: datetime, actor: str) -> Dataset:
        item = self._table.get(_pk(name), _META)
        if item is not None:
            return _dataset(item)
        dataset = Dataset(name=name, created_at=at, created_by=actor)
        attributes = {**_dataset_attributes(dataset), "listing": _LISTING, "listed_at": name}
        try:
            self._table.write(
                self._table.create(_pk(name), _META, attributes),
                self._tallies.counting(name, tally.ONE_DATASET),
                *self._trail.recording(audit.dataset_created(dataset)),
            )
        except Lost:
            return self.get(name)
        return dataset

    def get(self, name: str) -> Dataset:
        return _dataset(self._item(name, _META, f"there is no dataset {name}"))

    def list(self) -> Sequence[Dataset]:
        return [_dataset(item) for item in self._table.listing(_LISTING)]

    def page(self, *, after: str | None = None, limit: int = 50, reverse: bool = False) -> Page[Dataset]:
        items, position = self._table.page(
            names.LISTING_INDEX, _LISTING, after=after, limit=limit, newest_first=reverse
        )
        return Page([_dataset(item) for item in items], position)

    def configure(
        self, name: str, settings: DatasetSettings, *, revision: int, actor: str, upload: Upload | None = None
    ) -> Dataset:
        return self._table.decide(lambda: self._configure_once(name, settings, revision, actor, upload))

    def contract(self, name: str, version: int) -> Contract:
        item = self._item(name, _contract_sk(version), f"dataset {name} has no contract {version}")
        return Contract.read(item[BODY])

    def put_contract(self, contract: Contract) -> Dataset:
        return self._table.decide(lambda: self._put_contract_once(contract))

    def open_upload(self, upload: Upload) -> Upload:
        return self._table.decide(lambda: self._open_once(upload))

    def upload(self, dataset: str, upload_id: str) -> Upload:
        item = self._item(dataset, _upload_sk(upload_id), f"dataset {dataset} has no upload {upload_id}")
        return Upload.read(item[BODY])

    def uploads(self, dataset: str) -> Sequence[Upload]:
        found = [Upload.read(item[BODY]) for item in self._table.query(_pk(dataset), "UPLOAD#")]
        return sorted(found, key=lambda upload: (upload.received_at, upload.upload_id), reverse=True)

    def page_uploads(self, dataset: str, *, after: str | None = None, limit: int = 50) -> Page[Upload]:
        items, position = self._table.page(
            names.LISTING_INDEX, f"{_ARRIVALS}{dataset}", after=after, limit=limit, newest_first=True
        )
        return Page([Upload.read(item[BODY]) for item in items], position)

    def claim_content(
        self, upload: Upload, *, location_prefix: str, quarantine_prefix: str, at: datetime
    ) -> ContentClaim:
        return self._table.decide(lambda: self._claim_once(upload, location_prefix, quarantine_prefix, at))

    def version(self, dataset: str, version: int) -> DatasetVersion:
        item = self._item(dataset, _version_sk(version), f"dataset {dataset} has no version {version}")
        return DatasetVersion.read(item[BODY])

    def look_up(self, versions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], DatasetVersion]:
        keys = [(_pk(dataset), _version_sk(version)) for dataset, version in dict.fromkeys(versions)]
        found = [DatasetVersion.read(item[BODY]) for item in self._table.look_up(keys)]
        return {(version.dataset, version.version): version for version in found}

    def versions(self, dataset: str) -> Sequence[DatasetVersion]:
        items = self._table.query(_pk(dataset), "VERSION#", newest_first=True)
        return [DatasetVersion.read(item[BODY]) for item in items]

    def page_versions(self, dataset: str, *, after: str | None = None, limit: int = 50) -> Page[DatasetVersion]:
        items, position = self._table.part(_pk(dataset), "VERSION#", after=after, limit=limit, newest_first=True)
        return Page([DatasetVersion.read(item[BODY]) for item in items], position)

    def accept_version(self, version: DatasetVersion, contract: Contract | None) -> None:
        self._table.decide(lambda: self._accept_once(version, contract))

    def reject_upload(self, upload: Upload, reasons: Sequence[str]) -> None:
        self._table.decide(lambda: self._reject_once(upload, tuple(reasons)))

    def _configure_once(
        self, name: str, settings: DatasetSettings, revision: int, actor: str, upload: Upload | None
    ) -> Dataset:
        seen = self.get(name)
        if seen.revision != revision:
            raise Conflict(_edited(name))
        changed = seen.model_copy(update={"settings": settings, "revision": revision + 1})
        operations = [
            self._table.change(
                _pk(name),
                _META,
                {BODY: changed.model_dump_json(), "revision": changed.revision},
                when={"revision": revision},
            )
        ]
        if upload is not None:
            if self.upload(name, upload.upload_id).state != UploadState.RECEIVED:
                raise Conflict(f"upload {upload.upload_id} was settled meanwhile")
            operations.append(self._moved(upload, UploadState.RECEIVED, UploadState.ACCEPTED))
        self._table.write(*operations, *self._trail.recording(audit.dataset_configured(seen, settings, upload, actor)))
        return changed

    def _put_contract_once(self, contract: Contract) -> Dataset:
        seen = self.get(contract.dataset)
        if contract.version != seen.contract_version + 1:
            raise Conflict(_contract_edited(contract))
        counters: dict[str, Plain] = {"contract_version": contract.version, "revision": seen.revision + 1}
        before: dict[str, Plain] = {"contract_version": seen.contract_version, "revision": seen.revision}
        self._table.write(
            self._table.change(_pk(contract.dataset), _META, counters, when=before),
            self._table.create(_pk(contract.dataset), _contract_sk(contract.version), _body(contract)),
            *self._trail.recording(audit.contract_changed(contract)),
        )
        return seen.model_copy(update=counters)

    def _open_once(self, upload: Upload) -> Upload:
        """Read first: a dataset's uploads meet in its audit chain, so a lost write need not mean that it is there."""
        stored = self._table.get(_pk(upload.dataset), _upload_sk(upload.upload_id))
        if stored is not None:
            return Upload.read(stored[BODY])
        listed = {
            "listing": f"{_ARRIVALS}{upload.dataset}",
            "listed_at": f"{upload.received_at.isoformat()}#{upload.upload_id}",
        }
        attributes = {**_body(upload), "state": upload.state, **listed}
        self._table.write(
            self._table.create(_pk(upload.dataset), _upload_sk(upload.upload_id), attributes),
            *self._trail.recording(audit.upload_received(upload)),
        )
        return upload

    def _claim_once(self, upload: Upload, location_prefix: str, quarantine_prefix: str, at: datetime) -> ContentClaim:
        stored = self.upload(upload.dataset, upload.upload_id)
        if stored.state == UploadState.REJECTED:
            raise Conflict(f"upload {upload.upload_id} was rejected: {'; '.join(stored.reasons)}")
        if stored.version is not None:
            return ContentClaim(stored.version, new=stored.state != UploadState.IDENTICAL)
        known = self._table.get(_pk(upload.dataset), _content_sk(upload))
        if known is not None:
            return self._found_identical(upload, known["version"])
        number = self.get(upload.dataset).latest_version + 1
        version = DatasetVersion(
            dataset=upload.dataset,
            version=number,
            upload_id=upload.upload_id,
            sha256=str(upload.sha256),
            location=f"{location_prefix}/v{number}/",
            quarantine_location=f"{quarantine_prefix}/v{number}/",
            dialect=upload.dialect,
            run_id=upload.run_id,
            created_at=at,
        )
        self._reserve(upload, version)
        return ContentClaim(number, new=True)

    def _reserve(self, upload: Upload, version: DatasetVersion) -> None:
        pk, number = _pk(upload.dataset), version.version
        claim: dict[str, Plain] = {"version": number, "upload_id": upload.upload_id}
        preparing = upload.model_copy(update={"version": number})
        self._table.write(
            self._table.change(pk, _META, {"latest_version": number}, when={"latest_version": number - 1}),
            self._table.create(pk, _content_sk(upload), claim),
            self._table.create(pk, _version_sk(number), {**_body(version), "state": version.state}),
            self._moved(preparing, UploadState.RECEIVED, UploadState.PREPARING),
            *self._trail.recording(audit.version_reserved(upload, number)),
        )

    def _found_identical(self, upload: Upload, version: int) -> ContentClaim:
        identical = upload.model_copy(update={"version": version})
        self._table.write(
            self._moved(identical, UploadState.RECEIVED, UploadState.IDENTICAL),
            self._table.check(_pk(upload.dataset), _content_sk(upload), when={"version": version}),
            *self._trail.recording(audit.upload_identical(upload, version)),
        )
        return ContentClaim(version, new=False)

    def _accept_once(self, version: DatasetVersion, contract: Contract | None) -> None:
        stored = self.version(version.dataset, version.version)
        if stored.state == VersionState.READY:
            return
        if stored.state == VersionState.REJECTED:
            raise Conflict(f"version {version.version} of {version.dataset} was rejected: {'; '.join(stored.reasons)}")
        dataset = self.get(version.dataset)
        prepared_against = 0 if contract is not None else version.contract_version
        if dataset.contract_version != prepared_against:
            raise ContractMoved(
                f"version {version.version} of {version.dataset} was prepared against contract {prepared_against}, "
                f"but contract {dataset.contract_version} is in force now"
            )
        self._table.write(*self._acceptance(dataset, version, contract))

    def _acceptance(
        self, dataset: Dataset, version: DatasetVersion, contract: Contract | None
    ) -> Sequence[TransactWriteItemTypeDef]:
        pk = _pk(version.dataset)
        ready = version.model_copy(update={"state": VersionState.READY})
        upload = self.upload(version.dataset, version.upload_id)
        counters: dict[str, Plain] = {"latest_ready_version": max(dataset.latest_ready_version, version.version)}
        if contract is not None:
            counters["contract_version"] = contract.version
        before: dict[str, Plain] = {
            "latest_ready_version": dataset.latest_ready_version,
            "contract_version": dataset.contract_version,
        }
        operations = [
            self._table.change(pk, _META, counters, when=before),
            self._table.change(
                pk,
                _version_sk(version.version),
                {**_body(ready), "state": ready.state},
                when={"state": VersionState.PREPARING},
            ),
            self._moved(upload, UploadState.PREPARING, UploadState.ACCEPTED),
            self._tallies.counting(dataset.name, tally.ONE_DATASET_VERSION),
            *self._trail.recording(audit.version_accepted(version, contract)),
        ]
        if contract is not None:
            operations.append(self._table.create(pk, _contract_sk(contract.version), _body(contract)))
        return operations

    def _reject_once(self, upload: Upload, reasons: tuple[str, ...]) -> None:
        stored = self.upload(upload.dataset, upload.upload_id)
        if stored.state == UploadState.REJECTED:
            return
        if stored.state in (UploadState.ACCEPTED, UploadState.IDENTICAL):
            raise Conflict(f"upload {upload.upload_id} is {stored.state} already")
        rejected = stored.model_copy(update={"reasons": reasons})
        released = () if stored.version is None else self._released(stored, stored.version, reasons)
        self._table.write(
            self._moved(rejected, stored.state, UploadState.REJECTED),
            *released,
            *self._trail.recording(audit.upload_rejected(stored, reasons)),
        )

    def _released(self, upload: Upload, number: int, reasons: tuple[str, ...]) -> Sequence[TransactWriteItemTypeDef]:
        pk = _pk(upload.dataset)
        version = self.version(upload.dataset, number)
        rejected = version.model_copy(update={"state": VersionState.REJECTED, "reasons": reasons})
        return [
            self._table.change(
                pk,
                _version_sk(number),
                {**_body(rejected), "state": rejected.state},
                when={"state": VersionState.PREPARING},
            ),
            self._table.remove(pk, _content_sk(upload), when={"upload_id": upload.upload_id}),
        ]

    def _moved(self, upload: Upload, before: UploadState, after: UploadState) -> TransactWriteItemTypeDef:
        moved = upload.model_copy(update={"state": after})
        return self._table.change(
            _pk(upload.dataset), _upload_sk(upload.upload_id), {**_body(moved), "state": after}, when={"state": before}
        )

    def _item(self, name: str, sk: str, missing: str) -> Item:
        item = self._table.get(_pk(name), sk)
        if item is None:
            raise NotFound(missing)
        return item


def _pk(dataset: str) -> str:
    return f"DATASET#{dataset}"


def _contract_sk(version: int) -> str:
    return f"CONTRACT#{version:08}"


def _version_sk(version: int) -> str:
    return f"VERSION#{version:08}"


def _upload_sk(upload_id: str) -> str:
    return f"UPLOAD#{upload_id}"


def _content_sk(upload: Upload) -> str:
    return f"CONTENT#{upload.sha256}"


def _body(entity: Contract | Upload | DatasetVersion) -> dict[str, Plain]:
    return {BODY: entity.model_dump_json()}


def _dataset_attributes(dataset: Dataset) -> dict[str, Plain]:
    return {BODY: dataset.model_dump_json(), **{name: getattr(dataset, name) for name in _COUNTERS}}


def _dataset(item: Item) -> Dataset:
    return Dataset.read(item[BODY]).model_copy(update={name: item[name] for name in _COUNTERS})


def _edited(name: str) -> str:
    return f"the settings of {name} changed meanwhile: look at them again, then repeat the change"


def _contract_edited(contract: Contract) -> str:
    return f"contract {contract.version} of {contract.dataset} is not the next one: look at the present one again"
