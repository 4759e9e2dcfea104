"""What functions of the local platform start with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ministack.services import lambda_svc

from local.emulator.functions import bootstrap_script, write_bootstrap


def test_a_bootstrap_is_executable_from_the_moment_on_that_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another function of the same asset may start at any moment: it looks whether the file is there, and runs it."""
    chmod = Path.chmod
    seen = []

    def looked_at(path: Path, mode: int) -> None:
        seen.append(((tmp_path / "bootstrap").exists(), lambda_svc._provided_code_lock.locked()))
        chmod(path, mode)

    monkeypatch.setattr(Path, "chmod", looked_at)

    write_bootstrap(tmp_path, "#!/bin/sh\necho started\n")

    assert seen == [(False, True)]
    assert subprocess.run([tmp_path / "bootstrap"], capture_output=True, check=True).stdout == b"started\n"
    assert [each.name for each in tmp_path.iterdir()] == ["bootstrap"]


def test_a_bootstrap_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    write_bootstrap(tmp_path, bootstrap_script("/usr/bin/python3"))
    before = (tmp_path / "bootstrap").stat().st_ino

    write_bootstrap(tmp_path, "other")

    assert (tmp_path / "bootstrap").stat().st_ino == before
    assert (tmp_path / "bootstrap").read_text().startswith("#!/bin/sh\nexec /usr/bin/python3 ")
