import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ministack.services import s3

from local.emulator import permissions, schedules, unasked
from local.emulator.decisions import Decisions, Withheld, keys_of, withheld_by

ROLE = "Millrace-local-Training-ProfileBaselineRoleB3C882361C0A839CD1061"


def test_the_first_decision_of_a_kind_is_noted_with_what_it_was_about(tmp_path: Path) -> None:
    decisions = Decisions(tmp_path / "decisions.jsonl")

    decisions.note(ROLE, "s3:GetObject", allowed=True, resource="arn:aws:s3:::data/a", keys={})
    decisions.note(ROLE, "s3:GetObject", allowed=True, resource="arn:aws:s3:::data/b", keys={})
    Decisions(tmp_path / "decisions.jsonl").note(ROLE, "s3:GetObject", allowed=True, resource="again", keys={})

    [line] = map(json.loads, (tmp_path / "decisions.jsonl").read_text().splitlines())
    assert (line["role"], line["action"], line["allowed"]) == (ROLE, "s3:GetObject", True)
    assert line["resource"] == "arn:aws:s3:::data/a"


def test_of_a_request_those_keys_are_noted_that_a_policy_asks_for() -> None:
    asking = SimpleNamespace(conditions={"StringEquals": {"sns:Protocol": ["email"]}})

    assert keys_of({"sns:protocol": "email", "aws:tagkeys": None, "other": "x"}, [[asking]]) == {
        "sns:protocol": "email"
    }


def test_a_permission_is_withheld_from_the_role_of_that_name_alone() -> None:
    withheld = withheld_by("ProfileBaseline s3:GetObject")

    assert withheld == Withheld("ProfileBaseline", "s3:GetObject")
    assert withheld.covers(ROLE, "s3:GetObject")
    assert withheld.covers("Millrace-local-Training-ProfileBaselineRoleB3C88236-1C0A839CD1061", "s3:GetObject")
    assert not withheld.covers(ROLE, "s3:PutObject")
    assert not withheld.covers("Millrace-local-Serving-DeployEndpointRoleB3C882361C0A839CD1061", "s3:GetObject")
    assert not Withheld("Endpoint", "s3:GetObject").covers(
        "Millrace-local-Serving-DeployEndpointRoleB3C882361C0A839CD1061", "s3:GetObject"
    )
    assert withheld_by("") is None
    with pytest.raises(ValueError, match="unpack"):
        withheld_by("ProfileBaseline")


def test_an_object_is_missing_when_its_bucket_is_there_and_does_not_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_buckets", {"data": {"objects": {"a/b.csv": {}, "größe 1": {}}}})

    assert unasked.missing("arn:aws:s3:::data/a/c.csv")
    assert not unasked.missing("arn:aws:s3:::data/a/b.csv")
    assert not unasked.missing("arn:aws:s3:::data/gr%C3%B6%C3%9Fe%201")
    assert not unasked.missing("arn:aws:s3:::data")
    assert not unasked.missing("arn:aws:s3:::other/a")


@pytest.mark.parametrize("allowed", [True, False])
def test_a_schedule_invokes_its_target_with_a_role_that_may(allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    invoked: list[Any] = []

    def allows(role: str, account: str, session: str, needed: permissions.Needed) -> bool:
        asked.append((role, needed.action, needed.resource))
        return allowed

    monkeypatch.setattr(permissions, "allows", allows)
    monkeypatch.setattr(schedules.eventbridge, "_invoke_target", lambda *given: invoked.append(given))
    target = {"Arn": "arn:aws:lambda:f", "RoleArn": "arn:aws:iam::000000000000:role/Waking", "Input": "{}"}

    schedules.fire({"Arn": "arn:aws:scheduler:s", "Target": target}, 0.0, "000000000000", "us-east-1")

    assert asked == [("Waking", "lambda:InvokeFunction", "arn:aws:lambda:f")]
    assert bool(invoked) is allowed
