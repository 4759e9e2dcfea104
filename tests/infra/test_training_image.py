"""The SageMaker image: its address in every region."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from conftest import Platform

from stacks.sagemaker_registry import aws_image, registry_accounts
from stacks.training_image import _own

KNOWN = {"us-east-1": "683313688378", "eu-west-1": "141502667606", "cn-north-1": "450853457545"}


def test_every_region_has_an_account() -> None:
    repository, accounts = registry_accounts()

    assert repository == "sagemaker-xgboost"
    assert len(accounts) >= 37
    assert accounts.items() >= KNOWN.items()
    assert [account for account in accounts.values() if not re.fullmatch(r"\d{12}", account)] == []


@pytest.mark.parametrize(
    ("region", "suffix", "uri"),
    [
        ("us-east-1", "amazonaws.com", "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"),
        ("cn-north-1", "amazonaws.com.cn", "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.2-0"),
    ],
)
def test_the_template_finds_the_image_wherever_it_is_deployed(
    region: str, suffix: str, uri: str, prod: Platform
) -> None:
    pseudo = {"AWS::Region": region, "AWS::URLSuffix": suffix}

    def resolved(value: Any) -> str:
        if isinstance(value, str):
            return value
        ((function, argument),) = value.items()
        if function == "Ref":
            return pseudo[argument]
        if function == "Fn::FindInMap":
            table, row, column = argument
            return str(prod.templates["Training"]["Mappings"][table][resolved(row)][column])
        assert function == "Fn::Join"
        return str(argument[0].join(resolved(part) for part in argument[1]))

    assert resolved(prod.outputs()["TrainingImage"]) == uri
    assert aws_image(region).uri == uri


def test_a_region_without_the_image_is_named() -> None:
    with pytest.raises(LookupError, match=r"no image sagemaker-xgboost:3\.2-0 in region 'mars-north-1'"):
        aws_image("mars-north-1")


def test_an_image_of_ones_own_is_named_by_digest_or_by_tag() -> None:
    repository = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/millrace-jobs"

    for uri in (f"{repository}@sha256:{'0' * 64}", f"{repository}:3.2-0-0123456789ab"):
        named, arn = _own(uri)
        assert named == uri
        assert arn.endswith(":ecr:eu-west-1:123456789012:repository/millrace-jobs")


def test_reading_the_registry_imports_neither_sagemaker_nor_the_cdk() -> None:
    program = (
        "import sys; from stacks.sagemaker_registry import registry_accounts; registry_accounts(); "
        "print([name for name in sys.modules if name.startswith(('sagemaker', 'pandas', 'aws_cdk'))])"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
