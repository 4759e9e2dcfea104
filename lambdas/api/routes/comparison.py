"""The comparison of two versions of a dataset."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from lambdas.api.resource import Resource, answer
from lambdas.api.shapes import comparison_examples as examples
from lambdas.api.shapes.names import DatasetName
from millrace import bootstrap, errors
from millrace.domain.role import EVERYONE
from millrace.use_cases.compare_dataset_versions import VersionDiff, compare_dataset_versions

resource = Resource("datasets")

From = Annotated[int, Query(alias="from", ge=1, le=99_999_999, description="The earlier version.")]
To = Annotated[int, Query(ge=1, le=99_999_999, description="The later version.")]


@resource.endpoint("GET", "/datasets/<dataset>/diff", allow=EVERYONE, raises=[errors.NotFound], example=examples.DIFF)
def compare_versions(dataset: DatasetName, from_version: From, to: To) -> Response[VersionDiff]:
    """What differs between two versions: columns, kinds, distributions, breaks of the earlier contract.

    It rests on the profiles of the versions: which rows came, went or changed is not compared.
    """
    platform = bootstrap.platform()
    # What a READY version holds never changes, so its bytes and its state say it all.
    versions = [platform.catalog.version(dataset, number) for number in (from_version, to)]
    etag = resource.unless_unchanged(*(f"{each.version}.{each.state}.{each.sha256}" for each in versions))
    found = compare_dataset_versions(
        catalog=platform.catalog, store=platform.store, dataset=dataset, from_version=from_version, to_version=to
    )
    return answer(found, etag=etag)
