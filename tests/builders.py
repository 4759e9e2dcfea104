"""Entities for tests: complete, valid, and different only in what a test says about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from millrace.domain import identity
from millrace.domain.api_key import ApiKey, digest_of
from millrace.domain.dataset import (
    ColumnContract,
    ColumnKind,
    Contract,
    DatasetSettings,
    DatasetVersion,
    Dialect,
    Format,
    Quality,
    Upload,
)
from millrace.domain.model import Lineage, Metric, ModelVersion, Verdict, VerdictOutcome
from millrace.domain.role import Role
from millrace.domain.run import Run
from millrace.domain.transfer import Transfer

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DATA_BUCKET = "data-bucket"
ARTIFACTS_BUCKET = "artifacts-bucket"
CSV = Dialect(format=Format.CSV)


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def an_upload(name: str = "may.csv", *, dataset: str = "credit", sha256: str | None = None, **facts: Any) -> Upload:
    """An upload at `uploads/{dataset}/{name}`; its bytes differ from those of any other name unless `sha256` says."""
    key, object_version = f"uploads/{dataset}/{name}", str(facts.pop("object_version", "1"))
    known: dict[str, Any] = {
        "upload_id": identity.upload_id(DATA_BUCKET, key, object_version),
        "dataset": dataset,
        "bucket": DATA_BUCKET,
        "key": key,
        "object_version": object_version,
        "size_bytes": 100,
        "run_id": identity.ingest_run_id(DATA_BUCKET, key, object_version),
        "sha256": sha256 or f"bytes-of-{name}-{object_version}",
        "dialect": CSV,
        "received_at": NOON,
    }
    return Upload(**(known | facts))


def a_transfer(transfer_id: str = "transfer-1", **facts: Any) -> Transfer:
    known: dict[str, Any] = {
        "dataset": "credit",
        "bucket": DATA_BUCKET,
        "key": "uploads/credit/may.csv",
        "size_bytes": 100,
        "part_bytes": 60,
        "multipart_id": f"multipart-of-{transfer_id}",
        "actor": "ada",
        "started_at": NOON,
    }
    return Transfer(transfer_id=transfer_id, **(known | facts))


def an_api_key(key_id: str = "0" * 16, *, secret: str = "5" * 64, **facts: Any) -> ApiKey:
    known: dict[str, Any] = {
        "name": "nightly",
        "owner": "user:ada",
        "roles": (Role.VIEWER,),
        "secret_sha256": digest_of(secret),
        "created_at": NOON,
        "expires_at": NOON + timedelta(days=90),
    }
    return ApiKey(key_id=key_id, **(known | facts))


def a_column(name: str, kind: ColumnKind = ColumnKind.NUMBER, **facts: Any) -> ColumnContract:
    return ColumnContract(name=name, kind=kind, **facts)


def a_contract(version: int = 1, *, dataset: str = "credit", columns: tuple[ColumnContract, ...] = ()) -> Contract:
    known = columns or (
        a_column("id", ColumnKind.INTEGER),
        a_column("age", ColumnKind.INTEGER),
        a_column("income"),
        a_column("home", ColumnKind.CATEGORY, categories=("own", "rent")),
        a_column("remarks", ColumnKind.TEXT),
        a_column("status", ColumnKind.CATEGORY, categories=("bad", "good")),
    )
    return Contract(dataset=dataset, version=version, columns=known, created_at=NOON, created_by="inference")


def a_quality(accepted: int = 990, quarantined: int = 10) -> Quality:
    splits = {"train": accepted - 2 * (accepted // 6), "validation": accepted // 6, "test": accepted // 6}
    return Quality(
        rows_in=accepted + quarantined,
        accepted=accepted,
        quarantined=quarantined,
        null_share=0.01,
        split_rows=splits,
    )


def prepared(version: DatasetVersion, *, contract_version: int = 1, quality: Quality | None = None) -> DatasetVersion:
    """A reserved version with what the preparation found out about it."""
    return version.model_copy(update={"contract_version": contract_version, "quality": quality or a_quality()})


def settings(**facts: Any) -> DatasetSettings:
    return DatasetSettings.model_validate(facts)


def a_run(run_id: str = "training-1", *, pipeline: str = "training", minutes: float = 0, **facts: Any) -> Run:
    known: dict[str, Any] = {"dataset": "credit", "started_by": "ada", "started_at": later(minutes)}
    return Run(run_id=run_id, pipeline=pipeline, **(known | facts))


def a_verdict(sentence: str = "No champion yet.", **facts: Any) -> Verdict:
    known: dict[str, Any] = {
        "outcome": VerdictOutcome.FIRST,
        "metric": "roc_auc",
        "gain": 0.3,
        "low": 0.25,
        "high": 0.35,
        "smallest_detectable_gain": 0.02,
        "compared_with": "a constant prediction",
        "test_rows": 668,
        "sentence": sentence,
    }
    return Verdict(**(known | facts))


def a_model_version(
    number: int = 1, *, model: str = "credit", run_id: str = "training-1", algorithm: str = "xgboost", **facts: Any
) -> ModelVersion:
    known: dict[str, Any] = {
        "task": "binary",
        "target": "status",
        "hyperparameters": {"max_depth": 4},
        "artifact_uri": f"s3://{ARTIFACTS_BUCKET}/models/{model}/v{number}/model.tar.gz",
        "artifact_digest": "d" * 64,
        "evaluation_uri": f"s3://{ARTIFACTS_BUCKET}/models/{model}/v{number}/evaluation.json",
        "signature": {"inputs": []},
        "metrics": {"roc_auc": Metric(value=0.83, low=0.79, high=0.86, higher_is_better=True)},
        "primary_metric": "roc_auc",
        "verdict": a_verdict(),
        "recommended": True,
        "lineage": Lineage(
            run_id=run_id,
            dataset="credit",
            dataset_version=1,
            dataset_sha256="a" * 64,
            contract_version=1,
            code_digest="code",
            image="image",
        ),
        "training_seconds": 10.0,
        "billable_seconds": 5.0,
        "created_at": NOON,
    }
    return ModelVersion(model=model, number=number, algorithm=algorithm, **(known | facts))
