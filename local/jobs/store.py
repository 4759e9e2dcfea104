"""What the job services remember: one SQLite file, so that a restart knows what ran and what was cut off."""

import json
import sqlite3
import threading
from pathlib import Path

from local.jobs.documents import Document

SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
  kind TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (kind, name)
);
CREATE TABLE IF NOT EXISTS tags (arn TEXT PRIMARY KEY, tags TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS processes (pid INTEGER PRIMARY KEY, born TEXT NOT NULL);
"""


class NameTaken(Exception):
    """A resource of this kind and name exists."""


class JobStore:
    """Jobs and models as documents by (kind, name), tags by ARN, and the processes of now. Safe between threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(SCHEMA)

    def add(self, kind: str, name: str, document: Document) -> None:
        """Raises NameTaken when the name is in use."""
        with self._lock:
            try:
                self._database.execute(
                    "INSERT INTO resources SELECT ?, ?, ?, COALESCE(MAX(sequence), 0) + 1 FROM resources",
                    (kind, name, json.dumps(document)),
                )
            except sqlite3.IntegrityError as error:
                raise NameTaken(name) from error

    def find(self, kind: str, name: str) -> Document | None:
        with self._lock:
            row = self._database.execute(
                "SELECT document FROM resources WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def update(self, kind: str, name: str, changes: Document) -> Document:
        """Merge `changes` into the document and return the result. A name that is gone is a KeyError."""
        with self._lock:
            document = self.find(kind, name)
            if document is None:
                raise KeyError(f"{kind} {name}")
            document.update(changes)
            self._database.execute(
                "UPDATE resources SET document = ? WHERE kind = ? AND name = ?", (json.dumps(document), kind, name)
            )
            return document

    def update_when(self, kind: str, name: str, field: str, expected: str, changes: Document) -> Document | None:
        """Merge `changes` only while `field` is `expected`: a job that ended meanwhile keeps its final document."""
        with self._lock:
            document = self.find(kind, name)
            if document is None or document.get(field) != expected:
                return None
            return self.update(kind, name, changes)

    def delete(self, kind: str, name: str) -> bool:
        with self._lock:
            gone = self._database.execute("DELETE FROM resources WHERE kind = ? AND name = ?", (kind, name))
            return gone.rowcount > 0

    def all(self, kind: str) -> list[Document]:
        """Every document of a kind, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT document FROM resources WHERE kind = ? ORDER BY sequence", (kind,)
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def tags(self, arn: str) -> dict[str, str]:
        with self._lock:
            row = self._database.execute("SELECT tags FROM tags WHERE arn = ?", (arn,)).fetchone()
        return dict(json.loads(row[0])) if row else {}

    def add_tags(self, arn: str, tags: dict[str, str]) -> dict[str, str]:
        with self._lock:
            merged = {**self.tags(arn), **tags}
            self._database.execute("INSERT OR REPLACE INTO tags VALUES (?, ?)", (arn, json.dumps(merged)))
            return merged

    def remember_process(self, pid: int, born: str) -> None:
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO processes VALUES (?, ?)", (pid, born))

    def forget_process(self, pid: int) -> None:
        with self._lock:
            self._database.execute("DELETE FROM processes WHERE pid = ?", (pid,))

    def processes(self) -> list[tuple[int, str]]:
        with self._lock:
            return list(self._database.execute("SELECT pid, born FROM processes").fetchall())

    def close(self) -> None:
        with self._lock:
            self._database.close()
