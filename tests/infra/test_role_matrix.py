"""The table of roles in the security page is read from the templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.role_matrix import BEGIN, END, PAGE, page_text, rows, table


def test_the_page_shows_the_roles_of_now(assembly: Path) -> None:
    page = PAGE.read_text()

    assert page_text(page, rows(assembly / "assembly-prod")) == page, "run: make roles"


def a_stage(tmp_path: Path, *statements: dict[str, Any]) -> Path:
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": list(statements)}}}
    template = {"Resources": {"PlanRoleDefaultPolicy0123ABCD": policy, "Other": {"Type": "AWS::SQS::Queue"}}}
    (tmp_path / "one.template.json").write_text(json.dumps(template))
    return tmp_path


def below(prefix: str) -> dict[str, Any]:
    return {"Fn::Join": ["", [{"Fn::ImportValue": "bucket"}, f"/{prefix}*"]]}


def test_a_role_is_told_by_what_it_reads_writes_and_else_may_do(tmp_path: Path) -> None:
    stage = a_stage(
        tmp_path,
        {"Action": "s3:GetObject", "Resource": below("datasets/")},
        {"Action": "s3:GetObjectVersion", "Resource": below("uploads/")},
        {"Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": [below("runs/"), below("")]},
        {"Action": ["logs:PutLogEvents", "sns:Publish"], "Resource": "*"},
        {"Action": ["dynamodb:GetItem"], "Resource": "table"},
    )

    assert rows(stage) == [("Plan", "reads", "datasets/, uploads/", "all, runs/", "sns")]


@pytest.mark.parametrize(
    ("statement", "registry"),
    [
        ({"Action": ["dynamodb:Query", "dynamodb:PutItem"], "Resource": "table"}, "changes"),
        ({"Action": "dynamodb:UpdateItem", "Resource": "table", "Condition": {"a": "b"}}, "changes some"),
        ({"Action": "sns:Publish", "Resource": "topic"}, ""),
    ],
)
def test_what_a_role_may_do_to_the_registry(statement: dict[str, Any], registry: str, tmp_path: Path) -> None:
    (row,) = rows(a_stage(tmp_path, statement))

    assert row.registry == registry


def test_what_is_around_the_table_stays(tmp_path: Path) -> None:
    found = rows(a_stage(tmp_path, {"Action": "sns:Publish", "Resource": "topic"}))

    assert page_text(f"before\n{BEGIN}\nold\n{END}\nafter", found) == f"before\n{BEGIN}\n{table(found)}\n{END}\nafter"
