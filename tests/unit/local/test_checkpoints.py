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


def test_functions_of_the_same_code_share_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_svc, "_write_code_blob", lambda code: code.decode())
    functions: dict[str, dict[str, Any]] = {
        "one": {"code_zip": bytes(bytearray(b"code")), "versions": {"1": {"code_zip": bytes(bytearray(b"code"))}}},
        "two": {"code_zip": bytes(bytearray(b"code"))},
        "other": {"code_zip": b"other code"},
        "image": {"code_zip": None},
    }
    assert functions["one"]["code_zip"] is not functions["two"]["code_zip"]

    persistence.share_code(functions)

    assert functions["one"]["code_zip"] is functions["two"]["code_zip"]
    assert functions["one"]["versions"]["1"]["code_zip"] is functions["two"]["code_zip"]
    assert functions["other"]["code_zip"] == b"other code"
    assert functions["image"]["code_zip"] is None
