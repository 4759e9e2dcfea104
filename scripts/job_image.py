"""The image of one's own that jobs and endpoints may run in: `python -m scripts.job_image dev`.

Builds containers/jobs/Dockerfile on AWS's image, pushes it to a repository of the account, waits for its scan, and ends
with the address to write as `job_image` in stacks/config.py. It changes no environment: a commit does
(docs/adr/0016-the-job-image-comes-by-a-commit.md).

The tag is made of what the image is made of, and tags are immutable there: what was built is never built again, and
Docker is needed only where there is something to build. What happens is told on stderr; the result, which is Markdown
for the summary of a run on GitHub, goes to stdout.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import app
from stacks.sagemaker_registry import VERSION, AwsImage, aws_image

# A command and what it is given on its stdin → its stdout.
Run = Callable[[Sequence[str], str], str]

DOCKERFILE = Path(__file__).resolve().parents[1] / "containers" / "jobs" / "Dockerfile"
REPOSITORY = "millrace-jobs"
# As botocore's model of ECR has it.
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
# SageMaker refuses manifests of OCI's types, which is what Docker pushes by itself by now.
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
# Inspector has a first look after minutes.
SCAN_LOOKS = 90
SECONDS_BETWEEN_LOOKS = 10.0
NO_SCAN_COMES = {
    "FAILED",
    "UNSUPPORTED_IMAGE",
    "SCAN_ELIGIBILITY_EXPIRED",
    "FINDINGS_UNAVAILABLE",
    "LIMIT_EXCEEDED",
    "IMAGE_ARCHIVED",
}
NAMED_FINDINGS = 20


class ImageRefused(Exception):
    """There is no image that an environment should name; the message says why, and what to do."""


class Target(NamedTuple):
    """Where the image goes: the environment's region, and a repository there."""

    region: str
    repository: str


class Pushed(NamedTuple):
    """An image in its repository."""

    uri: str
    tag: str
    digest: str

    @property
    def address(self) -> str:
        """By digest: what a tag means is for its repository to say."""
        return f"{self.uri}@{self.digest}"


def tag_of(dockerfile: str, base: str) -> str:
    """Of AWS's version, and of what the image is made of: the Dockerfile, and AWS's image by its digest."""
    _, _, digest = base.partition("@")
    return f"{VERSION}-{hashlib.sha256(f'{digest} {dockerfile}'.encode()).hexdigest()[:12]}"


def build_command(tagged: str, *, base: str, revision: str) -> list[str]:
    """The Dockerfile comes on stdin and there is no context, so no file of the checkout can get into the image."""
    return [
        *("docker", "buildx", "build"),
        *("--platform", "linux/amd64"),
        *("--build-arg", f"BASE={base}"),
        *("--build-arg", f"REVISION={revision}"),
        # With a statement of provenance the tag would name an index, which neither SageMaker nor every scan reads.
        "--provenance=false",
        *("--output", "type=image,push=true,oci-mediatypes=false"),
        *("--tag", tagged),
        "-",
    ]


def make(target: Target, dockerfile: str, *, fail_on: str, ecr: Any, run: Run, sleep: Callable[[float], None]) -> str:
    """Returns what to tell people. Raises ImageRefused."""
    base = _base(ecr, aws_image(target.region))
    uri = _repository(ecr, target.repository)
    tag = tag_of(dockerfile, base)
    image = _find(ecr, uri, target.repository, tag)
    if image is None:
        _say(f"{target.repository}:{tag} is built on {base}")
        _build(f"{uri}:{tag}", dockerfile, base=base, ecr=ecr, run=run)
        image = _find(ecr, uri, target.repository, tag)
        if image is None:
            raise ImageRefused(f"it was built, and {uri}:{tag} is not there: see what Docker said")
    else:
        _say(f"{target.repository}:{tag} is there already")
    _say("waiting for its scan")
    counts = _accepted(_scan(ecr, target.repository, image, sleep), image, fail_on)
    found = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts.get(severity))
    return f"`{image.address}`\n\nTag `{tag}`, made of `{base}`. Its scan found {found or 'nothing'}."


