"""The contract: made from the routes, complete, and what is committed is what the code says."""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

import pytest
from aws_lambda_powertools.event_handler import Response
from pydantic import TypeAdapter

from lambdas.api.app import ENDPOINTS, RESOURCES, contract
from lambdas.api.resource import Endpoint
from scripts.write_contracts import ROOT, generated
from stacks.api_stack import OPEN_PATHS
from tests.unit.api.conftest import Api
from tests.unit.api.requests_of import named

OPERATIONS = [
    (path, method, operation) for path, methods in contract()["paths"].items() for method, operation in methods.items()
]
CLOSED = [operation for _, _, operation in OPERATIONS if operation["security"]]


def operation_of(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = contract()["paths"][endpoint.path][endpoint.method.lower()]
    return found


def test_what_is_committed_is_what_the_code_says() -> None:
    stale = [path.relative_to(ROOT).as_posix() for path, text in generated().items() if path.read_text() != text]

    assert stale == [], "run: make contracts"


def test_it_is_openapi_3_1_and_the_api_serves_it(api: Api) -> None:
    assert contract()["openapi"].startswith("3.1")
    assert api.get("/openapi.json", claims=None).json == contract()


def test_every_route_is_in_it_once() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert sorted(ids) == sorted(endpoint.operation_id for endpoint in ENDPOINTS)
    assert len(set(ids)) == len(ids)
    assert {(path, method.upper()) for path, method, _ in OPERATIONS} == {
        (endpoint.path, endpoint.method) for endpoint in ENDPOINTS
    }


def test_no_two_paths_differ_in_nothing_but_a_name() -> None:
    shapes = [tuple("{}" if part.startswith("{") else part for part in path.split("/")) for path in contract()["paths"]]

    assert len(set(shapes)) == len(shapes)


def test_what_is_open_in_the_contract_is_what_the_gateway_lets_through() -> None:
    open_paths = {path for path, _, operation in OPERATIONS if not operation["security"]}

    assert open_paths == set(OPEN_PATHS)


def test_every_error_is_a_problem_and_every_closed_route_names_those_that_any_may_have() -> None:
    for operation in CLOSED:
        assert {"401", "403", "422", "429", "500"} <= set(operation["responses"]), operation["operationId"]
    for _, _, operation in OPERATIONS:
        for status, response in operation["responses"].items():
            if status >= "400":
                schema = response["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}, (operation["operationId"], status)


# Their answers are not kept: too many, or with a secret in them.
UNKEYED = {"predict", "create_api_key", "add_channel"}


def test_reads_may_be_unchanged_and_writes_say_what_they_take() -> None:
    for _, method, operation in OPERATIONS:
        if not operation["security"]:
            continue
        headers = {each["name"] for each in operation["parameters"] if each["in"] == "header"}
        expected = {
            "get": {"If-None-Match"},
            "post": {"Idempotency-Key"} - ({"Idempotency-Key"} if operation["operationId"] in UNKEYED else set()),
            "put": {"If-Match"},
            "patch": {"If-Match"},
            "delete": set(),
        }
        assert headers == expected[method], operation["operationId"]
        assert ("304" in operation["responses"]) is (method == "get")


def test_everything_is_spelled_in_snake_case() -> None:
    schemas = contract()["components"]["schemas"]
    named_fields = [name for schema in schemas.values() for name in schema.get("properties", {})]

    assert named_fields
    assert [name for name in named_fields if name != name.lower() or "-" in name] == []


def test_it_holds_nothing_that_no_route_says() -> None:
    assert "HTTPValidationError" not in contract()["components"]["schemas"]
    assert "servers" not in contract()


FUNCTIONS = {function.__name__: function for resource in RESOURCES for function in resource._routes.values()}


@pytest.mark.parametrize("endpoint", [each for each in ENDPOINTS if each.operation_id in FUNCTIONS], ids=named)
def test_every_operation_has_an_example_that_keeps_to_its_shape(endpoint: Endpoint) -> None:
    returned = get_type_hints(FUNCTIONS[endpoint.operation_id])["return"]
    shape = get_args(returned)[0] if get_origin(returned) is Response else returned
    right = [response for code, response in operation_of(endpoint)["responses"].items() if code.startswith("2")]

    assert right
    for response in right:
        (content,) = response["content"].values()
        example = content["examples"][endpoint.operation_id]["value"]
        TypeAdapter(shape).validate_json(TypeAdapter(Any).dump_json(example))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=named)
def test_every_operation_says_in_a_sentence_what_it_does(endpoint: Endpoint) -> None:
    operation = operation_of(endpoint)

    assert len(operation["summary"]) > 10
    assert operation["description"].endswith(".")
    assert operation["tags"]


def test_every_body_has_an_example() -> None:
    schemas = contract()["components"]["schemas"]
    for _, _, operation in OPERATIONS:
        if "requestBody" in operation:
            reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert schemas[reference.rpartition("/")[2]]["examples"], operation["operationId"]
