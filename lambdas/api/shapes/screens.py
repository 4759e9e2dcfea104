"""What the API says to the dashboard's screens: of each all that it shows first, in one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from lambdas.api.paging import PageOf
from lambdas.api.shapes.alerts import ChannelAnswer
from lambdas.api.shapes.api_keys import ApiKeyAnswer
from lambdas.api.shapes.batches import BatchDetail, BatchSummary
from lambdas.api.shapes.datasets import (
    ContractAnswer,
    DatasetDetail,
    DatasetVersionDetail,
    DatasetVersionSummary,
    ProfileAnswer,
    QuarantinedRowAnswer,
    TopValue,
)
from lambdas.api.shapes.models import Curve, EvaluationAnswer, LineageAnswer, VersionDetail
from lambdas.api.shapes.monitoring import Drift, DriftReportSummary, TrafficSeries
from lambdas.api.shapes.schedules import ScheduleSummary
from lambdas.api.shapes.uploads import ArrivedFile
from millrace.domain.model import CHAMPION, Metric, ModelVersion, RegisteredModel
from millrace.use_cases.describe_predictions import Inputs


class DatasetScreen(BaseModel):
    """A dataset with the first pages of its lists. `contract` is the one in force, null before the first version."""

    dataset: DatasetDetail
    versions: PageOf[DatasetVersionSummary]
    uploads: PageOf[ArrivedFile]
    contract: ContractAnswer | None


class DatasetVersionScreen(BaseModel):
    """A version of a dataset. `others` are the versions that it can be held against, newest first."""

    version: DatasetVersionDetail
    profile: ProfileAnswer | None = Field(description="Null unless the version is READY.")
    quarantine: PageOf[QuarantinedRowAnswer] | None = Field(description="Null where no row was set aside.")
    others: list[int]


class Rival(BaseModel):
    """The version that another one had to beat: its figures and curves, to be shown beside the other's."""

    id: str
    number: int
    metrics: dict[str, Metric]
    curves: dict[str, list[Curve]]


class ModelVersionScreen(BaseModel):
    """A model version, for whoever decides. `rival` is null for the first one of its kind."""

    version: VersionDetail
    since: str | None = Field(description="Of a version that waits: who became champion after it was judged.")
    evaluation: EvaluationAnswer | None = Field(description="Null when it cannot be read any more.")
    lineage: LineageAnswer
    rival: Rival | None


class KnownModel(BaseModel):
    name: str
    dataset: str


class WatchedModel(Drift):
    """What drifted, what the model was asked in the last day, and the latest reports."""

    traffic: TrafficSeries
    reports: PageOf[DriftReportSummary]


class MonitoringScreen(BaseModel):
    """The models by name, and one of them: the one asked for, else the first that is live."""

    models: list[KnownModel]
    shown: WatchedModel | None


class LiveVersion(BaseModel):
    """A model that answers, and with which version."""

    model: str
    version: str
    number: int


class UsualValues(BaseModel):
    """What an input was in the training data."""

    name: str
    minimum: float | None
    maximum: float | None
    quantiles: dict[str, float | None]
    top: list[TopValue]


class PredictionForm(BaseModel):
    """What a form for one row needs to know. `columns` is empty where the training data are forgotten."""

    model: str
    version: str
    target: str
    dataset: str
    dataset_version: int
    signature: dict[str, Any]
    columns: list[UsualValues]


class PredictionsScreen(BaseModel):
    """What can be asked now, and the latest batch inferences. `form` is null while no model is live."""

    live: list[LiveVersion]
    form: PredictionForm | None
    batches: PageOf[BatchSummary]


class BatchScreen(BaseModel):
    """A batch inference. `quarantine` are the first rows that were refused, null while none is known."""

    job: BatchDetail
    quarantine: PageOf[QuarantinedRowAnswer] | None


class SettingsScreen(BaseModel):
    """What is set up here; the keys are your own."""

    schedules: PageOf[ScheduleSummary]
    channels: list[ChannelAnswer]
    api_keys: PageOf[ApiKeyAnswer]


def rival_answer(version: ModelVersion, evaluation: Mapping[str, Any] | None) -> Rival:
    curves = evaluation["curves"] if evaluation else {}
    return Rival(id=version.id, number=version.number, metrics=version.metrics, curves=curves)


def known_models(models: Sequence[RegisteredModel]) -> list[KnownModel]:
    return [KnownModel(name=model.name, dataset=model.dataset) for model in models]


def live_versions(live: Sequence[RegisteredModel]) -> list[LiveVersion]:
    numbers = [(model.name, model.aliases[CHAMPION]) for model in live]
    return [LiveVersion(model=name, version=f"{name}:{number}", number=number) for name, number in numbers]


def prediction_form(inputs: Inputs) -> PredictionForm:
    version = inputs.version
    return PredictionForm(
        model=version.model,
        version=version.id,
        target=version.target,
        dataset=version.lineage.dataset,
        dataset_version=version.lineage.dataset_version,
        signature=version.signature,
        columns=[_usual_values(name, column) for name, column in inputs.columns.items()],
    )


def _usual_values(name: str, column: Mapping[str, Any]) -> UsualValues:
    return UsualValues(
        name=name,
        minimum=column.get("minimum"),
        maximum=column.get("maximum"),
        quantiles=column.get("quantiles") or {},
        top=[TopValue(value=value, count=count) for value, count in column.get("top") or []],
    )
