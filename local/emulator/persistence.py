"""State that survives `kill -9`: checkpoints of every service, and of undelivered events, in one SQLite database."""

import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ministack.app
from ministack.core import persistence as ministack_persistence
from ministack.services import lambda_svc

from local.context import EmulatorContext

logger = logging.getLogger("local.persistence")

CHECKPOINT_DELAY_SECONDS = 0.2
# State also changes without a request (metrics, timers); it is looked at this often anyway.
IDLE_CHECKPOINT_SECONDS = 5.0
# A checkpoint never takes more than a quarter of one core.
REST_PER_CHECKPOINT_SECOND = 3.0
# …except on a machine so busy that a checkpoint is slow: what was answered must not wait long for its safety.
LONGEST_REST_SECONDS = 0.5
CAPTURE_ATTEMPTS = 20
# "off": what is loaded at start stays as it was, and a copy of gigabytes of state is not made all the time.
CHECKPOINTS = "MILLRACE_CHECKPOINTS"
# More than there are functions: the first to be forgotten would be the next to be asked for.
REMEMBERED_CODE_BLOBS = 256

Capture = Callable[[], Any]

_changed = threading.Event()


class StateStore:
    """One SQLite database: a JSON document per service, and the journal of events not yet known to be delivered.

    A checkpoint is one transaction, so a killed process leaves the services consistent with each other. WAL with
    `synchronous=NORMAL` survives the death of the process; a power cut may cost the last checkpoints, never the file.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS service (name TEXT PRIMARY KEY, document TEXT NOT NULL)")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS delivery (id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL)"
        )
        self._digests: dict[str, bytes] = {}
        self._delivered: set[int] = set()

    def load(self, service: str) -> Any:
        """Return the service's last checkpoint, or None."""
        with self._lock:
            row = self._connection.execute("SELECT document FROM service WHERE name = ?", (service,)).fetchone()
        return None if row is None else json.loads(row[0], object_hook=ministack_persistence._json_object_hook)

    def checkpoint(self, services: Mapping[str, Capture]) -> list[str]:
        """Write every service whose state differs from its last checkpoint. Returns their names."""
        with self._lock:
            # Taken before the states: what was delivered by now shows in the states captured next.
            delivered = sorted(self._delivered)
        documents = {name: _document(capture) for name, capture in services.items()}
        digests = {
            name: hashlib.blake2b(text.encode()).digest() for name, text in documents.items() if text is not None
        }
        written = [name for name, digest in digests.items() if self._digests.get(name) != digest]
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO service VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET document = excluded.document",
                [(name, documents[name]) for name in written],
            )
            self._connection.executemany("DELETE FROM delivery WHERE id = ?", [(number,) for number in delivered])
            self._delivered -= set(delivered)
        self._digests |= digests
        return written

    def record_delivery(self, document: dict[str, Any]) -> int:
        """Remember an event before it is delivered. Returns the number to pass to `delivered`."""
        with self._lock:
            cursor = self._connection.execute("INSERT INTO delivery (document) VALUES (?)", (json.dumps(document),))
            return int(cursor.lastrowid or 0)

    def delivered(self, number: int) -> None:
        """Forget a delivered event with the next checkpoint, that is together with what its delivery changed."""
        with self._lock:
            self._delivered.add(number)
        mark_changed()

    def undelivered(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the events of an earlier process that may not have been delivered, oldest first."""
        with self._lock:
            rows = self._connection.execute("SELECT id, document FROM delivery ORDER BY id").fetchall()
        return [(number, json.loads(document)) for number, document in rows]


def open_store(context: EmulatorContext) -> StateStore:
    """Return the installation's store: one per process."""
    path = context.state_dir / "emulator" / "state.db"
    if path not in _stores:
        _stores[path] = StateStore(path)
    return _stores[path]


_stores: dict[Path, StateStore] = {}


def mark_changed() -> None:
    """Ask for a checkpoint soon: call it after changing state outside of a request."""
    _changed.set()


def install(context: EmulatorContext) -> None:
    """Load state from the store at start, checkpoint it while running, and once more at the end."""
    store = open_store(context)
    ministack.app.load_state = store.load
    if os.environ.get(CHECKPOINTS) == "off":
        ministack.app.save_all = lambda _services: None
        return
    ministack.app.save_all = store.checkpoint
    _remember_code_blobs()
    load_everything = ministack.app._load_persisted_state

    def load_then_checkpoint() -> None:
        load_everything()
        # Not sooner: a checkpoint of services that are not loaded yet would replace their state with emptiness.
        threading.Thread(target=_checkpoint_forever, args=(store,), daemon=True, name="checkpoints").start()

    ministack.app._load_persisted_state = load_then_checkpoint


def _checkpoint_forever(store: StateStore) -> None:
    while True:
        _changed.wait(IDLE_CHECKPOINT_SECONDS)
        time.sleep(CHECKPOINT_DELAY_SECONDS)
        _changed.clear()
        started = time.monotonic()
        try:
            store.checkpoint(ministack.app._build_persistence_save_dict())
        except Exception:
            logger.exception("The checkpoint failed; it is tried again")
            _changed.set()
        time.sleep(min(LONGEST_REST_SECONDS, (time.monotonic() - started) * REST_PER_CHECKPOINT_SECOND))


def _document(capture: Capture) -> str | None:
    """Serialise one service's state; None when the service has none to save."""
    for _ in range(CAPTURE_ATTEMPTS):
        try:
            state = capture()
            return None if state is None else json.dumps(state, default=ministack_persistence._json_default)
        except RuntimeError:  # a dictionary changed size while it was copied: other threads go on working
            time.sleep(0.005)
    raise RuntimeError(f"the state kept changing while it was copied {CAPTURE_ATTEMPTS} times")


def _remember_code_blobs() -> None:
    """Hash each function's code once: ministack hashes all of them (tens of MB) at every look at its state."""
    original = lambda_svc._write_code_blob
    known: OrderedDict[int, tuple[bytes, str]] = OrderedDict()

    def write_code_blob(code: bytes) -> str:
        code_held, digest = known.get(id(code), (b"", ""))
        if code_held is not code:
            digest = str(original(code))
            known[id(code)] = (code, digest)
            while len(known) > REMEMBERED_CODE_BLOBS:
                known.popitem(last=False)
        return digest

    lambda_svc._write_code_blob = write_code_blob
