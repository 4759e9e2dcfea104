"""What each role may do, all of it: a permission that is added or lost shows here."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import pytest
from conftest import Platform

from millrace import names
from scripts.granted_permissions import OF_PEOPLE

READ = {"s3:GetObject"}
VERSIONS = {"s3:GetObjectVersion"}
SEE = {"s3:ListBucket"}
WRITE = {"s3:PutObject"}
DELETE = {"s3:DeleteObject"}
RECORD = {f"dynamodb:{action}" for action in ("GetItem", "PutItem", "UpdateItem")}
QUERY = {"dynamodb:Query"}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
JOB_LOG = LOG | {"logs:CreateLogGroup"}
SAGEMAKER_LOG = JOB_LOG | {"logs:DescribeLogStreams"}
FUNCTION = LOG | {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
EVENT_FUNCTION = FUNCTION | {"sqs:SendMessage"}
IMAGE = {
    "ecr:GetAuthorizationToken",
    "ecr:BatchGetImage",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
}

QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
LINK = {"ssm:GetParameter"}
NOTIFY = LINK | {"sns:Publish"}
TELL = {"sqs:SendMessage"}

ROLES = {
    "OnUploadArrived": EVENT_FUNCTION | RECORD | {"states:StartExecution"},
    "RegisterUpload": FUNCTION
    | READ
    | VERSIONS
    | SEE
    | WRITE
    | RECORD
    | {"dynamodb:ConditionCheckItem", "events:PutEvents"},
    "PrepareDataset": READ | VERSIONS | SEE | WRITE | DELETE | JOB_LOG | {"cloudwatch:PutMetricData"},
    "CompareRows": READ | SEE | WRITE | JOB_LOG | {"cloudwatch:PutMetricData"},
    "RecordDatasetVersion": FUNCTION | READ | RECORD | {"events:PutEvents", "cloudwatch:PutMetricData"},
    "RejectUpload": FUNCTION | RECORD | {"dynamodb:DeleteItem"},
    "OnDatasetVersionReady": EVENT_FUNCTION | RECORD | {"states:StartExecution"},
    "PlanTraining": FUNCTION | READ | WRITE | RECORD,
    "SageMaker": READ | SEE | WRITE | DELETE | SAGEMAKER_LOG | IMAGE | {"cloudwatch:PutMetricData"},
    "CollectCandidates": FUNCTION | WRITE,
    "RegisterCandidates": FUNCTION | READ | SEE | WRITE | RECORD | NOTIFY,
    "OnScheduleDue": EVENT_FUNCTION | RECORD | {"states:StartExecution"},
    "Waking": {"lambda:InvokeFunction"},
    "OnDayEnded": EVENT_FUNCTION | RECORD | QUERY | SEE | {"states:StartExecution"},
    "Nightly": {"lambda:InvokeFunction"} | TELL,
    "OnModelVersionApproved": EVENT_FUNCTION | RECORD | {"states:StartExecution"},
    "Export": READ | SEE | WRITE | SAGEMAKER_LOG | IMAGE | {"cloudwatch:PutMetricData"},
    "CheckServingArtefact": FUNCTION | READ | SEE | WRITE | RECORD,
    "DeployEndpoint": FUNCTION
    | READ
    | WRITE
    | {"dynamodb:GetItem", "dynamodb:PutItem"}
    | {f"sagemaker:Create{kind}" for kind in ("Endpoint", "EndpointConfig", "Model")}
    | {f"sagemaker:Describe{kind}" for kind in ("Endpoint", "EndpointConfig")}
    | {"sagemaker:InvokeEndpoint", "iam:PassRole"},
    "RetireEndpoints": FUNCTION
    | {f"dynamodb:{action}" for action in ("GetItem", "Query", "PutItem", "DeleteItem")}
    | {"sagemaker:DeleteEndpoint", "sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"}
    | {"sagemaker:ListEndpoints"},
    "Endpoint": READ | SEE | SAGEMAKER_LOG | IMAGE | {"cloudwatch:PutMetricData"},
    "StartRollout": FUNCTION | RECORD | QUERY | NOTIFY,
    "WatchRollout": FUNCTION | READ | SEE | RECORD | QUERY | NOTIFY,
    "PromoteModelVersion": FUNCTION | RECORD | QUERY | NOTIFY,
    "RollBackRollout": FUNCTION | RECORD,
    "Predict": FUNCTION | READ | SEE | TELL | {"dynamodb:GetItem", "dynamodb:UpdateItem", "sagemaker:InvokeEndpoint"},
    "OnBatchInputArrived": EVENT_FUNCTION | RECORD | {"states:StartExecution"},
    "OnGroundTruthDropped": EVENT_FUNCTION | VERSIONS | SEE | WRITE | DELETE | RECORD | {"events:PutEvents"} | NOTIFY,
    "PlanBatch": FUNCTION | SEE | WRITE | {"dynamodb:GetItem"},
    "PrepareBatch": READ | VERSIONS | SEE | WRITE | DELETE | JOB_LOG | {"cloudwatch:PutMetricData"},
    "CheckBatch": FUNCTION | READ | SEE | DELETE,
    "Score": READ | SEE | WRITE | SAGEMAKER_LOG | IMAGE | {"cloudwatch:PutMetricData"},
    "RecordBatch": FUNCTION | READ | RECORD | {"events:PutEvents", "cloudwatch:PutMetricData"} | NOTIFY,
    "WriteInferenceRecords": FUNCTION | WRITE | QUEUE | {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "PublishSite": FUNCTION | WRITE | {"s3:GetObject", "cloudfront:CreateInvalidation"},
    "ProfileBaseline": FUNCTION | READ | SEE | WRITE,
    "DetectDrift": FUNCTION | READ | SEE | WRITE,
    "RecordDriftReports": FUNCTION | READ | RECORD | QUERY | {"events:PutEvents", "cloudwatch:PutMetricData"},
    "OnGroundTruthArrived": EVENT_FUNCTION | RECORD | QUERY | {"states:StartExecution"},
    "OnBatchInferenceCompleted": EVENT_FUNCTION | RECORD | {"states:StartExecution"},
    "OnExecutionEnded": EVENT_FUNCTION
    | RECORD
    | QUERY
    | TELL
    | {"dynamodb:DeleteItem", "states:GetExecutionHistory", "cloudwatch:PutMetricData"}
    | NOTIFY,
    "DeliverAlert": FUNCTION
    | QUEUE
    | TELL
    | {"dynamodb:GetItem", "dynamodb:UpdateItem", "sns:Publish", "ssm:GetParameter"},
    "OnDriftDetected": EVENT_FUNCTION | RECORD | QUERY | TELL | LINK | {"states:StartExecution"},
    "OnAlarmChanged": EVENT_FUNCTION | RECORD | QUERY | TELL | LINK,
    **OF_PEOPLE,
    "Backup": {"dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"}
    | {"s3:ListBucket", "s3:ListBucketVersions", "s3:PutBucketNotification"}
    | {f"s3:GetBucket{part}" for part in ("Acl", "Location", "Notification", "Tagging", "Versioning")}
    | {"s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration"}
    | {f"s3:GetObject{part}" for part in ("", "Acl", "Tagging", "Version", "VersionAcl", "VersionTagging")}
    | {f"events:{verb}" for verb in ("DescribeRule", "EnableRule", "DisableRule", "PutRule", "DeleteRule")}
    | {"events:PutTargets", "events:RemoveTargets", "events:ListTargetsByRule", "events:ListRules"}
    | {"cloudwatch:GetMetricData", "tag:GetResources", "backup:DescribeBackupVault", "backup:CopyFromBackupVault"},
    "App": FUNCTION
    | READ
    | SEE
    | WRITE
    | {"s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"}
    | RECORD
    | QUERY
    | {f"dynamodb:{action}" for action in ("BatchGetItem", "ConditionCheckItem", "DeleteItem")}
    | {"events:PutEvents"}
    | TELL
    | LINK
    | {"sns:Subscribe", "sns:Unsubscribe", "ssm:PutParameter", "ssm:DeleteParameter"}
    | {"logs:DescribeLogStreams", "logs:GetLogEvents"}
    | {"scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule", "iam:PassRole"}
    | {"states:StartExecution", "states:StopExecution", "states:GetExecutionHistory"},
}

# What a role reads in S3. Assets are single objects, named by their digest.
READS = {
    "RegisterUpload": {"uploads/*"},
    "PrepareDataset": {"uploads/*", "datasets/*", "quarantine/*", "script.py", "core.zip"},
    "CompareRows": {"datasets/*", "script.py", "core.zip"},
    "RecordDatasetVersion": {"datasets/*"},
    "PlanTraining": {"datasets/*", "models/*"},
    "SageMaker": {"datasets/*", "runs/*", "core.zip"},
    "RegisterCandidates": {"runs/*", "models/*"},
    "App": {"datasets/*", "quarantine/*", "models/*", "uploads/*", "inference/*", "drift/*"},
    "Export": {"datasets/*", "models/*", "core.zip"},
    "CheckServingArtefact": {"runs/*", "models/*"},
    "WatchRollout": {"inference/*"},
    "DeployEndpoint": {"models/*"},
    "Endpoint": {"models/*"},
    "Predict": {"models/*"},
    "OnGroundTruthDropped": {"ground-truth/*"},
    "PrepareBatch": {"inference/*", "datasets/*", "models/*", "script.py", "core.zip"},
    "CheckBatch": {"inference/*"},
    "Score": {"inference/*", "runs/*", "core.zip"},
    "RecordBatch": {"inference/*"},
    "PublishSite": {"core.zip"},
    "ProfileBaseline": {"datasets/*", "runs/*"},
    "DetectDrift": {"inference/*", "datasets/*", "models/*"},
    "RecordDriftReports": {"drift/*"},
    "ExportVersion": {"models/*"},
    "Backup": {"*"},
}


def role_of(policy: str) -> str:
    found = re.fullmatch(r"(\w+?)RoleDefaultPolicy[0-9A-F]{8}", policy)
    assert found, policy
    return found[1]


def test_every_role_may_do_exactly_this(prod: Platform) -> None:
    allowed: dict[str, set[str]] = defaultdict(set)
    for name, policy in prod.resources("AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"]
            allowed[role_of(name)] |= {actions} if isinstance(actions, str) else set(actions)

    # The state machines' own roles are in test_state_machines.py.
    assert {
        role: actions
        for role, actions in allowed.items()
        if role not in {"Ingest", "Training", "Deployment", "BatchInference", "Drift", "Comparison"}
    } == ROLES


def test_every_role_reads_exactly_this(prod: Platform) -> None:
    read: dict[str, set[str]] = defaultdict(set)
    for name, policy in prod.resources("AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "s3:GetObject" in json.dumps(statement["Action"]):
                read[role_of(name)] |= keys_in(json.dumps(statement["Resource"]))

    assert read == READS


def test_predictions_change_nothing_in_the_registry_but_api_keys(prod: Platform) -> None:
    changing = [
        statement
        for name, policy in prod.resources("AWS::IAM::Policy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if role_of(name) == "Predict" and "dynamodb:UpdateItem" in statement["Action"]
    ]

    assert [statement["Condition"] for statement in changing] == [
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{names.API_KEY_ITEMS}*"]}}
    ]
    assert changing[0]["Action"] == "dynamodb:UpdateItem"


def test_whoever_deploys_and_retires_endpoints_writes_nothing_in_the_registry_but_their_hours(prod: Platform) -> None:
    writing = {
        role_of(name): (statement["Action"], statement["Condition"])
        for name, policy in prod.resources("AWS::IAM::Policy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if role_of(name) in {"DeployEndpoint", "RetireEndpoints"} and "dynamodb:PutItem" in statement["Action"]
    }

    theirs = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [names.ENDPOINT_USE_ITEMS]}}
    assert writing == {
        "DeployEndpoint": ("dynamodb:PutItem", theirs),
        "RetireEndpoints": (["dynamodb:DeleteItem", "dynamodb:PutItem"], theirs),
    }


def keys_in(resources: str) -> set[str]:
    """The end of each ARN: a prefix of keys, or an asset with its digest replaced by what it is."""
    prefixes = set(re.findall(r'"/((?:[\w-]+/)?\*)"', resources))
    assets = set(re.findall(r'"/[0-9a-f]{64}\.(\w+)"', resources))
    return prefixes | {{"py": "script.py", "zip": "core.zip"}[ending] for ending in assets}


@pytest.mark.parametrize("kind", ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"])
def test_resource_policies_open_nothing_to_the_world(kind: str, prod: Platform) -> None:
    opening = [
        statement["Principal"]
        for properties in prod.properties(kind)
        for statement in properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]

    assert [principal for principal in opening if principal in ("*", {"AWS": "*"})] == []


def test_buckets_refuse_old_versions_of_tls(prod: Platform) -> None:
    for properties in prod.properties("AWS::S3::BucketPolicy"):
        conditions = [statement["Condition"] for statement in properties["PolicyDocument"]["Statement"]]
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions
