"""The SageMaker image that jobs and endpoints run in: AWS's, in whichever region, or one of the account's own."""

from __future__ import annotations

import re

import aws_cdk as cdk
from constructs import Construct

from stacks.config import EnvironmentConfig
from stacks.sagemaker_registry import VERSION, registry_accounts

_ECR = re.compile(
    r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)(?::[\w.-]+|@sha256:[0-9a-f]{64})"
)


class TrainingImage(Construct):
    """One image for all algorithms: AWS's, or one of the account's own that was made from it (`job_image`)."""

    def __init__(self, scope: Construct, id: str, *, config: EnvironmentConfig) -> None:
        super().__init__(scope, id)
        self.uri, self.repository_arn = _own(config.job_image) if config.job_image else self._of_aws()

    def _of_aws(self) -> tuple[str, str]:
        """The template carries the map of its addresses, so it deploys in any region as it is."""
        repository, accounts = registry_accounts()
        registry = cdk.CfnMapping(
            self, "Registry", mapping={region: {"Account": account} for region, account in accounts.items()}
        )
        account = registry.find_in_map(cdk.Aws.REGION, "Account")
        uri = f"{account}.dkr.ecr.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}/{repository}:{VERSION}"
        return uri, f"arn:{cdk.Aws.PARTITION}:ecr:{cdk.Aws.REGION}:{account}:repository/{repository}"


def _own(uri: str) -> tuple[str, str]:
    """Its address and its repository's ARN. Raises ValueError for what is no image of ECR with a tag or a digest."""
    found = _ECR.fullmatch(uri)
    if found is None:
        raise ValueError(f"job_image is {uri!r}, and must be like 123456789012.dkr.ecr.eu-west-1.amazonaws.com/jobs:1")
    account, region, repository = found.groups()
    return uri, f"arn:{cdk.Aws.PARTITION}:ecr:{region}:{account}:repository/{repository}"
