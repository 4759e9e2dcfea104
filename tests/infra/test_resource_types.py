"""Every type of resource is exercised on the local platform, or the page of what is not says why it is not."""

from __future__ import annotations

import re
from collections.abc import Callable

from conftest import Platform

from local.emulator.templates import NO_OP_TYPES
from stacks.config import ENVIRONMENTS
from stacks.packaging import REPOSITORY


def types(platform: Platform) -> set[str]:
    return {res["Type"] for template in platform.templates.values() for res in template["Resources"].values()}


def test_every_type_is_deployed_and_does_something_here_or_is_listed_with_the_reason(
    platform_of: Callable[[str], Platform],
) -> None:
    page = (REPOSITORY / "docs" / "not-verified.md").read_text()
    listed = set(re.findall(r"^\| `(\w+::\w+(?:::\w+)?)` \| .{20,} \|$", page, re.MULTILINE))
    everywhere = set[str]().union(*(types(platform_of(environment)) for environment in ENVIRONMENTS))

    exercised = types(platform_of("local")) - NO_OP_TYPES

    assert len(exercised) > 30
    assert sorted(everywhere - exercised - listed) == []
