"""Prepare a batch inference: the input's rows as shards for the model, and the model as an archive that can answer."""

from __future__ import annotations

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from millrace.analytics.batch_preparation import batch_contract, prepare_batch_rows
from millrace.analytics.container_archive import write_container_archive
from millrace.analytics.preparation import Engine
from millrace.domain.batch import BatchReport, BatchRequest
from millrace.errors import EvaluationInvalid
from millrace.ports import ObjectStore
from millrace.use_cases.prepare_dataset import StoredUpload, StoreFactory, VersionFolders


def prepare_batch(
    request_uri: str, container_code_uri: str, *, store_factory: StoreFactory, engine: Engine | None = None
) -> BatchReport:
    """Does what the request at `request_uri` says. The report is written last: its presence means "finished".

    An input that is refused is an outcome in the report. May be repeated: what an earlier attempt left is removed.
    """
    store = store_factory()
    request = BatchRequest.read(store.read(request_uri))
    location = request.location.rstrip("/")
    store.delete(f"{location}/report.json")
    features = _package(store, request, container_code_uri)
    sources = [
        (uri.rpartition("/")[2], StoredUpload(store_factory, uri, request.object_version)) for uri in request.sources
    ]
    report = prepare_batch_rows(
        request,
        batch_contract(request.contract, features, request.record_id_column),
        sources,
        VersionFolders(store_factory, location, f"{location}/quarantine"),
        engine=engine,
    )
    store.write(f"{location}/report.json", report.model_dump_json(indent=1).encode())
    return report


def _package(store: ObjectStore, request: BatchRequest, container_code_uri: str) -> list[dict[str, Any]]:
    """Write the archive that the model answers from; answer the features that its manifest names."""
    with tempfile.TemporaryDirectory() as scratch:
        code, model, packed = (Path(scratch) / name for name in ("code.zip", "model.tar.gz", "container.tar.gz"))
        code.write_bytes(store.read(container_code_uri))
        with store.open(request.artifact_uri) as stream, model.open("wb") as file:
            while chunk := stream.read(1 << 20):
                file.write(chunk)
        with model.open("rb") as source:
            write_container_archive(source, code, packed)
        with packed.open("rb") as file:
            store.upload(request.container_uri, file, content_type="application/gzip")
        return _features(model)


def _features(model: Path) -> list[dict[str, Any]]:
    with tarfile.open(model, "r:gz") as archive:
        found = archive.extractfile("manifest.json")
        if found is None:
            raise EvaluationInvalid("the model archive holds no manifest.json")
        features: list[dict[str, Any]] = json.loads(found.read())["features"]
        return features
