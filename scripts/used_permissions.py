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
    "sqs:ChangeMessageVisibility": "Lambda takes messages from a queue",
    "sqs:DeleteMessage": "Lambda takes messages from a queue",
    "sqs:ReceiveMessage": "Lambda takes messages from a queue",
    "xray:GetSamplingRules": "traces are sent by Lambda and Step Functions",
    "xray:GetSamplingTargets": "traces are sent by Lambda and Step Functions",
    "xray:PutTelemetryRecords": "traces are sent by Lambda and Step Functions",
    "xray:PutTraceSegments": "traces are sent by Lambda and Step Functions",
}

Template = Mapping[str, Any]


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


def record(grants: Mapping[str, set[str]], seen: Iterable[Mapping[str, Mapping[str, str]]]) -> dict[str, Any]:
    """`used`: role → action → the test that used it first. `unexercised`: role → actions that none did."""
    used: dict[str, dict[str, str]] = {}
    for suite in seen:
        for role, actions in suite.items():
            for action in actions.keys() & grants.get(role, set()):
                used.setdefault(role, {}).setdefault(action, actions[action])
    left = {role: sorted(actions - used.get(role, {}).keys() - BY_SERVICES.keys()) for role, actions in grants.items()}
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
