"""A small world on the local platform, in which stories can be told again and again: names are never used twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import pandas as pd

from millrace import names
from millrace.domain import identity, place
from millrace.domain.model import Approval, ModelVersion
from millrace.domain.run import Run, RunState
from tests.e2e.calling import Caller, outputs, signed_in
from tests.e2e.conftest import EXAMPLES, Bench, wait_for
from tests.e2e.receiving import Inbox, Receiver, subscribed_inbox

# How long a story waits for what it is about. With every permission, none needs half of it.
PATIENCE = 20.0
SETTINGS: dict[str, Any] = {
    "target": "species",
    "training": {"trials": 1, "algorithms": ["linear"], "on_new_version": False},
}
ENDPOINT = {"deployment": {"strategy": "all_at_once", "served_by": "serverless"}}
CANARY = {"strategy": "canary", "share": 0.5, "minimum_requests": 1, "max_psi": 50}
T = TypeVar("T")


@dataclass
class World:
    """What stories share. `model` has two versions; the first is its champion, and in service.

    `datasets` have the same rows as the model's own, by the name of their settings: `plain`, `endpoint`, `canary`,
    `slow` (a canary that takes long).
    """

    bench: Bench
    admin: Caller
    inbox: Inbox
    receiver: Receiver
    datasets: dict[str, str] = field(default_factory=dict)
    versions: list[ModelVersion] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    _serial: Any = field(default_factory=count)

    @cached_property
    def dashboard(self) -> str:
        return outputs(self.bench)["DashboardUrl"]

    @property
    def model(self) -> str:
        return self.datasets["plain"]

    def name(self, stem: str) -> str:
        """One that nobody has used."""
        return f"{stem}-{uuid4().hex[:6]}-{next(self._serial)}"

    def wait(self, find: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
        return wait_for(find, what=what, seconds=seconds)

    def succeeded(self, run_id: str, seconds: float = PATIENCE) -> Run:
        run = self.bench.ended(run_id, seconds=seconds)
        assert run.state is RunState.SUCCEEDED, run.reason
        return run

    def get(self, path: str) -> Any:
        status, answer = self.admin.get(path)
        assert status == 200, (path, answer)
        return answer

    def send(self, path: str, body: Any = None, *, method: str = "POST") -> Any:
        status, answer = self.admin.send(method, path, body)
        assert status < 300, (method, path, status, answer)
        return answer

    def drop(self, dataset: str, body: bytes, name: str = "rows.csv") -> Run:
        return self.succeeded(self.bench.put(f"uploads/{dataset}/{name}", body))

    def dataset(self, stem: str, **settings: Any) -> str:
        """A dataset with one version of rows, trained on by nobody."""
        dataset = self.name(stem)
        run = self.bench.configure(dataset, SETTINGS | settings)
        assert run.state is RunState.SUCCEEDED, run.reason
        self.drop(dataset, penguins())
        return dataset

    def measured(self, dimension: str, value: str) -> None:
        """CloudWatch has a metric with this dimension, or soon has."""
        asked = {"Namespace": names.METRIC_NAMESPACE, "Dimensions": [{"Name": dimension, "Value": value}]}
        client = self.bench.session.client("cloudwatch")
        self.wait(lambda: client.list_metrics(**asked)["Metrics"] or None, what=f"metrics of {value}")

    def copied(
        self,
        *,
        model: str = "",
        versions: int = 1,
        approved: bool = True,
        champion: bool = False,
        like: str = "plain",
    ) -> str:
        """A model of its own with the world's versions: trained, approved and in service in no time.

        `like` says which dataset's settings it is deployed with.
        """
        model, registry, now = model or self.name("copy"), self.bench.platform.registry, self.bench.platform.clock.now()
        said: dict[str, Any] = {"actor": "tester", "reason": "for a story", "at": now}
        dataset = self.datasets[like]
        for number, original in enumerate(self.versions[:versions], start=1):
            run_id = f"training-{model}-{number}"
            registry.claim_number(model, dataset=dataset, run_id=run_id, algorithm=original.algorithm, at=now)
            lineage = original.lineage.model_copy(update={"dataset": dataset, "run_id": run_id})
            changed = {"model": model, "lineage": lineage, "approval": Approval(), "revision": 1}
            registry.register(original.model_copy(update=changed), actor="tester")
            if approved:
                registry.decide(model, number, approve=True, **said)
        if champion:
            self._serve_alike(model)
            registry.move_alias(model, "champion", 1, expected=None, **said)
        return model

    def _serve_alike(self, model: str) -> None:
        bucket, store = self.bench.platform.settings.require("artifacts_bucket"), self.bench.platform.store
        source = place.serving_uri(bucket, self.model, 1, "")
        for found in store.list(source):
            store.copy(found.uri, place.serving_uri(bucket, model, 1, found.uri.removeprefix(source)))

    def same_endpoint(self, name: str) -> None:
        """One more endpoint of this name, that answers as the world's own does."""
        client, own = self.bench.session.client("sagemaker"), f"millrace-local-{self.datasets['endpoint']}-v1"
        model = client.describe_model(ModelName=own)
        role, container = model["ExecutionRoleArn"], model["PrimaryContainer"]
        client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
        (variant,) = client.describe_endpoint_config(EndpointConfigName=own)["ProductionVariants"]
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[{**variant, "ModelName": name}])
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.wait(
            lambda: client.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService" or None,
            what=f"{name} in service",
        )

    def answered_by(self, version_id: str) -> None:
        """The version is its model's champion and answers, or soon does."""
        body = {"model": version_id.partition(":")[0], "rows": self.rows}

        def ask() -> bool | None:
            return self.send("/inference/predict", body)["model_version"] == version_id or None

        self.wait(ask, what=f"an answer of {version_id}", seconds=10)

    def settle(self) -> None:
        """Nothing that a story has left behind goes on."""
        client = self.bench.session.client("stepfunctions")
        for machine in client.list_state_machines()["stateMachines"]:
            asked = {"stateMachineArn": machine["stateMachineArn"], "statusFilter": "RUNNING"}
            for execution in client.list_executions(**asked)["executions"]:
                client.stop_execution(executionArn=execution["executionArn"])

    def kinds(self, model: str, newest: int) -> list[str]:
        """What happened to the model last, newest first."""
        return [each["kind"] for each in self.get(f"/models/{model}/history")["items"][:newest]]


