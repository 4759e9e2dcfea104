"""What cdk-nag finds and we keep on purpose: each finding is acknowledged beside its resource, with the reason."""

from __future__ import annotations

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Record that `findings` are meant, on this construct and below it.

    A finding is a cdk-nag id of the pack AwsSolutions without its name, or one of NIST 800-53 with it.
    """
    cdk.Validations.of(construct).acknowledge(
        *(
            cdk.Acknowledgment(
                id=_deployed(finding if finding.startswith("NIST.") else f"AwsSolutions-{finding}", construct),
                reason=reason,
            )
            for finding in findings
        )
    )


def acknowledge_wildcard(grantee: iam.IGrantable, reason: str, *resources: str) -> None:
    """Record that the grantee's role may use `resources`, written as in the template, with its references resolved."""
    role = cast(iam.Role, grantee.grant_principal)
    acknowledge(role, reason, *(f"IAM5[Resource::{resource}]" for resource in resources))


def _deployed(finding: str, construct: IConstruct) -> str:
    """The finding with the region and account of an environment that names them."""
    stack = cdk.Stack.of(construct)
    for reference, value in (("<AWS::Region>", stack.region), ("<AWS::AccountId>", stack.account)):
        if not cdk.Token.is_unresolved(value):
            finding = finding.replace(reference, value)
    return finding


def exported_name(value: str, stack: cdk.Stack) -> str:
    """The name under which `stack` exports one of its values: how a finding in another stack calls it."""
    return str(stack.resolve(stack.export_value(value))["Fn::ImportValue"])
