"""CloudFormation: addresses that a template puts together, as they are on this machine.

Nobody's resolver knows the distribution, the sign-in pages and the buckets of an embedded AWS. Where a template joins
such an address for somebody who will call it (an output, a callback, what browsers may do), it gets one that answers.
"""

import re
from typing import Any

from ministack.services.cloudformation import stacks

from local.context import EmulatorContext

DISTRIBUTION = re.compile(r"https://(?:[a-z0-9]+|\*)\.cloudfront\.net")
SIGN_IN_PAGES = re.compile(r"https://[a-z0-9-]+\.auth\.[a-z0-9-]+\.amazoncognito\.com")
BUCKET = re.compile(r"https://[a-z0-9.-]+\.s3(?:\.[a-z0-9-]+)?\.amazonaws\.com")


def install(context: EmulatorContext) -> None:
    """Rewrite what intrinsic functions of a template resolve to."""
    resolve = stacks._resolve_refs

    def resolve_here(*arguments: Any) -> Any:
        return answering(resolve(*arguments), context)

    stacks._resolve_refs = resolve_here


def answering(value: Any, context: EmulatorContext) -> Any:
    """The value with every address of AWS's that a browser calls replaced by the one on loopback."""
    if isinstance(value, str):
        for pattern, address in (
            (DISTRIBUTION, context.front_door_url),
            (SIGN_IN_PAGES, context.endpoint_url),
            (BUCKET, context.endpoint_url),
        ):
            value = pattern.sub(address, value)
        return value
    if isinstance(value, list):
        return [answering(item, context) for item in value]
    if isinstance(value, dict):
        return {name: answering(item, context) for name, item in value.items()}
    return value