def penguins(rows: int = 344) -> bytes:
    return pd.read_csv(EXAMPLES / "penguins.csv").head(rows).to_csv(index=False).encode()


def asked_rows(world: World, count: int, **shifted: float) -> pd.DataFrame:
    """Rows as the world's models know them, with a record id each; `shifted` columns are moved by so much."""
    wanted = [feature["name"] for feature in world.versions[0].signature["inputs"]]
    table = pd.concat([pd.read_csv(EXAMPLES / "penguins.csv").dropna()[wanted]] * 3).sample(count, random_state=3)
    table.insert(0, "record_id", [world.name("penguin") for _ in range(count)])
    return table.assign(**{name: table[name] + by for name, by in shifted.items()})


def build_world(bench: Bench) -> World:
    admin = signed_in(bench, f"drill-{uuid4().hex[:6]}", names.ADMIN_ROLE)
    world = World(bench, admin, subscribed_inbox(bench), Receiver())
    training = {"training": SETTINGS["training"] | {"algorithms": ["linear", "xgboost"]}}
    world.datasets = {
        "plain": world.dataset("plain", **training),
        "endpoint": world.dataset("endpoint", **ENDPOINT),
        "canary": world.dataset("canary", deployment=CANARY | {"step_seconds": 3}),
        "slow": world.dataset("slow", deployment=CANARY | {"step_seconds": 40}),
    }
    trained = bench.train(world.model, 1)
    assert trained.state is RunState.SUCCEEDED, trained.reason
    world.versions = sorted(bench.platform.registry.versions(world.model), key=lambda version: version.number)
    bench.approve(world.versions[0].id, "the first to answer")
    world.succeeded(identity.automatic_deployment_run_id(world.model, 1), seconds=120)
    world.rows = asked_rows(world, 5).drop(columns="record_id").to_dict("records")
    served = world.copied(like="endpoint", model=world.datasets["endpoint"])
    run_id = world.send(f"/models/{served}:1/deploy", {"reason": "others shall be like it"})["run_id"]
    world.succeeded(run_id, seconds=120)
    address = f"http://127.0.0.1:{world.receiver.server.server_port}/hook"
    world.send("/channels", {"kind": "webhook", "name": world.name("drill"), "address": address})
    return world
