"""The comparison of two versions of a dataset: from their profiles at once, row by row in a job."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import comparison_examples as examples
from lambdas.api.shapes import comparisons
from lambdas.api.shapes.comparisons import NewRowComparison, RowComparisonAnswer, row_comparison
from lambdas.api.shapes.downloads import EXAMPLE as DOWNLOAD
from lambdas.api.shapes.downloads import Download
from lambdas.api.shapes.names import DatasetName
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE, SCIENTISTS
from millrace.use_cases.compare_dataset_versions import VersionDiff, compare_dataset_versions
from millrace.use_cases.offer_download import offer_compared_rows
from millrace.use_cases.start_comparison import Comparison, find_comparison, start_comparison

resource = Resource("datasets")
POLL_SECONDS = 5

From = Annotated[int, Query(alias="from", ge=1, le=99_999_999, description="The earlier version.")]
To = Annotated[int, Query(ge=1, le=99_999_999, description="The later version.")]


@resource.endpoint("GET", "/datasets/<dataset>/diff", allow=EVERYONE, raises=[errors.NotFound], example=examples.DIFF)
def compare_versions(dataset: DatasetName, from_version: From, to: To) -> Response[VersionDiff]:
    """What differs between two versions: columns, kinds, distributions, breaks of the earlier contract.

    It rests on the profiles of the versions; which rows came, went or changed is a comparison of its own.
    """
    platform = bootstrap.platform()
    # What a READY version holds never changes, so its bytes and its state say it all.
    versions = [platform.catalog.version(dataset, number) for number in (from_version, to)]
    etag = resource.unless_unchanged(*(f"{each.version}.{each.state}.{each.sha256}" for each in versions))
    found = compare_dataset_versions(
        catalog=platform.catalog, store=platform.store, dataset=dataset, from_version=from_version, to_version=to
    )
    return answer(found, etag=etag)


@resource.endpoint(
    "POST",
    "/datasets/<dataset>/diff/rows",
    allow=SCIENTISTS,
    raises=[errors.NotFound, errors.Conflict],
    status=202,
    example=comparisons.RUNNING,
    links={"run": {"operationId": "get_run", "parameters": {"run_id": "$response.body#/run_id"}}},
)
def start_row_comparison(
    dataset: DatasetName, new: Annotated[NewRowComparison, Body()]
) -> Response[RowComparisonAnswer]:
    """Have two versions compared row by row, by the dataset's row key. Asking twice compares once."""
    platform = bootstrap.platform()
    run = start_comparison(
        catalog=platform.catalog,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        bucket=platform.settings.require("data_bucket"),
        dataset=dataset,
        from_version=new.from_version,
        to_version=new.to_version,
        started_by=resource.caller.actor,
    )
    body = RowComparisonAnswer(run_id=run.run_id, state=run.state, result=None)
    here = f"/datasets/{dataset}/diff/rows?from={new.from_version}&to={new.to_version}"
    return answer(body, status=202, poll_after=POLL_SECONDS, location=here)


@resource.endpoint(
    "GET",
    "/datasets/<dataset>/diff/rows",
    allow=EVERYONE,
    raises=[errors.NotFound, errors.Conflict],
    example=comparisons.DONE,
    unfinished=comparisons.RUNNING,
)
def get_row_comparison(dataset: DatasetName, from_version: From, to: To) -> Response[RowComparisonAnswer]:
    """Which rows came, went and changed between two versions; 202 until the comparison is done."""
    found = _comparison(dataset, from_version, to)
    etag = resource.unless_unchanged(found.run.run_id, found.run.revision)
    if found.result is None:
        return answer(row_comparison(found), status=202, etag=etag, poll_after=POLL_SECONDS)
    return answer(row_comparison(found), etag=etag)


@resource.endpoint(
    "GET",
    "/datasets/<dataset>/diff/rows/file",
    allow=EVERYONE,
    raises=[errors.NotFound, errors.Conflict],
    example=DOWNLOAD,
)
def get_compared_rows(dataset: DatasetName, from_version: From, to: To) -> Response[Download]:
    """Where to download all rows that differ, as Parquet, with their values before and after."""
    platform = bootstrap.platform()
    offer = offer_compared_rows(
        store=platform.store,
        downloads=platform.downloads,
        clock=platform.clock,
        comparison=_comparison(dataset, from_version, to).request,
    )
    return answer(Download(**offer._asdict()))


def _comparison(dataset: str, from_version: int, to_version: int) -> Comparison:
    platform = bootstrap.platform()
    return find_comparison(
        catalog=platform.catalog,
        ledger=platform.ledger,
        store=platform.store,
        bucket=platform.settings.require("data_bucket"),
        dataset=dataset,
        from_version=from_version,
        to_version=to_version,
    )
