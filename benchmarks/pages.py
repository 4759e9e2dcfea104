"""Tables of measured results, in the documents that show them."""

from __future__ import annotations

from pathlib import Path

DRIFT_PAGE = Path(__file__).resolve().parents[1] / "docs" / "drift.md"


def between_marks(page: str, begin: str, end: str) -> str:
    return page[page.index(begin) + len(begin) : page.index(end)].strip()


def write_between_marks(path: Path, begin: str, end: str, text: str) -> None:
    page = path.read_text()
    before, after = page[: page.index(begin) + len(begin)], page[page.index(end) :]
    path.write_text(f"{before}\n{text}\n{after}")
