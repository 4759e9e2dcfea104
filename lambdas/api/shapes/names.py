"""What names in paths look like. A value that no name can have is refused before anything is looked up."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path

_NAME = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"

DatasetName = Annotated[str, Path(pattern=f"^{_NAME}$", description="A dataset's name.")]
ModelName = Annotated[str, Path(pattern=f"^{_NAME}$", description="A registered model's name.")]
VersionId = Annotated[
    str, Path(pattern=rf"^{_NAME}:[1-9][0-9]{{0,7}}$", description="A model version's id, for example `churn:7`.")
]
AliasName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,38}$", description="An alias, for example `champion`.")]
RunId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$", description="A run's id.")]
JobId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$", description="A batch inference's id.")]
UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{20}$", description="An upload's id.")]
Number = Annotated[int, Path(ge=1, le=99_999_999, description="A dataset version's number.")]
AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{20}$", description="An alert's id.")]
ChannelId = Annotated[str, Path(pattern=r"^([0-9a-f]{12}|operators)$", description="A channel's id.")]
