"""What the API says of datasets and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from millrace.domain.dataset import (
    ColumnContract,
    ColumnKind,
    Constraint,
    Contract,
    Dataset,
    DatasetSettings,
    DatasetVersion,
    Dialect,
    Quality,
    Task,
    VersionState,
)


class DatasetSummary(BaseModel):
    """What is to be known of every dataset."""

    name: str
    target: str | None
    task: Task | None
    latest_version: int
    latest_ready_version: int
    contract_version: int
    revision: int
    created_at: datetime
    created_by: str


class DatasetDetail(DatasetSummary):
    settings: DatasetSettings


class SettingsChange(BaseModel):
    """What is named is set, the rest stays; null resets to the default.

    `split`, `training`, `retraining` and `deployment` change key by key.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"target": "left", "key": ["customer_id"], "training": {"trials": 8}}]},
    )

    target: str | None = None
    task: Task | None = None
    key: list[str] | None = None
    group: str | None = None
    exclude: list[str] | None = None
    max_quarantined_share: float | None = Field(default=None, ge=0, le=1)
    constraints: dict[str, Constraint] | None = None
    split: dict[str, float] | None = None
    training: dict[str, Any] | None = Field(default=None, description="As `settings.training` of a dataset.")
    retraining: dict[str, Any] | None = Field(default=None, description="As `settings.retraining` of a dataset.")
    deployment: dict[str, Any] | None = Field(default=None, description="As `settings.deployment` of a dataset.")
    four_eyes: bool | None = None

    def changes(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)


class NewDataset(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "churn", "settings": {"target": "left"}}]}
    )

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")
    settings: SettingsChange = SettingsChange()


class DatasetVersionSummary(BaseModel):
    """A version in a list. Counts are null while it is being prepared, and when it was refused."""

    dataset: str
    version: int
    state: VersionState
    rows_in: int | None
    accepted: int | None
    quarantined: int | None
    quarantined_share: float | None
    null_share: float | None
    warnings: int
    reasons: list[str]
    contract_version: int | None
    upload_id: str
    run_id: str
    created_at: datetime


class DatasetListed(DatasetSummary):
    """A dataset in a list, with its newest version, whatever became of it; null before its first file."""

    newest: DatasetVersionSummary | None


class DatasetVersionDetail(DatasetVersionSummary):
    """`used_by` are the model versions that were trained on it."""

    sha256: str
    location: str
    dialect: Dialect | None
    quality: Quality | None
    used_by: list[str]


class Histogram(BaseModel):
    """Bins of equal width: `edges` has one more entry than `shares`."""

    edges: list[float]
    shares: list[float]


class TopValue(BaseModel):
    value: str
    count: int


class ColumnAnswer(BaseModel):
    """One column of the accepted rows. `distinct` is exact while there are few, and an estimate after."""

    name: str
    kind: ColumnKind
    count: int
    nulls: int
    null_share: float
    distinct: float | None
    mean: float | None
    std: float | None
    minimum: float | None
    maximum: float | None
    quantiles: dict[str, float | None]
    histogram: Histogram
    top: list[TopValue]


class ProfileAnswer(BaseModel):
    dataset: str
    version: int
    rows: int
    target: str | None
    splits: dict[str, int]
    columns: list[ColumnAnswer]


class QualityPoint(BaseModel):
    """The quality of one version."""

    version: int
    state: VersionState
    created_at: datetime
    rows_in: int | None
    accepted: int | None
    quarantined_share: float | None
    null_share: float | None
    violations: dict[str, int]
    schema_changes: list[str]


class QuarantinedRowAnswer(BaseModel):
    """A row that broke the contract, as it came, with every reason. `cut` says that the text is longer than shown."""

    line: int
    text: str
    cut: bool
    reasons: list[str]


class ContractChange(BaseModel):
    """The whole contract as it shall be from now on."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "columns": [
                        {"name": "customer_id", "kind": "integer"},
                        {"name": "age", "kind": "integer", "minimum": 0, "maximum": 120},
                        {"name": "left", "kind": "boolean"},
                    ]
                }
            ]
        },
    )

    columns: list[ColumnContract] = Field(min_length=1, max_length=5000)
    missing_values: list[str] | None = Field(default=None, max_length=100)


ContractAnswer = Contract


def dataset_listed(dataset: Dataset, newest: DatasetVersion | None) -> DatasetListed:
    return DatasetListed(**_dataset_facts(dataset), newest=newest and version_summary(newest))


def dataset_detail(dataset: Dataset) -> DatasetDetail:
    return DatasetDetail(**_dataset_facts(dataset), settings=dataset.settings)


def _dataset_facts(dataset: Dataset) -> dict[str, Any]:
    facts = dataset.model_dump(exclude={"settings"})
    return {**facts, "target": dataset.settings.target, "task": dataset.settings.task}


def version_summary(version: DatasetVersion) -> DatasetVersionSummary:
    return DatasetVersionSummary(**_version_facts(version))


def version_detail(version: DatasetVersion, used_by: list[str]) -> DatasetVersionDetail:
    return DatasetVersionDetail(
        **_version_facts(version),
        sha256=version.sha256,
        location=version.location,
        dialect=version.dialect,
        quality=version.quality,
        used_by=used_by,
    )


def _version_facts(version: DatasetVersion) -> dict[str, Any]:
    quality = version.quality
    kept = version.model_dump(include={"dataset", "version", "state", "contract_version", "upload_id", "run_id"})
    return {
        **kept,
        **_counts(quality),
        "quarantined": quality and quality.quarantined,
        "warnings": len(quality.warnings) if quality else 0,
        "reasons": list(version.reasons),
        "created_at": version.created_at,
    }


def _counts(quality: Quality | None) -> dict[str, Any]:
    names = ("rows_in", "accepted", "quarantined_share", "null_share")
    return {name: None if quality is None else getattr(quality, name) for name in names}


def quality_point(version: DatasetVersion) -> QualityPoint:
    quality = version.quality
    return QualityPoint(
        version=version.version,
        state=version.state,
        created_at=version.created_at,
        violations=quality.violations if quality else {},
        schema_changes=list(quality.schema_changes) if quality else [],
        **_counts(quality),
    )


def profile_answer(version: DatasetVersion, profile: Mapping[str, Any]) -> ProfileAnswer:
    return ProfileAnswer(
        dataset=version.dataset,
        version=version.version,
        rows=profile["rows"],
        target=profile.get("target"),
        splits=profile.get("splits") or {},
        columns=[_column(name, column) for name, column in profile["columns"].items()],
    )


def _column(name: str, column: Mapping[str, Any]) -> ColumnAnswer:
    rows = column["count"] + column["nulls"]
    kept = ("kind", "count", "nulls", "distinct", "mean", "std", "minimum", "maximum")
    return ColumnAnswer(
        name=name,
        null_share=column["nulls"] / rows if rows else 0.0,
        quantiles=column.get("quantiles") or {},
        histogram=column.get("histogram") or {"edges": [], "shares": []},
        top=[TopValue(value=value, count=count) for value, count in column.get("top") or []],
        **{field: column.get(field) for field in kept},
    )
