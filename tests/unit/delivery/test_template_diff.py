"""The table that tells a reviewer what a commit does to an account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.template_diff import Change, changes, report

FUNCTION = {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": f"{'a' * 64}.zip"}, "Timeout": 3}}
TABLE = {"Type": "AWS::DynamoDB::Table", "Properties": {"BillingMode": "PAY_PER_REQUEST"}}


def assembly(root: Path, resources: dict[str, Any]) -> Path:
    """As CDK writes it: a stage is an assembly inside the assembly."""
    stage = root / "assembly-dev"
    stage.mkdir(parents=True)
    nested = {"type": "cdk:cloud-assembly", "properties": {"directoryName": stage.name}}
    (root / "manifest.json").write_text(
        json.dumps({"artifacts": {"assembly-dev": nested, "Tree": {"type": "cdk:tree"}}})
    )
    stack = {
        "type": "aws:cloudformation:stack",
        "properties": {"stackName": "Millrace-dev-Data", "templateFile": "data.template.json"},
    }
    (stage / "manifest.json").write_text(json.dumps({"artifacts": {"Data": stack}}))
    (stage / "data.template.json").write_text(json.dumps({"Resources": resources}))
    return root


def test_equal_templates_are_no_change(tmp_path: Path) -> None:
    before = assembly(tmp_path / "before", {"Function": FUNCTION})
    after = assembly(tmp_path / "after", {"Function": FUNCTION})

    assert changes(before, after) == []
    assert report([]) == "The templates do not change.\n"


def test_only_what_changed_is_named_with_the_properties_that_did(tmp_path: Path) -> None:
    slower = {**FUNCTION, "Properties": {**FUNCTION["Properties"], "Timeout": 30}}  # type: ignore[dict-item]
    before = assembly(tmp_path / "before", {"Function": FUNCTION, "Table": TABLE})
    after = assembly(tmp_path / "after", {"Function": slower, "Table": TABLE, "Other": TABLE})

    assert changes(before, after) == [
        Change("Millrace-dev-Data", "Function", "AWS::Lambda::Function", "Timeout"),
        Change("Millrace-dev-Data", "Other", "AWS::DynamoDB::Table", "new"),
    ]


def test_another_asset_is_a_change_of_code_and_not_of_a_property(tmp_path: Path) -> None:
    renewed = json.loads(json.dumps(FUNCTION).replace("a" * 64, "b" * 64))
    before = assembly(tmp_path / "before", {"Function": FUNCTION})
    after = assembly(tmp_path / "after", {"Function": renewed})

    assert [change.what for change in changes(before, after)] == ["code"]


def test_resources_of_a_permission_that_another_asset_has_put_into_another_order_are_a_change_of_code(
    tmp_path: Path,
) -> None:
    def policy(*resources: str) -> dict[str, Any]:
        statement = {"Action": "s3:GetObject", "Resource": list(resources)}
        return {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": [statement]}}}

    before = assembly(tmp_path / "before", {"Policy": policy(f"arn:{'a' * 64}.zip", f"arn:{'b' * 64}.py")})
    after = assembly(tmp_path / "after", {"Policy": policy(f"arn:{'b' * 64}.py", f"arn:{'c' * 64}.zip")})

    assert [change.what for change in changes(before, after)] == ["code"]


def test_a_changed_attribute_beside_the_properties_is_named(tmp_path: Path) -> None:
    before = assembly(tmp_path / "before", {"Table": {**TABLE, "DeletionPolicy": "Retain"}})
    after = assembly(tmp_path / "after", {"Table": {**TABLE, "DeletionPolicy": "Delete"}})

    assert [change.what for change in changes(before, after)] == ["DeletionPolicy"]


def test_what_loses_data_is_said_before_the_table(tmp_path: Path) -> None:
    before = assembly(tmp_path / "before", {"Table": TABLE, "Function": FUNCTION})
    after = assembly(tmp_path / "after", {})

    text = report(changes(before, after))

    assert text.startswith("**Millrace-dev-Data: `Table` (AWS::DynamoDB::Table) goes away, with what it holds.**\n")
    assert "| Millrace-dev-Data | `Function` | AWS::Lambda::Function | gone |" in text


def test_a_logical_id_of_another_type_says_what_it_was(tmp_path: Path) -> None:
    before = assembly(tmp_path / "before", {"Thing": TABLE})
    after = assembly(tmp_path / "after", {"Thing": FUNCTION})

    assert [change.what for change in changes(before, after)] == ["was AWS::DynamoDB::Table"]
