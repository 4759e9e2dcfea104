"""Which permission the templates grant to which role, and which of them AWS's own services use with it.

The others are used by Millrace's own code: `make permissions-drill` takes each of them away and sees a story break.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

# Actions that AWS's own services perform with a role. The embedded AWS does their work without asking IAM.
BY_SERVICES: Mapping[str, str] = {
    "ecr:BatchCheckLayerAvailability": "SageMaker pulls the image of a job",
    "ecr:BatchGetImage": "SageMaker pulls the image of a job",
    "ecr:GetAuthorizationToken": "SageMaker pulls the image of a job",
    "ecr:GetDownloadUrlForLayer": "SageMaker pulls the image of a job",
    "events:DescribeRule": "Step Functions waits for a SageMaker job by a rule",
    "events:PutRule": "Step Functions waits for a SageMaker job by a rule",
    "events:PutTargets": "Step Functions waits for a SageMaker job by a rule",
    "logs:CreateLogDelivery": "Step Functions writes a state machine's log",
    "logs:DeleteLogDelivery": "Step Functions writes a state machine's log",
    "logs:DescribeLogGroups": "Step Functions writes a state machine's log",
    "logs:DescribeResourcePolicies": "Step Functions writes a state machine's log",
    "logs:GetLogDelivery": "Step Functions writes a state machine's log",
    "logs:ListLogDeliveries": "Step Functions writes a state machine's log",
    "logs:PutResourcePolicy": "Step Functions writes a state machine's log",
    "logs:UpdateLogDelivery": "Step Functions writes a state machine's log",
    "logs:CreateLogGroup": "Glue and SageMaker write the logs of a job",
    "logs:CreateLogStream": "Lambda, Glue and SageMaker write logs",
    "logs:PutLogEvents": "Lambda, Glue and SageMaker write logs",
    "sqs:DeleteMessage": "Lambda takes messages from a queue",
    "sqs:GetQueueAttributes": "Lambda takes messages from a queue",
    "sqs:ReceiveMessage": "Lambda takes messages from a queue",
    "xray:GetSamplingRules": "traces are sent by Lambda and Step Functions",
    "xray:GetSamplingTargets": "traces are sent by Lambda and Step Functions",
    "xray:PutTelemetryRecords": "traces are sent by Lambda and Step Functions",
    "xray:PutTraceSegments": "traces are sent by Lambda and Step Functions",
}

_DEAD_LETTERS = "Lambda puts what the function could not handle into the queue of its failures"
_GLUE = "Glue writes the metrics of a job, as in AWS's AWSGlueServiceRole"
_SAGEMAKER = "SageMaker does so for a job, as in AWS's list of what its execution role needs"
_TAGS = "Step Functions starts a SageMaker job with tags, as in AWS's policy templates"

# What is a service's for one role and our own code's for another.
BY_SERVICES_FOR: Mapping[str, Mapping[str, str]] = {
    **{
        role: {"sqs:SendMessage": _DEAD_LETTERS}
        for role in (
            "OnBatchInferenceCompleted",
            "OnBatchInputArrived",
            "OnDatasetVersionReady",
            "OnDayEnded",
            "OnGroundTruthArrived",
            "OnGroundTruthDropped",
            "OnModelVersionApproved",
            "OnScheduleDue",
            "OnUploadArrived",
        )
    },
    "Nightly": {"sqs:SendMessage": "EventBridge Scheduler puts what it could not deliver into the queue of failures"},
    **{role: {"cloudwatch:PutMetricData": _GLUE} for role in ("CompareRows", "PrepareBatch", "PrepareDataset")},
    **{
        role: {"cloudwatch:PutMetricData": _SAGEMAKER, "logs:DescribeLogStreams": _SAGEMAKER}
        for role in ("Export", "Score")
    },
    "SageMaker": {
        "cloudwatch:PutMetricData": _SAGEMAKER,
        "logs:DescribeLogStreams": _SAGEMAKER,
        "s3:DeleteObject": "SageMaker deletes in S3 a checkpoint that the training script has replaced",
    },
    "Endpoint": {
        "cloudwatch:PutMetricData": _SAGEMAKER,
        "logs:DescribeLogStreams": _SAGEMAKER,
        "s3:ListBucket": "SageMaker fetches the model of an endpoint",
    },
    **{role: {"sagemaker:ListTags": _TAGS} for role in ("BatchInference", "Deployment", "Training")},
}

# Roles that people assume for one command, and what that command asks for: tests/contract/test_promotion.py sees the
# commands ask for all of it, and for no more.
OF_PEOPLE: Mapping[str, frozenset[str]] = {
    "ExportVersion": frozenset(
        {"cloudformation:DescribeStacks", "dynamodb:GetItem", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
    ),
    # Reads of the other environment's bucket are granted with that bucket (`takes_from`).
    "ImportVersion": frozenset(
        {
            "cloudformation:DescribeStacks",
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "s3:PutObject",
            "sns:Publish",
            "ssm:GetParameter",
        }
    ),
}

Template = Mapping[str, Any]


def by_services(role: str) -> set[str]:
    """The actions that AWS's own services perform with this role."""
    return {*BY_SERVICES, *BY_SERVICES_FOR.get(role, {})}


def granted(templates: Iterable[Template]) -> dict[str, set[str]]:
    """Role (`RegisterUpload`) → actions that its policies allow."""
    found: dict[str, set[str]] = {}
    for template in templates:
        for name, resource in template["Resources"].items():
            if resource["Type"] != "AWS::IAM::Policy":
                continue
            actions = found.setdefault(re.sub(r"Role(DefaultPolicy)?[0-9A-F]{8}$", "", name), set())
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                action = statement["Action"]
                actions |= {action} if isinstance(action, str) else set(action)
    return found


def used_by_code(templates: Iterable[Template]) -> list[tuple[str, str]]:
    """(role, action), in order, but for what AWS's own services do with a role."""
    grants = granted(templates)
    return sorted((role, action) for role, actions in grants.items() for action in actions - by_services(role))
