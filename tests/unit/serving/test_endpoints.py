"""A version behind a SageMaker endpoint: made once, checked by its answers, asked like any other, deleted in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from lambdas.tasks import deploy_endpoint, retire_endpoints
from millrace import bootstrap
from millrace.adapters.memory import InMemoryEndpoints, InMemoryRecordQueue
from millrace.domain import place
from millrace.domain.model import ModelVersion
from millrace.errors import EndpointFailed, NotDeployed, ServingRefused
from millrace.ports import EndpointSpec
from millrace.settings import Settings
from millrace.use_cases.load_served_model import ServedModels
from millrace.use_cases.predict_rows import Answer, predict_rows
from sagemaker_scripts.artefact import frame_of
from sagemaker_scripts.inference import JSON, transform_fn
from tests.builders import ARTIFACTS_BUCKET, NOON, an_endpoint_use, later
from tests.unit.lambdas.conftest import Context
from tests.unit.serving.conftest import Exported, promote
from tests.unit.use_cases.world import World

NAME = "millrace-test-credit-v1"
ROWS: list[dict[str, Any]] = [{"age": 30, "home": "own", "name": "Ada"}, {"age": None, "home": None, "name": "Bob"}]
GIVEN = {"run_id": "deployment-1", "model": "credit", "prefix": "millrace-test"}


@pytest.fixture
def endpoints(first: Exported) -> InMemoryEndpoints:
    """They answer with the container's own program."""
    return InMemoryEndpoints(lambda _name, body: transform_fn(first.artefact, body, JSON, JSON)[0])


@pytest.fixture
def deploy(
    world: World,
    versions: list[ModelVersion],
    endpoints: InMemoryEndpoints,
    first: Exported,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[], bool]:
    """The state DeployEndpoint for version 1, whose archive CheckServingArtefact has put there."""
    served_by(world, first, "serverless")
    settings = Settings(artifacts_bucket=ARTIFACTS_BUCKET, endpoint_machine="ml.m5.large", endpoint_most_machines="3")
    platform = bootstrap.platform(settings).with_parts(**vars(world), endpoints=endpoints)
    monkeypatch.setattr(bootstrap, "platform", lambda: platform)

    def state() -> bool:
        given = {**GIVEN, "number": 1, "role_arn": "arn:role", "image": "image:1"}
        return bool(deploy_endpoint.handler(given, Context())["ready"])  # type: ignore[arg-type]

    return state


def served_by(world: World, first: Exported, kind: str) -> None:
    """As CheckServingArtefact leaves version 1."""
    files = first.saying(served_by="sagemaker", endpoint_kind=kind, refusal="it differs")
    for name in ("serving.json", "golden.json"):
        world.store.write(place.serving_uri(ARTIFACTS_BUCKET, "credit", 1, name), files[name])


def retire() -> list[str]:
    told: list[str] = retire_endpoints.handler(dict(GIVEN), Context())["retired"]  # type: ignore[arg-type]
    return told


def used(world: World) -> list[tuple[int, str | None, datetime, datetime | None]]:
    uses = world.endpoint_uses.since(NOON)
    return [(use.number, use.machine, use.since, use.until) for use in uses]


def ask(world: World, endpoints: InMemoryEndpoints, records: InMemoryRecordQueue) -> Answer:
    return predict_rows(
        served_models=ServedModels(world.registry, world.store, ARTIFACTS_BUCKET, invoke=endpoints.invoke),
        records=records,
        clock=world.clock,
        model="credit",
        rows=ROWS,
        record_ids=None,
        actor="ada",
        request_id="request-1",
    )


def test_an_endpoint_is_made_of_the_archive_and_told_the_digest(
    deploy: Callable[[], bool], endpoints: InMemoryEndpoints, versions: list[ModelVersion]
) -> None:
    assert [deploy(), deploy(), deploy()] == [False, True, True]

    spec = endpoints.made[NAME]
    assert spec.archive_uri == f"s3://{ARTIFACTS_BUCKET}/models/credit/v1/serving/container.tar.gz"
    assert spec.environment["ARTIFACT_DIGEST"] == versions[0].artifact_digest
    assert (spec.kind, spec.role_arn, spec.image) == ("serverless", "arn:role", "image:1")


def test_what_an_endpoint_answers_is_given_and_recorded_like_any_answer(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints, first: Exported
) -> None:
    deploy(), deploy()
    promote(world, 1)
    records = InMemoryRecordQueue()

    answer = ask(world, endpoints, records)

    scores = first.artefact.scores(frame_of(ROWS, ["age", "home"]))
    assert [list(told.probabilities.values()) for told in answer.predictions] == scores.tolist()
    assert answer.read.ignored_columns == ("name",)
    assert [json.loads(record)["row"] for record in records.records[:-1]] == [
        {"age": 30, "home": "own"},
        {"age": None, "home": None},
    ]


def test_an_endpoint_that_answers_otherwise_than_trained_is_refused(
    deploy: Callable[[], bool], endpoints: InMemoryEndpoints, second: Exported
) -> None:
    endpoints.answers = lambda _name, body: transform_fn(second.artefact, body, JSON, JSON)[0]
    deploy()

    with pytest.raises(ServingRefused, match="answered otherwise than in training"):
        deploy()


