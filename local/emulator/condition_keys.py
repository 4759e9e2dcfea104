"""What a request to SNS is about, as policies name it: ministack tells neither a subscription's keys nor its topic."""

from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions

from local.context import EmulatorContext

# What a policy may ask of a subscription (AWS, "Actions, resources, and condition keys for Amazon SNS").
SUBSCRIPTION_KEYS = {"Protocol": "sns:Protocol", "Endpoint": "sns:Endpoint"}


def install(_context: EmulatorContext) -> None:
    """Let a role subscribe that may subscribe e-mail addresses only, and take away what it subscribed."""
    keys_of, resource_of = iam_actions.request_tag_context, iam_actions.extract_resource_arn

    def with_subscription(service: str, action: str, body: bytes, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {**keys_of(service, action, body, parameters), **subscription_keys(action, parameters)}

    def with_topic(
        service: str, method: str, path: str, headers: Any, body: bytes, parameters: Any, region: str, account: str
    ) -> str:
        known = topic_of_subscription(service, parameters)
        return known or resource_of(service, method, path, headers, body, parameters, region, account)

    iam_actions.request_tag_context = with_subscription
    iam_actions.extract_resource_arn = with_topic


def subscription_keys(action: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """The condition keys of an `sns:Subscribe`; none of any other action."""
    if action != "sns:Subscribe":
        return {}
    known = {key: _first(parameters.get(name)) for name, key in SUBSCRIPTION_KEYS.items()}
    return {key: value for key, value in known.items() if value}


def topic_of_subscription(service: str, parameters: Mapping[str, Any]) -> str:
    """The topic of a request about a subscription, whose ARN is the topic's and an id; empty for any other."""
    subscription = _first(parameters.get("SubscriptionArn")) if service == "sns" else ""
    return subscription.rpartition(":")[0] if subscription.startswith("arn:") else ""


def _first(value: Any) -> str:
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, str) else ""
