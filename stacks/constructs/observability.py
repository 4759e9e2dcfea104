"""Permission to write metrics and logs, for roles of jobs whose service names the log groups."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from stacks.acknowledge import acknowledge_wildcard


def may_publish_metrics(grantee: iam.IGrantable, *namespaces: str) -> None:
    """CloudWatch has no resource to name here; the namespace is what can be limited.

    `IfExists`, because the embedded AWS does not know the key; CloudWatch itself always sends it.
    """
    iam.Grant.add_to_principal(
        grantee=grantee,
        actions=["cloudwatch:PutMetricData"],
        resource_arns=["*"],
        conditions={"StringEqualsIfExists": {"cloudwatch:namespace": list(namespaces)}},
    )
    acknowledge_wildcard(grantee, "PutMetricData has no resource; the namespace is limited instead.", "*")


def may_write_logs(role: iam.Role, prefix: str, *, find_streams: bool = False) -> None:
    """Create log groups below `prefix`, for example `/aws-glue/`, and write to them: what AWS lists for a job's role.

    `find_streams`: SageMaker looks for the streams of a job that it starts again; Glue does not.
    """
    groups = cdk.Stack.of(role).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{prefix}*",
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    if find_streams:
        actions.append("logs:DescribeLogStreams")
    role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[groups]))
    acknowledge_wildcard(
        role,
        "The service names the log groups and streams of its jobs.",
        f"arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:{prefix}*",
    )


def may_read_logs(grantee: iam.IGrantable, *prefixes: str) -> None:
    """Find and read the streams of the log groups below `prefixes`."""
    stack = cdk.Stack.of(cast(iam.Role, grantee.grant_principal))
    for prefix in prefixes:
        groups = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{prefix}*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        actions = ["logs:DescribeLogStreams", "logs:GetLogEvents"]
        iam.Grant.add_to_principal(grantee=grantee, actions=actions, resource_arns=[groups])
        acknowledge_wildcard(
            grantee,
            "The service names the log groups and streams of its jobs.",
            f"arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:{prefix}*",
        )