@pytest.mark.parametrize("said", [b"no json", b"{}", b'{"predictions": []}'])
def test_an_answer_of_another_form_is_no_answer(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints, said: bytes
) -> None:
    deploy(), deploy()
    promote(world, 1)
    endpoints.answers = lambda _name, _body: said

    with pytest.raises(EndpointFailed):
        ask(world, endpoints, InMemoryRecordQueue())


def test_before_its_endpoint_is_checked_a_version_does_not_answer(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints
) -> None:
    deploy()
    promote(world, 1)

    with pytest.raises(NotDeployed, match="credit:1 needs a SageMaker endpoint, and has none"):
        ask(world, endpoints, InMemoryRecordQueue())


def test_endpoints_that_nobody_needs_are_deleted_and_no_other_models(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints
) -> None:
    deploy()
    spec = endpoints.made[NAME]
    for name in ("credit-v2", "credit-v3", "credit-v9", "credit-v-v1", "creditors-v1"):
        endpoints.made[f"millrace-test-{name}"] = spec
    for number in (1, 2, 3):
        promote(world, number)

    assert retire() == [NAME, "millrace-test-credit-v9"]
    assert sorted(endpoints.made) == [
        "millrace-test-credit-v-v1",
        "millrace-test-credit-v2",
        "millrace-test-credit-v3",
        "millrace-test-creditors-v1",
    ]


MINUTE = timedelta(minutes=1)


def test_hours_count_from_when_an_endpoint_is_made_until_it_is_deleted(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints, first: Exported
) -> None:
    served_by(world, first, "realtime")
    for number in (1, 2, 3):
        promote(world, number)
    world.endpoint_uses.begin(an_endpoint_use("churn"))

    for _ in range(3):
        deploy()
        world.clock.pass_time(MINUTE)
    (use,) = [use for use in world.endpoint_uses.open() if use.model == "credit"]
    assert (use.machine, use.most_machines, use.region, use.since) == ("ml.m5.large", 3, "us-east-1", NOON)
    assert retire() == [NAME]
    retire()

    assert used(world) == [(1, "ml.m5.large", NOON, later(3)), (1, "ml.m5.large", NOON, None)]


def test_what_is_still_needed_is_still_paid_for(deploy: Callable[[], bool], world: World, first: Exported) -> None:
    served_by(world, first, "realtime")
    promote(world, 1)
    deploy()

    assert retire() == []
    assert used(world) == [(1, "ml.m5.large", NOON, None)]


class CutOff(Exception):
    pass


def test_an_attempt_that_is_cut_off_leaves_no_endpoint_uncounted(
    deploy: Callable[[], bool],
    world: World,
    endpoints: InMemoryEndpoints,
    first: Exported,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served_by(world, first, "realtime")
    make = endpoints.deploy

    def cut_off(spec: EndpointSpec) -> bool:
        make(spec)
        raise CutOff

    monkeypatch.setattr(endpoints, "deploy", cut_off)
    with pytest.raises(CutOff):
        deploy()
    assert used(world) == [(1, "ml.m5.large", NOON, None)]

    world.clock.pass_time(MINUTE)
    monkeypatch.setattr(endpoints, "deploy", make)
    assert deploy()
    assert used(world) == [(1, "ml.m5.large", NOON, None)]


def test_an_endpoint_that_was_never_made_ends_with_its_deployment(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints, first: Exported
) -> None:
    """The account's quota for the machine may be none at all, also for a champion that shall be served otherwise."""
    served_by(world, first, "realtime")
    promote(world, 1)
    world.endpoint_uses.begin(an_endpoint_use())

    retire()

    assert used(world) == [(1, "ml.m5.large", NOON, NOON)]


def test_a_deletion_that_is_cut_off_before_it_was_recorded_is_recorded_the_next_time(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints, first: Exported
) -> None:
    served_by(world, first, "realtime")
    deploy()
    world.clock.pass_time(MINUTE)
    endpoints.delete(NAME)

    assert retire() == []
    assert used(world) == [(1, "ml.m5.large", NOON, later(1))]


def test_a_serverless_endpoint_where_a_realtime_one_was_ends_its_hours_and_one_that_is_refused_does_not(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints, first: Exported
) -> None:
    served_by(world, first, "realtime")
    deploy()
    world.clock.pass_time(MINUTE)
    served_by(world, first, "serverless")
    with pytest.raises(EndpointFailed, match="is realtime, not serverless"):
        deploy()
    assert used(world) == [(1, "ml.m5.large", NOON, None)]

    endpoints.delete(NAME)
    deploy()

    assert used(world) == [(1, "ml.m5.large", NOON, later(1)), (1, None, later(1), None)]


def test_an_endpoint_of_another_kind_that_was_there_before_hours_were_counted_begins_none(
    deploy: Callable[[], bool], world: World, endpoints: InMemoryEndpoints, first: Exported
) -> None:
    served_by(world, first, "serverless")
    deploy()
    world.endpoint_uses.end("credit", 1, at=later(1))
    before = used(world)
    served_by(world, first, "realtime")

    with pytest.raises(EndpointFailed, match="is serverless, not realtime"):
        deploy()
    assert used(world) == before
