import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import platform

ASSET_BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"


def a_role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "own", "PolicyDocument": document}] if statements else [],
        },
    }


def allow(actions: str | list[str], resources: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def a_function(asset: str, handler: str, role: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"S3Bucket": {"Fn::Sub": ASSET_BUCKET}, "S3Key": f"{asset}.zip"},
            "Handler": handler,
            "Role": {"Fn::GetAtt": [role, "Arn"]},
            "Runtime": "python3.13",
            "Timeout": 30,
            **properties,
        },
    }


def write_assembly(
    directory: Path,
    stacks: dict[str, dict[str, Any]],
    sources: dict[str, Path] | None = None,
    dependencies: dict[str, list[str]] | None = None,
) -> Path:
    """Write a cloud assembly as CDK does: templates by name, and directories to publish by their asset name."""
    directory.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, Any] = {}
    for name, template in stacks.items():
        (directory / f"{name}.template.json").write_text(json.dumps(template))
        files = {
            f"{name}-template": {
                "source": {"path": f"{name}.template.json", "packaging": "file"},
                "destinations": {"here": {"bucketName": ASSET_BUCKET, "objectKey": template_key(template)}},
            }
        }
        for asset, source in (sources or {}).items():
            files[asset] = {
                "source": {"path": str(source), "packaging": "zip"},
                "destinations": {"here": {"bucketName": ASSET_BUCKET, "objectKey": f"{asset}.zip"}},
            }
        (directory / f"{name}.assets.json").write_text(json.dumps({"version": "36.0.0", "files": files}))
        artifacts[f"{name}.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": f"{name}.assets.json"}}
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "dependencies": [*(dependencies or {}).get(name, []), f"{name}.assets"],
            "properties": {
                "templateFile": f"{name}.template.json",
                "stackTemplateAssetObjectUrl": f"s3://{ASSET_BUCKET}/{template_key(template)}",
            },
        }
    (directory / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))
    return directory


def template_key(template: dict[str, Any]) -> str:
    import hashlib

    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest() + ".json"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[platform.RunningPlatform]:
    """An empty platform for the tests of one module."""
    started = platform.start(tmp_path_factory.mktemp("platform"))
    yield started
    started.stop()


def outputs(running: platform.RunningPlatform, stack: str) -> dict[str, str]:
    described = running.session().client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
