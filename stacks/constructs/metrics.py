"""Permission to publish CloudWatch metrics."""

from __future__ import annotations

from aws_cdk import aws_iam as iam


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
