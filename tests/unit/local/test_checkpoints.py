"""A start that shall keep nothing, and one that keeps everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ministack.app
import pytest
from ministack.services import lambda_svc

from local.context import EmulatorContext
from local.emulator import persistence


@pytest.mark.parametrize(("said", "kept"), [("off", {"a": 1}), ("on", {"a": 2})])
def test_a_start_without_checkpoints_loads_what_there_is_and_keeps_nothing(
    said: str, kept: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("load_state", "save_all", "_load_persisted_state"):
        monkeypatch.setattr(ministack.app, name, getattr(ministack.app, name))
    monkeypatch.setattr(lambda_svc, "_write_code_blob", lambda_svc._write_code_blob)
    context = EmulatorContext("http://127.0.0.1:1", "http://127.0.0.1:2", "us-east-1", "0" * 12, tmp_path, "/python")
    persistence.open_store(context).checkpoint({"s3": lambda: {"a": 1}})
    monkeypatch.setenv(persistence.CHECKPOINTS, said)

    persistence.install(context)

    assert ministack.app.load_state("s3") == {"a": 1}
    ministack.app.save_all({"s3": lambda: {"a": 2}})
    assert ministack.app.load_state("s3") == kept


def test_the_code_of_a_hundred_functions_is_hashed_once_however_often_their_state_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[bytes] = []
    monkeypatch.setattr(lambda_svc, "_write_code_blob", lambda code: hashed.append(code) or code.decode())
    codes = [str(number).encode() for number in range(100)]
    persistence._remember_code_blobs()

    digests = [[lambda_svc._write_code_blob(code) for code in codes] for _ in range(3)]

    assert digests == [[code.decode() for code in codes]] * 3
    assert hashed == codes
