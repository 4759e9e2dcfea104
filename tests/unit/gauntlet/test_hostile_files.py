"""Every hostile file: no crash, no good row lost, and every refusal says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from millrace.errors import DatasetInvalid
from tests.gauntlet_files import GAUNTLET, HostileFile
from tests.preparing import Preparation, prepare_bytes

REMEDIES = ("Upload", "upload", "Save", "Convert", "Write", "Give", "Put", "Unpack", "Flatten", "Correct", "Compress")


def outcome(case: HostileFile) -> Preparation | str:
    """What was prepared, or the sentence of the refusal, at whichever of the two steps it came."""
    try:
        prepared = prepare_bytes(case.body(), name=case.name)
    except DatasetInvalid as refusal:
        return str(refusal)
    return prepared.report.rejection or prepared


@pytest.mark.parametrize("case", GAUNTLET, ids=lambda case: case.name)
def test_a_hostile_file_loses_no_good_row_or_is_refused_with_a_remedy(case: HostileFile) -> None:
    found = outcome(case)

    if case.is_refused:
        assert isinstance(found, str), "the file was accepted"
        assert all(words in found for words in case.refusal), found
        assert any(remedy in found for remedy in REMEDIES), found
        return
    assert not isinstance(found, str), found
    rows = found.rows_by_first_column()
    assert [next(iter(row.values())) for row in rows] == sorted(case.kept)
    assert len(found.quarantined()) == case.quarantined
    assert found.quality.rows_in == len(case.kept) + case.quarantined
    by_key = {next(iter(row.values())): row for row in rows}
    for (key, column), value in case.cells.items():
        assert as_json(by_key[key][column]) == value


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


def test_the_gauntlet_has_the_files_that_the_issue_asks_for() -> None:
    assert len({case.name for case in GAUNTLET}) == len(GAUNTLET) >= 40


@pytest.mark.parametrize("case", [case for case in GAUNTLET if case.quarantined], ids=lambda case: case.name)
def test_every_row_set_aside_has_its_line_its_text_and_a_reason(case: HostileFile) -> None:
    found = prepare_bytes(case.body(), name=case.name)

    lines = [row["line"] for row in found.quarantined()]
    assert lines == sorted(set(lines))
    for row in found.quarantined():
        assert row["text"]
        assert row["reasons"]
