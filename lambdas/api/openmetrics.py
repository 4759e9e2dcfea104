"""OpenMetrics text (openmetrics.io 1.0), and the metrics that are told in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Family(NamedTuple):
    """One metric: a gauge, since everything here is read as it is now. `labels` are the names of its labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


DATASETS = Family("millrace_datasets", "Datasets.")
DATASET_VERSIONS = Family("millrace_dataset_versions", "Dataset versions that can be used.")
MODELS = Family("millrace_models", "Registered models.")
MODEL_VERSIONS = Family("millrace_model_versions", "Model versions, by approval.", ("approval",))
RUNS = Family("millrace_runs", "Runs since the beginning, by pipeline and state.", ("pipeline", "state"))
ALERTS = Family("millrace_alerts", "Alerts that are not closed (100 at most are counted).", ("state", "kind"))
BREACHES = Family("millrace_alert_breaches", "How often the cause of an open alert was noticed.", ("alert_id", "title"))
CHAMPION = Family("millrace_champion", "The number of a model's champion.", ("model",))
CHAMPION_METRIC = Family(
    "millrace_champion_metric", "The champion's primary metric on its test rows.", ("model", "metric")
)
PENDING = Family("millrace_pending_approvals", "Model versions that wait for a decision.", ("model",))
FAMILIES = (
    DATASETS,
    DATASET_VERSIONS,
    MODELS,
    MODEL_VERSIONS,
    RUNS,
    ALERTS,
    BREACHES,
    CHAMPION,
    CHAMPION_METRIC,
    PENDING,
)

Sample = tuple[tuple[str, ...], float]
"""The values of a family's labels, in their order, and the metric's."""


def exposition(samples: Mapping[Family, Iterable[Sample]]) -> str:
    """The text of `samples`: every family of FAMILIES, also those without a sample."""
    lines: list[str] = []
    for family in FAMILIES:
        lines += [f"# TYPE {family.name} gauge", f"# HELP {family.name} {_escaped(family.help)}"]
        lines += [f"{family.name}{_labels(family, values)} {value!r}" for values, value in samples.get(family, ())]
    return "\n".join([*lines, "# EOF", ""])


def _labels(family: Family, values: Sequence[str]) -> str:
    if not family.labels:
        return ""
    pairs = zip(family.labels, values, strict=True)
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
