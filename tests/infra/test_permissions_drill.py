"""Nothing is granted in vain: each permission was taken away once, and a story broke (`make permissions-drill`)."""

from __future__ import annotations

from conftest import Platform

from scripts.granted_permissions import BY_SERVICES_FOR, by_services, granted, used_by_code
from tests.drill import operators, people, permissions, results, stories


def test_every_permission_that_code_uses_was_taken_away_once_and_a_story_broke(local: Platform) -> None:
    """A new grant makes this fail until the drill has been run with it."""
    found = results.read()

    assert [pair for pair in used_by_code(local.templates.values()) if pair not in results.pairs(found)] == []


def test_no_result_is_of_a_permission_that_is_granted_no_more(local: Platform) -> None:
    granted_now = set(used_by_code(local.templates.values()))

    assert len(granted_now) > 250
    assert [pair for pair in results.pairs(results.read()) if pair not in granted_now] == []


def test_a_result_is_of_the_story_that_the_drill_tells_now() -> None:
    for role, actions in results.read().items():
        for action, seen in actions.items():
            assert seen["story"] == permissions.story_of(role, action).__name__, (role, action)
            assert seen["broke"], (role, action)


def test_the_stories_exist() -> None:
    told = {seen["story"] for actions in results.read().values() for seen in actions.values()}

    assert told
    assert [name for name in told if not any(hasattr(module, name) for module in (stories, people, operators))] == []


def test_what_a_service_does_with_a_role_is_granted_to_it(local: Platform) -> None:
    grants = granted(local.templates.values())

    assert BY_SERVICES_FOR
    for role, reasons in BY_SERVICES_FOR.items():
        assert reasons.keys() <= grants[role], role


def test_an_action_is_used_by_code_unless_a_service_uses_it_with_that_role() -> None:
    template = {
        "Resources": {
            "NightlyRoleDefaultPolicy0A1B2C3D": _policy("lambda:InvokeFunction", ["sqs:SendMessage"]),
            "AppRoleDefaultPolicy0A1B2C3D": _policy("xray:PutTraceSegments", ["sqs:SendMessage"]),
        }
    }

    assert used_by_code([template]) == [("App", "sqs:SendMessage"), ("Nightly", "lambda:InvokeFunction")]
    assert "sqs:SendMessage" in by_services("Nightly") - by_services("App")


def test_a_policy_loses_the_action_and_statements_that_are_empty_then() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "a"},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "b"},
        ],
    }

    assert permissions.less(document, "s3:GetObject")["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "b"}
    ]


def _policy(*actions: object) -> dict[str, object]:
    statements = [{"Effect": "Allow", "Action": action, "Resource": "*"} for action in actions]
    return {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": statements}}}
