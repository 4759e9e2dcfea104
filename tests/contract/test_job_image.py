"""The job image on moto's ECR: built once, scanned, refused or named. Docker is a fake that pushes as Docker would."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.ecr.models import ecr_backends

import app
from scripts import job_image
from scripts.job_image import DOCKERFILE, ImageRefused, Target, make, tag_of
from stacks.sagemaker_registry import aws_image

pytestmark = pytest.mark.usefixtures("aws")

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"
TEXT = "ARG BASE\nFROM ${BASE}\n"
OCI = "application/vnd.oci.image.manifest.v1+json"
NAMED = re.compile(rf"`({ACCOUNT}\.dkr\.ecr\.{REGION}\.amazonaws\.com/millrace-jobs@sha256:[0-9a-f]{{64}})`")
# What Docker asks ECR for when it pulls and when it pushes, as AWS documents it.
PULLS = {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}
PUSHES = {"ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"}


def a_manifest(layer: str, kind: str = job_image.MANIFEST) -> str:
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": [{"digest": layer}]})


class FakeDocker:
    """Answers as Docker and Git; `docker buildx build` puts an image into the repository, which scans it."""

    def __init__(self, ecr: Any, *, kind: str = job_image.MANIFEST, scans: bool = True) -> None:
        self.ecr, self.kind, self.scans = ecr, kind, scans
        self.commands: list[Sequence[str]] = []
        self.given: list[str] = []

    def __call__(self, command: Sequence[str], given: str) -> str:
        self.commands.append(command)
        self.given.append(given)
        if command[0] == "git":
            return "c0ffee-dirty\n"
        if command[:3] == ["docker", "buildx", "build"]:
            repository, _, tag = command[command.index("--tag") + 1].partition("/")[2].partition(":")
            (base,) = [word for word in command if word.startswith("BASE=")]
            manifest = a_manifest(f"{base} {given}", self.kind)
            self.ecr.put_image(repositoryName=repository, imageManifest=manifest, imageTag=tag)
            if self.scans:
                self.ecr.start_image_scan(repositoryName=repository, imageId={"imageTag": tag})
        return ""

    @property
    def builds(self) -> list[Sequence[str]]:
        return [command for command in self.commands if command[:3] == ["docker", "buildx", "build"]]


@pytest.fixture
def ecr() -> Any:
    """With AWS's image in it: moto has one registry for all accounts."""
    client = boto3.client("ecr", region_name=REGION)
    client.create_repository(repositoryName="sagemaker-xgboost")
    client.put_image(repositoryName="sagemaker-xgboost", imageManifest=a_manifest("aws"), imageTag="3.2-0")
    return client


def patched_by_aws(ecr: Any) -> None:
    ecr.put_image(repositoryName="sagemaker-xgboost", imageManifest=a_manifest("patched"), imageTag="3.2-0")


def findings(status: str = "COMPLETE", description: str | None = None, **found: Any) -> None:
    """What the next scan of the repository finds."""
    result = {
        "registryId": ACCOUNT,
        "repositoryName": "millrace-jobs",
        "imageId": {},
        "imageScanStatus": {"status": status} | ({} if description is None else {"description": description}),
        "imageScanFindings": found,
    }
    ecr_backends[ACCOUNT][REGION].scan_finding_results.append(result)


def made(
    ecr: Any,
    docker: Any,
    *,
    dockerfile: str = TEXT,
    fail_on: str = "CRITICAL",
    sleep: Callable[[float], None] = lambda _: None,
) -> str:
    target = Target(REGION, "millrace-jobs")
    return make(target, dockerfile, fail_on=fail_on, ecr=ecr, run=docker, sleep=sleep)


def test_the_first_image_makes_the_repository_with_tags_that_stay_and_a_scan_of_what_is_pushed(ecr: Any) -> None:
    docker = FakeDocker(ecr)

    told = made(ecr, docker)

    (repository,) = ecr.describe_repositories(repositoryNames=["millrace-jobs"])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["encryptionConfiguration"] == {"encryptionType": "AES256"}
    (pushed,) = ecr.describe_images(repositoryName="millrace-jobs")["imageDetails"]
    named = NAMED.search(told)
    assert named is not None
    assert named[1].endswith(f"/millrace-jobs@{pushed['imageDigest']}")
    assert f"Tag `{pushed['imageTags'][0]}`" in told
    assert told.endswith("Its scan found 1 HIGH.")


def test_it_is_built_for_sagemakers_machines_on_awss_image_by_digest_with_its_commit(ecr: Any) -> None:
    docker = FakeDocker(ecr)

    made(ecr, docker)

    (build,) = docker.builds
    source = ecr.describe_images(repositoryName="sagemaker-xgboost")["imageDetails"][0]["imageDigest"]
    image = aws_image(REGION)
    assert f"BASE={image.host}/sagemaker-xgboost@{source}" in build
    assert "REVISION=c0ffee-dirty" in build
    assert build[build.index("--platform") + 1] == "linux/amd64"
    assert build[build.index("--output") + 1] == "type=image,push=true,oci-mediatypes=false"
    assert "--provenance=false" in build
    assert build[-1] == "-"
    assert docker.given[docker.commands.index(build)] == TEXT


