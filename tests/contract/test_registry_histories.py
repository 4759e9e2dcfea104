"""Whatever is done to a model in whatever order, DynamoDB and the fake tell the same story of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from moto import mock_aws

from millrace.adapters.dynamodb import DynamoModelRegistry, Table
from millrace.adapters.memory import InMemoryModelRegistry
from millrace.domain.model import CHAMPION, ModelEventKind, version_with_alias_at
from millrace.errors import PlatformError
from tests.builders import NOON, a_model_version
from tests.contract.conftest import REGION, TABLE, create_registry_table

runs = st.sampled_from(["training-1", "training-2"])
algorithms = st.sampled_from(["xgboost", "linear"])
numbers = st.integers(1, 5)


class RegistryComparison(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.mock = mock_aws()
        self.mock.start()
        client = boto3.client(
            "dynamodb", region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        create_registry_table(client)
        self.fake, self.real = InMemoryModelRegistry(), DynamoModelRegistry(Table(client, TABLE))
        self.now = NOON
        self.champions: list[tuple[Any, int | None]] = []

    def teardown(self) -> None:
        self.mock.stop()

    def both(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call both. They return equal things or raise equal errors."""
        self.now += timedelta(seconds=1)
        answers = []
        for registry in (self.fake, self.real):
            try:
                answers.append(getattr(registry, method)(*args, **kwargs))
            except PlatformError as error:
                answers.append(type(error))
        assert answers[0] == answers[1]
        return answers[0]

    @rule(run_id=runs, algorithm=algorithms)
    def claim(self, run_id: str, algorithm: str) -> None:
        self.both("claim_number", "credit", dataset="credit", run_id=run_id, algorithm=algorithm, at=NOON)

    @rule(run_id=runs, algorithm=algorithms, number=numbers)
    def register(self, run_id: str, algorithm: str, number: int) -> None:
        version = a_model_version(number, run_id=run_id, algorithm=algorithm, created_at=self.now)
        self.both("register", version, actor="training")

    @rule(run_id=runs, algorithm=algorithms)
    def claim_and_register(self, run_id: str, algorithm: str) -> None:
        number = self.both("claim_number", "credit", dataset="credit", run_id=run_id, algorithm=algorithm, at=NOON)
        self.both("register", a_model_version(number, run_id=run_id, algorithm=algorithm), actor="training")

    @rule(number=numbers, approve=st.booleans())
    def decide(self, number: int, approve: bool) -> None:
        self.both("decide", "credit", number, approve=approve, actor="ada", reason="seen", at=self.now)

    @rule(number=numbers, expected=st.none() | numbers, alias=st.sampled_from([CHAMPION, "shadow"]))
    def move_alias(self, number: int, expected: int | None, alias: str) -> None:
        self.both("move_alias", "credit", alias, number, expected=expected, actor="ada", reason="moved", at=self.now)

    @rule(number=numbers)
    def promote_whatever_is_there(self, number: int) -> None:
        model = self.both("model", "credit")
        expected = None if isinstance(model, type) else model.aliases.get(CHAMPION)
        self.both("move_alias", "credit", CHAMPION, number, expected=expected, actor="a", reason="r", at=self.now)

    @invariant()
    def they_tell_the_same_story(self) -> None:
        for method in ("model", "versions", "history"):
            self.both(method, "credit")
        self.both("models")

    @invariant()
    def the_history_explains_the_present(self) -> None:
        history = self.real.history("credit")
        assert [event.sequence for event in history] == list(range(1, len(history) + 1))
        model = self.both("model", "credit")
        if isinstance(model, type):
            return
        for alias in (CHAMPION, "shadow"):
            assert version_with_alias_at(history, alias, self.now) == model.aliases.get(alias)
        registered = {event.number for event in history if event.kind is ModelEventKind.REGISTERED}
        assert registered == {version.number for version in self.real.versions("credit")}
        self.champions.append((self.now, model.aliases.get(CHAMPION)))

    @invariant()
    def who_was_champion_stays_answerable(self) -> None:
        history = self.real.history("credit")
        for at, number in self.champions:
            assert version_with_alias_at(history, CHAMPION, at) == number


RegistryComparison.TestCase.settings = hypothesis_settings(max_examples=12, stateful_step_count=25, deadline=None)
test_registries_agree = RegistryComparison.TestCase
