"""What was deleted comes back; what is there, or was written since, is left alone."""

from __future__ import annotations

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.adapters.memory_recovery import InMemoryObjectHistory, InMemoryRegistryTable
from millrace.errors import NotFound
from millrace.ports import ObjectVersion, TableSettings
from millrace.use_cases.restore_platform import Restored, removals, restore_platform
from tests.builders import NOON, later

SETTINGS = TableSettings("expires_at", True, True, {"environment": "prod"})
MODEL = "s3://artifacts/models/credit/v1/model.tar.gz"


def content(version_id: str, minutes: float, uri: str = MODEL) -> ObjectVersion:
    return ObjectVersion(uri, version_id, later(minutes), removed=False)


def mark(version_id: str, minutes: float, uri: str = MODEL) -> ObjectVersion:
    return ObjectVersion(uri, version_id, later(minutes), removed=True)


def restored(table: InMemoryRegistryTable, history: InMemoryObjectHistory, *, dry_run: bool = False) -> Restored:
    return restore_platform(
        table=table,
        read_settings=lambda: SETTINGS,
        history=history,
        prefixes=["s3://artifacts/", "s3://data/"],
        since=NOON,
        dry_run=dry_run,
    )


def test_a_deleted_table_comes_back_from_its_latest_backup_with_its_settings() -> None:
    table = InMemoryRegistryTable("registry", {"a": "old"})
    table.keep_backup(NOON)
    table.items = {"a": "new"}
    table.delete(later(5))

    answer = restored(table, InMemoryObjectHistory())

    assert table.items == {"a": "new"}
    assert table.settings == SETTINGS
    assert answer.table is not None
    assert answer.table.at == later(5)


def test_a_table_that_is_there_is_left_alone() -> None:
    table = InMemoryRegistryTable("registry", {"a": "old"})
    table.keep_backup(NOON)
    table.items = {"a": "new"}

    assert restored(table, InMemoryObjectHistory()).table is None
    assert table.items == {"a": "new"}
    assert table.settings is None


def test_without_a_backup_the_way_out_is_named() -> None:
    table = InMemoryRegistryTable("registry", {})
    table.items = None

    with pytest.raises(NotFound, match="restore it from a recovery point of AWS Backup"):
        restored(table, InMemoryObjectHistory())


def test_a_dry_run_tells_and_changes_nothing() -> None:
    table = InMemoryRegistryTable("registry", {"a": "1"})
    table.delete(later(1))
    history = InMemoryObjectHistory([content("1", -5), mark("2", 1)])

    answer = restored(table, history, dry_run=True)

    assert answer.table is not None
    assert answer.objects == [MODEL]
    assert table.items is None
    assert len(list(history.versions("s3://artifacts/"))) == 2


def test_every_mark_above_the_last_content_goes_and_nothing_else() -> None:
    other = "s3://data/datasets/credit/v1/report.json"
    kept = [content("1", -9), mark("2", -8), content("3", -7)]
    history = InMemoryObjectHistory([*kept, mark("4", 1), mark("5", 2), content("6", 0, other)])

    assert restored(InMemoryRegistryTable("registry", {}), history).objects == [MODEL]
    assert list(history.versions("s3://artifacts/")) == list(reversed(kept))


def test_what_was_removed_before_or_written_again_is_left_alone() -> None:
    before = [content("1", -9), mark("2", -1)]
    again = [content("1", -9, "s3://data/x"), mark("2", 1, "s3://data/x"), content("3", 2, "s3://data/x")]
    history = InMemoryObjectHistory([*before, *again, mark("1", 3, "s3://data/y")])

    assert restored(InMemoryRegistryTable("registry", {}), history).objects == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(-5, 5)), max_size=25))
def test_an_object_is_back_exactly_when_its_last_deletion_was_since_then(
    changes: list[tuple[str, bool, int]],
) -> None:
    ordered = sorted(enumerate(changes), key=lambda change: change[1][2])
    versions = [
        ObjectVersion(f"s3://data/{key}", str(number), later(at), removed) for number, (key, removed, at) in ordered
    ]
    history = InMemoryObjectHistory(versions)
    newest = {version.uri: version for version in versions}
    contents = {version.uri for version in versions if not version.removed}
    expected = {uri for uri, version in newest.items() if version.removed and version.at >= NOON and uri in contents}

    restored(InMemoryRegistryTable("registry", {}), history)

    after = {uri: next(found) for uri, found in groupby(history.versions("s3://data/"), key=lambda each: each.uri)}
    assert {uri for uri in newest if not after[uri].removed} == expected | {
        uri for uri, version in newest.items() if not version.removed
    }
    assert list(removals(history.versions("s3://data/"), NOON)) == []
