"""`python app.py`: what it writes, that it writes the same every time, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Platform

import app
from stacks.config import ENVIRONMENTS
from stacks.packaging import REPOSITORY

STACKS = {
    "Data",
    "Registry",
    "Audit",
    "Notifications",
    "Promotion",
    "Ingest",
    "Training",
    "Serving",
    "Batch",
    "Drift",
    "Comparison",
    "Schedules",
    "Runs",
    "Identity",
    "Api",
    "Frontend",
    "Alerts",
    "Monitoring",
}
# CloudFront wants names; CDK makes them of a construct's path, which begins with the environment.
NAMED = {
    "AWS::CloudFront::Function",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
}


def files_of(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_there_are_four_environments() -> None:
    assert list(ENVIRONMENTS) == ["local", "dev", "staging", "prod"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_has_every_stack(environment: str, platform_of: Callable[[str], Platform]) -> None:
    kept_apart = {"Recovery"} if ENVIRONMENTS[environment].backup else set()
    assert set(platform_of(environment).templates) == STACKS | kept_apart


def test_another_process_writes_the_same_bytes_without_a_network_an_account_or_the_same_hash_seed(
    assembly: Path, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "JSII_"))}
    environment |= {"UV_OFFLINE": "1", "HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere, "PYTHONHASHSEED": "4711"}
    again = subprocess.run(
        [sys.executable, "app.py", "--output", str(tmp_path / "again")],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    first, second = files_of(assembly), files_of(tmp_path / "again")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_templates_name_no_path_of_the_machine_that_made_them(assembly: Path) -> None:
    written = {path: path.read_text() for path in assembly.rglob("*.json") if not path.parent.name.startswith("asset.")}

    assert written
    assert [path for path, text in written.items() if str(REPOSITORY) in text] == []


def told_one_by_one(resources: dict[str, Any]) -> dict[str, Any]:
    """Without what joins the alarms on pipelines, which costs half a dollar: dev has none (`pipelines_join`)."""
    found: dict[str, Any] = {}
    for name, resource in resources.items():
        if name.startswith("PipelinesUnhealthy"):
            continue
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            resource["Properties"].pop("AlarmActions", None)
        found[re.sub(r"^Part|[0-9A-F]{8}$", "", name)] = resource
    return found


def test_the_local_templates_are_the_deployed_ones_but_for_the_machine_their_functions_run_on(
    platform_of: Callable[[str], Platform],
) -> None:
    def without_differences(platform: Platform, environment: str) -> Any:
        text = json.dumps(platform.templates).replace(f"Millrace-{environment}-", "Millrace-")
        text = text.replace(f"millrace-{environment}-", "millrace-").replace(f'"millrace-{environment}"', '"millrace"')
        text = text.replace(f"/millrace/{environment}/", "/millrace/")
        text = text.replace(f'"Key": "Environment", "Value": "{environment}"', '"Key": "Environment", "Value": ""')
        text = text.replace(f'"Environment": "{environment}"', '"Environment": ""')
        # Only there may a webhook go to the machine itself.
        text = text.replace('"allowed"', '"refused"')
        # Names that CDK makes of a construct's path, which begins with the environment, and a hash over it.
        text = re.sub(rf"{environment}([A-Z][A-Za-z]+?)[0-9A-F]{{8,16}}\b", r"\1", text)
        # The libraries that jobs unpack are built for the machine, too.
        (libraries,) = set(re.findall(r'"LibrariesUri": {"Fn::Sub": "[^"]*/([0-9a-f]{64}).zip"', text))
        templates = json.loads(text.replace(libraries, "libraries"))
        templates["Monitoring"]["Resources"] = told_one_by_one(templates["Monitoring"]["Resources"])
        for template in templates.values():
            for resource in template["Resources"].values():
                if resource["Type"] == "AWS::Lambda::Function":
                    for name in ("Architectures", "Runtime", "Code"):
                        del resource["Properties"][name]
                # Only there may a password be exchanged for tokens without a browser.
                if resource["Type"] == "AWS::Cognito::UserPoolClient":
                    resource["Properties"]["ExplicitAuthFlows"] = []
                if resource["Type"] in NAMED:
                    named = resource["Properties"]
                    for part in (named, *(part for part in named.values() if isinstance(part, dict))):
                        part.pop("Name", None)
                if resource["Type"] == "AWS::CloudFront::Distribution":
                    del resource["Properties"]["DistributionConfig"]["Comment"]
                if resource["Type"] == "Custom::PublishedSite":
                    assert resource["Properties"]["Config"].pop("environment") == environment
                if resource["Type"] == "AWS::Cognito::UserPoolDomain":
                    del resource["Properties"]["Domain"]
                if resource["Type"] == "AWS::Logs::LogGroup":
                    del resource["Properties"]["RetentionInDays"]
                # CDK orders a statement's resources by their text, and so by the digest of a zip.
                if resource["Type"] == "AWS::IAM::Policy":
                    for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                        if isinstance(statement["Resource"], list):
                            statement["Resource"].sort(key=json.dumps)
        return templates

    assert without_differences(platform_of("local"), "local") == without_differences(platform_of("dev"), "dev")


def test_functions_in_the_cloud_run_on_graviton(prod: Platform) -> None:
    assert {(tuple(found["Architectures"]), found["Runtime"]) for found in prod.functions().values()} == {
        (("arm64",), "python3.13")
    }


def test_local_functions_run_on_this_machine(local: Platform) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"

    assert {found["Runtime"] for found in local.functions().values()} == {version}


def test_one_environment_can_be_named_and_no_other_is_left_from_before(tmp_path: Path) -> None:
    (tmp_path / "assembly-dev").mkdir()

    app.main(["--output", str(tmp_path), "staging"])

    assert [path.name for path in tmp_path.glob("assembly-*")] == ["assembly-staging"]


def test_an_asset_that_no_template_names_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "asset.0123").mkdir()
    (tmp_path / "asset.4567.zip").write_bytes(b"")

    app.main(["--output", str(tmp_path), "staging"])

    left = {path.name for path in tmp_path.glob("asset.*")}
    assert left
    assert not left & {"asset.0123", "asset.4567.zip"}


def test_an_unknown_environment_is_refused_with_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app.main(["production"])

    assert "no such environment: production (choose from local, dev, staging, prod)" in capsys.readouterr().err


class TestNode:
    """jsii starts the Node.js that JSII_NODE names."""

    @pytest.fixture(autouse=True)
    def nothing_chosen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Set first, so that monkeypatch puts back what choose_node changes.
        monkeypatch.setenv("JSII_NODE", "")

    def test_the_one_from_the_wheel_is_used_though_the_system_has_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app, "node_of_the_system", lambda: Path("/usr/bin/node"))

        app.choose_node()

        assert os.environ["JSII_NODE"] == str(app.node_of_the_wheel())
        assert Path(os.environ["JSII_NODE"]).exists()

    def test_without_the_wheel_the_systems_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app, "node_of_the_wheel", lambda: None)
        monkeypatch.setattr(app, "node_of_the_system", lambda: Path("/opt/node"))

        app.choose_node()

        assert os.environ["JSII_NODE"] == "/opt/node"

    def test_a_choice_of_the_person_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JSII_NODE", "/home/me/node")

        app.choose_node()

        assert os.environ["JSII_NODE"] == "/home/me/node"

    def test_none_at_all_ends_with_advice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app, "node_of_the_wheel", lambda: None)
        monkeypatch.setattr(app, "node_of_the_system", lambda: None)

        with pytest.raises(SystemExit, match=r"needs Node.js 22 or newer.*uv sync --extra deploy"):
            app.choose_node()

    @pytest.mark.parametrize(("version", "fits"), [("v20.20.2", False), ("v22.0.0", True), ("v24.1.0", True)])
    def test_a_system_node_past_its_end_of_life_is_not_used(
        self, version: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        node = tmp_path / "node"
        node.write_text(f"#!/bin/sh\necho {version}\n")
        node.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

        assert app.node_of_the_system() == (node if fits else None)
