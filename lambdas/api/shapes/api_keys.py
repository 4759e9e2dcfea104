"""What the API says of API keys: everything but their secrets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import BaseModel, ConfigDict, Field

from millrace.domain.api_key import DEFAULT_DAYS, MAX_DAYS, ApiKey
from millrace.domain.role import Role

KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="An API key's id, the part between `mr_` and `_`.")]


class NewApiKey(BaseModel):
    """The key that is wanted: which of your roles it has (all of them, unless you say) and for how long."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "nightly scoring", "days": 30}]},
    )

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    roles: list[Role] | None = Field(default=None, min_length=1, max_length=len(Role))
    days: int = Field(default=DEFAULT_DAYS, ge=1, le=MAX_DAYS)


class ApiKeyAnswer(BaseModel):
    """A key. `last_used_at` is noted once an hour at most; `valid` is false once it is revoked or expired."""

    key_id: str
    name: str
    owner: str
    roles: list[Role]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    valid: bool


class ApiKeyMade(ApiKeyAnswer):
    """`token` is what requests carry. It is shown here and never again."""

    token: str


def api_key(key: ApiKey, now: datetime) -> ApiKeyAnswer:
    return ApiKeyAnswer(**key.model_dump(exclude={"secret_sha256"}), valid=key.refusal(now) is None)
