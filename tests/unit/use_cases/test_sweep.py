"""Nothing that a registered version or a run in flight needs is ever listed; what nobody needs is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.adapters.memory import (
    InMemoryEndpoints,
    InMemoryEndpointUses,
    InMemoryModelRegistry,
    InMemoryMultipartUploads,
    InMemoryObjectStore,
    InMemoryRunLedger,
    SetClock,
)
from millrace.adapters.memory_recovery import InMemoryObjectHistory
from millrace.domain.run import RunState
from millrace.ports import EndpointSpec, ObjectVersion
from millrace.use_cases.sweep import Kind, Leftover, find_leftovers, remove_leftovers
from tests.builders import NOON, a_model_version, a_run, an_endpoint_use, later

BUCKET = "s3://artifacts"
BEFORE = NOON - timedelta(days=7)
OLD = BEFORE - timedelta(days=1)
PREFIX = "millrace-dev"


class Shop(NamedTuple):
    registry: InMemoryModelRegistry
    ledger: InMemoryRunLedger
    endpoints: InMemoryEndpoints
    multipart: InMemoryMultipartUploads
    store: InMemoryObjectStore
    uses: InMemoryEndpointUses


@pytest.fixture
def shop() -> Shop:
    return a_shop()


def a_shop() -> Shop:
    store = InMemoryObjectStore()
    multipart = InMemoryMultipartUploads(store, now=lambda: OLD)
    ledger, uses = InMemoryRunLedger(), InMemoryEndpointUses()
    return Shop(InMemoryModelRegistry(), ledger, InMemoryEndpoints(), multipart, store, uses)


def register(shop: Shop, number: int, *, model: str = "credit", run_id: str = "training-1", **facts: str) -> None:
    """Registers the model's next version; `number` says which that must be."""
    algorithm = f"algorithm-{number}"
    claimed = shop.registry.claim_number(model, dataset=model, run_id=run_id, algorithm=algorithm, at=NOON)
    assert claimed == number
    version = a_model_version(number, model=model, run_id=run_id, algorithm=algorithm)
    lineage = version.lineage.model_copy(update={"run_id": run_id})
    shop.registry.register(version.model_copy(update={"lineage": lineage, **facts}), actor="training")


def swept(shop: Shop, *objects: ObjectVersion, history: InMemoryObjectHistory | None = None) -> list[Leftover]:
    return list(
        find_leftovers(
            history=history or InMemoryObjectHistory(objects),
            registry=shop.registry,
            ledger=shop.ledger,
            endpoints=shop.endpoints,
            uses=shop.uses,
            multipart=shop.multipart,
            data_bucket="data",
            artifacts_bucket="artifacts",
            endpoint_prefix=PREFIX,
            before=BEFORE,
        )
    )


def an_object(key: str, at: datetime = OLD, *, removed: bool = False) -> ObjectVersion:
    return ObjectVersion(f"{BUCKET}/{key}", f"{key} {at}", at, removed, 10)


def keys(found: list[Leftover]) -> set[str]:
    return {each.name.removeprefix(f"{BUCKET}/") for each in found if each.kind is Kind.ARTEFACT}


def test_what_a_run_left_goes_once_it_has_ended_and_nothing_registered_lies_there(shop: Shop) -> None:
    shop.ledger.open(a_run("training-1"))
    shop.ledger.open(a_run("training-2"))
    shop.ledger.close("training-1", state=RunState.FAILED, reason="no", steps=(), at=NOON)
    left = [an_object(f"runs/{run}/checkpoints/a") for run in ("training-1", "training-2", "unknown")]

    assert keys(swept(shop, *left)) == {"runs/training-1/checkpoints/a", "runs/unknown/checkpoints/a"}


def test_a_version_that_was_claimed_and_never_registered_is_garbage_once_no_run_is_going_on(shop: Shop) -> None:
    register(shop, 1)
    left = [an_object(f"models/credit/v{number}/model.tar.gz") for number in (1, 2)]
    assert keys(swept(shop, *left)) == {"models/credit/v2/model.tar.gz"}

    shop.ledger.open(a_run("training-2"))

    assert keys(swept(shop, *left)) == set()


