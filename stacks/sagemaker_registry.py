"""Where AWS keeps the SageMaker image, in every region: read from the registry that sagemaker-core ships.

The file is read without importing `sagemaker`, whose import takes five seconds and 180 MB; and nothing here imports the
CDK, so that scripts can ask as well.
"""

from __future__ import annotations

import json
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

FRAMEWORK = "xgboost"
VERSION = "3.2-0"


class AwsImage(NamedTuple):
    """AWS's image in one region: the account that holds it, the registry's host name, repository and tag."""

    account: str
    host: str
    repository: str
    tag: str

    @property
    def uri(self) -> str:
        return f"{self.host}/{self.repository}:{self.tag}"


def registry_accounts() -> tuple[str, dict[str, str]]:
    """The image's repository name, and the AWS account that holds it in each region."""
    listed = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{FRAMEWORK}.json")
    release = json.loads(Path(str(listed)).read_text())["training"]["versions"][VERSION]
    return str(release["repository"]), dict(sorted(release["registries"].items()))


def aws_image(region: str) -> AwsImage:
    """The image of that region. Raises LookupError: AWS has none there."""
    repository, accounts = registry_accounts()
    if region not in accounts:
        raise LookupError(f"AWS has no image {repository}:{VERSION} in region {region!r}")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return AwsImage(accounts[region], f"{accounts[region]}.dkr.ecr.{region}.{suffix}", repository, VERSION)
