"""Describe a dataset and a version of it: what belongs to each, as one answer says it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from millrace.domain import place
from millrace.domain.dataset import Contract, Dataset, DatasetVersion, Upload, UploadState, VersionState
from millrace.errors import NotFound
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore, Page

_LOOKED_AT = 100


class DatasetStanding(NamedTuple):
    """A dataset with its newest versions and the files that arrived last. `busy` while one of them is on its way."""

    dataset: Dataset
    versions: Page[DatasetVersion]
    uploads: Page[Upload]

    @property
    def busy(self) -> bool:
        preparing = any(version.state is VersionState.PREPARING for version in self.versions.items)
        return preparing or any(is_on_its_way(upload) for upload in self.uploads.items)


class VersionStanding(NamedTuple):
    """A version of a dataset. `used_by` are ids of model versions, `others` the versions it can be held against."""

    version: DatasetVersion
    used_by: list[str]
    others: list[int]


def describe_dataset(*, catalog: DatasetCatalog, dataset: str, limit: int) -> DatasetStanding:
    """At most `limit` versions and files. Raises NotFound."""
    return DatasetStanding(
        catalog.get(dataset),
        catalog.page_versions(dataset, limit=limit),
        catalog.page_uploads(dataset, limit=limit),
    )


def contract_in_force(*, catalog: DatasetCatalog, dataset: Dataset) -> Contract | None:
    """None before the first version, which brings one."""
    return catalog.contract(dataset.name, dataset.contract_version) if dataset.contract_version else None


def describe_dataset_version(
    *, catalog: DatasetCatalog, registry: ModelRegistry, dataset: str, number: int, limit: int
) -> VersionStanding:
    """`others` are among the `limit` newest. Raises NotFound."""
    version = catalog.version(dataset, number)
    newest = catalog.page_versions(dataset, limit=limit).items
    others = [each.version for each in newest if each.state is VersionState.READY and each.version != number]
    return VersionStanding(version, trained_on(registry=registry, version=version), others)


def trained_on(*, registry: ModelRegistry, version: DatasetVersion) -> list[str]:
    """Of the model's latest versions those that were trained on it. A model is named after its dataset."""
    latest = registry.page_versions(version.dataset, limit=_LOOKED_AT).items
    return [each.id for each in latest if each.lineage.dataset_version == version.version]


def read_profile(*, store: ObjectStore, version: DatasetVersion) -> Any:
    """What profile.json says of the accepted rows. Raises NotFound for a version that is not READY."""
    if version.state is not VersionState.READY:
        raise NotFound(f"{version.dataset} v{version.version} is {version.state}, so it has no profile")
    return json.loads(store.read(place.profile_uri(version.location)))


def is_on_its_way(upload: Upload) -> bool:
    return upload.state in (UploadState.RECEIVED, UploadState.PREPARING)
