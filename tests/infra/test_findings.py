"""Other people's rules: cdk-nag's AwsSolutions and cfn-lint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from stacks.acknowledge import acknowledge
from stacks.config import ENVIRONMENTS
from stacks.platform_stage import build_app


def findings(app: cdk.App, output: Path) -> list[tuple[str, str]]:
    """What AwsSolutions finds and nobody acknowledged: rule and construct. Findings make the synthesis fail."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if "ValidationFailed" not in str(error):
            raise
    report = json.loads((output / "validation-report.json").read_text())
    return [
        (violation["ruleName"], construct["constructPath"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


def test_nothing_that_aws_solutions_finds_is_left_without_a_reason(tmp_path: Path) -> None:
    assert findings(build_app(tmp_path, ["prod"]), tmp_path) == []


def test_a_careless_bucket_would_be_found_and_an_acknowledged_rule_would_not(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    bucket = s3.Bucket(cdk.Stack(app, "Careless"), "Bucket")
    acknowledge(bucket, "An example.", "S1")

    assert findings(app, tmp_path) == [("AwsSolutions-S10", "Careless/Bucket/Resource")]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_cfn_lint_accepts_the_templates(environment: str, assembly: Path, tmp_path: Path) -> None:
    for template in (assembly / f"assembly-{environment}").glob("*.template.json"):
        # cfn-lint reads state machines too, and knows service integrations in AWS's main partition only.
        (tmp_path / template.name).write_text(
            template.read_text().replace("arn:${Partition}:states:::", "arn:aws:states:::")
        )
    templates = sorted(tmp_path.glob("*.template.json"))

    assert len(templates) == 16
    assert cfn_lint(templates) == []


def test_cfn_lint_would_refuse_a_property_that_does_not_exist(tmp_path: Path) -> None:
    template = tmp_path / "wrong.template.json"
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"Colour": "red"}}
    template.write_text(json.dumps({"Resources": {"Queue": queue}}))

    assert [rule for rule, _ in cfn_lint([template])] == ["E3002"]


def cfn_lint(templates: list[Path]) -> list[tuple[str, str]]:
    """Rule and message of every error and warning.

    W3005 is not asked for: CDK repeats a dependency that a reference implies already.
    """
    program = Path(sys.executable).with_name("cfn-lint")
    regions = ["--regions", "us-east-1", "--ignore-checks", "W3005", "--format", "json", "--non-zero-exit-code", "none"]
    done = subprocess.run([program, *regions, *templates], capture_output=True, text=True, check=True)
    return [(match["Rule"]["Id"], match["Message"]) for match in json.loads(done.stdout or "[]")]
