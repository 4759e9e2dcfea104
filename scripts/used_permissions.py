"""Which permission of which role a test has used: `python -m scripts.used_permissions cdk.out/assembly-local`.

Writes contracts/permissions.json from what the last end-to-end and API suites saw (build/permissions/*.json: the
embedded AWS decides by the roles' own policies and notes each first time) and from the templates. What no test has used
is in its list `unexercised`, which tests/infra/test_used_permissions.py lets grow by nobody's accident.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "contracts" / "permissions.json"
SEEN = ROOT / "build" / "permissions"

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

# Roles that people assume for one command, and what that command asks for. Not in the record: that is of what the
# platform's own parts did. tests/contract/test_promotion.py sees the commands ask for all of it.
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
    """Role (`RegisterUpload`) → actions that its policies allow. Without the roles of people."""
    found: dict[str, set[str]] = {}
    for template in templates:
        for name, resource in template["Resources"].items():
            if resource["Type"] != "AWS::IAM::Policy":
                continue
            actions = found.setdefault(re.sub(r"Role(DefaultPolicy)?[0-9A-F]{8}$", "", name), set())
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                action = statement["Action"]
                actions |= {action} if isinstance(action, str) else set(action)
    return {role: actions for role, actions in found.items() if role not in OF_PEOPLE}


def record(grants: Mapping[str, set[str]], seen: Iterable[Mapping[str, Mapping[str, str]]]) -> dict[str, Any]:
    """`used`: role → action → the test that used it first. `unexercised`: role → actions that none did."""
    used: dict[str, dict[str, str]] = {}
    for suite in seen:
        for role, actions in suite.items():
            for action in actions.keys() & grants.get(role, set()):
                used.setdefault(role, {}).setdefault(action, actions[action])
    left = {role: sorted(actions - used.get(role, {}).keys() - by_services(role)) for role, actions in grants.items()}
    return {
        "used": {role: dict(sorted(actions.items())) for role, actions in sorted(used.items())},
        "unexercised": {role: actions for role, actions in sorted(left.items()) if actions},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write which permission of which role a test has used.")
    parser.add_argument("assembly", type=Path)
    given = parser.parse_args()
    files = [path for path in sorted(SEEN.glob("*.json")) if ".refused" not in path.name]
    if not files:
        raise SystemExit("No suite has noted anything: make e2e")
    templates = [json.loads(path.read_text()) for path in given.assembly.glob("*.template.json")]
    document = record(granted(templates), [json.loads(path.read_text()) for path in files])
    RECORD.write_text(json.dumps(document, indent=2) + "\n")
    counts = {kind: sum(len(actions) for actions in roles.values()) for kind, roles in document.items()}
    print(f"{counts['used']} permissions used by tests, {counts['unexercised']} by none")


if __name__ == "__main__":
    main()
