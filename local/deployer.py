"""Deploys a cloud assembly with CloudFormation change sets: to the embedded AWS and to AWS alike."""

import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from local.assembly import AssemblyStack, FileAsset, read_assembly

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

BOOTSTRAP_VERSION = "30"
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
# Every file of an archive gets this time: the archive depends on names, modes and bytes alone.
ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)
FIRST_POLL_SECONDS = 0.02
LONGEST_POLL_SECONDS = 5.0
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
# States in which a stack has no resources and cannot be updated: it is deleted, then created again.
STILLBORN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")


class DeploymentFailed(Exception):
    """A stack did not reach its target state. The message names the resource that failed and why."""


@dataclass(frozen=True)
class DeployedStack:
    """What deploying one stack did: `change` is CREATED, UPDATED or UNCHANGED."""

    name: str
    change: str
    seconds: float


class Deployer:
    """Publishes assets and applies change sets with the credentials, region and endpoint of a boto3 session."""

    def __init__(self, session: boto3.Session) -> None:
        self._cloudformation = session.client("cloudformation")
        self._s3 = session.client("s3")
        self._ssm = session.client("ssm")
        self._region = session.region_name
        self._account_id = session.client("sts").get_caller_identity()["Account"]

    def bootstrap(self, assembly: Path) -> None:
        """Make what `cdk bootstrap` makes and a deployment needs: the asset buckets and the version parameter.

        For the embedded AWS only. An AWS account is bootstrapped with `cdk bootstrap`, which also makes the roles.
        """
        wanted = {self._resolve(asset.bucket) for stack in read_assembly(assembly) for asset in stack.assets}
        existing = {bucket["Name"] for bucket in self._s3.list_buckets()["Buckets"]}
        for bucket in sorted(wanted - existing):
            self._s3.create_bucket(Bucket=bucket)
        self._ssm.put_parameter(Name=BOOTSTRAP_PARAMETER, Value=BOOTSTRAP_VERSION, Type="String", Overwrite=True)

    def deploy(self, assembly: Path, report: Callable[[DeployedStack], None] = lambda _: None) -> list[DeployedStack]:
        """Bring every stack of the assembly to its template, in dependency order. Raises DeploymentFailed."""
        deployed = []
        for stack in read_assembly(assembly):
            started = time.monotonic()
            for asset in stack.assets:
                self._publish(asset)
            change = self._apply(stack)
            deployed.append(DeployedStack(stack.name, change, time.monotonic() - started))
            report(deployed[-1])
        return deployed

    def delete(self, assembly: Path) -> list[str]:
        """Delete every stack of the assembly, dependants first. Returns the names of those that existed."""
        deleted = []
        for stack in reversed(read_assembly(assembly)):
            if self._status(stack.name) is not None:
                self._delete(stack.name)
                deleted.append(stack.name)
        return deleted

    def _resolve(self, text: str) -> str:
        return (
            text.replace("${AWS::AccountId}", self._account_id)
            .replace("${AWS::Region}", self._region)
            .replace("${AWS::Partition}", "aws")
        )

    def _publish(self, asset: FileAsset) -> None:
        """Upload an asset unless its key, which names its content, is there already."""
        bucket, key = self._resolve(asset.bucket), self._resolve(asset.key)
        try:
            self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
        else:
            return
        if asset.is_directory:
            with tempfile.TemporaryFile() as archive:
                write_archive(asset.path, archive)
                archive.seek(0)
                self._s3.upload_fileobj(archive, bucket, key)
        else:
            self._s3.upload_file(str(asset.path), bucket, key)

    def _apply(self, stack: AssemblyStack) -> str:
        status = self._status(stack.name)
        if status in STILLBORN:
            self._delete(stack.name)
            status = None
        is_new = status in (None, "REVIEW_IN_PROGRESS")
        change_set = f"deploy-{time.time_ns()}"
        template = (
            {"TemplateURL": self._template_url(stack.template_url)}
            if stack.template_url
            else {"TemplateBody": stack.template.read_text()}
        )
        try:
            created = self._cloudformation.create_change_set(
                StackName=stack.name,
                ChangeSetName=change_set,
                ChangeSetType="CREATE" if is_new else "UPDATE",
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
                Parameters=[
                    {"ParameterKey": name, "ParameterValue": value} for name, value in stack.parameters.items()
                ],
                Tags=[{"Key": name, "Value": value} for name, value in stack.tags.items()],
                **template,  # type: ignore[arg-type]
            )
        except ClientError as error:
            raise DeploymentFailed(f"{stack.name}: {error.response['Error']['Message']}") from error
        if not self._has_changes(stack.name, created["Id"]):
            return "UNCHANGED"
        started_at = time.time()
        self._cloudformation.execute_change_set(StackName=stack.name, ChangeSetName=created["Id"])
        final = self._wait_until_settled(stack.name)
        if final not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise DeploymentFailed(self._failure(stack.name, final, started_at))
        return "CREATED" if is_new else "UPDATED"

    def _template_url(self, address: str) -> str:
        bucket, _, key = self._resolve(address).removeprefix("s3://").partition("/")
        return f"{self._s3.meta.endpoint_url}/{bucket}/{key}"

    def _has_changes(self, stack_name: str, change_set: str) -> bool:
        """Wait for the change set and say whether it changes anything; an empty one is deleted."""
        for pause in _pauses():
            described = self._cloudformation.describe_change_set(StackName=stack_name, ChangeSetName=change_set)
            if described["Status"] == "CREATE_COMPLETE":
                return True
            if described["Status"] == "FAILED":
                break
            time.sleep(pause)
        reason = described.get("StatusReason", "")
        if not any(text in reason for text in NO_CHANGES):
            raise DeploymentFailed(f"{stack_name}: the change set failed: {reason}")
        self._cloudformation.delete_change_set(StackName=stack_name, ChangeSetName=change_set)
        return False

    def _status(self, stack_name: str) -> str | None:
        try:
            return self._cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["StackStatus"]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise

    def _wait_until_settled(self, stack_name: str) -> str | None:
        for pause in _pauses():
            status = self._status(stack_name)
            if status is None or not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(pause)
        raise AssertionError("the pauses never end")

    def _delete(self, stack_name: str) -> None:
        started_at = time.time()
        self._cloudformation.delete_stack(StackName=stack_name)
        final = self._wait_until_settled(stack_name)
        if final not in (None, "DELETE_COMPLETE"):
            raise DeploymentFailed(self._failure(stack_name, final, started_at))

    def _failure(self, stack_name: str, status: str | None, started_at: float) -> str:
        events = self._cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        # Clocks may differ by a little; events of an earlier deployment are further away.
        recent = [event for event in events if event["Timestamp"].timestamp() > started_at - 1.0]
        return f"{stack_name} ended {status}. {describe_failure(recent)}"


def describe_failure(events: Iterable["StackEventTypeDef"]) -> str:
    """Return the sentence that explains a failed stack: its first failing resource, not those cancelled after it."""
    failed = [
        event
        for event in events
        if event.get("ResourceStatus", "").endswith("_FAILED")
        and "cancelled" not in event.get("ResourceStatusReason", "")
        and event.get("PhysicalResourceId") != event["StackId"]
    ]
    if not failed:
        return "No resource reported a failure."
    first = min(failed, key=lambda event: event["Timestamp"])
    reason = first.get("ResourceStatusReason", "no reason was given")
    return f"{first['ResourceType']} {first['LogicalResourceId']} ({first['ResourceStatus']}): {reason}"


def write_archive(directory: Path, target: IO[bytes]) -> None:
    """Zip a directory so that equal content gives equal bytes, on any machine and at any time."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(_files(directory), key=lambda path: path.relative_to(directory).as_posix()):
            entry = zipfile.ZipInfo(path.relative_to(directory).as_posix(), ARCHIVE_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
            archive.writestr(entry, path.read_bytes())


def _files(directory: Path) -> Iterable[Path]:
    return (path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _pauses() -> Iterable[float]:
    pause = FIRST_POLL_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