def test_docker_signs_in_to_both_registries_and_the_password_is_no_argument(ecr: Any) -> None:
    docker = FakeDocker(ecr)

    made(ecr, docker)

    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    logins = [(command, given) for command, given in zip(docker.commands, docker.given, strict=True) if given]
    assert [command[-1] for command, _ in logins[:2]] == [
        aws_image(REGION).host,
        f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com",
    ]
    assert all(command[3] == user and given == password for command, given in logins[:2])
    assert not any(password in argument for command in docker.commands for argument in command)


def test_what_is_there_is_not_built_again_and_needs_no_docker(ecr: Any) -> None:
    first = made(ecr, FakeDocker(ecr))
    nothing = FakeDocker(ecr)

    assert made(ecr, nothing) == first
    assert nothing.commands == []


def test_another_dockerfile_or_a_patch_by_aws_is_another_image(ecr: Any) -> None:
    docker = FakeDocker(ecr)
    told = [made(ecr, docker), made(ecr, docker, dockerfile=f"{TEXT}# later\n")]
    patched_by_aws(ecr)
    told.append(made(ecr, docker))

    assert len(docker.builds) == 3
    assert len(set(told)) == 3


def test_a_finding_that_is_critical_refuses_the_image_by_name_each_time_it_is_asked_for(ecr: Any) -> None:
    openssl = {
        "name": "CVE-2026-0001",
        "severity": "CRITICAL",
        "attributes": [{"key": "package_name", "value": "openssl-libs"}],
    }
    curl = {"name": "CVE-2026-0002", "severity": "HIGH"}
    findings(findings=[openssl, curl], findingSeverityCounts={"CRITICAL": 1, "HIGH": 1})
    docker = FakeDocker(ecr)

    for _ in range(2):
        with pytest.raises(ImageRefused, match="1 findings of CRITICAL") as refused:
            made(ecr, docker)

        assert "CRITICAL CVE-2026-0001 in openssl-libs" in str(refused.value)
        assert "CVE-2026-0002" not in str(refused.value)
        assert "containers/jobs/Dockerfile" in str(refused.value)
    assert len(docker.builds) == 1


def test_who_wants_it_stricter_refuses_high_findings_as_well(ecr: Any) -> None:
    with pytest.raises(ImageRefused, match="1 findings of CRITICAL or HIGH"):
        made(ecr, FakeDocker(ecr), fail_on="HIGH")


def test_findings_of_inspector_count_as_those_of_ecr(ecr: Any) -> None:
    details = {"vulnerabilityId": "CVE-2026-0003", "vulnerablePackages": [{"name": "requests", "version": "1"}]}
    found = {"severity": "CRITICAL", "title": "CVE-2026-0003 - requests", "packageVulnerabilityDetails": details}
    findings(
        "ACTIVE",
        enhancedFindings=[found],
        findingSeverityCounts={"CRITICAL": 1},
        imageScanCompletedAt="2026-11-29T12:00:00Z",
    )

    with pytest.raises(ImageRefused, match="CRITICAL CVE-2026-0003 in requests"):
        made(ecr, FakeDocker(ecr))


def test_a_scan_that_is_not_there_yet_is_waited_for(ecr: Any) -> None:
    docker = FakeDocker(ecr, scans=False)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            tag = ecr.describe_images(repositoryName="millrace-jobs")["imageDetails"][0]["imageTags"][0]
            ecr.start_image_scan(repositoryName="millrace-jobs", imageId={"imageTag": tag})

    assert NAMED.search(made(ecr, docker, sleep=sleep))
    assert waited == [10.0] * 3


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PENDING", "ACTIVE"])
def test_what_was_never_scanned_is_not_named(status: str, ecr: Any) -> None:
    findings(status)

    with pytest.raises(ImageRefused, match=r"no scan after 15 minutes.*start-image-scan"):
        made(ecr, FakeDocker(ecr))


def test_a_scan_that_failed_says_why(ecr: Any) -> None:
    findings("UNSUPPORTED_IMAGE", "the operating system is not supported")

    with pytest.raises(ImageRefused, match="UNSUPPORTED_IMAGE, the operating system is not supported"):
        made(ecr, FakeDocker(ecr))


def test_a_scan_that_fails_without_a_word_is_told_too(ecr: Any) -> None:
    findings("FAILED")

    with pytest.raises(ImageRefused, match="has no scan: FAILED, no reason was given"):
        made(ecr, FakeDocker(ecr))


def test_a_manifest_that_sagemaker_cannot_read_is_refused(ecr: Any) -> None:
    with pytest.raises(ImageRefused, match=re.escape(f"was pushed as {OCI}")):
        made(ecr, FakeDocker(ecr, kind=OCI))


