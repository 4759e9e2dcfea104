"""Every route as a curl command, made from the examples in the contract. A test executes each of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

Operation = Mapping[str, Any]

# What the contract's own examples are about.
PARAMETERS = {
    "dataset": "churn",
    "number": "3",
    "model": "churn",
    "version": "churn:7",
    "alias": "champion",
    "run_id": "training-b69cfade296b",
    "job_id": "batch-25d1edd9b9d5d171f37d",
    "upload_id": "25d1edd9b9d5d171f37d",
    "key_id": "25d1edd9b9d5d171",
    "alert_id": "25d1edd9b9d5d171f37d",
    "channel_id": "25d1edd9b9d5",
    "schedule_id": "25d1edd9b9d5d171",
    "report_id": "drift-25d1edd9b9d5d171-data",
    "from": "2",
    "to": "3",
}


def examples(contract: Mapping[str, Any]) -> str:
    """A section per tag, as Markdown."""
    by_tag: dict[str, list[str]] = {}
    for method, path, operation in operations(contract):
        command = curl(contract, method, path, operation)
        shown = f"#### `{method} {path}`\n\n{operation['summary']}.\n\n```sh\n{command}\n```"
        by_tag.setdefault(operation["tags"][0], []).append(shown)
    return "\n\n".join(f"### {tag}\n\n" + "\n\n".join(by_tag[tag]) for tag in sorted(by_tag))


def operations(contract: Mapping[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    for path, methods in sorted(contract["paths"].items()):
        for method, operation in methods.items():
            yield method.upper(), path, operation


def curl(contract: Mapping[str, Any], method: str, path: str, operation: Operation) -> str:
    """`$API` is the API's address, `$TOKEN` an access token."""
    parts = [] if method == "GET" else [f"-X {method}"]
    if operation["security"]:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    body = _body(contract, operation)
    if body is not None:
        parts.append("-H 'Content-Type: application/json'")
    parts.append(f'"$API{_address(contract, path, operation)}"')
    if body is not None:
        parts.append(f"\\\n  -d {shlex.quote(body)}")
    return " ".join(["curl", *parts])


def _address(contract: Mapping[str, Any], path: str, operation: Operation) -> str:
    given = operation.get("parameters", [])
    values = {each["name"]: _value(contract, each) for each in given if each["in"] == "path"}
    query = {each["name"]: _value(contract, each) for each in given if each["in"] == "query" and each["required"]}
    filled = path.format(**{name: quote(value, safe=":") for name, value in values.items()})
    return filled + (f"?{urlencode(query)}" if query else "")


def _value(contract: Mapping[str, Any], parameter: Mapping[str, Any]) -> str:
    """The value of a choice is its first; a name that is not known here stands for itself."""
    name = parameter["name"]
    choices = _resolved(contract, parameter["schema"]).get("enum")
    return str(choices[0]) if choices else PARAMETERS.get(name, name.replace("_", "-"))


def _body(contract: Mapping[str, Any], operation: Operation) -> str | None:
    if "requestBody" not in operation:
        return None
    schema = _resolved(contract, operation["requestBody"]["content"]["application/json"]["schema"])
    return json.dumps(schema["examples"][0], ensure_ascii=False)


def _resolved(contract: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found
