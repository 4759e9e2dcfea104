"""Which changes of the contract break clients: what they know is gone, or they must send what they did not.

`python -m scripts.breaking_changes before.json` compares with contracts/openapi.json and fails when there are any. A
field or value that is added breaks nobody: clients must take answers that hold more than they know.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Contract = Mapping[str, Any]
Schema = Mapping[str, Any]
AFTER = Path(__file__).resolve().parents[1] / "contracts" / "openapi.json"
_DEEPEST = 12


def breaking_changes(before: Contract, after: Contract) -> list[str]:
    """A sentence for each change that breaks clients, in the order of the paths."""
    return [said for path in sorted(before["paths"]) for said in _of_path(before, after, path)]


def _of_path(before: Contract, after: Contract, path: str) -> Iterator[str]:
    for method, known in before["paths"][path].items():
        here = f"{method.upper()} {path}"
        now = after["paths"].get(path, {}).get(method)
        if now is None:
            yield f"{here} is gone"
            continue
        yield from (f"{here}: {said}" for said in _of_parameters(known, now))
        yield from (f"{here}: {said}" for said in _of_requests(before, after, known, now))
        yield from (f"{here}: {said}" for said in _of_answers(before, after, known, now))
        lost = sorted(set(known.get("x-roles", ())) - set(now.get("x-roles", ())))
        if lost and now["security"]:
            yield f"{here}: {', '.join(lost)} may no longer use it"
        if now["security"] and not known["security"]:
            yield f"{here}: it needs a token now"


def _of_parameters(known: Schema, now: Schema) -> Iterator[str]:
    before, after = ({(p["in"], p["name"]): p for p in each.get("parameters", ())} for each in (known, now))
    for place, name in before.keys() - after.keys():
        yield f"the {place} parameter {name} is gone"
    for key, parameter in after.items():
        if parameter["required"] and not before.get(key, {"required": False})["required"]:
            yield f"the {key[0]} parameter {key[1]} is required now"


def _of_requests(before: Contract, after: Contract, known: Schema, now: Schema) -> Iterator[str]:
    old, new = (_body(each.get("requestBody", {})) for each in (known, now))
    if new is not None and old is None:
        yield "it takes a body now"
    if old is None or new is None:
        return
    there, here = _fields(before, old), _fields(after, new)
    for name in sorted(there.keys() - here.keys()):
        yield f"the request's field {name} is gone"
    for name, required in sorted(here.items()):
        # What is required inside something that need not be sent breaks nobody who does not send it.
        if required and not there.get(name, False) and name.rpartition(".")[0] in {"", *there}:
            yield f"the request's field {name} is required now"


def _of_answers(before: Contract, after: Contract, known: Schema, now: Schema) -> Iterator[str]:
    for status, response in known["responses"].items():
        if status not in now["responses"]:
            if status < "300":
                yield f"it answers {status} no longer"
            continue
        old, new = _body(response), _body(now["responses"][status])
        if old is None:
            continue
        there, here = _fields(before, old), _fields(after, new or {})
        for name in sorted(there.keys() - here.keys()):
            yield f"the field {name} of its answer {status} is gone"
        for name in sorted(name for name in there.keys() & here.keys() if there[name] and not here[name]):
            yield f"the field {name} of its answer {status} may be missing now"


def _body(described: Schema) -> Schema | None:
    contents = described.get("content", {})
    found: Schema | None = contents.get("application/json", {}).get("schema")
    return found


def _fields(contract: Contract, schema: Schema, prefix: str = "", depth: int = 0) -> dict[str, bool]:
    """Every field below `schema`, by its path, and whether it is required where it stands."""
    found: dict[str, bool] = {}
    if depth > _DEEPEST:
        return found
    for part in _resolved(contract, schema):
        for name, inner in part.get("properties", {}).items():
            path = f"{prefix}{name}"
            found[path] = name in part.get("required", ())
            found |= _fields(contract, inner, f"{path}.", depth + 1)
        if "items" in part:
            found |= _fields(contract, part["items"], prefix, depth + 1)
    return found


def _resolved(contract: Contract, schema: Schema) -> Iterator[Schema]:
    """The schema itself, or what it refers to or chooses from."""
    if "$ref" in schema:
        yield from _resolved(contract, contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        return
    yield schema
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from _resolved(contract, choice)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="the contract that clients know")
    before = json.loads(parser.parse_args(argv).before.read_text())
    found = breaking_changes(before, json.loads(AFTER.read_text()))
    for said in found:
        print(said)
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
