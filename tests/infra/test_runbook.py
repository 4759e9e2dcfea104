"""Whoever is woken by an alarm finds a section about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
from conftest import Platform

from stacks.config import ENVIRONMENTS
from stacks.constructs.platform_alarm import PART
from stacks.packaging import REPOSITORY


def sections() -> Mapping[str, str]:
    """Alarm → the text of its section: headings of the third level name alarms in backticks."""
    parts = re.split(r"^### (.*)$", (REPOSITORY / "docs" / "runbook.md").read_text(), flags=re.MULTILINE)[1:]
    return {
        name: text
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
        for name in re.findall(r"`(\w+)`", heading)
    }


def alarms(platform: Platform) -> set[str]:
    """Construct ids: CDK adds eight digits of a hash, and what is below a part's parent begins with its name."""
    kinds = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    return {name[:-8].removeprefix(PART) for kind in kinds for name in platform.resources(kind)}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_alarm_has_a_section_that_says_what_to_do(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    found = alarms(platform_of(environment))

    assert len(found) > 15
    assert sorted(found - sections().keys()) == []
    assert [name for name in found if len(sections()[name].split()) < 30] == []


def test_no_section_is_about_an_alarm_that_is_gone(platform_of: Callable[[str], Platform]) -> None:
    assert sorted(sections().keys() - alarms(platform_of("prod")) - alarms(platform_of("dev"))) == []
