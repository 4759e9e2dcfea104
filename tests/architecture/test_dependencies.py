"""One truth about dependencies: uv.lock. What is exported from it is current."""

from __future__ import annotations

import re
import shlex

from stacks import packaging
from stacks.packaging import REPOSITORY


def test_requirements_txt_is_what_the_lock_exports() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    (command,) = re.findall(r"uv (export .*) -o requirements\.txt", makefile)

    assert packaging._uv(*shlex.split(command)) == (REPOSITORY / "requirements.txt").read_text()


def test_the_lock_fits_pyproject_toml() -> None:
    packaging._uv("lock", "--check", "--offline")
