"""The import contracts of pyproject.toml hold, and each of them would notice a violation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.packaging import REPOSITORY

PACKAGES = ["millrace", "lambdas", "glue_jobs", "sagemaker_scripts", "stacks", "local"]


def lint(directory: Path) -> tuple[int, str]:
    """Exit code and report of import-linter on the packages in `directory`, and on no others of these names."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and the contracts, to be broken."""
    directory = tmp_path_factory.mktemp("copy")
    shutil.copy(REPOSITORY / "pyproject.toml", directory)
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    return directory


def test_every_contract_is_kept() -> None:
    code, report = lint(REPOSITORY)

    assert code == 0, report
    assert "0 broken" in report


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("millrace/domain/stray.py", "import millrace.use_cases", "The core's layers point one way"),
        ("millrace/names.py", "import millrace.errors", "Templates know of the core only its names"),
        ("millrace/helpers.py", "", "The core's layers point one way"),
        ("millrace/use_cases/stray.py", "import boto3", "Rules and use cases know no vendor"),
        ("millrace/analytics/stray.py", "import pyspark", "Rules and use cases know no vendor"),
        ("lambdas/tasks/stray.py", "import millrace.adapters.s3", "Only bootstrap builds adapters"),
        ("lambdas/tasks/stray.py", "import glue_jobs", "Runtimes never import each other"),
        ("stacks/stray.py", "import millrace.settings", "Templates know of the core only its names"),
        ("local/stray.py", "import millrace.names", "The local platform knows nothing of ours"),
        ("sagemaker_scripts/stray.py", "import pydantic", "What runs in the SageMaker image needs only what is in it"),
    ],
)
def test_a_violation_is_noticed(module: str, line: str, contract: str, copy: Path) -> None:
    path = copy / module
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        code, report = lint(copy)
    finally:
        path.unlink() if before is None else path.write_text(before)

    assert code == 1, report
    assert any(contract in said and "BROKEN" in said for said in report.splitlines()), report


def test_no_contract_has_exceptions() -> None:
    assert "ignore_imports" not in (REPOSITORY / "pyproject.toml").read_text()
