"""Delivery: the workflows do what a person does, with actions that nobody can change under us."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(name: str) -> Any:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            for step in job.get("steps", []):
                yield f"{path.name}: {name}", step


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def test_every_command_of_a_workflow_is_a_make_target_that_a_person_runs() -> None:
    commands = [(where, step["run"]) for where, step in steps() if "run" in step]

    assert commands
    for where, command in commands:
        words = re.match(r"make ((?:[a-z]+ ?)+)", command)
        assert words, f"{where}: {command}"
        assert set(words[1].split()) <= make_targets(), f"{where}: {command}"


def test_every_action_is_pinned_by_its_commit_and_says_which_release_that_is() -> None:
    uses = [
        line.strip().removeprefix("- ")
        for path in WORKFLOWS
        for line in path.read_text().splitlines()
        if "uses:" in line and "./" not in line
    ]

    assert uses
    assert [line for line in uses if not re.fullmatch(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_no_key_is_stored_the_deploying_role_is_assumed_by_the_runs_own_identity() -> None:
    texts = [path.read_text() for path in WORKFLOWS]

    assert not any("secrets." in text or "aws-access-key" in text for text in texts)
    assert workflow("deploy")["jobs"]["deploy"]["permissions"]["id-token"] == "write"


def test_environments_are_deployed_one_after_the_other_and_only_what_was_tested() -> None:
    jobs = workflow("delivery")["jobs"]

    assert {name: job.get("needs") for name, job in jobs.items() if name in {"build", "dev", "staging", "prod"}} == {
        "build": ["test", "audit"],
        "dev": "build",
        "staging": "dev",
        "prod": "staging",
    }


def test_a_pull_request_is_told_what_it_changes_in_one_comment_where_its_token_may_write() -> None:
    changes = workflow("delivery")["jobs"]["changes"]
    commands = {step["run"].split()[1]: step for step in changes["steps"] if "run" in step}

    assert list(commands) == ["diff", "comment", "compatible"]
    assert "head.repo.full_name == github.repository" in commands["comment"]["if"]
    assert changes["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "--edit-last --create-if-none" in (ROOT / "Makefile").read_text()


def test_a_failed_smoke_test_goes_back_to_the_last_good_deployment() -> None:
    commands = [
        (step["run"], step.get("if")) for where, step in steps() if where == "deploy.yml: deploy" and "run" in step
    ]

    assert commands == [("make deploy", None), ("make smoke", None), ("make rollback", "failure()")]


def test_the_job_image_is_built_when_asked_for_and_reaches_no_deployment_by_itself() -> None:
    jobs = workflow("delivery")["jobs"]
    image = jobs["image"]

    assert image["if"] == "github.event_name == 'push' && vars.JOB_IMAGE_ENV != ''"
    assert image["needs"] == ["test", "audit"]
    assert image["permissions"] == {"contents": "read", "id-token": "write"}
    assert [step["run"] for step in image["steps"] if "run" in step] == ['make image >> "$GITHUB_STEP_SUMMARY"']
    assert [name for name, job in jobs.items() if "image" in job.get("needs", [])] == []


def test_only_deployments_name_an_environment_since_a_rollback_goes_by_what_github_counts_as_one() -> None:
    named = [
        f"{path.name}: {name}"
        for path in WORKFLOWS
        for name, job in yaml.safe_load(path.read_text())["jobs"].items()
        if "environment" in job
    ]

    assert named == ["deploy.yml: deploy"]


def zizmor(directory: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("zizmor")
    return subprocess.run(
        [program, "--offline", "--no-progress", "--format", "plain", directory],
        capture_output=True,
        text=True,
        check=False,
    )


def test_zizmor_finds_nothing() -> None:
    done = zizmor(ROOT / ".github")

    assert done.returncode == 0, done.stdout


def test_zizmor_would_find_a_text_of_strangers_in_a_command(tmp_path: Path) -> None:
    directory = tmp_path / ".github" / "workflows"
    directory.mkdir(parents=True)
    job = {"runs-on": "ubuntu-24.04", "steps": [{"run": "echo ${{ github.event.pull_request.title }}"}]}
    (directory / "careless.yml").write_text(yaml.safe_dump({"on": "pull_request_target", "jobs": {"job": job}}))

    assert "template-injection" in zizmor(tmp_path / ".github").stdout


def actionlint(*workflows: Path) -> subprocess.CompletedProcess[str]:
    """Without the linters of shell and Python that a machine may have: commands are make targets."""
    program = Path(sys.executable).with_name("actionlint")
    return subprocess.run(
        [program, "-no-color", "-shellcheck=", "-pyflakes=", *workflows], capture_output=True, text=True, check=False
    )


def test_actionlint_finds_nothing() -> None:
    done = actionlint(*WORKFLOWS)

    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_actionlint_would_find_a_step_that_does_nothing_and_a_context_that_is_none(tmp_path: Path) -> None:
    workflow = tmp_path / "careless.yml"
    steps = [{"run": "echo ${{ github.nothing }}"}, {"runs": "make test"}]
    workflow.write_text(yaml.safe_dump({"on": "push", "jobs": {"job": {"runs-on": "ubuntu-24.04", "steps": steps}}}))

    done = actionlint(workflow)

    assert done.returncode == 1
    assert 'property "nothing" is not defined' in done.stdout
    assert "step must run script" in done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_grants_rights_to_all_its_jobs(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {}
