"""What a model version is judged against: the rows it learnt from, its answers on held-out rows, how good they were.

baseline.json, written before the version is registered and never changed:

    {"rows_of": "train", "signature": {"inputs": [{"name": "age", "kind": "integer"}], "output": {…}},
     "inputs": a profile (millrace.analytics.profiling), "predictions": a profile, "labels": a profile,
     "importances": {"age": 0.02},
     "held_out": {"rows": 668, "primary_metric": "roc_auc",
                  "metrics": {"roc_auc": {"value": 0.83, "low": 0.79, "high": 0.86, "higher_is_better": true}},
                  "expected": {"roc_auc": 0.84}}}      what the scores alone promised on the same rows

Columns of `predictions`: `prediction`, and for classes `probability.{class}` (of two classes the second only: the first
is its complement). `labels` has one column, `label`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millrace.analytics.profiling import DatasetProfile
from millrace.analytics.serving import class_name

PREDICTION, LABEL = "prediction", "label"


@dataclass(frozen=True)
class Output:
    """What a version answers. `classes` are the original labels, empty for numbers."""

    task: str
    classes: tuple[Any, ...]
    threshold: float | None

    @classmethod
    def of(cls, signature: Mapping[str, Any]) -> Output:
        said = signature["output"]
        return cls(said["task"], tuple(said["classes"]), said["threshold"])

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(class_name(label) for label in self.classes)

    @property
    def probability_columns(self) -> tuple[str, ...]:
        """One per class, in the order of the classes."""
        return tuple(f"probability.{name}" for name in self.class_names)

    @property
    def profiled_kinds(self) -> dict[str, str]:
        """The columns of a profile of predictions, with their kinds."""
        if not self.classes:
            return {PREDICTION: "number"}
        told = self.probability_columns[1:] if len(self.classes) == 2 else self.probability_columns
        return {PREDICTION: "category", **dict.fromkeys(told, "number")}

    @property
    def label_kind(self) -> str:
        return "category" if self.classes else "number"


@dataclass(frozen=True)
class HeldOut:
    """How good a version was on rows it had not seen. `metrics` as in evaluation.json."""

    rows: int
    primary_metric: str
    metrics: Mapping[str, Mapping[str, Any]]
    expected: Mapping[str, float]


@dataclass(frozen=True)
class Baseline:
    signature: Mapping[str, Any]
    inputs: DatasetProfile
    predictions: DatasetProfile
    labels: DatasetProfile
    importances: Mapping[str, float]
    held_out: HeldOut

    @property
    def input_kinds(self) -> dict[str, str]:
        return {each["name"]: each["kind"] for each in self.signature["inputs"]}

    @property
    def output(self) -> Output:
        return Output.of(self.signature)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows_of": "train",
            "signature": dict(self.signature),
            "inputs": self.inputs.to_json(),
            "predictions": self.predictions.to_json(),
            "labels": self.labels.to_json(),
            "importances": dict(self.importances),
            "held_out": {
                "rows": self.held_out.rows,
                "primary_metric": self.held_out.primary_metric,
                "metrics": {name: dict(metric) for name, metric in self.held_out.metrics.items()},
                "expected": dict(self.held_out.expected),
            },
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Baseline:
        return cls(
            signature=state["signature"],
            inputs=DatasetProfile.from_json(state["inputs"]),
            predictions=DatasetProfile.from_json(state["predictions"]),
            labels=DatasetProfile.from_json(state["labels"]),
            importances=state["importances"],
            held_out=HeldOut(**state["held_out"]),
        )
