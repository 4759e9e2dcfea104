"""Take one action from one role of the running platform, tell the story that needs it, and give it back."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from millrace.cli.deployment import LOCAL_STATE
from tests.drill import operators, people, stories
from tests.drill.stories import Story
from tests.drill.world import World

Pair = tuple[str, str]

# local.emulator.refusals.FILE: its module is the embedded AWS's, which is not imported into a process of its users.
REFUSALS = "refusals.jsonl"

_DEPLOYING = (
    "CheckServingArtefact",
    "Deployment",
    "Export",
    "OnModelVersionApproved",
    "PromoteModelVersion",
)
_PREDICTING = (
    "BatchInference",
    "CheckBatch",
    "DetectDrift",
    "Drift",
    "OnBatchInferenceCompleted",
    "OnBatchInputArrived",
    "PlanBatch",
    "PrepareBatch",
    "RecordBatch",
    "RecordDriftReports",
    "Score",
)
_INGESTING = ("Ingest", "OnUploadArrived", "PrepareDataset", "RecordDatasetVersion", "RegisterUpload")
_TRAINING = (
    "CollectCandidates",
    "OnDatasetVersionReady",
    "PlanTraining",
    "ProfileBaseline",
    "RegisterCandidates",
    "SageMaker",
    "Training",
)
# Which story needs a role; of several the shortest.
STORIES: Mapping[str, Story] = {
    **dict.fromkeys(_INGESTING, stories.a_file_becomes_a_version),
    **dict.fromkeys(("OnExecutionEnded", "RejectUpload"), stories.a_bad_file_is_refused_and_people_are_told),
    **dict.fromkeys(_TRAINING, stories.a_version_is_trained_and_registered),
    **dict.fromkeys(_DEPLOYING, stories.an_approved_version_is_deployed),
    **dict.fromkeys(("DeployEndpoint", "Endpoint", "RetireEndpoints"), stories.a_version_answers_behind_an_endpoint),
    **dict.fromkeys(("StartRollout", "WatchRollout"), stories.a_version_takes_over_step_by_step),
    "RollBackRollout": stories.a_broken_version_takes_itself_back,
    **dict.fromkeys(("Predict", "WriteInferenceRecords"), stories.an_answer_is_recorded),
    **dict.fromkeys(_PREDICTING, stories.a_dropped_file_is_predicted_and_checked),
    **dict.fromkeys(("OnGroundTruthArrived", "OnGroundTruthDropped"), stories.labels_tell_how_good_answers_were),
    "OnDriftDetected": stories.drift_asks_for_training,
    **dict.fromkeys(("Nightly", "OnDayEnded"), stories.every_night_champions_are_checked),
    **dict.fromkeys(("OnScheduleDue", "Waking"), stories.a_schedule_wakes_the_platform),
    **dict.fromkeys(("DeliverAlert", "OnAlarmChanged"), stories.an_alarm_is_an_alert_until_it_is_over),
    **dict.fromkeys(("CompareRows", "Comparison"), people.rows_are_compared),
    "PublishSite": stories.the_dashboard_is_published,
    "App": people.people_work_by_the_api,
    "ExportVersion": operators.a_version_goes_elsewhere,
    "ImportVersion": operators.a_version_is_taken_over,
}
# Where another story than the role's own needs the action.
STORIES_OF_ACTIONS: Mapping[Pair, Story] = {
    ("CheckServingArtefact", "s3:ListBucket"): stories.what_a_job_left_undone_is_named,
    ("RegisterCandidates", "s3:ListBucket"): stories.what_a_job_left_undone_is_named,
    ("App", "ssm:GetParameter"): people.an_alert_is_worked_on,
    ("ExportVersion", "s3:ListBucket"): operators.a_version_that_was_never_deployed_is_told_as_such,
    ("CheckBatch", "s3:DeleteObject"): stories.what_an_attempt_left_is_removed,
    ("DeliverAlert", "sns:Publish"): stories.drift_asks_for_training,
    ("DeliverAlert", "sqs:SendMessage"): stories.a_busy_channel_hears_later,
    ("OnExecutionEnded", "cloudwatch:PutMetricData"): stories.what_a_run_cost_is_measured,
    ("OnExecutionEnded", "dynamodb:DeleteItem"): stories.a_stopped_upload_may_come_again,
    ("OnGroundTruthDropped", "s3:DeleteObject"): stories.labels_that_are_delivered_again_change_nothing,
    ("PlanBatch", "s3:ListBucket"): stories.the_rows_of_a_version_are_predicted,
    ("RegisterUpload", "dynamodb:ConditionCheckItem"): stories.the_same_bytes_are_no_new_version,
    ("RegisterUpload", "events:PutEvents"): stories.a_version_that_waits_trains_once_a_target_is_named,
    ("RegisterUpload", "s3:GetObject"): stories.settings_come_as_files,
    ("WatchRollout", "dynamodb:Query"): people.a_rollout_is_ended_by_hand,
    ("RecordDriftReports", "events:PutEvents"): stories.drift_asks_for_training,
    ("Predict", "dynamodb:UpdateItem"): people.the_use_of_a_key_is_noted,
    ("Predict", "s3:ListBucket"): stories.what_serves_nothing_is_told_apart,
    ("Predict", "sagemaker:InvokeEndpoint"): stories.a_version_answers_behind_an_endpoint,
}


def story_of(role: str, action: str) -> Story:
    return STORIES_OF_ACTIONS.get((role, action), STORIES[role])


@contextmanager
def without(world: World, role: str, action: str) -> Iterator[None]:
    """The role of that physical name, without this action in any statement of its policies; as it was afterwards."""
    iam = world.bench.session.client("iam")
    kept = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    changed = {name: less(document, action) for name, document in kept.items()}
    if changed == kept:
        raise LookupError(f"{role} does not grant {action}")
    try:
        _put(iam, role, changed)
        _start_afresh(world, role)
        yield
    finally:
        _put(iam, role, kept)


def physical_name(world: World, role: str) -> str:
    """Of the role that the template calls RegisterUploadRole0A1B2C3D, for RegisterUpload."""
    cloudformation = world.bench.session.client("cloudformation")
    (found,) = [
        resource["PhysicalResourceId"]
        for stack in cloudformation.describe_stacks()["Stacks"]
        for resource in cloudformation.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
        if resource["ResourceType"] == "AWS::IAM::Role"
        and re.fullmatch(rf"{role}(Role)?[0-9A-F]{{8}}", resource["LogicalResourceId"])
    ]
    return str(found)


def _start_afresh(world: World, role: str) -> None:
    """What the role's functions read before and remember, they read again: a new configuration is a new environment."""
    client = world.bench.session.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["Role"].endswith(f"/{role}"):
                client.update_function_configuration(FunctionName=function["FunctionName"], Timeout=function["Timeout"])


