"""What all stacks of the platform share: how they are named."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.config import EnvironmentConfig

# How CloudFormation calls the roles of the stack Promotion, of whatever environment: after their stack.
PROMOTING_ROLES = "Millrace-*-Promotion-*"


class PlatformStack(cdk.Stack):
    """`Millrace-{environment}-{id}`."""

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id, stack_name=f"Millrace-{config.name}-{id}")
