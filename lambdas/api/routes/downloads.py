"""Files to download. They come straight from the bucket; none of their bytes come by here."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from lambdas.api.resource import Resource, answer
from lambdas.api.shapes.downloads import EXAMPLE, Download
from lambdas.api.shapes.names import DatasetName, Number, VersionId
from millrace import bootstrap, errors
from millrace.domain.model import parse_version_id
from millrace.domain.role import EVERYONE
from millrace.use_cases.offer_download import DatasetFile, ModelFile, offer_dataset_file, offer_model_file

resource = Resource("downloads")


@resource.endpoint(
    "GET",
    "/datasets/<dataset>/versions/<number>/files/<file>",
    allow=EVERYONE,
    raises=[errors.NotFound],
    example=EXAMPLE,
)
def get_dataset_file(
    dataset: DatasetName, number: Number, file: Annotated[DatasetFile, Path(description="Which file.")]
) -> Response[Download]:
    """Where to download a file of a dataset version: all its quarantined rows with their reasons, or a report."""
    platform = bootstrap.platform()
    offer = offer_dataset_file(
        store=platform.store,
        downloads=platform.downloads,
        clock=platform.clock,
        version=platform.catalog.version(dataset, number),
        file=file,
    )
    return answer(Download(**offer._asdict()))


@resource.endpoint("GET", "/models/<version>/files/<file>", allow=EVERYONE, raises=[errors.NotFound], example=EXAMPLE)
def get_model_file(
    version: VersionId, file: Annotated[ModelFile, Path(description="Which file.")]
) -> Response[Download]:
    """Where to download a file of a model version: what was trained, or its whole evaluation."""
    platform = bootstrap.platform()
    offer = offer_model_file(
        store=platform.store,
        downloads=platform.downloads,
        clock=platform.clock,
        version=platform.registry.get(*parse_version_id(version)),
        file=file,
    )
    return answer(Download(**offer._asdict()))