def test_a_repository_whose_tags_can_be_moved_is_refused_with_the_command_that_ends_it(ecr: Any) -> None:
    ecr.create_repository(repositoryName="millrace-jobs")
    docker = FakeDocker(ecr)

    with pytest.raises(ImageRefused, match="put-image-tag-mutability --repository-name millrace-jobs"):
        made(ecr, docker)

    assert docker.commands == []


def test_a_build_that_pushed_nothing_is_said(ecr: Any) -> None:
    with pytest.raises(ImageRefused, match="is not there: see what Docker said"):
        made(ecr, lambda _command, _given: "")


def test_aws_may_not_have_the_image(ecr: Any) -> None:
    ecr.batch_delete_image(repositoryName="sagemaker-xgboost", imageIds=[{"imageTag": "3.2-0"}])

    with pytest.raises(ImageRefused, match=r"AWS does not give 683313688378\.dkr\..*ImageNotFound"):
        made(ecr, FakeDocker(ecr))


def documented() -> Mapping[str, Any]:
    """The runbook's policy: resource → actions."""
    (text,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "runbook.md").read_text(), flags=re.DOTALL)
    statements = json.loads(text)["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {statement["Resource"]: set(statement["Action"]) for statement in statements}


def test_the_runbooks_policy_allows_what_is_asked_for_and_nothing_else(ecr: Any) -> None:
    asked: dict[str, set[str]] = {}

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        given = json.loads(params["body"])
        name = given.get("repositoryName") or "".join(given.get("repositoryNames", []))
        asked.setdefault(name, set()).add(f"ecr:{model.name}")

    mine = boto3.client("ecr", region_name=REGION)
    mine.meta.events.register("before-call.ecr", note)
    made(mine, FakeDocker(ecr))

    allowed = documented()
    (of_aws,) = [resource for resource in allowed if resource.endswith("repository/sagemaker-xgboost")]
    (own,) = [resource for resource in allowed if resource.endswith("repository/millrace-jobs")]
    assert allowed["*"] == asked[""]
    assert allowed[of_aws] == asked["sagemaker-xgboost"] | PULLS
    assert allowed[own] == asked["millrace-jobs"] | PUSHES | {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage"}
    assert len(allowed) == 3


def typed(*arguments: str) -> None:
    job_image.main(arguments)


def dev_has(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    """Changes the entry of dev in stacks/config.py."""
    app.choose_node()
    from stacks.config import ENVIRONMENTS

    monkeypatch.setitem(ENVIRONMENTS, "dev", dataclasses.replace(ENVIRONMENTS["dev"], **fields))


@pytest.fixture
def docker(ecr: Any, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    fake = FakeDocker(ecr)
    monkeypatch.setattr(job_image, "started", fake)
    return fake


def test_the_command_ends_with_the_address_and_where_it_belongs(
    docker: FakeDocker, capsys: pytest.CaptureFixture[str]
) -> None:
    typed("dev")

    told = capsys.readouterr()
    assert NAMED.match(told.out)
    assert told.out.endswith("Write it as `job_image` of `dev` in stacks/config.py.\n")
    assert "is built on" in told.err
    assert docker.given[-1] == DOCKERFILE.read_text()
    assert tag_of(DOCKERFILE.read_text(), f"@{ecr_digest(docker.ecr)}") in told.out


def ecr_digest(ecr: Any) -> str:
    return str(ecr.describe_images(repositoryName="sagemaker-xgboost")["imageDetails"][0]["imageDigest"])


def test_an_environment_that_names_it_already_is_told_so(
    docker: FakeDocker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("dev")
    named = NAMED.search(capsys.readouterr().out)
    assert named is not None
    dev_has(monkeypatch, job_image=named[1])

    typed("dev")

    assert capsys.readouterr().out.endswith("It is `job_image` of `dev` in stacks/config.py.\n")


def test_the_environments_region_comes_before_that_of_the_credentials(
    docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev_has(monkeypatch, region="mars-north-1")

    with pytest.raises(SystemExit, match=r"There is no image for dev: AWS has no image .* in region 'mars-north-1'"):
        typed("dev")


def test_credentials_of_another_account_than_the_environments_build_nothing(
    docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev_has(monkeypatch, account="210987654321")

    with pytest.raises(SystemExit, match=f"dev is in account 210987654321, and the credentials are of {ACCOUNT}"):
        typed("dev")

    assert docker.commands == []


def test_without_a_region_it_says_how_to_give_one(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(SystemExit, match="set AWS_DEFAULT_REGION"):
        typed("dev")


def test_what_aws_refuses_is_told_in_a_line(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any, **__: Any) -> str:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CreateRepository")

    monkeypatch.setattr(job_image, "make", denied)

    with pytest.raises(SystemExit, match=r"There is no image for dev, AWS says: .*AccessDenied.*CreateRepository"):
        typed("dev")
