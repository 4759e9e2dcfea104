"""Judge what a person wrote as a dataset's settings: every fault at once, each with its place and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from millrace.algorithms import ALGORITHMS, validate_hyperparameters
from millrace.analytics.measures import MEASURES, primary_measure
from millrace.domain.dataset import Constraint, Contract, DatasetSettings, SplitShares, TrainingPolicy
from millrace.domain.retraining import RetrainingPolicy
from millrace.domain.rollout import LONGEST, MOST_STEPS, DeploymentPolicy
from millrace.errors import InvalidInput

_MERGED = ("training", "retraining", "deployment", "split")
_LISTS = ("key", "exclude")
_SECTIONS: dict[str, type[BaseModel]] = {
    "training": TrainingPolicy,
    "retraining": RetrainingPolicy,
    "deployment": DeploymentPolicy,
    "split": SplitShares,
    "constraints": Constraint,
}


def judge_settings(
    current: DatasetSettings, changes: Mapping[str, Any], *, contract: Contract | None = None
) -> DatasetSettings:
    """`current` with `changes`: what they name is set, what they do not name stays; null resets to the default.

    Sections (`training`, `split`, …) are changed key by key, everything else as a whole. Columns are looked up in
    `contract`, when there is one. Raises InvalidInput with every fault: path, value, what is allowed.
    """
    settings = _validated(_merged(current, changes))
    faults = [*_training_faults(settings), *_column_faults(settings, contract)]
    # What was allowed before stays until somebody changes it.
    if "deployment" in changes:
        faults += _deployment_faults(settings)
    if faults:
        raise InvalidInput("; ".join(faults))
    return settings


def _merged(current: DatasetSettings, changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = current.model_dump(mode="json")
    for name, value in changes.items():
        if value is None:
            merged.pop(name, None)
        elif name in _MERGED and isinstance(value, Mapping):
            merged[name] = {**merged[name], **value}
        elif name in _LISTS and isinstance(value, str):
            merged[name] = [value]
        else:
            merged[name] = value
    return merged


def _validated(merged: Mapping[str, Any]) -> DatasetSettings:
    try:
        return DatasetSettings.model_validate(merged)
    except ValidationError as error:
        raise InvalidInput("; ".join(_said(fault) for fault in error.errors())) from error


def _said(fault: ErrorDetails) -> str:
    path = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return _unknown(path, str(fault["loc"][-1]), _known_at(fault["loc"]))
    allowed = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    hint = " (put it in quotes)" if fault["type"] == "string_type" else ""
    return f"{path or 'the settings'}: {allowed}, not {_shown(fault['input'])}{hint}"


def _unknown(path: str, name: str, known: Sequence[str]) -> str:
    return f"{path} is not a setting: {_nearest(name, known)}"


def _known_at(location: tuple[int | str, ...]) -> list[str]:
    """The settings there are where a fault is: at the top, or in the section that the path begins with."""
    section = _SECTIONS.get(str(location[0])) if len(location) > 1 else None
    return list((section or DatasetSettings).model_fields)


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _training_faults(settings: DatasetSettings) -> Iterable[str]:
    training = settings.training
    if not training.algorithms:
        yield f"training.algorithms: name at least one of {', '.join(ALGORITHMS)}"
    for name in training.algorithms:
        if name not in ALGORITHMS:
            yield f"training.algorithms: there is no {name!r}, {_nearest(name, list(ALGORITHMS))}"
    if len(set(training.algorithms)) < len(training.algorithms):
        yield "training.algorithms: each algorithm may be named once"
    for name, given in training.hyperparameters.items():
        yield from _hyperparameter_faults(name, given, settings.task)
    if training.metric is not None and settings.task is not None:
        yield from _refused("training.metric", lambda: primary_measure(str(settings.task), training.metric))
    elif training.metric is not None and training.metric not in MEASURES:
        yield f"training.metric: there is no {training.metric!r}, {_nearest(training.metric, list(MEASURES))}"


def _deployment_faults(settings: DatasetSettings) -> Iterable[str]:
    policy = settings.deployment
    if policy.steps > MOST_STEPS:
        yield f"deployment.share: {policy.share} makes {policy.steps:,} steps, and there may be {MOST_STEPS}"
    elif policy.takes > LONGEST:
        steps = f"{policy.steps} steps of {policy.step_seconds:,} s take {policy.takes / timedelta(hours=1):,.0f} hours"
        yield f"deployment.step_seconds: {steps}, and a rollout takes at most {LONGEST / timedelta(hours=1):.0f}"


def _hyperparameter_faults(algorithm: str, given: Mapping[str, Any], task: str | None) -> Iterable[str]:
    path = f"training.hyperparameters.{algorithm}"
    if algorithm not in ALGORITHMS:
        yield f"{path}: there is no {algorithm!r}, {_nearest(algorithm, list(ALGORITHMS))}"
        return
    for name, value in given.items():
        judge = partial(validate_hyperparameters, algorithm, {name: value}, task)
        yield from _refused(f"{path}.{name}", judge)


def _refused(path: str, judge: Any) -> Iterable[str]:
    try:
        judge()
    except InvalidInput as refusal:
        yield f"{path}: {refusal}"


def _column_faults(settings: DatasetSettings, contract: Contract | None) -> Iterable[str]:
    named = [("target", settings.target), ("group", settings.group)]
    named += [("key", name) for name in settings.key] + [("exclude", name) for name in settings.exclude]
    named += [("constraints", name) for name in settings.constraints]
    if settings.target is not None and settings.target in (*settings.key, *settings.exclude, settings.group):
        yield f"target: {settings.target!r} is also the key, the group or excluded, so it cannot be predicted"
    if contract is None:
        return
    columns = [column.name for column in contract.columns]
    for path, name in named:
        if name is not None and name not in columns:
            yield f"{path}: there is no column {name!r}, {_nearest(name, columns)}"
