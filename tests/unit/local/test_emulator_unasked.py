from typing import Any

import pytest
from ministack.services import s3

from local.emulator import permissions, schedules, unasked


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
