"""Where AWS keeps the SageMaker image, in every region: read from the registry that sagemaker-core ships.

The file is read without importing `sagemaker`, whose import takes five seconds and 180 MB.
"""

from __future__ import annotations

import json
from importlib.metadata import distribution
from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

FRAMEWORK = "xgboost"
VERSION = "3.2-0"


def registry_accounts() -> tuple[str, dict[str, str]]:
    """The image's repository name, and the AWS account that holds it in each region."""
    listed = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{FRAMEWORK}.json")
    release = json.loads(Path(str(listed)).read_text())["training"]["versions"][VERSION]
    return str(release["repository"]), dict(sorted(release["registries"].items()))


class TrainingImage(Construct):
    """One image for all algorithms. The template carries the map, so it deploys in any region as it is."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        repository, accounts = registry_accounts()
        registry = cdk.CfnMapping(
            self, "Registry", mapping={region: {"Account": account} for region, account in accounts.items()}
        )
        account = registry.find_in_map(cdk.Aws.REGION, "Account")
        self.uri = f"{account}.dkr.ecr.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}/{repository}:{VERSION}"
        self.repository_arn = f"arn:{cdk.Aws.PARTITION}:ecr:{cdk.Aws.REGION}:{account}:repository/{repository}"
