"""What people see while a new dashboard is being published, and after."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from millrace.adapters.memory import InMemoryObjectStore, InMemorySite
from millrace.errors import InvalidInput
from millrace.use_cases.publish_site import publish_site

BUILD = "s3://assets/build.zip"
CONFIG = {"environment": "local", "apiBase": "/api"}
PAGE = b"<!doctype html>"


def zipped(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        for path, body in files.items():
            written.writestr(path, body)
    return archive.getvalue()


def published(site: InMemorySite, files: dict[str, bytes]) -> int:
    store = InMemoryObjectStore()
    store.write(BUILD, zipped(files))
    return publish_site(store=store, site=site, build_uri=BUILD, config=CONFIG)


def test_what_a_page_refers_to_is_there_before_the_page() -> None:
    site = InMemorySite()

    count = published(site, {"index.html": PAGE, "theme-init.js": b"1", "assets/": b"", "assets/main-4f2a.js": b"2"})

    assert site.writes == ["assets/main-4f2a.js", "theme-init.js", "config.json", "index.html"]
    assert count == 4


def test_readers_get_the_new_page_at_once() -> None:
    site = InMemorySite()

    published(site, {"index.html": PAGE})

    assert site.refreshed["index.html"].body == PAGE
    assert json.loads(site.refreshed["config.json"].body) == CONFIG


def test_only_files_that_are_named_by_their_content_are_kept_without_asking() -> None:
    site = InMemorySite()

    published(site, {"index.html": PAGE, "theme-init.js": b"1", "assets/main-4f2a.js": b"2"})

    kept = {path for path, file in site.files.items() if "immutable" in file.cache_control}
    assert kept == {"assets/main-4f2a.js"}
    assert {site.files[path].cache_control for path in site.files.keys() - kept} == {"no-cache"}


def test_browsers_are_told_what_each_file_is() -> None:
    site = InMemorySite()

    published(site, {"index.html": PAGE, "assets/a.js": b"", "assets/a.css": b"", "assets/a.woff2": b"", "a.svg": b""})

    assert {path: file.content_type for path, file in site.files.items()} == {
        "index.html": "text/html; charset=utf-8",
        "config.json": "application/json",
        "assets/a.js": "text/javascript; charset=utf-8",
        "assets/a.css": "text/css; charset=utf-8",
        "assets/a.woff2": "font/woff2",
        "a.svg": "image/svg+xml",
    }


def test_a_tab_that_was_open_before_still_finds_its_parts() -> None:
    site = InMemorySite()
    published(site, {"index.html": PAGE, "assets/main-old.js": b"old"})

    published(site, {"index.html": PAGE, "assets/main-new.js": b"new"})

    assert site.refreshed["assets/main-old.js"].body == b"old"


@pytest.mark.parametrize(
    ("files", "what"), [({"assets/a.js": b""}, r"no index\.html"), ({"index.html": PAGE, "a.exe": b""}, r"a\.exe")]
)
def test_what_is_no_dashboard_is_refused_before_anything_is_written(files: dict[str, bytes], what: str) -> None:
    site = InMemorySite()

    with pytest.raises(InvalidInput, match=what):
        published(site, files)
    assert site.writes == []