def test_young_removed_and_unknown_things_are_not_listed(shop: Shop) -> None:
    left = [
        an_object("runs/gone/a", BEFORE),
        an_object("runs/gone/b", OLD, removed=True),
        an_object("drift/credit/report/report.json"),
        an_object("models/credit/v0/model.tar.gz"),
        an_object("models/credit/notes.txt"),
    ]

    assert swept(shop, *left) == []


def test_a_version_registered_while_objects_are_listed_is_kept(shop: Shop) -> None:
    class Slow(InMemoryObjectHistory):
        def versions(self, prefix_uri: str) -> Iterator[ObjectVersion]:
            yield from super().versions(prefix_uri)
            if prefix_uri.endswith("models/"):
                register(shop, 1)

    slow = Slow([an_object("models/credit/v1/model.tar.gz")])

    assert keys(swept(shop, history=slow)) == set()


RUNS = ["training-1", "training-2", "deployment-1"]
MODELS = ["credit", "churn"]
KEYS = st.one_of(
    st.builds("runs/{}/{}".format, st.sampled_from([*RUNS, "never-opened"]), st.sampled_from(["a", "out/m.tar.gz"])),
    st.builds(
        "models/{}/v{}/{}".format,
        st.sampled_from([*MODELS, "unknown"]),
        st.integers(1, 4),
        st.sampled_from(["model.tar.gz", "serving/model.onnx", "baseline.json"]),
    ),
    st.sampled_from(["models/credit/v/x", "runs/", "drift/credit/r/report.html", "models/credit/v01/model.tar.gz"]),
)
STATES = st.sampled_from([None, *RunState])


@settings(max_examples=300, deadline=None)
@given(
    runs=st.fixed_dictionaries({run: st.tuples(STATES, st.sampled_from(MODELS)) for run in RUNS}),
    registered=st.lists(st.tuples(st.sampled_from(MODELS), st.none() | st.sampled_from(RUNS)), max_size=6),
    objects=st.dictionaries(KEYS, st.integers(-20, 20), max_size=25),
)
def test_nothing_that_is_needed_is_ever_listed_and_all_the_rest_is(
    runs: dict[str, tuple[RunState | None, str]],
    registered: list[tuple[str, str | None]],
    objects: dict[str, int],
) -> None:
    """A version's artefact may lie where its run left it; the oracle goes by single keys, not by our rules."""
    shop = a_shop()
    for run, (state, model) in runs.items():
        if state is not None:
            shop.ledger.open(a_run(run, dataset=model))
            if state is not RunState.RUNNING:
                shop.ledger.close(run, state=state, reason="ended", steps=(), at=NOON)
    numbers: dict[str, int] = {}
    needed: list[str] = []
    for model, left_in_run in registered:
        numbers[model] = number = numbers.get(model, 0) + 1
        if left_in_run is None:
            register(shop, number, model=model)
        else:
            register(shop, number, model=model, artifact_uri=f"{BUCKET}/runs/{left_in_run}/out/m.tar.gz")
            needed.append(f"runs/{left_in_run}/out/")
        needed.append(f"models/{model}/v{number}/")
    in_flight = [run for run, (state, _) in runs.items() if state is RunState.RUNNING]
    needed += [f"runs/{run}/" for run in in_flight] + [f"models/{runs[run][1]}/" for run in in_flight]
    # What is none of the platform's business.
    needed += ["drift/", "models/credit/v/", "models/credit/v01/"]
    stored = [an_object(key, BEFORE + timedelta(hours=hours)) for key, hours in objects.items()]

    listed = keys(swept(shop, *stored))

    assert [key for key in listed if any(key.startswith(prefix) for prefix in needed)] == []
    assert [key for key in listed if objects[key] >= 0] == []
    unneeded = {
        key
        for key, hours in objects.items()
        if hours < 0 and key != "runs/" and not any(key.startswith(prefix) for prefix in needed)
    }
    assert listed == unneeded


def deployed(shop: Shop, *names: str) -> None:
    for name in names:
        shop.endpoints.deploy(EndpointSpec(name, "serverless", "image", "role", "s3://a/c.tar.gz", {}))


