"""What an environment costs in a month in which nobody uses it: `python -m scripts.idle_cost [environment] [assembly]`.

List prices of us-east-1 as known in 2026-11; no bill was ever seen (docs/not-verified.md). Storage is left out: it is
paid by what is kept, and nothing is at first.
A resource type that has no entry here is an error, so that whoever adds one says what it costs.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from millrace.domain.cost import (
    HOME_REGION,
    PRICES_OF,
    USD_PER_GB_SECOND,
    USD_PER_HOUR,
    USD_PER_INVOCATION,
    USD_PER_TRANSITION,
)

ROOT = Path(__file__).resolve().parents[1]
MILLION = 1_000_000


class Price(NamedTuple):
    """US dollars a month for each resource beyond the first `free` of an account, and what one pays for."""

    usd: float
    why: str
    free: int = 0


class Line(NamedTuple):
    kind: str
    number: int
    usd: float
    why: str


_REQUESTS = Price(0.0, "by request")
_NOTHING = Price(0.0, "nothing")
# A poller asks its queue all the time: 5 of them, each answered after at most 20 s (docs.aws.amazon.com/lambda,
# "Using Lambda with Amazon SQS"), are 648,000 requests in 30 days, of which an account has a million free;
# beyond that a million costs 0.40 USD.
_POLLING = Price(0.648 * 0.40, "the queue is asked all the time; one of them is within the free million", free=1)

PRICES: Mapping[str, Price] = {
    "AWS::ApiGatewayV2::Api": _REQUESTS,
    "AWS::ApiGatewayV2::Authorizer": _NOTHING,
    "AWS::ApiGatewayV2::Integration": _NOTHING,
    "AWS::ApiGatewayV2::Route": _NOTHING,
    "AWS::ApiGatewayV2::Stage": _NOTHING,
    "AWS::Backup::BackupPlan": _NOTHING,
    "AWS::Backup::BackupSelection": _NOTHING,
    "AWS::Backup::BackupVault": Price(0.0, "by what is kept: 0.05 a GB"),
    "AWS::Budgets::Budget": Price(0.0, "budgets without actions are free"),
    "AWS::CloudFront::Distribution": _REQUESTS,
    "AWS::CloudFront::Function": _REQUESTS,
    "AWS::CloudFront::OriginAccessControl": _NOTHING,
    "AWS::CloudFront::ResponseHeadersPolicy": _NOTHING,
    "AWS::CloudWatch::Alarm": Price(0.10, "a metric watched each minute or slower", free=10),
    "AWS::CloudWatch::CompositeAlarm": Price(0.50, "an alarm on other alarms"),
    "AWS::CloudWatch::Dashboard": Price(3.0, "a dashboard", free=3),
    "AWS::CloudTrail::Trail": Price(0.0, "by data event"),
    "AWS::Cognito::ManagedLoginBranding": _NOTHING,
    "AWS::Cognito::UserPool": Price(0.0, "by monthly user"),
    "AWS::Cognito::UserPoolClient": Price(0.0, "by token of a machine"),
    "AWS::Cognito::UserPoolDomain": _NOTHING,
    "AWS::Cognito::UserPoolGroup": _NOTHING,
    "AWS::Cognito::UserPoolResourceServer": _NOTHING,
    "AWS::DynamoDB::Table": Price(0.0, "on demand: by request, and by what is kept"),
    "AWS::Events::EventBus": Price(0.0, "by event"),
    "AWS::Events::Rule": _NOTHING,
    "AWS::Glue::Job": Price(0.0, "by second of a run"),
    "AWS::IAM::Policy": _NOTHING,
    "AWS::IAM::Role": _NOTHING,
    "AWS::Lambda::EventInvokeConfig": _NOTHING,
    "AWS::Lambda::EventSourceMapping": _POLLING,
    "AWS::Lambda::Function": Price(0.0, "by millisecond of an invocation"),
    "AWS::Lambda::Permission": _NOTHING,
    "AWS::Logs::LogGroup": Price(0.0, "by what is written and kept"),
    "AWS::Logs::QueryDefinition": Price(0.0, "by what a query reads"),
    "AWS::S3::Bucket": Price(0.0, "by what is kept"),
    "AWS::S3::BucketPolicy": _NOTHING,
    "AWS::SNS::Subscription": _NOTHING,
    "AWS::SNS::Topic": Price(0.0, "by message"),
    "AWS::SNS::TopicPolicy": _NOTHING,
    "AWS::SQS::Queue": _REQUESTS,
    "AWS::SQS::QueuePolicy": _NOTHING,
    "AWS::Scheduler::Schedule": Price(0.0, "by invocation, of which 14 million are free"),
    "AWS::Scheduler::ScheduleGroup": _NOTHING,
    "AWS::SSM::Parameter": Price(0.0, "standard parameters are free"),
    "AWS::StepFunctions::StateMachine": Price(0.0, "by transition"),
    "Custom::PublishedSite": _NOTHING,
    "Custom::S3AutoDeleteObjects": _NOTHING,
}

# What use costs beside the machines of jobs: US dollars, and for how much.
OF_USE: Mapping[str, tuple[float, str]] = {
    "Lambda, arm64": (USD_PER_GB_SECOND * MILLION, "a million GB-seconds"),
    "Lambda, requests": (USD_PER_INVOCATION * MILLION, "a million"),
    "Lambda, kept started (`warm_predictions`)": (3.33, "a million GB-seconds"),
    "Step Functions, transitions": (USD_PER_TRANSITION * MILLION, "a million"),
    "API Gateway, requests": (1.0, "a million"),
    "EventBridge, the platform's events": (1.0, "a million"),
    "SQS, requests": (0.40, "a million"),
    "DynamoDB, writes": (0.625, "a million of 1 KB"),
    "DynamoDB, reads": (0.125, "a million of 4 KB"),
    "DynamoDB, kept": (0.25, "a GB a month"),
    "DynamoDB, point-in-time recovery": (0.20, "a GB a month"),
    "S3, kept": (0.023, "a GB a month"),
    "S3, writes": (5.0, "a million"),
    "S3, reads": (0.40, "a million"),
    "CloudWatch, logs written": (0.50, "a GB"),
    "CloudWatch, logs kept": (0.03, "a GB a month"),
    "CloudWatch, logs asked": (0.005, "a GB that a query reads"),
    "CloudTrail, data events": (1.0, "a million"),
    "X-Ray, traces": (5.0, "a million"),
    "SageMaker, serverless endpoint of 3 GB": (0.216, "an hour of answering"),
    "VPC, interface endpoint": (7.30, "a month in a zone"),
    "KMS, key of one's own": (1.0, "a month"),
    "AWS Backup, objects": (0.05, "a GB a month"),
}


def idle_cost(assembly: Path, environment: str) -> list[Line]:
    """A line for each resource type, the dearest first. Raises LookupError: a type has no price."""
    counts: Counter[str] = Counter()
    for path in (assembly / f"assembly-{environment}").glob("*.template.json"):
        counts.update(resource["Type"] for resource in json.loads(path.read_text())["Resources"].values())
    unknown = sorted(counts.keys() - PRICES.keys())
    if unknown:
        raise LookupError(f"no price for {', '.join(unknown)}: add it to scripts/idle_cost.py")
    lines = [_line(kind, count) for kind, count in counts.items()]
    return sorted(lines, key=lambda line: (-line.usd, line.kind))


def table(lines: list[Line]) -> str:
    rows = [f"| {line.kind} | {line.number} | {line.usd:.2f} | {line.why} |" for line in lines]
    total = sum(line.usd for line in lines)
    return "\n".join(
        [
            "| resource | how many | USD a month | paid |",
            "|---|---|---|---|",
            *rows,
            f"| **together** | | **{total:.2f}** | |",
        ]
    )


def price_table() -> str:
    """What a machine-hour of a job costs, by region."""
    regions = list(USD_PER_HOUR)
    machines = USD_PER_HOUR[HOME_REGION]
    rows = [
        f"| {machine} | {' | '.join(f'{USD_PER_HOUR[region][machine]:.3f}' for region in regions)} |"
        for machine in machines
    ]
    return "\n".join([f"| USD an hour, {PRICES_OF} | {' | '.join(regions)} |", f"|---|{'---|' * len(regions)}", *rows])


def use_table() -> str:
    rows = [f"| {what} | {usd:.4g} | {per} |" for what, (usd, per) in OF_USE.items()]
    return "\n".join([f"| of use, {HOME_REGION}, {PRICES_OF} | USD | for |", "|---|---|---|", *rows])


def _line(kind: str, count: int) -> Line:
    price = PRICES[kind]
    return Line(kind, count, price.usd * max(0, count - price.free), price.why)


def main() -> None:
    parser = argparse.ArgumentParser(description="Print what an environment costs while idle.")
    parser.add_argument("environment", nargs="?", default="dev")
    parser.add_argument("assembly", nargs="?", type=Path, default=ROOT / "cdk.out")
    given = parser.parse_args()
    print(table(idle_cost(given.assembly, given.environment)))
    print(f"\n{price_table()}\n\n{use_table()}")


if __name__ == "__main__":
    main()
