"""What each role may do, all of it: a permission that is added or lost shows here."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import pytest
from conftest import Platform

from millrace import names

READ = {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"}
WRITE = {"s3:PutObject", "s3:AbortMultipartUpload"}
TABLE = {
    f"dynamodb:{action}" for action in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
}
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
JOB_LOG = LOG | {"logs:CreateLogGroup", "logs:DescribeLogStreams"}
FUNCTION = LOG | {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
EVENT_FUNCTION = FUNCTION | {"sqs:SendMessage"}
IMAGE = {
    "ecr:GetAuthorizationToken",
    "ecr:BatchGetImage",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
}

QUEUE = {
    f"sqs:{action}"
    for action in (
        "ReceiveMessage",
        "ChangeMessageVisibility",
        "GetQueueUrl",
        "DeleteMessage",
        "GetQueueAttributes",
    )
}

LIST = {"dynamodb:BatchGetItem"}
LINK = {"ssm:GetParameter"}
NOTIFY = LINK | {"sns:Publish"}
TELL = {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}

ROLES = {
    "OnUploadArrived": EVENT_FUNCTION | READ | TABLE | {"states:StartExecution"},
    "RegisterUpload": FUNCTION | READ | WRITE | TABLE | {"events:PutEvents"},
    "PrepareDataset": READ | WRITE | JOB_LOG | {"s3:DeleteObject", "cloudwatch:PutMetricData"},
    "CompareRows": READ | WRITE | JOB_LOG | {"cloudwatch:PutMetricData"},
    "RecordDatasetVersion": FUNCTION | READ | TABLE | {"events:PutEvents", "cloudwatch:PutMetricData"},
    "RejectUpload": FUNCTION | TABLE,
    "OnDatasetVersionReady": EVENT_FUNCTION | TABLE | {"states:StartExecution"},
    "PlanTraining": FUNCTION | READ | WRITE | TABLE,
    "SageMaker": READ | WRITE | JOB_LOG | IMAGE | {"s3:DeleteObject", "cloudwatch:PutMetricData"},
    "CollectCandidates": FUNCTION | WRITE,
    "RegisterCandidates": FUNCTION | READ | WRITE | TABLE | NOTIFY,
    "OnScheduleDue": EVENT_FUNCTION | TABLE | {"states:StartExecution"},
    "Waking": {"lambda:InvokeFunction"},
    "OnDayEnded": EVENT_FUNCTION | TABLE | LIST | {"s3:ListBucket", "states:StartExecution"},
    "Nightly": {"lambda:InvokeFunction"} | TELL,
    "OnModelVersionApproved": EVENT_FUNCTION | TABLE | {"states:StartExecution"},
    "Export": READ | WRITE | JOB_LOG | IMAGE | {"cloudwatch:PutMetricData"},
    "CheckServingArtefact": FUNCTION | READ | WRITE | TABLE,
    "DeployEndpoint": FUNCTION
    | READ
    | WRITE
    | {"dynamodb:GetItem"}
    | {f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe") for kind in ("Endpoint", "EndpointConfig", "Model")}
    | {"sagemaker:InvokeEndpoint", "iam:PassRole"},
    "RetireEndpoints": FUNCTION
    | {"dynamodb:GetItem", "dynamodb:Query"}
    | {"sagemaker:DeleteEndpoint", "sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"}
    | {"sagemaker:ListEndpoints"},
    "Endpoint": READ | JOB_LOG | IMAGE | {"cloudwatch:PutMetricData"},
    "StartRollout": FUNCTION | TABLE | NOTIFY,
    "WatchRollout": FUNCTION | READ | TABLE | NOTIFY,
    "PromoteModelVersion": FUNCTION | TABLE | NOTIFY,
    "RollBackRollout": FUNCTION | TABLE,
    "Predict": FUNCTION
    | READ
    | {"dynamodb:GetItem", "dynamodb:UpdateItem", "sagemaker:InvokeEndpoint"}
    | {"sqs:SendMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"},
    "OnBatchInputArrived": EVENT_FUNCTION | READ | TABLE | {"states:StartExecution"},
    "OnGroundTruthDropped": EVENT_FUNCTION | READ | WRITE | TABLE | NOTIFY | {"s3:DeleteObject", "events:PutEvents"},
    "PlanBatch": FUNCTION | READ | WRITE | {"dynamodb:GetItem"},
    "PrepareBatch": READ | WRITE | JOB_LOG | {"s3:DeleteObject", "cloudwatch:PutMetricData"},
    "CheckBatch": FUNCTION | READ | {"s3:DeleteObject"},
    "Score": READ | WRITE | JOB_LOG | IMAGE | {"cloudwatch:PutMetricData"},
    "RecordBatch": FUNCTION | READ | TABLE | NOTIFY | {"events:PutEvents", "cloudwatch:PutMetricData"},
    "WriteInferenceRecords": FUNCTION | WRITE | QUEUE | {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "PublishSite": FUNCTION | WRITE | {"s3:GetObject", "cloudfront:CreateInvalidation"},
    "ProfileBaseline": FUNCTION | READ | WRITE,
    "DetectDrift": FUNCTION | READ | WRITE,
    "RecordDriftReports": FUNCTION
    | READ
    | TABLE
    | {"dynamodb:BatchGetItem", "events:PutEvents", "cloudwatch:PutMetricData"},
    "OnGroundTruthArrived": EVENT_FUNCTION | TABLE | {"dynamodb:BatchGetItem", "states:StartExecution"},
    "OnBatchInferenceCompleted": EVENT_FUNCTION | TABLE | {"states:StartExecution"},
    "OnExecutionEnded": EVENT_FUNCTION
    | TABLE
    | LIST
    | {"states:DescribeExecution", "states:GetExecutionHistory", "cloudwatch:PutMetricData"}
    | NOTIFY
    | TELL,
    "DeliverAlert": FUNCTION | TABLE | QUEUE | TELL | NOTIFY,
    "OnDriftDetected": EVENT_FUNCTION | TABLE | LIST | TELL | LINK | {"states:StartExecution"},
    "OnAlarmChanged": EVENT_FUNCTION | TABLE | LIST | TELL | LINK,
    "Backup": {"dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:StartAwsBackupJob"}
    | {"s3:ListBucket", "s3:ListBucketVersions", "s3:PutBucketNotification"}
    | {f"s3:GetBucket{part}" for part in ("Acl", "Location", "Notification", "Tagging", "Versioning")}
    | {"s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration"}
    | {f"s3:GetObject{part}" for part in ("", "Acl", "Tagging", "Version", "VersionAcl", "VersionTagging")}
    | {f"events:{verb}" for verb in ("DescribeRule", "EnableRule", "DisableRule", "PutRule", "DeleteRule")}
    | {"events:PutTargets", "events:RemoveTargets", "events:ListTargetsByRule", "events:ListRules"}
    | {"cloudwatch:GetMetricData", "tag:GetResources", "backup:DescribeBackupVault", "backup:CopyFromBackupVault"},
    "App": FUNCTION
    | {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"}
    | WRITE
    | {"s3:ListMultipartUploadParts"}
    | TABLE
    | {"dynamodb:BatchGetItem", "events:PutEvents"}
    | TELL
    | LINK
    | {"sns:Subscribe", "sns:Unsubscribe", "ssm:PutParameter", "ssm:DeleteParameter"}
    | {"logs:DescribeLogStreams", "logs:GetLogEvents"}
    | {"scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule", "iam:PassRole"}
    | {"states:StartExecution", "states:StopExecution", "states:DescribeExecution", "states:GetExecutionHistory"},
}

# What a role reads in S3. Assets are single objects, named by their digest.
READS = {
    "OnUploadArrived": {"uploads/*"},
    "RegisterUpload": {"uploads/*", "datasets/*"},
    "PrepareDataset": {"uploads/*", "datasets/*", "quarantine/*", "script.py", "core.zip"},
    "CompareRows": {"datasets/*", "script.py", "core.zip"},
    "RecordDatasetVersion": {"datasets/*"},
    "PlanTraining": {"datasets/*", "models/*"},
    "SageMaker": {"datasets/*", "runs/*", "core.zip"},
    "RegisterCandidates": {"runs/*", "models/*"},
    "App": {"datasets/*", "quarantine/*", "models/*", "uploads/*", "inference/*", "drift/*"},
    "Export": {"datasets/*", "models/*", "core.zip"},
    "CheckServingArtefact": {"runs/*"},
    "WatchRollout": {"inference/*"},
    "DeployEndpoint": {"models/*"},
    "Endpoint": {"models/*"},
    "Predict": {"models/*"},
    "OnBatchInputArrived": {"inference/*"},
    "OnGroundTruthDropped": {"ground-truth/*", "inference/*"},
    "PlanBatch": {"datasets/*"},
    "PrepareBatch": {"inference/*", "datasets/*", "models/*", "script.py", "core.zip"},
    "CheckBatch": {"inference/*"},
    "Score": {"inference/*", "runs/*", "core.zip"},
    "RecordBatch": {"inference/*"},
    "PublishSite": {"core.zip"},
    "ProfileBaseline": {"datasets/*", "runs/*"},
    "DetectDrift": {"inference/*", "datasets/*", "models/*"},
    "RecordDriftReports": {"drift/*"},
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
            if "s3:GetObject" in statement["Action"]:
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
