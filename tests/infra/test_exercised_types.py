"""Every type of resource is made by the local deployment, or said not to be in docs/not-verified.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from conftest import Platform
from test_guarded import Guarded, guarded

from local.emulator.templates import NO_OP_TYPES
from stacks.config import ENVIRONMENTS

__all__ = ["guarded"]

PAGE = Path(__file__).parents[2] / "docs" / "not-verified.md"


def types_of(platform: Platform) -> set[str]:
    return {resource["Type"] for template in platform.templates.values() for resource in template["Resources"].values()}


def test_what_the_local_deployment_does_not_make_is_on_the_page_and_nothing_else_is(
    platform_of: Callable[[str], Platform], guarded: Guarded
) -> None:
    used = set().union(
        *(types_of(platform_of(environment)) for environment in ENVIRONMENTS), types_of(guarded.platform)
    )
    made = types_of(platform_of("local")) - NO_OP_TYPES

    listed = set(re.findall(r"`(AWS::\w+::\w+)`", PAGE.read_text()))

    assert len(made) > 30
    assert used - made == listed
