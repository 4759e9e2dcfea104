"""The build of the dashboard: made when its sources changed, and at no other time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stacks.packaging import PackagingFailed
from stacks.web_build import npm, web_build

BUILT = "mkdir -p dist/assets dist/.vite && cp index.html dist && cp src/main.js dist/assets && touch dist/.vite/m"


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    """A page with one script, and no dependency to fetch."""
    root = tmp_path / "frontend"
    (root / "src").mkdir(parents=True)
    facts = {"name": "page", "version": "1.0.0"}
    (root / "package.json").write_text(json.dumps({**facts, "scripts": {"build": BUILT}}))
    lock = {**facts, "lockfileVersion": 3, "requires": True, "packages": {"": facts}}
    (root / "package-lock.json").write_text(json.dumps(lock))
    (root / "index.html").write_text("<!doctype html>")
    (root / "src" / "main.js").write_text("1")
    return root


def test_what_npm_builds_is_there_without_what_only_tools_read(frontend: Path, tmp_path: Path) -> None:
    package = web_build(frontend, tmp_path / "build")

    files = {path.relative_to(package.path).as_posix() for path in package.path.rglob("*") if path.is_file()}
    assert files == {"index.html", "assets/main.js"}


def test_it_is_built_again_when_a_source_changed_and_not_for_a_test(frontend: Path, tmp_path: Path) -> None:
    first = web_build(frontend, tmp_path / "build")
    (frontend / "src" / "main.test.js").write_text("a test")
    (first.path / "mark").write_text("still the first")
    again = web_build(frontend, tmp_path / "build")
    (frontend / "src" / "main.js").write_text("2")
    changed = web_build(frontend, tmp_path / "build")

    assert again == first
    assert (again.path / "mark").exists()
    assert changed.digest != first.digest
    assert (changed.path / "assets" / "main.js").read_text() == "2"


def test_a_build_that_fails_says_what_it_said_and_what_it_needs(frontend: Path, tmp_path: Path) -> None:
    facts = json.loads((frontend / "package.json").read_text())
    failing = {**facts, "scripts": {"build": "echo 'no such module' >&2; exit 3"}}
    (frontend / "package.json").write_text(json.dumps(failing))

    with pytest.raises(
        PackagingFailed, match=r"`npm run build` failed in frontend/\. Building.*registry[\s\S]*no such"
    ):
        web_build(frontend, tmp_path / "build")
    assert list((tmp_path / "build").glob("web-*")) == []


def test_a_checkout_without_a_dashboard_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackagingFailed, match="there is no dashboard to build"):
        web_build(tmp_path / "frontend", tmp_path / "build")


def test_without_npm_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stacks.web_build.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(PackagingFailed, match=r"npm was not found\. .*`make setup` brings Node\.js"):
        npm()
