"""What cdk-nag finds and we keep on purpose: each finding is acknowledged beside its resource, with the reason."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reason: str, *findings: str) -> None:
    """Record that `findings` (cdk-nag ids without the pack's name) are meant, on this construct and below it."""
    cdk.Validations.of(construct).acknowledge(
        *(cdk.Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason) for finding in findings)
    )
