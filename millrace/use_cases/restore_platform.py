"""Bring back what was deleted: the registry's table from its last backup, objects from their bucket's history.

docs/runbook.md says when, and what it costs in time; tests/e2e/test_recovery.py does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from millrace.errors import NotFound
from millrace.ports import ObjectHistory, ObjectVersion, RegistryTable, TableBackup, TableSettings


class Restored(NamedTuple):
    """`table` is the backup that the table was made of; None when the table was there. `objects` are addresses."""

    table: TableBackup | None
    objects: Sequence[str]


def restore_platform(
    *,
    table: RegistryTable,
    read_settings: Callable[[], TableSettings],
    history: ObjectHistory,
    prefixes: Iterable[str],
    since: datetime,
    dry_run: bool,
) -> Restored:
    """Restore the table when it is gone, and every object below `prefixes` that was removed at or after `since`.

    A table that is there is left alone, and so is an object that was written again: nothing that came later is undone.
    `read_settings` says what the table is like by its template; it is asked only for a table that is restored.
    With `dry_run` nothing is changed. Raises NotFound when the table is gone and there is no backup of it.
    """
    backup = None if table.exists() else _latest_backup(table)
    if backup is not None and not dry_run:
        table.restore(backup.backup_id)
        table.apply(read_settings())
    objects = [uri for prefix in prefixes for uri in _bring_back(history, prefix, since, dry_run=dry_run)]
    return Restored(backup, objects)


def removals(versions: Iterable[ObjectVersion], since: datetime) -> Iterator[tuple[str, Sequence[ObjectVersion]]]:
    """Objects that were removed at or after `since`, with the marks that hide their last content.

    `versions` are in the order of `ObjectHistory.versions`. An object of which nothing but marks is left is gone.
    """
    for uri, found in groupby(versions, key=lambda version: version.uri):
        newest_first = list(found)
        marks = list(_leading_marks(newest_first))
        if marks and marks[0].at >= since and len(marks) < len(newest_first):
            yield uri, marks


def _leading_marks(newest_first: Iterable[ObjectVersion]) -> Iterator[ObjectVersion]:
    for version in newest_first:
        if not version.removed:
            return
        yield version


def _latest_backup(table: RegistryTable) -> TableBackup:
    backups = table.backups()
    if not backups:
        raise NotFound(
            f"the table {table.name} is gone and DynamoDB has no backup of it: restore it from a recovery point of "
            "AWS Backup (docs/runbook.md)"
        )
    return backups[0]


def _bring_back(history: ObjectHistory, prefix: str, since: datetime, *, dry_run: bool) -> Iterator[str]:
    # Read to its end before anything is changed: a listing goes on by keys, and marks are what it lists.
    for uri, marks in list(removals(history.versions(prefix), since)):
        if not dry_run:
            for mark in marks:
                history.forget(mark)
        yield uri
