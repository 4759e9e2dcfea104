"""Export a model version: say what another environment needs to take it over, and by which digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import IO

from millrace.domain import model_export, place
from millrace.domain.model import ApprovalState, ModelVersion, parse_version_id
from millrace.domain.model_export import ARCHIVE, ARTIFACT, BASELINE, EVALUATION, GOLDEN, GRAPH, SERVING, ModelExport
from millrace.errors import Conflict, NotDeployed, NotFound
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore

CHUNK_BYTES = 1024 * 1024


def export_model_version(
    *,
    registry: ModelRegistry,
    catalog: DatasetCatalog,
    store: ObjectStore,
    artifacts_bucket: str,
    environment: str,
    version_id: str,
) -> str:
    """The address of the export, which lies beside the version. Exporting again what did not change is the same one.

    Raises NotFound, Conflict for a version that nobody approved or that was taken over itself, NotDeployed for one
    that was never checked for serving.
    """
    version = registry.get(*parse_version_id(version_id))
    if version.approval.state is not ApprovalState.APPROVED:
        raise Conflict(f"{version.id} is {version.approval.state}: only an approved version goes elsewhere")
    if (origin := version.origin) is not None:
        raise Conflict(f"{version.id} comes from {origin.environment}: export {origin.version_id} there")
    exported = ModelExport(
        environment=environment,
        version=version,
        contract=catalog.contract(version.lineage.dataset, version.lineage.contract_version),
        files={
            file: digest(store.open(place.model_uri(artifacts_bucket, version.model, version.number, file)))
            for file in _files(store, artifacts_bucket, version)
        },
    )
    name, body = model_export.sealed(exported)
    address = place.model_uri(artifacts_bucket, version.model, version.number, name)
    store.write(address, body)
    return address


def digest(content: IO[bytes]) -> str:
    found = hashlib.sha256()
    with content:
        while chunk := content.read(CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def _files(store: ObjectStore, bucket: str, version: ModelVersion) -> Iterator[str]:
    yield ARTIFACT
    yield EVALUATION
    if version.baseline_uri is not None:
        yield BASELINE
    try:
        document = json.loads(store.read(place.serving_uri(bucket, version.model, version.number, place.SERVING_FILE)))
    except NotFound as missing:
        raise NotDeployed(f"{version.id} has no serving artefact: export it once it was deployed") from missing
    yield SERVING
    yield GOLDEN
    yield ARCHIVE if "endpoint_kind" in document else GRAPH
