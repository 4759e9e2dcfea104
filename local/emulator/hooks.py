"""The explicit list of hooks: what is changed in ministack, and in which order."""

from collections.abc import Callable

from local import jobs
from local.context import EmulatorContext
from local.emulator import (
    addresses,
    composite_alarms,
    condition_keys,
    events,
    front_door,
    functions,
    http_api,
    indexes,
    observability,
    persistence,
    recovery,
    refusals,
    schedules,
    sign_in,
    state_machines,
    storage,
    templates,
    unasked,
)

Hook = Callable[[EmulatorContext], None]

HOOKS: tuple[Hook, ...] = (
    refusals.install,
    functions.install,
    storage.install,
    recovery.install,
    indexes.install,
    templates.install,
    condition_keys.install,
    http_api.install,
    addresses.install,
    front_door.install,
    sign_in.install,
    events.install,
    schedules.install,
    unasked.install,
    state_machines.install,
    observability.install,
    composite_alarms.install,
    persistence.install,
    jobs.install,
)
