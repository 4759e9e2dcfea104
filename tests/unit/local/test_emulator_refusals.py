import json
from pathlib import Path

import pytest

from local.emulator.refusals import Refusals, role_of

ROLE = "Millrace-local-Training-ProfileBaselineRoleB3C882361C0A839CD1061"


def test_the_first_refusal_of_a_kind_is_noted_with_what_it_was_about(tmp_path: Path) -> None:
    refusals = Refusals(tmp_path / "refusals.jsonl")

    refusals.note(ROLE, "s3:GetObject", "arn:aws:s3:::data/a")
    refusals.note(ROLE, "s3:GetObject", "arn:aws:s3:::data/b")
    refusals.note("", "s3:GetObject", "arn:aws:s3:::data/b")
    Refusals(tmp_path / "refusals.jsonl").note(ROLE, "s3:GetObject", "after a restart")
    Refusals(tmp_path / "refusals.jsonl").note(ROLE, "s3:PutObject", "arn:aws:s3:::data/c")

    lines = [json.loads(line) for line in (tmp_path / "refusals.jsonl").read_text().splitlines()]
    assert [(line["role"], line["action"], line["resource"]) for line in lines] == [
        (ROLE, "s3:GetObject", "arn:aws:s3:::data/a"),
        (ROLE, "s3:PutObject", "arn:aws:s3:::data/c"),
    ]


@pytest.mark.parametrize(
    ("principal", "role"),
    [
        (f"arn:aws:sts::000000000000:assumed-role/{ROLE}/session", ROLE),
        ("arn:aws:iam::000000000000:user/ada", ""),
        ("", ""),
    ],
)
def test_a_refusal_is_of_the_role_whose_session_it_was(principal: str, role: str) -> None:
    assert role_of(principal) == role