def _base(ecr: Any, image: AwsImage) -> str:
    """AWS's image by its digest: AWS moves the tag when it patches."""
    answer = ecr.batch_get_image(
        registryId=image.account, repositoryName=image.repository, imageIds=[{"imageTag": image.tag}]
    )
    if not answer["images"]:
        raise ImageRefused(f"AWS does not give {image.uri}: {answer['failures']}")
    return f"{image.host}/{image.repository}@{answer['images'][0]['imageId']['imageDigest']}"


def _repository(ecr: Any, name: str) -> str:
    """Its address; made if it is not there. What somebody else has made is not changed, and must keep its tags."""
    try:
        (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    except ecr.exceptions.RepositoryNotFoundException:
        _say(f"the repository {name} is made")
        found = ecr.create_repository(
            repositoryName=name,
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
            encryptionConfiguration={"encryptionType": "AES256"},
        )["repository"]
    if found["imageTagMutability"] != "IMMUTABLE":
        raise ImageRefused(
            f"tags of the repository {name} can be moved: aws ecr put-image-tag-mutability --repository-name {name} "
            "--image-tag-mutability IMMUTABLE"
        )
    return str(found["repositoryUri"])


def _find(ecr: Any, uri: str, repository: str, tag: str) -> Pushed | None:
    """None: nobody has built it. Raises ImageRefused for one that SageMaker cannot read."""
    try:
        (found,) = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException:
        return None
    if found["imageManifestMediaType"] != MANIFEST:
        raise ImageRefused(
            f"{uri}:{tag} was pushed as {found['imageManifestMediaType']}, and SageMaker reads {MANIFEST} alone: "
            "delete it, and build it with another Docker"
        )
    return Pushed(uri, tag, found["imageDigest"])


def _build(tagged: str, dockerfile: str, *, base: str, ecr: Any, run: Run) -> None:
    run(["docker", "version"], "")
    run(["docker", "buildx", "version"], "")
    # The commit, and whether the checkout differs from it.
    revision = run(["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"], "").strip()
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    for reference in (base, tagged):
        # One token opens every registry that the credentials may read. On stdin: a process's arguments are no secret.
        run(["docker", "login", "--username", user, "--password-stdin", reference.partition("/")[0]], password)
    run(build_command(tagged, base=base, revision=revision), dockerfile)


def _scan(ecr: Any, repository: str, image: Pushed, sleep: Callable[[float], None]) -> Mapping[str, Any]:
    """What ECR, or Inspector in its place, has found. Raises ImageRefused: there is no scan to go by."""
    for _ in range(SCAN_LOOKS):
        try:
            answer: Mapping[str, Any] = ecr.describe_image_scan_findings(
                repositoryName=repository, imageId={"imageDigest": image.digest}, maxResults=1000
            )
        except ecr.exceptions.ScanNotFoundException:
            _say("its scan has not begun")
        else:
            status = answer["imageScanStatus"]["status"]
            if status in NO_SCAN_COMES:
                said = answer["imageScanStatus"].get("description", "no reason was given")
                raise ImageRefused(f"{image.address} has no scan: {status}, {said}")
            # Inspector goes on looking: ACTIVE, with the time of its last look once there was one.
            if status == "COMPLETE" or "imageScanCompletedAt" in answer.get("imageScanFindings", {}):
                found: Mapping[str, Any] = answer["imageScanFindings"]
                return found
        sleep(SECONDS_BETWEEN_LOOKS)
    minutes = SCAN_LOOKS * SECONDS_BETWEEN_LOOKS / 60
    raise ImageRefused(
        f"{image.address} has no scan after {minutes:.0f} minutes. Does its repository scan what is pushed? aws ecr "
        f"start-image-scan --repository-name {repository} --image-id imageDigest={image.digest}, then make it again"
    )


def _accepted(found: Mapping[str, Any], image: Pushed, fail_on: str) -> Mapping[str, int]:
    """How many findings of each severity. Raises ImageRefused when there is one of `fail_on` or worse."""
    refused = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    counts: Mapping[str, int] = found.get("findingSeverityCounts", {})
    number = sum(counts.get(severity, 0) for severity in refused)
    if number:
        named = "\n".join(list(_names(found, refused))[:NAMED_FINDINGS])
        raise ImageRefused(
            f"{image.address} has {number} findings of {' or '.join(refused)}. If there are patches for them, write a "
            f"later day into {DOCKERFILE.relative_to(DOCKERFILE.parents[2])}.\n{named}"
        )
    return counts


def _names(found: Mapping[str, Any], severities: Sequence[str]) -> Iterator[str]:
    """ECR's own scan and Inspector tell the same in two forms."""
    for finding in found.get("findings", []):
        if finding["severity"] in severities:
            attributes = {each["key"]: each["value"] for each in finding.get("attributes", [])}
            yield f"{finding['severity']} {finding['name']} in {attributes.get('package_name', 'an unnamed package')}"
    for finding in found.get("enhancedFindings", []):
        if finding["severity"] in severities:
            details = finding.get("packageVulnerabilityDetails", {})
            packages = ", ".join(package["name"] for package in details.get("vulnerablePackages", []))
            yield f"{finding['severity']} {details.get('vulnerabilityId', finding.get('title'))} in {packages}"


def started(command: Sequence[str], given: str) -> str:
    """Its stdout; what it says on stderr is shown as it comes. Raises ImageRefused."""
    try:
        done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)
    except FileNotFoundError:
        raise ImageRefused(f"{command[0]} is needed to build the image, and is not on this machine") from None
    except subprocess.CalledProcessError as error:
        name = " ".join(command[: 3 if command[1] == "buildx" else 2])
        raise ImageRefused(f"`{name}` ended with {error.returncode}; what it said is above") from None
    return done.stdout


