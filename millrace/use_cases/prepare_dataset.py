"""Prepare one upload: the bytes of a request become a dataset version's data, profile, contract and report in S3."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, cast

from millrace.analytics.preparation import Engine, prepare
from millrace.domain import place
from millrace.domain.dataset import PreparationReport, PreparationRequest
from millrace.ports import ObjectStore

StoreFactory = Callable[[], ObjectStore]
"""Connections do not travel: each machine that works on a section makes its own."""


def prepare_dataset(
    request_uri: str, *, store_factory: StoreFactory, engine: Engine | None = None
) -> PreparationReport:
    """Does what the request at `request_uri` says. The report is written last: its presence means "finished".

    An upload that is refused is an outcome in the report. May be repeated: what an earlier attempt left is removed.
    """
    store = store_factory()
    request = PreparationRequest.read(store.read(request_uri))
    location = request.location.rstrip("/")
    for name in ("report.json", "profile.json", "contract.json", "quarantine.jsonl"):
        store.delete(f"{location}/{name}")
    source = StoredUpload(store_factory, request.source_uri, request.object_version)
    sink = VersionFolders(store_factory, location, request.quarantine_location.rstrip("/"))

    prepared = prepare(request, source, sink, engine=engine)

    report = prepared.report
    _join_quarantine(store, request)
    if prepared.profile is not None and report.rejection is None:
        store.write(f"{location}/profile.json", json.dumps(prepared.profile.to_json(), allow_nan=False).encode())
    if report.contract is not None:
        store.write(f"{location}/contract.json", report.contract.model_dump_json(indent=1).encode())
    store.write(f"{location}/report.json", report.model_dump_json(indent=1).encode())
    return report


def _join_quarantine(store: ObjectStore, request: PreparationRequest) -> None:
    """Parts in a row are one JSON Lines file: it is made here, where no one waits, for whoever downloads it."""
    parts = [part.uri for part in store.list(f"{request.quarantine_location.rstrip('/')}/")]
    if len(parts) > 1:
        joined = cast(IO[bytes], InARow(store, parts))
        store.upload(place.all_quarantined_uri(f"{request.location.rstrip('/')}/"), joined)


class InARow(io.RawIOBase):
    """Objects as one stream, each opened when the one before has ended."""

    def __init__(self, store: ObjectStore, uris: Sequence[str]) -> None:
        self._store = store
        self._left = list(uris)
        self._current: IO[bytes] = io.BytesIO()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """`size` bytes, fewer at the end only: an upload in parts takes a short read for the last."""
        chunks: list[bytes] = []
        wanted = size
        while size < 0 or wanted > 0:
            chunk = self._current.read(wanted) if size >= 0 else self._current.read()
            if chunk:
                chunks.append(chunk)
                wanted -= len(chunk)
            elif self._left:
                self._current.close()
                self._current = self._store.open(self._left.pop(0))
            else:
                break
        return b"".join(chunks)


@dataclass(frozen=True)
class StoredUpload:
    """The uploaded object version (without one: the present object) as a source of sections."""

    store_factory: StoreFactory
    uri: str
    version_id: str | None

    @cached_property
    def _store(self) -> ObjectStore:
        return self.store_factory()

    @cached_property
    def size_bytes(self) -> int:
        return self._store.head(self.uri, version_id=self.version_id).size_bytes

    def open(self, start: int = 0, length: int | None = None) -> IO[bytes]:
        return self._store.open(self.uri, version_id=self.version_id, start=start, length=length)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_store"}


@dataclass(frozen=True)
class VersionFolders:
    """Where a version's parts go: `data/…` below its location, `quarantine/…` below its quarantine location."""

    store_factory: StoreFactory
    location: str
    quarantine_location: str

    @cached_property
    def _store(self) -> ObjectStore:
        return self.store_factory()

    def store(self, path: str, body: IO[bytes]) -> None:
        self._store.upload(self._uri(path), body)

    def clear(self, folder: str) -> None:
        for found in self._store.list(self._uri(f"{folder}/")):
            self._store.delete(found.uri)

    def _uri(self, path: str) -> str:
        folder, _, rest = path.partition("/")
        return f"{self.quarantine_location}/{rest}" if folder == "quarantine" else f"{self.location}/{path}"

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_store"}
