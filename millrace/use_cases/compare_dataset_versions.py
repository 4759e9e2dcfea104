"""Compare two versions of a dataset: columns, kinds, distributions, and what breaks the earlier one's contract.

From profiles and contracts alone, so it takes the same time however many rows there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from millrace.domain import place
from millrace.domain.dataset import DatasetVersion, VersionState
from millrace.domain.entity import Entity
from millrace.domain.version_diff import ColumnDiff, column_diffs, contract_breaks
from millrace.errors import NotFound
from millrace.ports import DatasetCatalog, ObjectStore


class VersionDiff(Entity):
    """`identical` says that both hold the same bytes. `contract_breaks` hold the later against the earlier contract."""

    dataset: str
    from_version: int
    to_version: int
    identical: bool
    from_rows: int
    to_rows: int
    from_contract: int
    to_contract: int
    columns: tuple[ColumnDiff, ...]
    contract_breaks: tuple[str, ...]


def compare_dataset_versions(
    *, catalog: DatasetCatalog, store: ObjectStore, dataset: str, from_version: int, to_version: int
) -> VersionDiff:
    """Raises NotFound for a version that is not there or not READY."""
    before, after = (_ready(catalog, dataset, number) for number in (from_version, to_version))
    known, now = _profile(store, before), _profile(store, after)
    contract = catalog.contract(dataset, int(before.contract_version or 0))
    return VersionDiff(
        dataset=dataset,
        from_version=from_version,
        to_version=to_version,
        identical=before.sha256 == after.sha256,
        from_rows=known["rows"],
        to_rows=now["rows"],
        from_contract=contract.version,
        to_contract=int(after.contract_version or 0),
        columns=tuple(column_diffs(known["columns"], now["columns"])),
        contract_breaks=tuple(contract_breaks(contract, now["columns"])),
    )


def _ready(catalog: DatasetCatalog, dataset: str, number: int) -> DatasetVersion:
    version = catalog.version(dataset, number)
    if version.state is not VersionState.READY:
        raise NotFound(f"{dataset} v{number} is {version.state}, so there is nothing to compare")
    return version


def _profile(store: ObjectStore, version: DatasetVersion) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(store.read(place.profile_uri(version.location)))
    return found
