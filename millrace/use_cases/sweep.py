"""Find what nobody needs and somebody pays for, and remove it: artefacts, endpoints, uploads that never ended.

Nothing that a registered version or a run in flight needs is ever listed: tests/unit/use_cases/test_sweep.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from millrace import names
from millrace.domain import garbage, identity
from millrace.domain.run import RunState
from millrace.errors import NotFound
from millrace.ports import (
    Clock,
    Endpoints,
    EndpointUses,
    ModelRegistry,
    MultipartUploads,
    ObjectHistory,
    ObjectStore,
    ObjectVersion,
    RunLedger,
)
from millrace.use_cases.retire_endpoints import needed_numbers


class Kind(StrEnum):
    ARTEFACT = "ARTEFACT"
    ENDPOINT = "ENDPOINT"
    HOURS = "HOURS"
    UPLOAD = "UPLOAD"


class Leftover(NamedTuple):
    """`name` is an address, or an endpoint's name, also of one whose hours are counted though it is gone.

    `upload_id` is that of an upload that never ended.
    """

    kind: Kind
    name: str
    size_bytes: int
    reason: str
    upload_id: str = ""


def find_leftovers(
    *,
    history: ObjectHistory,
    registry: ModelRegistry,
    ledger: RunLedger,
    endpoints: Endpoints,
    uses: EndpointUses,
    multipart: MultipartUploads,
    data_bucket: str,
    artifacts_bucket: str,
    endpoint_prefix: str,
    before: datetime,
) -> Sequence[Leftover]:
    """What is older than `before` and needed by nobody. Endpoints have no age: who needs them is in the registry."""
    return [
        *_artefacts(history, registry, ledger, artifacts_bucket, before),
        *_endpoints(endpoints, uses, registry, ledger, endpoint_prefix),
        *_uploads(multipart, (data_bucket, artifacts_bucket), before),
    ]


def remove_leftovers(
    found: Sequence[Leftover],
    *,
    store: ObjectStore,
    endpoints: Endpoints,
    uses: EndpointUses,
    multipart: MultipartUploads,
    clock: Clock,
    endpoint_prefix: str,
) -> None:
    """Objects leave their last version behind for as long as the bucket keeps those: `millrace restore` has them."""
    for each in found:
        match each.kind:
            case Kind.ARTEFACT:
                store.delete(each.name)
            case Kind.ENDPOINT:
                endpoints.delete(each.name)
                _end_hours(uses, clock, endpoint_prefix, each.name)
            case Kind.HOURS:
                _end_hours(uses, clock, endpoint_prefix, each.name)
            case Kind.UPLOAD:
                multipart.abort(each.name, each.upload_id)


def _end_hours(uses: EndpointUses, clock: Clock, prefix: str, name: str) -> None:
    version = identity.version_of_endpoint(prefix, name)
    if version is not None:
        uses.end(*version, at=clock.now())


def _artefacts(
    history: ObjectHistory, registry: ModelRegistry, ledger: RunLedger, bucket: str, before: datetime
) -> Iterator[Leftover]:
    # Objects first, the registry second: what was registered meanwhile is then known to be needed.
    old = [
        each
        for prefix in (names.RUNS_PREFIX, names.MODELS_PREFIX)
        for each in _present(history, f"s3://{bucket}/{prefix}")
        if each.at < before
    ]
    needs = _needs(old, registry, ledger)
    for each in old:
        reason = garbage.why_garbage(each.uri, needs)
        if reason is not None:
            yield Leftover(Kind.ARTEFACT, each.uri, each.size_bytes, reason)


def _present(history: ObjectHistory, prefix_uri: str) -> Iterator[ObjectVersion]:
    for _, found in groupby(history.versions(prefix_uri), key=lambda version: version.uri):
        newest = next(found)
        if not newest.removed:
            yield newest


def _needs(objects: Sequence[ObjectVersion], registry: ModelRegistry, ledger: RunLedger) -> garbage.Needs:
    """Models and runs are looked up by the objects' own keys: an index may not know yet what was written just now."""
    runs = {run for each in objects if (run := garbage.run_of(each.uri)) is not None}
    models = {version[0] for each in objects if (version := garbage.version_of(each.uri)) is not None}
    models |= {model.name for model in registry.models()}
    registered = [version for model in models for version in registry.versions(model)]
    return garbage.Needs(
        versions=frozenset((version.model, version.number) for version in registered),
        addresses=frozenset(
            uri
            for version in registered
            for uri in (version.artifact_uri, version.evaluation_uri, version.baseline_uri)
            if uri is not None
        ),
        open_runs=frozenset(run for run in runs if _is_open(ledger, run)),
        busy_models=_busy_models(ledger),
    )


def _is_open(ledger: RunLedger, run_id: str) -> bool:
    try:
        return ledger.get(run_id).state is RunState.RUNNING
    except NotFound:
        return False


def _busy_models(ledger: RunLedger) -> frozenset[str]:
    position, busy = None, set[str]()
    while True:
        page = ledger.page(state=RunState.RUNNING, after=position, limit=100)
        # A training run's model has the name of its dataset.
        busy |= {run.model or run.dataset for run in page.items}
        position = page.position
        if position is None:
            return frozenset(busy)


def _endpoints(
    endpoints: Endpoints, uses: EndpointUses, registry: ModelRegistry, ledger: RunLedger, prefix: str
) -> Iterator[Leftover]:
    """Endpoints, and what is left of some that are gone, of versions that answer nobody; hours counted in vain."""
    counted = {identity.endpoint_name(prefix, use.model, use.number) for use in uses.open()}
    in_service, parts = set(endpoints.names(f"{prefix}-")), set(endpoints.parts(f"{prefix}-"))
    busy = _busy_models(ledger)
    for name in sorted(in_service | parts | counted):
        version = identity.version_of_endpoint(prefix, name)
        if version is None or version[0] in busy:
            continue
        model, number = version
        what = "endpoint" if name in in_service else "configuration without an endpoint"
        if name not in in_service | parts:
            yield Leftover(Kind.HOURS, name, 0, "hours that are counted: there is no endpoint")
            continue
        try:
            needed = needed_numbers(registry, registry.model(model))
        except NotFound:
            yield Leftover(Kind.ENDPOINT, name, 0, f"{what}: no model {model} is registered")
            continue
        if number not in needed or name not in in_service:
            yield Leftover(Kind.ENDPOINT, name, 0, f"{what}: no alias leads to version {number} of {model}")


def _uploads(multipart: MultipartUploads, buckets: Sequence[str], before: datetime) -> Iterator[Leftover]:
    for bucket in buckets:
        for begun in multipart.unfinished(f"s3://{bucket}/"):
            if begun.at < before:
                reason = f"an upload that began on {begun.at:%Y-%m-%d} and never ended"
                yield Leftover(Kind.UPLOAD, begun.uri, 0, reason, begun.multipart_id)
