"""What is changed about ministack's HTTP API, and how its addresses are told."""

from typing import Any

import pytest
from ministack.services.cloudformation import provisioners

from local.context import EmulatorContext
from local.emulator import http_api, server

ORIGINS = {"AllowOrigins": ["http://localhost:5173"], "MaxAge": 3600}


def test_cross_origin_properties_are_spelled_as_the_data_plane_reads_them() -> None:
    given = {"Name": "Api", "CorsConfiguration": ORIGINS}

    assert http_api.spelled_as_api(given) == {
        "Name": "Api",
        "CorsConfiguration": {"allowOrigins": ["http://localhost:5173"], "maxAge": 3600},
    }
    assert http_api.spelled_as_api({"Name": "Api"}) == {"Name": "Api"}
    assert given["CorsConfiguration"] is ORIGINS


def test_an_api_is_told_where_it_answers_when_it_is_made_and_when_it_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    seen: list[dict[str, Any]] = []

    def create(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
        seen.append(properties)
        return "a1", {"ApiId": "a1", "ApiEndpoint": "http://a1.execute-api.localhost:4710"}

    def update(
        physical_id: str, _old: Any, new: dict[str, Any], *_rest: Any, **_named: Any
    ) -> tuple[str, dict[str, Any]]:
        return create(physical_id, new, "")

    handler = {"create": create, "update": update}
    monkeypatch.setitem(provisioners._RESOURCE_HANDLERS, "AWS::ApiGatewayV2::Api", handler)
    context = EmulatorContext(
        "http://127.0.0.1:4710", "http://127.0.0.1:4711", "us-east-1", "000000000000", tmp_path, "/python"
    )
    http_api.install(context)

    made = handler["create"]("Api", {"CorsConfiguration": ORIGINS}, "Stack")
    changed = handler["update"]("a1", {}, {"CorsConfiguration": ORIGINS}, "Stack", logical_id="Api")

    endpoint = "http://127.0.0.1:4710/_aws/execute-api/a1/$default"
    assert made == changed == ("a1", {"ApiId": "a1", "ApiEndpoint": endpoint})
    assert [list(properties["CorsConfiguration"]) for properties in seen] == [["allowOrigins", "maxAge"]] * 2


def test_addresses_that_ministack_tells_of_itself_have_the_scheme_it_is_asked_by() -> None:
    discovery = {"path": "/us-east-1_x/.well-known/openid-configuration", "headers": []}
    other = {"path": "/", "headers": [(b"host", b"127.0.0.1")]}

    assert server.over_tls(discovery) is discovery
    assert server.over_tls(other)["headers"][-1] == (b"x-forwarded-proto", b"https")
