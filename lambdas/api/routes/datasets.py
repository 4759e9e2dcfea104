"""Datasets: settings, versions, profiles, quality, quarantine and contracts."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.manners import etag_of
from lambdas.api.paging import ByName, Cursor, Limit, PageOf, from_cursor, listed, page_of, sorted_scope
from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import dataset_examples as examples
from lambdas.api.shapes.datasets import (
    ContractAnswer,
    ContractChange,
    DatasetDetail,
    DatasetListed,
    DatasetVersionDetail,
    DatasetVersionSummary,
    NewDataset,
    ProfileAnswer,
    QualityPoint,
    QuarantinedRowAnswer,
    SettingsChange,
    dataset_detail,
    dataset_listed,
    profile_answer,
    quality_point,
    version_detail,
    version_summary,
)
from lambdas.api.shapes.names import DatasetName, Number
from millrace import bootstrap, errors
from millrace.domain.dataset import Dataset, VersionState
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.use_cases.configure_dataset import configure_dataset
from millrace.use_cases.describe_dataset import read_profile, trained_on
from millrace.use_cases.read_quarantine import read_quarantine
from millrace.use_cases.replace_contract import replace_contract

resource = Resource("datasets")
POLL_SECONDS = 30
# While a version is being prepared.
BUSY_SECONDS = 5


@resource.endpoint("GET", "/datasets", allow=EVERYONE, example=examples.PAGE)
def list_datasets(order: ByName = "name", cursor: Cursor = None, limit: Limit = 50) -> Response[PageOf[DatasetListed]]:
    """The datasets by name, each with its newest version."""
    platform = bootstrap.platform()
    scope = sorted_scope("datasets", order, "name")
    found = platform.catalog.page(after=from_cursor(cursor, scope), limit=limit, reverse=order == "-name")
    total = platform.tallies.now().datasets
    newest = platform.catalog.look_up((each.name, each.latest_version) for each in found.items if each.latest_version)
    states = [f"{version.dataset}.{version.state}" for version in newest.values()]
    seen = [f"{each.name}.{_revision(each)}" for each in found.items]
    etag = resource.unless_unchanged(*seen, *sorted(states), found.position, total)

    def listed_one(each: Dataset) -> DatasetListed:
        return dataset_listed(each, newest.get((each.name, each.latest_version)))

    busy = any(version.state is VersionState.PREPARING for version in newest.values())
    body = page_of(found, scope, listed_one, total=total)
    return answer(body, etag=etag, poll_after=BUSY_SECONDS if busy else POLL_SECONDS)


@resource.endpoint(
    "POST",
    "/datasets",
    allow=SCIENTISTS,
    raises=[errors.Conflict],
    status=201,
    example=examples.DETAIL,
    links={"dataset": {"operationId": "get_dataset", "parameters": {"dataset": "$response.body#/name"}}},
)
def create_dataset(new: Annotated[NewDataset, Body()]) -> Response[DatasetDetail]:
    """Make a dataset, so that its settings are there before its first file."""
    catalog = bootstrap.platform().catalog
    try:
        catalog.get(new.name)
    except errors.NotFound:
        dataset = _configured(new.name, new.settings, None)
        return answer(
            dataset_detail(dataset), status=201, etag=etag_of(_revision(dataset)), location=f"/datasets/{new.name}"
        )
    raise errors.Conflict(f"there is a dataset {new.name} already: change its settings with PATCH /datasets/{new.name}")


@resource.endpoint("GET", "/datasets/<dataset>", allow=EVERYONE, raises=[errors.NotFound], example=examples.DETAIL)
def get_dataset(dataset: DatasetName) -> Response[DatasetDetail]:
    """One dataset with its settings."""
    known = bootstrap.platform().catalog.get(dataset)
    etag = resource.unless_unchanged(_revision(known))
    busy = known.latest_version > known.latest_ready_version
    return answer(dataset_detail(known), etag=etag, poll_after=BUSY_SECONDS if busy else POLL_SECONDS)


@resource.endpoint(
    "PATCH",
    "/datasets/<dataset>",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict, errors.ChangedMeanwhile],
    example=examples.DETAIL,
)
def change_dataset(dataset: DatasetName, change: Annotated[SettingsChange, Body()]) -> Response[DatasetDetail]:
    """Change settings. A first target starts the training of the version that waits for it."""
    known = bootstrap.platform().catalog.get(dataset)
    seen = _seen_revision(known)
    try:
        changed = _configured(dataset, change, seen)
    except errors.Conflict as lost:
        raise errors.ChangedMeanwhile(str(lost)) if seen is not None else lost from lost
    return answer(dataset_detail(changed), etag=etag_of(_revision(changed)))


@resource.endpoint(
    "GET", "/datasets/<dataset>/versions", allow=EVERYONE, raises=[errors.NotFound], example=examples.VERSIONS
)
def list_dataset_versions(
    dataset: DatasetName, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[DatasetVersionSummary]]:
    """The versions of a dataset, newest first."""
    catalog = bootstrap.platform().catalog
    total = catalog.get(dataset).latest_version
    scope = f"versions of {dataset}"
    found = catalog.page_versions(dataset, after=from_cursor(cursor, scope), limit=limit)
    etag = resource.unless_unchanged(*(f"{each.version}.{each.state}" for each in found.items), found.position, total)
    busy = any(each.state is VersionState.PREPARING for each in found.items)
    body = page_of(found, scope, version_summary, total=total)
    return answer(body, etag=etag, poll_after=BUSY_SECONDS if busy else POLL_SECONDS)


@resource.endpoint(
    "GET",
    "/datasets/<dataset>/versions/<number>",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=examples.VERSION_DETAIL,
)
def get_dataset_version(dataset: DatasetName, number: Number) -> Response[DatasetVersionDetail]:
    """One version: how it was read, what was wrong with it, and what was trained on it."""
    platform = bootstrap.platform()
    version = platform.catalog.version(dataset, number)
    used_by = trained_on(registry=platform.registry, version=version)
    etag = resource.unless_unchanged(version.state, *used_by)
    busy = version.state is VersionState.PREPARING
    return answer(version_detail(version, used_by), etag=etag, poll_after=BUSY_SECONDS if busy else POLL_SECONDS)


@resource.endpoint(
    "GET",
    "/datasets/<dataset>/versions/<number>/profile",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=examples.PROFILE,
)
def get_profile(dataset: DatasetName, number: Number) -> Response[ProfileAnswer]:
    """What the accepted rows of a version look like, column by column."""
    platform = bootstrap.platform()
    version = platform.catalog.version(dataset, number)
    etag = resource.unless_unchanged(version.state)
    return answer(profile_answer(version, read_profile(store=platform.store, version=version)), etag=etag)


@resource.endpoint(
    "GET",
    "/datasets/<dataset>/versions/<number>/quarantine",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=examples.QUARANTINE,
)
def list_quarantined_rows(
    dataset: DatasetName, number: Number, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[QuarantinedRowAnswer]]:
    """The rows of a version that broke the contract, in the order of the file, each with every reason."""
    platform = bootstrap.platform()
    version = platform.catalog.version(dataset, number)
    etag = resource.unless_unchanged(version.state)
    scope = f"quarantine of {dataset} {number}"
    found = read_quarantine(store=platform.store, version=version, after=from_cursor(cursor, scope), limit=limit)
    rows = [QuarantinedRowAnswer(**row._asdict()) for row in found.rows]
    total = version.quality.quarantined if version.quality else None
    return answer(listed(rows, found.position, scope, total=total), etag=etag)


@resource.endpoint(
    "GET", "/datasets/<dataset>/quality", allow=EVERYONE, raises=[errors.NotFound], example=examples.QUALITY
)
def get_quality_history(
    dataset: DatasetName, cursor: Cursor = None, limit: Limit = 50
) -> Response[PageOf[QualityPoint]]:
    """How good the dataset's versions were, newest first."""
    catalog = bootstrap.platform().catalog
    total = catalog.get(dataset).latest_version
    scope = f"quality of {dataset}"
    found = catalog.page_versions(dataset, after=from_cursor(cursor, scope), limit=limit)
    etag = resource.unless_unchanged(*(f"{each.version}.{each.state}" for each in found.items), found.position, total)
    return answer(page_of(found, scope, quality_point, total=total), etag=etag, poll_after=POLL_SECONDS)


