"""An object store in a directory: what separate processes, such as Spark's workers, can share in a test."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from millrace.errors import NotFound
from millrace.ports import ObjectInfo


@dataclass(frozen=True)
class DirectoryStore:
    """`s3://bucket/key` is the file `{root}/bucket/key`. It keeps no versions."""

    root: Path

    def head(self, uri: str, *, version_id: str | None = None) -> ObjectInfo:
        return ObjectInfo(uri, self._existing(uri).stat().st_size, "null")

    def open(self, uri: str, *, version_id: str | None = None, start: int = 0, length: int | None = None) -> IO[bytes]:
        stream = self._existing(uri).open("rb")
        stream.seek(start)
        return stream if length is None else io.BytesIO(stream.read(length))

    def read(self, uri: str, *, version_id: str | None = None) -> bytes:
        return self._existing(uri).read_bytes()

    def write(self, uri: str, body: bytes, *, content_type: str = "application/json") -> None:
        self._path(uri).parent.mkdir(parents=True, exist_ok=True)
        self._path(uri).write_bytes(body)

    def upload(self, uri: str, body: IO[bytes], *, content_type: str = "application/octet-stream") -> None:
        self.write(uri, body.read(), content_type=content_type)

    def delete(self, uri: str) -> None:
        self._path(uri).unlink(missing_ok=True)

    def copy(self, source_uri: str, target_uri: str) -> None:
        self._path(target_uri).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._existing(source_uri), self._path(target_uri))

    def list(self, prefix_uri: str) -> Sequence[ObjectInfo]:
        found = {f"s3://{path.relative_to(self.root)}": path for path in self.root.rglob("*") if path.is_file()}
        return [
            ObjectInfo(uri, found[uri].stat().st_size, "null") for uri in sorted(found) if uri.startswith(prefix_uri)
        ]

    def _path(self, uri: str) -> Path:
        return self.root / uri.removeprefix("s3://")

    def _existing(self, uri: str) -> Path:
        if not self._path(uri).is_file():
            raise NotFound(f"there is no object {uri}")
        return self._path(uri)
