"""One synthesis of all environments per session, and templates as plain dictionaries."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import app

# Before the first import of aws_cdk, in whichever test module that is.
app.choose_node()

ROOT = Path(__file__).parents[2]
Resource = Mapping[str, Any]


@dataclass(frozen=True)
class Platform:
    """The templates of one environment, by the stack's last name: Data, Registry, …"""

    templates: Mapping[str, Mapping[str, Any]]

    def resources(self, kind: str) -> dict[str, Resource]:
        """Logical id → resource, of all stacks."""
        return dict(self._of(kind))

    def properties(self, kind: str) -> list[Mapping[str, Any]]:
        return [resource.get("Properties", {}) for resource in self.resources(kind).values()]

    def functions(self) -> dict[str, Mapping[str, Any]]:
        """Module → properties."""
        return {found["Handler"].removesuffix(".handler"): found for found in self.properties("AWS::Lambda::Function")}

    def outputs(self) -> dict[str, Any]:
        """What the stacks say to people; the exports between stacks are theirs alone."""
        return {
            name: output["Value"]
            for template in self.templates.values()
            for name, output in template.get("Outputs", {}).items()
            if "Export" not in output
        }

    def _of(self, kind: str) -> Iterator[tuple[str, Resource]]:
        for template in self.templates.values():
            for name, resource in template["Resources"].items():
                if resource["Type"] == kind:
                    yield name, resource


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every environment, by `python app.py` in a process of its own: tokens are numbered by what was made before."""
    output = tmp_path_factory.mktemp("assembly")
    subprocess.run([sys.executable, "app.py", "--output", str(output)], cwd=ROOT, check=True)
    return output


@pytest.fixture(scope="session")
def platform_of(assembly: Path) -> Callable[[str], Platform]:
    def read(environment: str) -> Platform:
        stage = assembly / f"assembly-{environment}"
        artifacts = json.loads((stage / "manifest.json").read_text())["artifacts"].values()
        stacks = [artifact for artifact in artifacts if artifact["type"] == "aws:cloudformation:stack"]
        prefix = f"Millrace-{environment}-"
        return Platform(
            {
                stack["properties"]["stackName"].removeprefix(prefix): json.loads(
                    (stage / stack["properties"]["templateFile"]).read_text()
                )
                for stack in stacks
            }
        )

    return read


@pytest.fixture(scope="session")
def local(platform_of: Callable[[str], Platform]) -> Platform:
    return platform_of("local")


@pytest.fixture(scope="session")
def prod(platform_of: Callable[[str], Platform]) -> Platform:
    return platform_of("prod")
