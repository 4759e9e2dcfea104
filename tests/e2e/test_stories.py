"""Some of the drill of permissions with every change; all of it is `make permissions-drill` (tests/drill)."""

from __future__ import annotations

import pytest

from tests.drill.permissions import broken_by, story_of
from tests.drill.world import World, build_world
from tests.e2e.conftest import Bench


@pytest.fixture(scope="module")
def world(bench: Bench) -> World:
    return build_world(bench)


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("RecordDatasetVersion", "events:PutEvents"),
        ("PrepareDataset", "s3:GetObject"),
        ("Predict", "sqs:SendMessage"),
        ("OnAlarmChanged", "ssm:GetParameter"),
        ("Waking", "lambda:InvokeFunction"),
        ("Score", "s3:PutObject"),
    ],
)
def test_a_story_breaks_without_one_permission_and_is_told_with_it(world: World, role: str, action: str) -> None:
    story = story_of(role, action)

    assert broken_by(world, role, action, story)
    story(world)


def test_a_story_that_breaks_without_a_refusal_shows_nothing_of_the_permission(world: World) -> None:
    def unlucky(_: World) -> None:
        raise AssertionError("it rained")

    assert broken_by(world, "RejectUpload", "dynamodb:PutItem", unlucky) == ""