def region_of(name: str, given: str | None, account: str | None, session: boto3.Session) -> str:
    """Where the environment is. Raises ImageRefused: nothing says where, or the credentials are of another account."""
    region = given or session.region_name
    if region is None:
        raise ImageRefused(f"nothing says in which region {name} is: set AWS_DEFAULT_REGION")
    if account is not None:
        mine = session.client("sts", region_name=region).get_caller_identity()["Account"]
        if mine != account:
            raise ImageRefused(f"{name} is in account {account}, and the credentials are of {mine}")
    return region


def repository_name(text: str) -> str:
    if not _REPOSITORY.fullmatch(text) or not 2 <= len(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a repository: small letters, digits and . _ - /")
    return text


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    app.choose_node()
    from stacks.config import ENVIRONMENTS

    parser = argparse.ArgumentParser(prog="make image", description="The image of one's own that jobs may run in.")
    parser.add_argument("environment", choices=ENVIRONMENTS)
    parser.add_argument("--repository", type=repository_name, default=REPOSITORY)
    parser.add_argument(
        "--fail-on", choices=SEVERITIES[:4], default="CRITICAL", help="the least severity that is refused"
    )
    arguments = parser.parse_args(argv)
    config = ENVIRONMENTS[arguments.environment]
    try:
        session = boto3.Session()
        region = region_of(config.name, config.region, config.account, session)
        told = make(
            Target(region, arguments.repository),
            DOCKERFILE.read_text(),
            fail_on=arguments.fail_on,
            ecr=session.client("ecr", region_name=region),
            run=started,
            sleep=time.sleep,
        )
    except (ImageRefused, LookupError) as error:
        sys.exit(f"There is no image for {config.name}: {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"There is no image for {config.name}, AWS says: {error}")
    named = config.job_image is not None and f"`{config.job_image}`" in told
    print(f"{told} {'It is' if named else 'Write it as'} `job_image` of `{config.name}` in stacks/config.py.")


if __name__ == "__main__":
    main()
