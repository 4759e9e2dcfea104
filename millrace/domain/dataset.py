"""Datasets: their settings, contracts, uploads and versions."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from millrace.domain.entity import Entity, Moment, Name
from millrace.domain.retraining import RetrainingPolicy
from millrace.domain.rollout import DeploymentPolicy


class Task(StrEnum):
    """What a model predicts: one of two classes, one of several, or a number."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class ColumnKind(StrEnum):
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"


class Severity(StrEnum):
    """ERROR quarantines the row; WARNING counts it and lets it through."""

    ERROR = "error"
    WARNING = "warning"


class Format(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


class Dialect(Entity):
    """How the bytes of one upload are read; detected, recorded, never assumed."""

    format: Format
    compression: str = Field(default="none", pattern="^(none|gzip)$")
    encoding: str = "utf-8"
    byte_order_mark: bool = False
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""


class ColumnContract(Entity):
    """What one column must look like. Ranges and categories seen in the first version warn; declared ones refuse."""

    name: str
    kind: ColumnKind
    nullable: bool = True
    minimum: float | None = None
    maximum: float | None = None
    range_severity: Severity = Severity.WARNING
    categories: tuple[str, ...] | None = None
    categories_severity: Severity = Severity.WARNING
    decimal: str = "."
    thousands: str = ""
    time_formats: tuple[str, ...] = ()
    true_values: tuple[str, ...] = ()
    false_values: tuple[str, ...] = ()


class Contract(Entity):
    """Expected columns, types, constraints. Immutable; an edit is a new `version` (the first is 1)."""

    dataset: Name
    version: int = Field(ge=1)
    columns: tuple[ColumnContract, ...]
    missing_values: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "none")
    key_suggestion: tuple[str, ...] = ()
    target_suggestion: str | None = None
    inferred_from_version: int | None = None
    created_at: Moment
    created_by: str

    def column(self, name: str) -> ColumnContract | None:
        return next((column for column in self.columns if column.name == name), None)


class Constraint(Entity):
    """A rule a person declares for one column in the settings. Declared rules refuse rows, they do not warn."""

    kind: ColumnKind | None = None
    nullable: bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None


class SplitShares(Entity):
    train: float = Field(default=0.7, gt=0, lt=1)
    validation: float = Field(default=0.15, gt=0, lt=1)
    test: float = Field(default=0.15, gt=0, lt=1)

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("the shares of train, validation and test must add up to 1")
        return self


class TrainingPolicy(Entity):
    """When and how a dataset's new versions are trained on."""

    on_new_version: bool = True
    algorithms: tuple[str, ...] = ("random_forest", "xgboost", "linear")
    hyperparameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    trials: int = Field(default=4, ge=1, le=50)
    seed: int = Field(default=7, ge=0)
    metric: str | None = None
    instance_type: str = "ml.m5.large"
    instance_count: int = Field(default=1, ge=1, le=8)
    max_runtime_seconds: int = Field(default=3600, ge=60, le=86400)


class DatasetSettings(Entity):
    """What a person decides about a dataset: in `dataset.yaml`, by command line, or through the API.

    `four_eyes`: who asked for a training run may not approve what came of it.
    """

    target: str | None = None
    task: Task | None = None
    key: tuple[str, ...] = ()
    group: str | None = None
    exclude: tuple[str, ...] = ()
    max_quarantined_share: float = Field(default=0.1, ge=0, le=1)
    constraints: dict[str, Constraint] = Field(default_factory=dict)
    split: SplitShares = SplitShares()
    training: TrainingPolicy = TrainingPolicy()
    retraining: RetrainingPolicy = RetrainingPolicy()
    deployment: DeploymentPolicy = DeploymentPolicy()
    four_eyes: bool = False


class Dataset(Entity):
    """A named series of versions with one schema. `revision` counts changes: an edit names the one it saw."""

    name: Name
    settings: DatasetSettings = DatasetSettings()
    contract_version: int = 0
    latest_version: int = 0
    latest_ready_version: int = 0
    revision: int = 1
    created_at: Moment
    created_by: str


class UploadState(StrEnum):
    RECEIVED = "RECEIVED"
    PREPARING = "PREPARING"
    ACCEPTED = "ACCEPTED"
    IDENTICAL = "IDENTICAL"
    REJECTED = "REJECTED"


class Upload(Entity):
    """One object version that arrived. `upload_id` comes from bucket, key and object version: deliveries repeat."""

    upload_id: str
    dataset: str
    bucket: str
    key: str
    object_version: str
    size_bytes: int
    run_id: str
    state: UploadState = UploadState.RECEIVED
    sha256: str | None = None
    version: int | None = None
    dialect: Dialect | None = None
    reasons: tuple[str, ...] = ()
    received_at: Moment


class UploadKind(StrEnum):
    """What an upload turned out to be. Only a DATASET needs preparation."""

    DATASET = "dataset"
    SETTINGS = "settings"
    IDENTICAL = "identical"


class Registration(Entity):
    """What RegisterUpload answers. A settings file has no version; only a DATASET has a request and a report."""

    kind: UploadKind
    dataset: str
    upload_id: str
    version: int | None = None
    request_uri: str | None = None
    report_uri: str | None = None


class VersionState(StrEnum):
    PREPARING = "PREPARING"
    READY = "READY"
    REJECTED = "REJECTED"


class Quality(Entity):
    """Counts of one preparation. `rows_in == accepted + quarantined`, always."""

    rows_in: int
    accepted: int
    quarantined: int
    null_share: float
    warnings: tuple[str, ...] = ()
    schema_changes: tuple[str, ...] = ()
    violations: dict[str, int] = Field(default_factory=dict)
    split_rows: dict[str, int] = Field(default_factory=dict)

    @property
    def quarantined_share(self) -> float:
        return self.quarantined / self.rows_in if self.rows_in else 0.0

    @model_validator(mode="after")
    def _nothing_lost(self) -> Self:
        if self.rows_in != self.accepted + self.quarantined:
            raise ValueError(f"{self.rows_in} rows in, but {self.accepted} accepted + {self.quarantined} quarantined")
        return self


class DatasetVersion(Entity):
    """Immutable once READY. `location` is the S3 prefix that holds data/, profile.json, contract.json, report.json."""

    dataset: str
    version: int
    state: VersionState = VersionState.PREPARING
    upload_id: str
    sha256: str
    location: str
    quarantine_location: str
    contract_version: int | None = None
    dialect: Dialect | None = None
    quality: Quality | None = None
    reasons: tuple[str, ...] = ()
    run_id: str
    created_at: Moment


class PreparationRequest(Entity):
    """All that the preparation job is told: it decides from this and from the bytes alone."""

    dataset: str
    version: int
    upload_id: str
    run_id: str
    source_uri: str
    object_version: str
    dialect: Dialect
    settings: DatasetSettings
    contract: Contract | None
    location: str
    quarantine_location: str
    created_at: Moment


class PreparationReport(Entity):
    """What the preparation job found. `rejection` is None when the version is fit to use."""

    dataset: str
    version: int
    rejection: str | None = None
    contract: Contract | None = None
    quality: Quality | None = None
    seconds: float
