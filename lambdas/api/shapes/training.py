"""What the API says of training: what a run can be told, and what it will take."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from millrace.algorithms import ALGORITHMS
from millrace.algorithms.base import Algorithm, Parameter
from millrace.analytics.measures import deciding_measures
from millrace.domain.cost import HOME_REGION, USD_PER_HOUR
from millrace.domain.dataset import DatasetVersion, Task, TrainingPolicy
from millrace.use_cases.describe_training import TrainingOptions


class TrainingChoices(BaseModel):
    """What one run does otherwise than `settings.training` of its dataset. What is not named stays as there."""

    model_config = {"extra": "forbid"}

    algorithms: list[str] | None = Field(default=None, max_length=20)
    hyperparameters: dict[str, dict[str, int | float | str]] | None = Field(
        default=None, description="By algorithm: what is fixed. The search tries the others."
    )
    trials: int | None = Field(default=None, ge=1, le=50)
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)
    metric: str | None = Field(default=None, max_length=40)
    instance_type: str | None = Field(default=None, pattern=r"^ml\.[a-z0-9]+\.[a-z0-9]+$")
    instance_count: int | None = Field(default=None, ge=1, le=8)
    max_runtime_seconds: int | None = Field(default=None, ge=60, le=86_400)


class TrainingRequest(BaseModel):
    """What to train on: the newest version that is ready, when none is named."""

    model_config = {
        "extra": "forbid",
        "json_schema_extra": {
            "examples": [
                {
                    "dataset": "churn",
                    "dataset_version": 3,
                    "reason": "new features",
                    "training": {"algorithms": ["xgboost"], "trials": 8},
                }
            ]
        },
    }

    dataset: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")
    dataset_version: int | None = Field(default=None, ge=1, le=99_999_999)
    reason: str = Field(default="", max_length=2000)
    training: TrainingChoices | None = None

    def choices(self) -> dict[str, Any]:
        return self.training.model_dump(exclude_none=True) if self.training else {}


class EstimateAnswer(BaseModel):
    """What training took before: medians, with the shortest and the longest. Null where no run says anything."""

    dataset: str
    runs: int
    of_this_dataset: bool = Field(description="False when it has none yet and those of all datasets were looked at.")
    seconds: float | None
    shortest_seconds: float | None
    longest_seconds: float | None
    cost_usd: float | None


class TrainableDataset(BaseModel):
    """A dataset to choose. Without a target or a version that is ready it cannot be trained on."""

    name: str
    target: str | None
    latest_ready_version: int


class TrainableVersion(BaseModel):
    version: int
    accepted: int | None
    quarantined_share: float | None
    warnings: int
    created_at: datetime


class ParameterAnswer(BaseModel):
    """A hyperparameter. A number's range is open where `minimum` or `maximum` is null; `allowed` says it in words.

    What is not fixed is searched for, when `searched`, and else has its default.
    """

    name: str
    kind: str
    default: int | float | str
    meaning: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    allowed: str
    searched: bool
    tasks: list[Task]


class AlgorithmAnswer(BaseModel):
    """`spot`: its job may be interrupted and resumes, so it runs on spot capacity. `runs` trained it before."""

    name: str
    title: str
    tasks: list[Task]
    spot: bool
    parameters: list[ParameterAnswer]
    runs: int
    seconds: float | None
    cost_usd: float | None


class TrainingOptionsAnswer(BaseModel):
    """All that a person chooses from before a run starts, with the dataset's own settings as what happens otherwise.

    Algorithms are trained side by side: a run takes as long as the slowest and `around_seconds`, and costs their sum
    and `around_cost_usd`.
    """

    datasets: list[TrainableDataset]
    dataset: str | None
    target: str | None
    task: Task | None = Field(description="As the settings declare it; null when it is found in the data.")
    versions: list[TrainableVersion]
    policy: TrainingPolicy | None
    algorithms: list[AlgorithmAnswer]
    metrics: dict[Task, list[str]]
    machines: list[str]
    estimate: EstimateAnswer | None
    around_seconds: float | None
    around_cost_usd: float | None


def options_answer(found: TrainingOptions, *, spot: bool) -> TrainingOptionsAnswer:
    chosen = found.dataset
    return TrainingOptionsAnswer(
        datasets=[
            TrainableDataset(
                name=each.name, target=each.settings.target, latest_ready_version=each.latest_ready_version
            )
            for each in found.datasets
        ],
        dataset=chosen and chosen.name,
        target=chosen and chosen.settings.target,
        task=chosen and chosen.settings.task,
        versions=[_version(each) for each in found.versions],
        policy=chosen and chosen.settings.training,
        algorithms=[_algorithm(each, found, spot) for each in ALGORITHMS.values()],
        metrics={task: [measure.name for measure in deciding_measures(task)] for task in Task},
        machines=[name for name in USD_PER_HOUR[HOME_REGION] if name.startswith("ml.")],
        estimate=chosen and found.estimate and EstimateAnswer(dataset=chosen.name, **found.estimate._asdict()),
        around_seconds=found.around_seconds,
        around_cost_usd=found.around_cost_usd,
    )


def _version(version: DatasetVersion) -> TrainableVersion:
    quality = version.quality
    return TrainableVersion(
        version=version.version,
        accepted=quality and quality.accepted,
        quarantined_share=quality and quality.quarantined_share,
        warnings=len(quality.warnings) if quality else 0,
        created_at=version.created_at,
    )


def _algorithm(algorithm: Algorithm, found: TrainingOptions, spot: bool) -> AlgorithmAnswer:
    before = next((each for each in found.algorithms if each.algorithm == algorithm.name), None)
    return AlgorithmAnswer(
        name=algorithm.name,
        title=algorithm.title,
        tasks=[Task(task) for task in algorithm.tasks],
        spot=spot and algorithm.resumable,
        parameters=[_parameter(each) for each in algorithm.parameters],
        runs=before.runs if before else 0,
        seconds=before and before.seconds,
        cost_usd=before and before.cost_usd,
    )


def _parameter(parameter: Parameter) -> ParameterAnswer:
    return ParameterAnswer(
        name=parameter.name,
        kind=parameter.kind,
        default=parameter.default,
        meaning=parameter.meaning,
        minimum=_bound(parameter.minimum),
        maximum=_bound(parameter.maximum),
        choices=list(parameter.choices),
        allowed=parameter.allowed,
        searched=bool(parameter.search or parameter.search_choices),
        tasks=[Task(task) for task in parameter.tasks],
    )


def _bound(value: float) -> float | None:
    return value if math.isfinite(value) else None
