"""What the rule packs find all over the platform and we keep on purpose: each rule once, with the reason.

What is special to one resource is acknowledged beside it (stacks/acknowledge.py). checkov, which reads the finished
templates, has its reasons in `.checkov.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

from stacks.config import EnvironmentConfig

NIST = "NIST.800.53.R5"

ACCEPTED: Mapping[str, str] = {
    "IAMNoInlinePolicy": "Each policy belongs to one role of one function or job and is deployed and removed with it; "
    "a managed policy could be attached elsewhere, and would no longer be least privilege for anybody.",
    "LambdaConcurrency": "Reserved concurrency takes from the account's pool whether it is used or not. What callers "
    "may cause is limited at the API (requests_per_second), and state machines limit their own.",
    "LambdaInsideVPC": "Functions speak to AWS's own endpoints alone, over TLS and by IAM, and to webhooks that an "
    "administrator named; inside a VPC they would need a NAT gateway or an endpoint per service, paid by the hour.",
    "LambdaDLQ": "Functions that events start have a queue for what they could not handle. The others are called "
    "synchronously, by a state machine, the API or a queue: Lambda never sends what those calls failed on anywhere.",
    "DynamoDBInBackupPlan": "The table can go back to any second of the last 35 days by itself (point-in-time "
    "recovery); a plan that copies it elsewhere is an environment's to ask for.",
    "S3BucketLoggingEnabled": "CloudTrail records who read and changed the objects (stacks/audit_stack.py); server "
    "access logs would say the same, later and incompletely.",
    "S3BucketReplicationEnabled": "Buckets are versioned, so nothing is lost that was overwritten or deleted; a copy "
    "in another region doubles the cost of every byte, and is the backup plan's to make.",
}

# Until an environment has a key of its own (`customer_key`).
ACCEPTED_WITHOUT_KEY: Mapping[str, str] = {
    "CloudWatchLogGroupEncrypted": "CloudWatch encrypts logs with a key of its own, and ours hold no rows. "
    "`customer_key` puts a key of the account in its place, for a dollar a month.",
    "S3DefaultEncryptionKMS": "S3 encrypts with AES-256 and keys of its own. `customer_key` puts a key of the account "
    "in their place.",
    "SNSEncryptedKMS": "Messages carry names and reasons, never rows, and CloudWatch alarms cannot publish to a topic "
    "under the AWS managed key. `customer_key` brings a key that lets them.",
}


def accept(stage: IConstruct, config: EnvironmentConfig) -> None:
    """Acknowledge the rules that are accepted all over the platform."""
    for rules in (ACCEPTED, {} if config.customer_key else ACCEPTED_WITHOUT_KEY):
        for rule, reason in rules.items():
            cdk.Validations.of(stage).acknowledge(cdk.Acknowledgment(id=f"{NIST}-{rule}", reason=reason))
