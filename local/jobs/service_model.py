"""Checks requests against the service's own model, as botocore ships it: types, ranges, patterns and enumerations."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from local.jobs.documents import Document
from local.jobs.service_error import invalid

LONGEST_SHOWN = 200


@functools.cache
def service_model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(service)


def operation(service: str, name: str) -> OperationModel:
    return service_model(service).operation_model(name)


def members_of(service: str, shape: str) -> frozenset[str]:
    """The member names of a structure, for cutting a document down to what an answer may hold."""
    found = service_model(service).shape_for(shape)
    return frozenset(found.members) if isinstance(found, StructureShape) else frozenset()


def check_request(service: str, name: str, request: Document) -> None:
    """Raises the service's ValidationException, with every violation named."""
    shape = operation(service, name).input_shape
    if shape is None:
        return
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise invalid(report.generate_report())
    violations = list(_violations(request, shape, ""))
    if violations:
        noun = "error" if len(violations) == 1 else "errors"
        raise invalid(f"{len(violations)} validation {noun} detected: {'; '.join(violations)}")


def _violations(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in value:
                yield from _violations(value[name], member, _child(path, name))
    elif isinstance(shape, ListShape):
        yield from _length(len(value), shape, path, value)
        for index, item in enumerate(value):
            yield from _violations(item, shape.member, f"{path}.{index + 1}.member")
    elif isinstance(shape, MapShape):
        yield from _length(len(value), shape, path, value)
        for key, item in value.items():
            yield from _violations(key, shape.key, f"{path}.{key}.key")
            yield from _violations(item, shape.value, f"{path}.{key}.value")
    elif shape.type_name == "string":
        yield from _text(value, shape, path)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        highest = shape.metadata.get("max")
        if highest is not None and value > highest:
            yield _violation(value, path, f"Member must have value less than or equal to {highest}")


def _text(value: str, shape: Shape, path: str) -> Iterator[str]:
    yield from _length(len(value), shape, path, value)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _violation(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not python_pattern(pattern).fullmatch(value):
        yield _violation(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _length(length: int, shape: Shape, path: str, value: Any) -> Iterator[str]:
    longest = shape.metadata.get("max")
    if longest is not None and length > longest:
        yield _violation(value, path, f"Member must have length less than or equal to {longest}")


def _violation(value: Any, path: str, constraint: str) -> str:
    return f"Value '{str(value)[:LONGEST_SHOWN]}' at '{path}' failed to satisfy constraint: {constraint}"


def _child(path: str, name: str) -> str:
    member = name[0].lower() + name[1:]
    return f"{path}.{member}" if path else member


@functools.cache
def python_pattern(pattern: str) -> re.Pattern[str]:
    """A model's pattern (Java's dialect) in Python's: Unicode letters and digits are `\\w`, separators are `\\s`."""
    text = pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\d").replace(r"\p{Z}", r"\s")
    try:
        return re.compile(re.sub(r"\\p\{\w+\}", "", text), re.DOTALL)
    except re.error:  # six patterns of the model (surrogate ranges, a stray `$`) mean nothing to Python: not checked
        return re.compile(".*", re.DOTALL)
