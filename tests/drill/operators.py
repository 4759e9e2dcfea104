"""What operators do with the roles that are made for two commands, told quickly; stories as in `stories`."""

from __future__ import annotations

from millrace.domain import place
from millrace.domain.model import ApprovalState
from millrace.domain.model_export import ARTIFACT, BASELINE, EVALUATION
from millrace.errors import NotDeployed
from millrace.use_cases.export_model_version import export_model_version
from millrace.use_cases.import_model_version import import_model_version
from tests.drill.stories import people_are_told
from tests.drill.world import World
from tests.e2e.deployed import acting_as


def a_version_goes_elsewhere(world: World) -> None:
    model = _with_files(world, champion=True)
    address = _exported(world, f"{model}:1")
    assert world.bench.platform.store.read(address)


def a_version_that_was_never_deployed_is_told_as_such(world: World) -> None:
    try:
        _exported(world, f"{_with_files(world, champion=False)}:1")
    except NotDeployed:
        return
    raise AssertionError("it was exported")


def a_version_is_taken_over(world: World) -> None:
    """Of an environment that is this one by another name."""
    model, here = _with_files(world, champion=True), world.bench.platform
    address = export_model_version(
        registry=here.registry,
        catalog=here.catalog,
        store=here.store,
        artifacts_bucket=here.settings.require("artifacts_bucket"),
        environment=world.name("staging"),
        version_id=f"{model}:1",
    )
    with acting_as("ImportVersion", world.bench.root) as platform:
        taken = import_model_version(
            catalog=platform.catalog,
            registry=platform.registry,
            ledger=platform.ledger,
            source=here.store,
            store=platform.store,
            notifier=platform.notifier,
            clock=platform.clock,
            artifacts_bucket=platform.settings.require("artifacts_bucket"),
            environment="local",
            address=address,
            actor="cli:olga",
        )
    assert world.get(f"/models/{taken.id}/detail")["approval"]["state"] == ApprovalState.PENDING
    people_are_told(world, taken.id)


def _exported(world: World, version_id: str) -> str:
    with acting_as("ExportVersion", world.bench.root) as platform:
        return export_model_version(
            registry=platform.registry,
            catalog=platform.catalog,
            store=platform.store,
            artifacts_bucket=platform.settings.require("artifacts_bucket"),
            environment="local",
            version_id=version_id,
        )


def _with_files(world: World, *, champion: bool) -> str:
    """A model of its own whose version has all that an export names; what serves it only as a champion."""
    model, platform = world.copied(champion=champion), world.bench.platform
    bucket = platform.settings.require("artifacts_bucket")
    for file in (ARTIFACT, EVALUATION, BASELINE):
        platform.store.copy(place.model_uri(bucket, world.model, 1, file), place.model_uri(bucket, model, 1, file))
    return model
