"""What is kept apart from the registry and the buckets, so that losing them is not the end."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import aws_cdk as cdk
import pytest
from conftest import Platform

from stacks.config import ENVIRONMENTS, BackupConfig
from stacks.platform_stage import FEATURE_FLAGS, PlatformStage

ELSEWHERE = "arn:aws:backup:eu-west-1:210987654321:backup-vault:far-away"


def the_rule(platform: Platform) -> Any:
    (plan,) = platform.properties("AWS::Backup::BackupPlan")
    (rule,) = plan["BackupPlan"]["BackupPlanRule"]
    return rule


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Production with a vault elsewhere."""
    output = tmp_path_factory.mktemp("copied")
    app = cdk.App(outdir=str(output), analytics_reporting=False, context=FEATURE_FLAGS)
    PlatformStage(app, replace(ENVIRONMENTS["prod"], name="copied", backup=BackupConfig(copies=(ELSEWHERE,))))
    app.synth()
    (template,) = (output / "assembly-copied").glob("*Recovery*.template.json")
    return Platform({"Recovery": json.loads(template.read_text())})


def test_the_registry_and_both_buckets_of_production_have_daily_recovery_points(prod: Platform) -> None:
    (selection,) = prod.properties("AWS::Backup::BackupSelection")

    assert len(selection["BackupSelection"]["Resources"]) == 3
    rule = the_rule(prod)
    assert rule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert rule["EnableContinuousBackup"] is True
    assert rule["Lifecycle"] == {"DeleteAfterDays": 35}
    assert rule["CopyActions"] == []


def test_a_vault_elsewhere_gets_a_copy_of_each_point(copied: Platform) -> None:
    assert the_rule(copied)["CopyActions"] == [
        {"DestinationBackupVaultArn": ELSEWHERE, "Lifecycle": {"DeleteAfterDays": 35}}
    ]


def test_no_recovery_point_is_deleted_within_a_week_and_the_vault_outlives_its_stack(prod: Platform) -> None:
    ((_, vault),) = prod.resources("AWS::Backup::BackupVault").items()

    assert vault["Properties"]["LockConfiguration"] == {"MinRetentionDays": 7}
    assert (vault["DeletionPolicy"], vault["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_an_experiment_has_no_vault_that_could_not_be_removed(local: Platform) -> None:
    assert ENVIRONMENTS["dev"].backup is None
    assert "Recovery" not in local.templates
