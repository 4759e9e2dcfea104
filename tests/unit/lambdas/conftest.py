from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from millrace import bootstrap
from millrace.settings import Settings
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET
from tests.unit.use_cases.world import World


@dataclass
class Context:
    """What Lambda hands to a handler beside the event."""

    function_name: str = "function"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request-1"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def context() -> Any:
    return Context()


@pytest.fixture(autouse=True)
def deployed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions find the world of fakes where their environment would have led them to AWS."""
    settings = Settings(
        data_bucket=DATA_BUCKET,
        artifacts_bucket=ARTIFACTS_BUCKET,
        training_image="image:3.2-0",
        code_digest="code-digest",
    )
    platform = bootstrap.platform(settings).with_parts(**vars(world))
    monkeypatch.setattr(bootstrap, "platform", lambda: platform)
