"""The API's function on a platform of fakes, called as API Gateway calls it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from lambdas.api.app import handler
from lambdas.api.limits import RateLimit
from lambdas.inference import predict
from millrace import bootstrap, names
from millrace.adapters.memory import (
    InMemoryDownloads,
    InMemoryGivenAnswers,
    InMemoryJobLogs,
    InMemoryRecordQueue,
    InMemoryTallies,
)
from millrace.domain.role import Role
from millrace.settings import Settings
from millrace.use_cases.load_served_model import ServedModels
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET
from tests.unit.lambdas.conftest import Context
from tests.unit.use_cases.world import World

REASON = "better on the rows that matter"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def claims_of(*roles: str, user: str = "ada") -> dict[str, str]:
    """A person's access token as API Gateway hands it on: every claim is text."""
    return {"token_use": "access", "username": user, "sub": "25851bfc", "cognito:groups": f"[{' '.join(roles)}]"}


def event_of(
    method: str,
    path: str,
    *,
    claims: Mapping[str, str] | None,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """As API Gateway hands a request on; below the path for keys by the route for keys, where it verifies nothing."""
    keyed = path.startswith(f"{names.KEYED_PATH}/")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"ANY {names.KEYED_PATH}/{{proxy+}}" if keyed else "$default",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "headers": {"content-type": "application/json", **(headers or {})},
        "requestContext": {
            "requestId": "request-7",
            "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "10.0.0.1", "protocol": "HTTP/1.1", "userAgent": "t"},
        },
        "isBase64Encoded": False,
    }
    if claims is not None and not keyed:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": dict(claims), "scopes": []}}
    if query:
        event["queryStringParameters"] = dict(query)
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    return event


@dataclass
class Api:
    """`world` is what the function finds: everything there is."""

    world: World = field(default_factory=World)
    logs: InMemoryJobLogs = field(default_factory=InMemoryJobLogs)
    answers: InMemoryGivenAnswers = field(default_factory=InMemoryGivenAnswers)
    records: InMemoryRecordQueue = field(default_factory=InMemoryRecordQueue)
    # What the environment's templates tell the function, by field of Settings.
    told: dict[str, str] = field(default_factory=dict)

    def platform(self) -> bootstrap.Platform:
        parts = vars(self.world) | {
            "job_logs": self.logs,
            "given_answers": self.answers,
            "downloads": InMemoryDownloads(),
            "inference_records": self.records,
            "served_models": ServedModels(self.world.registry, self.world.store, ARTIFACTS_BUCKET),
            "tallies": InMemoryTallies(self.world.catalog, self.world.ledger, self.world.registry),
        }
        settings = Settings(data_bucket=DATA_BUCKET, artifacts_bucket=ARTIFACTS_BUCKET, **self.told)
        return bootstrap.Platform(settings).with_parts(**parts)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        roles: Iterable[str] = (Role.ADMIN,),
        user: str = "ada",
        **given: Any,
    ) -> Answer:
        claims = given.pop("claims", claims_of(*roles, user=user))
        return self.send(event_of(method, path, claims=claims, body=body, **given))

    def send(self, event: dict[str, Any]) -> Answer:
        """As API Gateway does: predictions have a function of their own."""
        function = predict.handler if event["rawPath"].endswith("/inference/predict") else handler
        answer = function(event, Context())  # type: ignore[arg-type]
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def get(self, path: str, **given: Any) -> Answer:
        return self.call("GET", path, **given)

    def trained(self, **settings: Any) -> str:
        """A dataset `credit` with three candidates that wait for a decision; the run's id."""
        run, _ = self.world.trained(**settings)
        return run.run_id

    def approved(self, number: int) -> None:
        """Version `number` approved and, as the event would have it, champion."""
        self.world.clock.pass_time(timedelta(minutes=1))
        assert self.call("PUT", f"/models/credit:{number}/approve", {"reason": REASON}).status == 200
        move = {"version": f"credit:{number}", "reason": REASON}
        assert self.call("PUT", "/models/credit/aliases/champion", move).status == 200


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    monkeypatch.setattr(bootstrap, "platform", made.platform)
    monkeypatch.setattr("lambdas.api.app.limit", RateLimit())
    monkeypatch.setattr("lambdas.inference.predict.limit", RateLimit())
    return made
