"""Offer a file for download: an address that is good for a few minutes. No byte of the file passes the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from millrace.domain import place
from millrace.domain.dataset import DatasetVersion
from millrace.domain.drift import DriftSummary
from millrace.domain.model import ModelVersion
from millrace.domain.row_comparison import RowComparisonRequest
from millrace.errors import NotFound
from millrace.ports import Clock, Downloads, ObjectStore

GOOD_FOR = timedelta(minutes=5)


class DatasetFile(StrEnum):
    """What can be downloaded of a dataset version."""

    QUARANTINE = "quarantine"
    REPORT = "report"
    PROFILE = "profile"
    CONTRACT = "contract"


class ModelFile(StrEnum):
    """What can be downloaded of a model version."""

    ARTIFACT = "artifact"
    EVALUATION = "evaluation"


class Offer(NamedTuple):
    """`address` takes a GET without any other permission until `expires_at`."""

    file_name: str
    size_bytes: int
    address: str
    expires_at: datetime


def offer_dataset_file(
    *, store: ObjectStore, downloads: Downloads, clock: Clock, version: DatasetVersion, file: DatasetFile
) -> Offer:
    """Raises NotFound for what this version does not have."""
    uri = _quarantine(store, version) if file is DatasetFile.QUARANTINE else f"{version.location}{file}.json"
    ending = uri.rpartition(".")[2]
    return _offer(store, downloads, clock, uri, f"{version.dataset}-v{version.version}-{file}.{ending}")


def offer_model_file(
    *, store: ObjectStore, downloads: Downloads, clock: Clock, version: ModelVersion, file: ModelFile
) -> Offer:
    """Raises NotFound for what this version does not have."""
    uri, ending = {
        ModelFile.ARTIFACT: (version.artifact_uri, "tar.gz"),
        ModelFile.EVALUATION: (version.evaluation_uri, "json"),
    }[file]
    return _offer(store, downloads, clock, uri, f"{version.model}-v{version.number}-{file}.{ending}")


def offer_drift_page(*, store: ObjectStore, downloads: Downloads, clock: Clock, report: DriftSummary) -> Offer:
    """The report as one HTML file. Raises NotFound."""
    return _offer(store, downloads, clock, report.html_uri, f"{report.id}.html")


def offer_compared_rows(
    *, store: ObjectStore, downloads: Downloads, clock: Clock, comparison: RowComparisonRequest
) -> Offer:
    """The rows that differ. Raises NotFound while they are being compared."""
    name = f"{comparison.dataset}-v{comparison.from_version}-v{comparison.to_version}-rows.parquet"
    return _offer(store, downloads, clock, place.compared_rows_uri(comparison.result_uri), name)


def _quarantine(store: ObjectStore, version: DatasetVersion) -> str:
    parts = store.list(version.quarantine_location)
    if not parts:
        raise NotFound(f"{version.dataset} v{version.version} has no quarantine: no row was set aside")
    return parts[0].uri if len(parts) == 1 else place.all_quarantined_uri(version.location)


def _offer(store: ObjectStore, downloads: Downloads, clock: Clock, uri: str, file_name: str) -> Offer:
    size_bytes = store.head(uri).size_bytes
    seconds = int(GOOD_FOR.total_seconds())
    return Offer(
        file_name, size_bytes, downloads.address(uri, file_name=file_name, seconds=seconds), clock.now() + GOOD_FOR
    )
