"""Reads a synthesised cloud assembly: its stacks in dependency order, and the files they need."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class AssemblyInvalid(ValueError):
    """The directory is not a cloud assembly, or an incomplete one."""


@dataclass(frozen=True)
class FileAsset:
    """A file or directory to publish under `bucket`/`key`; both may hold `${AWS::AccountId}` placeholders."""

    path: Path
    is_directory: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class AssemblyStack:
    """A stack as the templates describe it. `template_url` is an s3:// address with placeholders, or None."""

    name: str
    template: Path
    template_url: str | None
    parameters: dict[str, str]
    tags: dict[str, str]
    assets: tuple[FileAsset, ...]


def read_assembly(directory: Path) -> list[AssemblyStack]:
    """Return the stacks of the assembly, each after those it depends on. Raises AssemblyInvalid."""
    manifest = directory / "manifest.json"
    if not manifest.is_file():
        raise AssemblyInvalid(f"{directory} is not a cloud assembly: it has no manifest.json. Synthesise first.")
    artifacts: dict[str, dict[str, Any]] = json.loads(manifest.read_text()).get("artifacts", {})
    order: list[str] = []
    for name in artifacts:
        _visit(name, artifacts, order, ())
    stacks = [name for name in order if artifacts[name]["type"] == "aws:cloudformation:stack"]
    if not stacks:
        raise AssemblyInvalid(f"{directory} has no stacks; name the directory of one stage, such as cdk.out/assembly-…")
    return [_stack(directory, name, artifacts) for name in stacks]


def _visit(name: str, artifacts: dict[str, dict[str, Any]], order: list[str], path: tuple[str, ...]) -> None:
    if name in path:
        raise AssemblyInvalid(f"artifacts depend on each other: {' -> '.join([*path, name])}")
    if name in order or name not in artifacts:
        return
    for dependency in artifacts[name].get("dependencies", []):
        _visit(dependency, artifacts, order, (*path, name))
    order.append(name)


def _stack(directory: Path, name: str, artifacts: dict[str, dict[str, Any]]) -> AssemblyStack:
    properties = artifacts[name]["properties"]
    assets = [
        asset
        for dependency in artifacts[name].get("dependencies", [])
        if artifacts.get(dependency, {}).get("type") == "cdk:asset-manifest"
        for asset in _file_assets(directory, directory / artifacts[dependency]["properties"]["file"])
    ]
    return AssemblyStack(
        name=properties.get("stackName", name),
        template=directory / properties["templateFile"],
        template_url=properties.get("stackTemplateAssetObjectUrl"),
        parameters=properties.get("parameters", {}),
        tags=properties.get("tags", {}),
        assets=tuple(assets),
    )


def _file_assets(directory: Path, manifest: Path) -> list[FileAsset]:
    document = json.loads(manifest.read_text())
    if document.get("dockerImages"):
        raise AssemblyInvalid(f"{manifest.name} has container images; only file assets can be published")
    return [
        FileAsset(
            path=(directory / asset["source"]["path"]).resolve(),
            is_directory=asset["source"].get("packaging") == "zip",
            bucket=destination["bucketName"],
            key=destination["objectKey"],
        )
        for asset in document.get("files", {}).values()
        for destination in asset["destinations"].values()
    ]