def less(document: Mapping[str, Any], action: str) -> dict[str, Any]:
    """A policy without an action; statements that allow nothing else are gone."""
    statements = [
        {**statement, "Action": left}
        for statement in document["Statement"]
        if (left := [each for each in _listed(statement["Action"]) if each != action])
    ]
    return {**document, "Statement": statements}


def _listed(actions: Any) -> list[str]:
    return [actions] if isinstance(actions, str) else list(actions)


def _put(iam: Any, role: str, policies: Mapping[str, Any]) -> None:
    for name, document in policies.items():
        if document["Statement"]:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
        else:
            iam.delete_role_policy(RoleName=role, PolicyName=name)


def broken_by(world: World, role: str, action: str, story: Callable[[World], None]) -> str:
    """How the story breaks without the permission, in a line; "" when it does not, or nobody was refused it."""
    physical = physical_name(world, role)
    try:
        with without(world, physical, action):
            story(world)
    except Exception as broken:  # whatever it is: with the permission the story is told without
        return _said(broken) if refused(world, physical, action) else ""
    return ""


def _said(broken: Exception) -> str:
    """Its first line; of an assertion that says nothing the line where it stands."""
    said = str(broken).strip() or str(traceback.extract_tb(broken.__traceback__)[-1].line)
    return f"{type(broken).__name__}: {said}".splitlines()[0][:300]


def refused(world: World, role: str, action: str) -> bool:
    """Whether the platform has refused it to the role: a story that breaks for another reason shows nothing."""
    file = world.bench.root / LOCAL_STATE / REFUSALS
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    return any((line["role"], line["action"]) == (role, action) for line in lines)
