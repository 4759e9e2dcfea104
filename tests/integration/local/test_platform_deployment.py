import hashlib
import io
import json
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from conftest import a_function, a_role, outputs, write_assembly

from local import platform
from local.assembly import AssemblyInvalid, read_assembly
from local.deployer import Deployer, DeploymentFailed, write_archive

BUCKET = {"Resources": {"Data": {"Type": "AWS::S3::Bucket"}}, "Outputs": {"Name": {"Value": {"Ref": "Data"}}}}


def a_topic(**properties: Any) -> dict[str, Any]:
    return {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": properties}}}


def test_a_stack_is_created_then_left_alone_then_updated(running: platform.RunningPlatform, tmp_path: Path) -> None:
    deployer = Deployer(running.session())
    first = write_assembly(tmp_path / "first", {"Topics": a_topic(DisplayName="one")})
    second = write_assembly(tmp_path / "second", {"Topics": a_topic(DisplayName="two")})
    deployer.bootstrap(first)

    assert [stack.change for stack in deployer.deploy(first)] == ["CREATED"]
    assert [stack.change for stack in deployer.deploy(first)] == ["UNCHANGED"]
    assert [stack.change for stack in deployer.deploy(second)] == ["UPDATED"]
    topic = next(t for t in running.session().client("sns").list_topics()["Topics"] if "Topics" in t["TopicArn"])
    attributes = running.session().client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
    assert attributes["DisplayName"] == "two"


def test_a_stack_is_deployed_after_the_stack_it_imports_from_and_deleted_before_it(
    running: platform.RunningPlatform, tmp_path: Path
) -> None:
    exporter = {
        **BUCKET,
        "Outputs": {"Name": {"Value": {"Ref": "Data"}, "Export": {"Name": "shared-bucket"}}},
    }
    importer = {
        "Resources": {
            "Note": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Name": "/imported", "Value": {"Fn::ImportValue": "shared-bucket"}},
            }
        }
    }
    assembly = write_assembly(
        tmp_path / "out", {"Importer": importer, "Exporter": exporter}, dependencies={"Importer": ["Exporter"]}
    )
    deployer = Deployer(running.session())
    deployer.bootstrap(assembly)

    assert [stack.name for stack in deployer.deploy(assembly)] == ["Exporter", "Importer"]
    value = running.session().client("ssm").get_parameter(Name="/imported")["Parameter"]["Value"]
    assert value == outputs(running, "Exporter")["Name"]
    assert deployer.delete(assembly) == ["Importer", "Exporter"]
    assert deployer.delete(assembly) == []


def test_a_failed_stack_names_the_resource_and_its_reason_and_can_be_deployed_once_repaired(
    running: platform.RunningPlatform, tmp_path: Path
) -> None:
    broken = {
        "Resources": {
            "Function": a_function("no-such-asset", "index.handler", "Role"),
            "Role": a_role("lambda"),
        }
    }
    deployer = Deployer(running.session())
    assembly = write_assembly(tmp_path / "broken", {"Fragile": broken})
    deployer.bootstrap(assembly)

    with pytest.raises(DeploymentFailed, match=r"(?s)Fragile.*AWS::Lambda::Function Function.*no-such-asset"):
        deployer.deploy(assembly)
    repaired = write_assembly(tmp_path / "repaired", {"Fragile": a_topic()})
    assert [stack.change for stack in deployer.deploy(repaired)] == ["CREATED"]


def test_an_unknown_resource_type_is_refused_by_name(running: platform.RunningPlatform, tmp_path: Path) -> None:
    assembly = write_assembly(tmp_path / "out", {"Odd": {"Resources": {"Thing": {"Type": "AWS::No::Such"}}}})
    deployer = Deployer(running.session())
    deployer.bootstrap(assembly)

    with pytest.raises(DeploymentFailed, match="AWS::No::Such"):
        deployer.deploy(assembly)


def test_a_resource_that_does_nothing_here_is_listed_in_the_status_and_logged(
    running: platform.RunningPlatform, tmp_path: Path
) -> None:
    budget = {"Type": "AWS::Budgets::Budget", "Properties": {"Budget": {"BudgetType": "COST", "TimeUnit": "MONTHLY"}}}
    running.deploy(write_assembly(tmp_path / "out", {"Spending": {"Resources": {"Monthly": budget}}}))

    listed = platform.describe(running.state_dir)["no_op_resources"]
    assert {"stack": "Spending", "name": "Monthly", "type": "AWS::Budgets::Budget"} in listed
    assert "AWS::Budgets::Budget Monthly in Spending is accepted and does nothing" in running.log_file.read_text()


def test_a_bucket_with_tls_policy_accepts_objects_and_is_emptied_and_deleted_with_its_stack(
    running: platform.RunningPlatform, tmp_path: Path
) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": {"Fn::Sub": "${Data.Arn}/*"},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    template = {
        "Resources": {
            "Data": {
                "Type": "AWS::S3::Bucket",
                "Properties": {"VersioningConfiguration": {"Status": "Enabled"}},
            },
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Data"}, "PolicyDocument": {"Statement": [deny]}},
            },
            "Empty": {
                "Type": "Custom::S3AutoDeleteObjects",
                "DependsOn": "Policy",
                "Properties": {"ServiceToken": "arn:aws:lambda:::function:none", "BucketName": {"Ref": "Data"}},
            },
        },
        "Outputs": {"Name": {"Value": {"Ref": "Data"}}},
    }
    assembly = write_assembly(tmp_path / "out", {"Stored": template})
    running.deploy(assembly)
    bucket = outputs(running, "Stored")["Name"]
    s3 = client_of_a_user(running, "writer", ["s3:PutObject", "s3:DeleteObject"], bucket)
    for body in (b"one", b"two"):
        s3.put_object(Bucket=bucket, Key="kept/key", Body=body)
    s3.delete_object(Bucket=bucket, Key="kept/key")

    with pytest.raises(ClientError, match="not authorized to perform: s3:GetObject"):
        s3.get_object(Bucket=bucket, Key="kept/key")

    Deployer(running.session()).delete(assembly)

    assert bucket not in [found["Name"] for found in running.session().client("s3").list_buckets()["Buckets"]]


def client_of_a_user(running: platform.RunningPlatform, name: str, actions: list[str], bucket: str) -> Any:
    """An S3 client that is not the account's root, which no policy binds."""
    iam = running.session().client("iam")
    iam.create_user(UserName=name)
    document = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}/*"}]}
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "s3",
        endpoint_url=running.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def test_equal_directories_give_equal_archives_whatever_their_times_and_caches(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        source = tmp_path / name
        (source / "package").mkdir(parents=True)
        (source / "package" / "b.py").write_text("b")
        (source / "a.py").write_text("a")
        (source / "__pycache__").mkdir()
        (source / "__pycache__" / f"{name}.pyc").write_bytes(name.encode())
        time.sleep(0.02)
        archive = io.BytesIO()
        write_archive(source, archive)
        digests.append(hashlib.sha256(archive.getvalue()).hexdigest())

    assert digests[0] == digests[1]


def test_what_is_not_an_assembly_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(AssemblyInvalid, match="Synthesise first"):
        read_assembly(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    with pytest.raises(AssemblyInvalid, match="no stacks"):
        read_assembly(tmp_path)


def test_assemblies_whose_stacks_depend_on_each_other_are_refused(tmp_path: Path) -> None:
    write_assembly(tmp_path, {"A": BUCKET, "B": BUCKET}, dependencies={"A": ["B"], "B": ["A"]})
    with pytest.raises(AssemblyInvalid, match="depend on each other"):
        read_assembly(tmp_path)