@resource.endpoint(
    "GET", "/datasets/<dataset>/contract", allow=EVERYONE, raises=[errors.NotFound], example=examples.CONTRACT
)
def get_contract(
    dataset: DatasetName,
    version: Annotated[int | None, Query(ge=1, description="The one in force when left out.")] = None,
) -> Response[ContractAnswer]:
    """Which columns a dataset must have, and what must be true of them."""
    catalog = bootstrap.platform().catalog
    number = version or catalog.get(dataset).contract_version
    if number == 0:
        raise errors.NotFound(f"{dataset} has no contract yet: its first version brings one")
    etag = resource.unless_unchanged(number)
    return answer(catalog.contract(dataset, number), etag=etag)


@resource.endpoint(
    "PUT",
    "/datasets/<dataset>/contract",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict, errors.ChangedMeanwhile],
    example=examples.CONTRACT,
)
def put_contract(dataset: DatasetName, change: Annotated[ContractChange, Body()]) -> Response[ContractAnswer]:
    """Put a contract in force: the next upload is held against it. Say with `If-Match` which one you have seen."""
    platform = bootstrap.platform()
    seen = resource.if_match()
    contract = replace_contract(
        catalog=platform.catalog,
        clock=platform.clock,
        dataset=dataset,
        columns=change.columns,
        missing_values=change.missing_values,
        actor=resource.caller.actor,
        seen=_number(seen),
    )
    return answer(contract, etag=etag_of(contract.version))


def _configured(name: str, change: SettingsChange, revision: int | None) -> Dataset:
    platform = bootstrap.platform()
    return configure_dataset(
        catalog=platform.catalog,
        bus=platform.bus,
        clock=platform.clock,
        dataset=name,
        changes=change.changes(),
        actor=resource.caller.actor,
        revision=revision,
    )


def _revision(dataset: Dataset) -> str:
    """Its settings' revision first: what `If-Match` compares. Arriving versions move the rest."""
    counters = (dataset.contract_version, dataset.latest_version, dataset.latest_ready_version)
    return "-".join(str(count) for count in (dataset.revision, *counters))


def _seen_revision(known: Dataset) -> int | None:
    """The revision of the settings that the caller has seen. Raises ChangedMeanwhile."""
    seen = _number(resource.if_match())
    if seen is not None and seen != known.revision:
        raise errors.ChangedMeanwhile(f"the settings of {known.name} changed since you looked at them: look again")
    return seen


def _number(tag: str | None) -> int | None:
    """The first number of an entity tag; 0, which nothing has, for a tag that is not ours."""
    if tag is None or tag == "*":
        return None
    said = tag.removeprefix("W/").strip('"').partition("-")[0]
    return int(said) if said.isdigit() else 0
