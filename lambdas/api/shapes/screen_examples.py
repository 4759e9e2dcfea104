"""The screens' answers as the contract shows them. A test holds each against its shape."""

from __future__ import annotations

from typing import Any

from lambdas.api.shapes import (
    alert_examples,
    api_key_examples,
    batch_examples,
    dataset_examples,
    model_examples,
    monitoring_examples,
    schedule_examples,
    upload_examples,
)

DATASET: dict[str, Any] = {
    "dataset": dataset_examples.DETAIL,
    "versions": dataset_examples.VERSIONS,
    "uploads": upload_examples.ARRIVED,
    "contract": dataset_examples.CONTRACT,
}
DATASET_VERSION: dict[str, Any] = {
    "version": dataset_examples.VERSION_DETAIL,
    "profile": dataset_examples.PROFILE,
    "quarantine": dataset_examples.QUARANTINE,
    "others": [2, 1],
}
MODEL_VERSION: dict[str, Any] = {
    "version": model_examples.DETAIL,
    "evaluation": model_examples.EVALUATION,
    "lineage": model_examples.LINEAGE,
    "since": None,
    "rival": {
        "id": "churn:6",
        "number": 6,
        "metrics": {"roc_auc": {"value": 0.81, "low": 0.77, "high": 0.84, "higher_is_better": True}},
        "curves": model_examples.EVALUATION["curves"],
    },
}
MONITORING: dict[str, Any] = {
    "models": [{"name": "flights", "dataset": "flights"}],
    "shown": {
        **{name: said for name, said in monitoring_examples.MONITORING.items() if name != "latest"},
        "traffic": monitoring_examples.TRAFFIC,
        "reports": monitoring_examples.PAGE,
    },
}
PREDICTIONS: dict[str, Any] = {
    "live": [{"model": "churn", "version": "churn:7", "number": 7}],
    "form": {
        "model": "churn",
        "version": "churn:7",
        "target": "left",
        "dataset": "churn",
        "dataset_version": 3,
        "signature": model_examples.DETAIL["signature"],
        "columns": [{"name": "age", "minimum": 18.0, "maximum": 92.0, "quantiles": {"0.5": 41.0}, "top": []}],
    },
    "batches": batch_examples.PAGE,
}
BATCH: dict[str, Any] = {"job": batch_examples.DETAIL, "quarantine": batch_examples.QUARANTINE}
SETTINGS: dict[str, Any] = {
    "schedules": schedule_examples.PAGE,
    "channels": alert_examples.CHANNELS,
    "api_keys": api_key_examples.PAGE,
}
