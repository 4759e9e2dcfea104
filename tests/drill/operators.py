"""What operators do with the roles that are made for two commands, told quickly; stories as in `stories`."""

from __future__ import annotations

from millrace.domain import place
from millrace.domain.model import ApprovalState
from millrace.domain.model_export import ARTIFACT, BASELINE, EVALUATION
from millrace.errors import NotDeployed
from tests.drill.stories import people_are_told
from tests.drill.world import World
from tests.e2e.deployed import acting_as, export, take_over


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
    address = export(here, f"{model}:1", environment=world.name("staging"))
    with acting_as("ImportVersion", world.bench.root) as platform:
        taken = take_over(platform, address, source=here.store, environment="local")
    assert world.get(f"/models/{taken.id}/detail")["approval"]["state"] == ApprovalState.PENDING
    people_are_told(world, taken.id)


def _exported(world: World, version_id: str) -> str:
    with acting_as("ExportVersion", world.bench.root) as platform:
        return export(platform, version_id, environment="local")


def _with_files(world: World, *, champion: bool) -> str:
    """A model of its own whose version has all that an export names; what serves it only as a champion."""
    model, platform = world.copied(champion=champion), world.bench.platform
    bucket = platform.settings.require("artifacts_bucket")
    for file in (ARTIFACT, EVALUATION, BASELINE):
        platform.store.copy(place.model_uri(bucket, world.model, 1, file), place.model_uri(bucket, model, 1, file))
    return model
