"""Publish a build of the dashboard, so that people who have it open are not disturbed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from millrace.errors import InvalidInput
from millrace.ports import ObjectStore, Site

ENTRY = "index.html"
CONFIG = "config.json"
# The build names these files by their content.
HASHED_PREFIX = "assets/"
FOR_EVER = "public, max-age=31536000, immutable"
# Kept, and asked about each time.
REVALIDATED = "no-cache"
# Written down, because what `mimetypes` says depends on the machine.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


def publish_site(*, store: ObjectStore, site: Site, build_uri: str, config: Mapping[str, str]) -> int:
    """Write the files of the zip at `build_uri`, and `config` as config.json. Returns the number of files.

    What index.html refers to is there before it is, and what the one before it refers to stays: a page that was opened
    before a deployment can still load its parts. Raises InvalidInput for a zip that is not a build of the dashboard.
    """
    files = _unpacked(store.read(build_uri))
    for path in sorted(files, key=lambda path: (path == ENTRY, not path.startswith(HASHED_PREFIX), path)):
        if path == ENTRY:
            _write(site, CONFIG, json.dumps(dict(config), indent=2).encode())
        _write(site, path, files[path])
    site.refresh()
    return len(files) + 1


def _unpacked(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        files = {entry.filename: packed.read(entry) for entry in packed.infolist() if not entry.is_dir()}
    if ENTRY not in files:
        raise InvalidInput(f"the build of the dashboard has no {ENTRY}")
    foreign = sorted(path for path in files if PurePosixPath(path).suffix not in CONTENT_TYPES)
    if foreign:
        raise InvalidInput(f"no content type is known for {', '.join(foreign)}: add it to CONTENT_TYPES")
    return files


def _write(site: Site, path: str, body: bytes) -> None:
    site.write(
        path,
        body,
        content_type=CONTENT_TYPES[PurePosixPath(path).suffix],
        cache_control=FOR_EVER if path.startswith(HASHED_PREFIX) else REVALIDATED,
    )
