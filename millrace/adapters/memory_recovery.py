"""Fakes of what restoring needs: a bucket with a history, a table with backups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from millrace.errors import Conflict, NotFound
from millrace.ports import ObjectVersion, TableBackup, TableSettings


class InMemoryObjectHistory:
    """Versions as they were put in: oldest first."""

    def __init__(self, versions: Sequence[ObjectVersion] = ()) -> None:
        self._versions = list(versions)

    def versions(self, prefix_uri: str) -> Iterator[ObjectVersion]:
        found = [version for version in reversed(self._versions) if version.uri.startswith(prefix_uri)]
        yield from sorted(found, key=lambda version: version.uri)

    def forget(self, version: ObjectVersion) -> None:
        self._versions.remove(version)


class InMemoryRegistryTable:
    """Items by key. Deleting it leaves a backup behind, as point-in-time recovery does."""

    def __init__(self, name: str, items: Mapping[str, str]) -> None:
        self.name = name
        self.items: dict[str, str] | None = dict(items)
        self.settings: TableSettings | None = None
        self._backups: dict[str, tuple[datetime, dict[str, str]]] = {}

    def keep_backup(self, at: datetime) -> str:
        if self.items is None:
            raise NotFound(f"there is no table {self.name}")
        backup_id = f"backup-{len(self._backups) + 1}"
        self._backups[backup_id] = (at, dict(self.items))
        return backup_id

    def delete(self, at: datetime) -> None:
        self.keep_backup(at)
        self.items = None

    def exists(self) -> bool:
        return self.items is not None

    def backups(self) -> Sequence[TableBackup]:
        found = [TableBackup(backup_id, at) for backup_id, (at, _) in self._backups.items()]
        return sorted(found, key=lambda backup: backup.at, reverse=True)

    def restore(self, backup_id: str) -> None:
        if self.items is not None:
            raise Conflict(f"the table {self.name} is there: delete it first, or keep it")
        self.items = dict(self._backups[backup_id][1])

    def apply(self, settings: TableSettings) -> None:
        self.settings = settings
