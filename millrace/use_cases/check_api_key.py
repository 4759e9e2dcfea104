"""Check an API key that came with a request."""

from __future__ import annotations

from millrace.domain.api_key import ApiKey, parse_token
from millrace.errors import NotFound, NotSignedIn
from millrace.ports import ApiKeys, Clock


def check_api_key(*, keys: ApiKeys, clock: Clock, token: str) -> ApiKey:
    """The key that `token` is, its use noted. Raises NotSignedIn with what is wrong; the secret is in no message."""
    presented = parse_token(token)
    if presented is None:
        raise NotSignedIn("an API key looks like mr_<id>_<secret>: send it whole")
    key = _stored(keys, presented.key_id)
    # Said alike of an id that nobody has and of a wrong secret.
    if key is None or not key.opens_with(presented.secret):
        raise NotSignedIn("this API key is not known")
    now = clock.now()
    refusal = key.refusal(now)
    if refusal is not None:
        raise NotSignedIn(refusal)
    if key.use_is_worth_noting(now):
        keys.note_use(key, at=now)
    return key


def _stored(keys: ApiKeys, key_id: str) -> ApiKey | None:
    try:
        return keys.get(key_id)
    except NotFound:
        return None
