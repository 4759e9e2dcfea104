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
from millrace.domain.drift import (
    DriftCell,
    DriftDay,
    DriftKind,
    DriftOverlay,
    DriftReport,
    DriftRule,
    DriftScore,
    DriftSeverity,
    DriftSource,
    DriftSummary,
    DriftVerdict,
    FeatureDrift,
)
from millrace.domain.endpoint_use import EndpointUse
from millrace.domain.model import Lineage, Metric, ModelVersion, Verdict, VerdictOutcome
from millrace.domain.role import Role
from millrace.domain.run import Run
from millrace.domain.schedule import Firing, FiringOutcome, Schedule, ScheduledAction
from millrace.domain.transfer import Transfer
from millrace.domain.truth import TruthFile

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


def a_truth_file(**facts: Any) -> TruthFile:
    known: dict[str, Any] = {
        "file_id": "f" * 20,
        "model": "credit",
        "key": "ground-truth/credit/may.csv",
        "object_version": "v1",
        "rows": 10,
        "kept": 7,
        "repeated": 1,
        "refused": 2,
        "quarantine": f"s3://{DATA_BUCKET}/inference/credit/truth-quarantine/{'f' * 20}/",
        "at": NOON,
    }
    return TruthFile(**(known | facts))


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


def a_schedule(schedule_id: str = "0" * 16, **facts: Any) -> Schedule:
    known: dict[str, Any] = {
        "name": "every hour",
        "action": ScheduledAction.TRAIN,
        "about": "credit",
        "expression": "rate(1 hour)",
        "starts_at": NOON,
        "created_at": NOON,
        "created_by": "user:ada",
    }
    return Schedule(schedule_id=schedule_id, **(known | facts))


def a_firing(due_at: datetime = NOON, schedule_id: str = "0" * 16, **facts: Any) -> Firing:
    known: dict[str, Any] = {
        "fired_at": due_at,
        "actor": f"schedule:{schedule_id}",
        "outcome": FiringOutcome.STARTED,
        "run_id": "training-1",
    }
    return Firing(schedule_id=schedule_id, due_at=due_at, **(known | facts))


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


def a_drift_summary(report_id: str = "drift-1-data", *, minutes: float = 0, **facts: Any) -> DriftSummary:
    known: dict[str, Any] = {
        "run_id": "drift-1",
        "model": "credit",
        "number": 1,
        "kind": DriftKind.DATA,
        "source": DriftSource.BATCH,
        "verdict": DriftVerdict.DRIFT,
        "severity": DriftSeverity.MAJOR,
        "sentence": "Drift in 1 of 3 features over 500 rows: `age` rose by 1.2 sd.",
        "baseline": "credit:1",
        "window": "batch 7",
        "day": later(minutes).date(),
        "baseline_rows": 700,
        "window_rows": 500,
        "judged": 3,
        "drifted": ("age",),
        "report_uri": f"s3://{ARTIFACTS_BUCKET}/drift/credit/{report_id}/report.json",
        "html_uri": f"s3://{ARTIFACTS_BUCKET}/drift/credit/{report_id}/report.html",
        "created_at": later(minutes),
    }
    return DriftSummary(id=report_id, **(known | facts))


def a_drift_day(summary: DriftSummary | None = None, **facts: Any) -> DriftDay:
    """The day that `summary` is about, as its report told it."""
    of = summary or a_drift_summary()
    cell = DriftCell(
        feature="age",
        verdict=of.verdict,
        metric="wasserstein",
        score=1.2,
        threshold=0.2,
        sentence="`age` rose by 1.2 sd",
    )
    known: dict[str, Any] = {
        "model": of.model,
        "kind": of.kind,
        "day": of.day,
        "report_id": of.id,
        "created_at": of.created_at,
        "verdict": of.verdict,
        "severity": of.severity,
        "sentence": of.sentence,
        "window_rows": of.window_rows,
        "cells": (cell,),
    }
    return DriftDay(**(known | facts))


def a_feature(name: str = "age", verdict: DriftVerdict = DriftVerdict.DRIFT, score: float = 1.2) -> FeatureDrift:
    return FeatureDrift(
        feature=name,
        kind="number",
        verdict=verdict,
        sentence=f"`{name}` rose by {score} sd",
        p_value=1e-9,
        scores=(DriftScore(metric="wasserstein", score=score, threshold=0.2),),
        shift_sd=score,
        smallest_shift_sd=0.3,
        importance_share=0.4,
    )


def a_drift_report(report_id: str = "drift-0123456789abcdef-data", *, rows: int = 500, **facts: Any) -> DriftReport:
    features = (a_feature(), a_feature("income", DriftVerdict.OK, 0.1))
    known: dict[str, Any] = {
        "run_id": report_id.rpartition("-")[0],
        "model": "credit",
        "number": 1,
        "kind": DriftKind.DATA,
        "source": DriftSource.RECORDS,
        "verdict": DriftVerdict.DRIFT,
        "severity": DriftSeverity.MAJOR,
        "sentence": f"Drift in 1 of 2 features over {rows} rows.",
        "rule": DriftRule(),
        "false_alarm_share": 0.012,
        "smallest_shift_sd": 0.3,
        "baseline": "credit:1",
        "window": "requests of a day",
        "day": NOON.date(),
        "baseline_rows": 700,
        "window_rows": rows,
        "features": features,
        "created_at": NOON,
        "overlays": {"age": DriftOverlay(edges=(0.0, 50.0, 100.0), baseline=(0.8, 0.2), window=(0.1, 0.9))},
    }
    return DriftReport(id=report_id, **(known | facts))


def an_endpoint_use(model: str = "credit", number: int = 1, *, minutes: float = 0, **facts: Any) -> EndpointUse:
    """A realtime endpoint of 0.115 dollars an hour that is in service since `minutes` after noon."""
    known: dict[str, Any] = {"machine": "ml.m5.large", "region": "us-east-1", "since": later(minutes)}
    return EndpointUse(model=model, number=number, **known | facts)
