"""The job image: what its Dockerfile may hold, and what is said of a machine that cannot build it."""

from __future__ import annotations

import re
import sys

import pytest

from scripts.job_image import DOCKERFILE, ImageRefused, build_command, main, started, tag_of

BASE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost@sha256:1"
ELSEWHERE = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost@sha256:1"


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments, comments left out and continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def arguments_of(instruction: str) -> list[str]:
    return [arguments for name, arguments in instructions() if name == instruction]


def test_the_image_is_awss_and_which_one_is_said_by_whoever_builds_it() -> None:
    assert instructions()[:2] == [("ARG", "BASE"), ("FROM", "${BASE}")]
    assert len(arguments_of("FROM")) == 1


def test_user_entry_point_and_environment_stay_as_aws_has_them_and_nothing_is_copied_in() -> None:
    assert {name for name, _ in instructions()} == {"ARG", "FROM", "RUN", "LABEL"}


def test_its_one_command_patches_the_operating_system_and_takes_nothing_away() -> None:
    assert arguments_of("RUN") == ["dnf upgrade -y --security --releasever=latest && dnf clean all"]


def test_its_arguments_are_no_secrets_since_an_images_history_shows_them() -> None:
    assert {argument.partition("=")[0] for argument in arguments_of("ARG")} == {"BASE", "PATCHED_ON", "REVISION"}


def test_it_says_of_which_commit_it_is_and_what_it_was_made_from() -> None:
    (labels,) = arguments_of("LABEL")

    assert 'org.opencontainers.image.revision="${REVISION}"' in labels
    assert 'org.opencontainers.image.base.name="${BASE}"' in labels


def test_every_argument_of_the_dockerfile_without_a_value_is_given() -> None:
    command = build_command("r/n:t", base=BASE, revision="c0ffee")
    given = {command[i + 1].partition("=")[0] for i, word in enumerate(command) if word == "--build-arg"}

    assert given == {argument for argument in arguments_of("ARG") if "=" not in argument}


def test_the_day_of_the_patches_is_a_day() -> None:
    (day,) = [argument.partition("=")[2] for argument in arguments_of("ARG") if "=" in argument]

    assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", day)


def test_the_tag_is_of_the_dockerfile_and_awss_digest_and_not_of_the_region() -> None:
    tag = tag_of("FROM a", BASE)

    assert re.fullmatch(r"3\.2-0-[0-9a-f]{12}", tag)
    assert tag_of("FROM a", ELSEWHERE) == tag
    assert tag_of("FROM b", BASE) != tag
    assert tag_of("FROM a", f"{BASE}2") != tag


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ImageRefused, match="no-docker-here is needed to build the image, and is not on this machine"):
        started(["no-docker-here", "version"], "")


def test_a_program_that_fails_is_named_without_what_it_was_given() -> None:
    with pytest.raises(ImageRefused, match="ended with 3; what it said is above") as refused:
        started([sys.executable, "-c", "import sys; sys.exit(3)"], "password")

    assert "password" not in str(refused.value)


def test_a_program_gets_what_it_is_given_and_answers() -> None:
    assert started([sys.executable, "-c", "print(input()[::-1])"], "abc") == "cba\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mars"], "invalid choice: 'mars'"),
        (["dev", "--fail-on", "SEVERE"], "invalid choice: 'SEVERE'"),
        (["dev", "--repository", "My Jobs"], "'My Jobs' is no name of a repository"),
        (["dev", "--repository", "x"], "'x' is no name of a repository"),
    ],
)
def test_what_is_typed_is_checked_before_anything_is_asked(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)

    assert said in capsys.readouterr().err
