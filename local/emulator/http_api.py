"""HTTP API: what a template says of cross-origin requests, and an address that resolves on this machine."""

from typing import Any

from ministack.services.cloudformation import provisioners

from local.context import EmulatorContext

Properties = dict[str, Any]


def install(context: EmulatorContext) -> None:
    """Wrap the provisioner of AWS::ApiGatewayV2::Api.

    ministack keeps the template's spelling (`AllowOrigins`) where its data plane reads the API's (`allowOrigins`), and
    names a host below `localhost`, which many resolvers do not know.
    """
    handler = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handler["create"], handler["update"]

    def addressed(outcome: tuple[str, Properties]) -> tuple[str, Properties]:
        api_id, attributes = outcome
        return api_id, {**attributes, "ApiEndpoint": api_address(context.endpoint_url, api_id)}

    def spelled_create(logical_id: str, properties: Properties, stack_name: str) -> tuple[str, Properties]:
        return addressed(create(logical_id, spelled_as_api(properties), stack_name))

    def spelled_update(
        physical_id: str, old: Properties, new: Properties, *rest: Any, **named: Any
    ) -> tuple[str, Properties]:
        return addressed(update(physical_id, old, spelled_as_api(new), *rest, **named))

    handler.update(create=spelled_create, update=spelled_update)


def api_address(endpoint_url: str, api_id: str) -> str:
    """Where the API's default stage answers."""
    return f"{endpoint_url}/_aws/execute-api/{api_id}/$default"


def spelled_as_api(properties: Properties) -> Properties:
    """The properties with `CorsConfiguration` in the API's own spelling."""
    said = properties.get("CorsConfiguration")
    if not said:
        return properties
    return {**properties, "CorsConfiguration": {name[:1].lower() + name[1:]: value for name, value in said.items()}}
