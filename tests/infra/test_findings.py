"""Other people's rules: cdk-nag's AwsSolutions and NIST 800-53, cfn-lint, and what is kept of theirs and checkov's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from stacks.acknowledge import acknowledge
from stacks.config import ENVIRONMENTS
from stacks.findings import ACCEPTED, ACCEPTED_WITHOUT_KEY
from stacks.packaging import REPOSITORY
from stacks.platform_stage import build_app


def findings(app: cdk.App, output: Path) -> list[tuple[str, str]]:
    """What the packs find and nobody acknowledged: rule and construct. Findings make the synthesis fail."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
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


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nothing_that_aws_solutions_or_nist_800_53_find_is_left_without_a_reason(
    environment: str, tmp_path: Path
) -> None:
    assert findings(build_app(tmp_path, [environment]), tmp_path) == []


def test_rules_are_accepted_by_name_and_with_a_reason() -> None:
    accepted = {**ACCEPTED, **ACCEPTED_WITHOUT_KEY}

    assert all(re.fullmatch(r"[A-Za-z0-9]+", rule) for rule in accepted)
    assert [rule for rule, reason in accepted.items() if len(reason) < 60] == []


def test_every_check_of_checkov_that_is_skipped_has_its_reason_above_it() -> None:
    lines = (REPOSITORY / ".checkov.yaml").read_text().splitlines()
    skips = [number for number, line in enumerate(lines) if line.strip().startswith("- CKV")]

    assert len(skips) == len(yaml.safe_load("\n".join(lines))["skip-check"])
    assert [lines[number] for number in skips if not re.match(r"  # \w.{30,}", lines[number - 1])] == []


def test_a_careless_bucket_would_be_found_and_an_acknowledged_rule_would_not(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    bucket = s3.Bucket(cdk.Stack(app, "Careless"), "Bucket")
    acknowledge(bucket, "An example.", "S1", "NIST.800.53.R5-S3BucketVersioningEnabled")

    found = findings(app, tmp_path)

    assert ("AwsSolutions-S10", "Careless/Bucket/Resource") in found
    assert ("NIST.800.53.R5-S3BucketSSLRequestsOnly", "Careless/Bucket/Resource") in found
    assert not {"AwsSolutions-S1", "NIST.800.53.R5-S3BucketVersioningEnabled"} & {rule for rule, _ in found}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_cfn_lint_accepts_the_templates(environment: str, assembly: Path, tmp_path: Path) -> None:
    for template in (assembly / f"assembly-{environment}").glob("*.template.json"):
        # cfn-lint reads state machines too, and knows service integrations in AWS's main partition only.
        (tmp_path / template.name).write_text(
            template.read_text().replace("arn:${Partition}:states:::", "arn:aws:states:::")
        )
    templates = sorted(tmp_path.glob("*.template.json"))

    assert len(templates) == (19 if ENVIRONMENTS[environment].backup else 18)
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
