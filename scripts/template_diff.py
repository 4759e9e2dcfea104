"""What two commits' templates differ in, as a table in Markdown: `python -m scripts.template_diff BEFORE AFTER`.

BEFORE and AFTER are cloud assemblies (`make synth`). Resources are told by their logical ids, as CloudFormation tells
them: one that is missing will be deleted, whatever it is called. A property that differs only in the address of an
asset is a change of code; it is named once and not as a change of settings.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# Deleting or replacing one of these loses what it holds.
STATEFUL = (
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
)
_ASSET = re.compile(r"[0-9a-f]{64}")


class Change(NamedTuple):
    """`what` is "new", "gone", "code", or the names of the properties that differ."""

    stack: str
    resource: str
    kind: str
    what: str


def changes(before: Path, after: Path) -> list[Change]:
    """Every resource that differs, of every environment that either assembly has, in the order of the stacks."""
    old, new = _templates(before), _templates(after)
    return [change for stack in sorted({*old, *new}) for change in _of_stack(stack, old.get(stack), new.get(stack))]


def report(found: list[Change]) -> str:
    """Markdown. What loses data comes first, in words of its own."""
    if not found:
        return "The templates do not change.\n"
    losses = [change for change in found if change.what == "gone" and change.kind in STATEFUL]
    lines = [
        f"**{change.stack}: `{change.resource}` ({change.kind}) goes away, with what it holds.**" for change in losses
    ]
    lines += ["", "| stack | resource | type | change |", "|---|---|---|---|"]
    lines += [f"| {change.stack} | `{change.resource}` | {change.kind} | {change.what} |" for change in found]
    return "\n".join(lines).lstrip() + "\n"


def _templates(assembly: Path) -> dict[str, Mapping[str, Any]]:
    """Stack name → template, over all nested assemblies."""
    return {name: json.loads(path.read_text()) for name, path in _stacks(assembly)}


def _stacks(assembly: Path) -> Iterator[tuple[str, Path]]:
    for artifact in json.loads((assembly / "manifest.json").read_text()).get("artifacts", {}).values():
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _stacks(assembly / artifact["properties"]["directoryName"])
        elif artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            yield properties["stackName"], assembly / properties["templateFile"]


def _of_stack(stack: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Iterator[Change]:
    before = (old or {}).get("Resources", {})
    after = (new or {}).get("Resources", {})
    for name in sorted({*before, *after}):
        if name not in after:
            yield Change(stack, name, before[name]["Type"], "gone")
        elif name not in before:
            yield Change(stack, name, after[name]["Type"], "new")
        elif before[name] != after[name]:
            yield Change(stack, name, after[name]["Type"], _what(before[name], after[name]))


def _what(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if before["Type"] != after["Type"]:
        return f"was {before['Type']}"
    if _without_assets(before) == _without_assets(after):
        return "code"
    old, new = before.get("Properties", {}), after.get("Properties", {})
    properties = [
        name for name in sorted({*old, *new}) if _without_assets(old.get(name)) != _without_assets(new.get(name))
    ]
    attributes = [name for name in sorted({*before, *after} - {"Properties"}) if before.get(name) != after.get(name)]
    return ", ".join(properties + attributes)


def _without_assets(value: Any) -> str:
    return json.dumps(_without_order(json.loads(_ASSET.sub("", json.dumps(value)))), sort_keys=True)


def _without_order(value: Any) -> Any:
    """The resources of a permission have none; CDK orders them by their text, and so by digests of assets."""
    if isinstance(value, list):
        return [_without_order(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: sorted(each, key=json.dumps) if name == "Resource" and isinstance(each, list) else _without_order(each)
        for name, each in value.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Say what two commits' templates differ in.")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    given = parser.parse_args()
    print(report(changes(given.before, given.after)), end="")


if __name__ == "__main__":
    main()
