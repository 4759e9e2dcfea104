"""API keys: made, listed and revoked by people. What a key itself may do is in identity.py."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.paging import Cursor, Limit, PageOf, from_cursor, page_of
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import api_key_examples as examples
from lambdas.api.shapes.api_keys import ApiKeyAnswer, ApiKeyMade, KeyId, NewApiKey, api_key
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE, Role
from millrace.use_cases.make_api_key import make_api_key
from millrace.use_cases.revoke_api_key import revoke_api_key

resource = Resource("api keys")


@resource.endpoint(
    "POST",
    "/api-keys",
    allow=EVERYONE,
    status=201,
    example=examples.MADE,
    people_only=True,
    # What was answered is kept by its Idempotency-Key, and a secret is not to be kept.
    keyed=False,
)
def create_api_key(new: Annotated[NewApiKey, Body()]) -> Response[ApiKeyMade]:
    """Make an API key. Its `token` is shown this once: keep it where secrets are kept.

    It acts as you, with those of your roles that you give it. It can make no keys, and decide on no model versions.
    """
    platform = bootstrap.platform()
    key, token = make_api_key(
        keys=platform.api_keys,
        clock=platform.clock,
        name=new.name,
        roles=resource.caller.roles if new.roles is None else new.roles,
        days=new.days,
        maker=resource.caller.actor,
        maker_roles=resource.caller.roles,
    )
    shown = api_key(key, platform.clock.now())
    return answer(ApiKeyMade(**shown.model_dump(), token=token), status=201)


@resource.endpoint("GET", "/api-keys", allow=EVERYONE, example=examples.PAGE)
def list_api_keys(
    everybodys: Annotated[bool, Query(alias="all", description="Everybody's: for admins.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response[PageOf[ApiKeyAnswer]]:
    """Your API keys, newest first, without their secrets; revoked and expired ones too."""
    platform, caller = bootstrap.platform(), resource.caller
    if everybodys:
        caller.require(frozenset({Role.ADMIN}))
    owner = None if everybodys else caller.actor
    scope = f"api keys of {owner}"
    found = platform.api_keys.page(owner=owner, after=from_cursor(cursor, scope), limit=limit)
    now = platform.clock.now()
    # A key expires without any change of what is stored.
    etag = resource.unless_unchanged(
        *(f"{key.key_id}.{key.last_used_at}.{key.refusal(now)}" for key in found.items), found.position
    )
    return answer(page_of(found, scope, lambda key: api_key(key, now)), etag=etag)


@resource.endpoint(
    "DELETE",
    "/api-keys/<key_id>",
    allow=EVERYONE,
    raises=[errors.NotFound, errors.Conflict],
    example=examples.REVOKED,
    people_only=True,
)
def revoke_key(key_id: KeyId) -> Response[ApiKeyAnswer]:
    """Revoke an API key of yours, or anybody's as an admin. It opens nothing from the next request on."""
    platform, caller = bootstrap.platform(), resource.caller
    revoked = revoke_api_key(
        keys=platform.api_keys, clock=platform.clock, key_id=key_id, actor=caller.actor, roles=caller.roles
    )
    return answer(api_key(revoked, platform.clock.now()))