def test_endpoints_that_no_alias_leads_to_and_configurations_without_one_are_listed(shop: Shop) -> None:
    for number in (1, 2, 3):
        register(shop, number)
    shop.registry.decide("credit", 2, approve=True, actor="ada", reason="good", at=NOON)
    shop.registry.move_alias("credit", "champion", 2, expected=None, actor="ada", reason="good", at=NOON)
    deployed(shop, *(f"{PREFIX}-credit-v{number}" for number in (2, 3)), f"{PREFIX}-gone-v1", "other-credit-v9")
    shop.endpoints.orphans = {f"{PREFIX}-credit-v1"}

    found = {each.name: each.reason for each in swept(shop)}

    assert found == {
        f"{PREFIX}-credit-v1": "configuration without an endpoint: no alias leads to version 1 of credit",
        f"{PREFIX}-credit-v3": "endpoint: no alias leads to version 3 of credit",
        f"{PREFIX}-gone-v1": "endpoint: no model gone is registered",
    }

    shop.ledger.open(a_run("deployment-1", pipeline="deployment"))
    assert {each.name for each in swept(shop)} == {f"{PREFIX}-gone-v1"}


def test_one_command_removes_what_is_listed_and_nothing_else(shop: Shop) -> None:
    register(shop, 1)
    deployed(shop, f"{PREFIX}-credit-v7")
    upload = shop.multipart.begin("s3://data/uploads/credit/may.csv")
    for key in ("models/credit/v1/model.tar.gz", "models/credit/v2/model.tar.gz"):
        shop.store.write(f"{BUCKET}/{key}", b"x")
    found = swept(shop, *(an_object(f"models/credit/v{number}/model.tar.gz") for number in (1, 2)))
    assert {(each.kind, each.upload_id) for each in found} == {
        (Kind.ARTEFACT, ""),
        (Kind.ENDPOINT, ""),
        (Kind.UPLOAD, upload),
    }

    shop.uses.begin(an_endpoint_use(number=7))
    shop.uses.begin(an_endpoint_use(number=1))
    remove(shop, found)

    assert [each.uri for each in shop.store.list(BUCKET)] == [f"{BUCKET}/models/credit/v1/model.tar.gz"]
    assert list(shop.endpoints.names(PREFIX)) == []
    assert list(shop.multipart.unfinished("s3://data/")) == []
    assert [use.number for use in shop.uses.open()] == [1]


def test_hours_that_are_counted_of_an_endpoint_that_is_gone_are_listed_and_end(shop: Shop) -> None:
    """Somebody deleted it by hand; its alias may well lead there."""
    for number in (1, 2):
        register(shop, number)
        shop.uses.begin(an_endpoint_use(number=number))
    shop.registry.decide("credit", 2, approve=True, actor="ada", reason="good", at=NOON)
    shop.registry.move_alias("credit", "champion", 2, expected=None, actor="ada", reason="good", at=NOON)
    deployed(shop, f"{PREFIX}-credit-v1")

    found = swept(shop)

    assert {each.name: each.reason for each in found} == {
        f"{PREFIX}-credit-v1": "endpoint: no alias leads to version 1 of credit",
        f"{PREFIX}-credit-v2": "hours that are counted: there is no endpoint",
    }
    deployed(shop, f"{PREFIX}-credit-v2")
    remove(shop, found)
    assert shop.endpoints.names(PREFIX) == [f"{PREFIX}-credit-v2"], "it came back meanwhile, and is needed"
    assert [(use.number, use.until) for use in shop.uses.since(NOON)] == [(1, later(1)), (2, later(1))]


def test_hours_of_an_endpoint_that_is_being_made_are_not_listed(shop: Shop) -> None:
    shop.uses.begin(an_endpoint_use())
    shop.ledger.open(a_run("deployment-1", pipeline="deployment"))

    assert swept(shop) == []


def remove(shop: Shop, found: list[Leftover]) -> None:
    remove_leftovers(
        found,
        store=shop.store,
        endpoints=shop.endpoints,
        uses=shop.uses,
        multipart=shop.multipart,
        clock=SetClock(later(1)),
        endpoint_prefix=PREFIX,
    )
