"""What an algorithm is: a parameter schema, a builder of a scikit-learn Pipeline, and a way to fit it.

Only the standard library is imported here, so that a Lambda can validate hyperparameters without numpy.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace.algorithms.features import Feature
from millrace.errors import InvalidInput

BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"
TASKS = (BINARY, MULTICLASS, REGRESSION)
CLASSIFICATION = (BINARY, MULTICLASS)

Value = int | float | str
Build = Callable[[str, Mapping[str, Any], Sequence[Feature], int, int], Any]


@dataclass(frozen=True)
class Search:
    """Where the seeded search looks, inside what is allowed. `log` draws the exponent evenly."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter. A number or integer has a range; a choice has `choices`. Without `search` it stays put."""

    name: str
    kind: str
    default: Value
    meaning: str
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[str, ...] = ()
    search: Search | None = None
    search_choices: tuple[str, ...] = ()
    tasks: tuple[str, ...] = TASKS

    @property
    def allowed(self) -> str:
        """The values allowed, in words."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        article = "an integer" if self.kind == "integer" else "a number"
        return f"{article} from {self.minimum:g} to {self.maximum:g}"

    def accept(self, given: Any) -> Value:
        """`given` as this parameter's type. Raises ValueError when it is not allowed."""
        if self.kind == "choice":
            if given not in self.choices:
                raise ValueError
            return str(given)
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not math.isfinite(given):
            raise ValueError
        if not self.minimum <= given <= self.maximum or (self.kind == "integer" and given != int(given)):
            raise ValueError
        return int(given) if self.kind == "integer" else float(given)

    def draw(self, rng: random.Random) -> Value:
        """A value of the search space; the default where there is none."""
        if self.search_choices:
            return rng.choice(self.search_choices)
        if self.search is None:
            return self.default
        if self.search.log:
            drawn = math.exp(rng.uniform(math.log(self.search.low), math.log(self.search.high)))
        else:
            drawn = rng.uniform(self.search.low, self.search.high)
        # Six digits: a hyperparameter that people read, and that JSON writes the same everywhere.
        return round(drawn) if self.kind == "integer" else float(f"{drawn:.6g}")


@dataclass(frozen=True)
class Hosts:
    """This host's place among the hosts of one training job."""

    rank: int = 0
    count: int = 1


def no_report(event: str, facts: Mapping[str, Any]) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class FitContext:
    """What a fit may use of its surroundings.

    `checkpoint` is the file where progress is kept (None: it is not kept); `fingerprint` identifies data, parameters
    and hosts, so that a checkpoint of another fit is never continued; `report(event, facts)` says what is going on.
    """

    checkpoint: Path | None = None
    fingerprint: str = ""
    hosts: Hosts = Hosts()
    report: Callable[[str, Mapping[str, Any]], None] = no_report


@dataclass(frozen=True)
class FitRows:
    """Model frames and targets (class indices 0…k-1, or numbers) of the training and the validation rows."""

    train: Any
    train_target: Any
    validation: Any
    validation_target: Any


Fit = Callable[[Any, Mapping[str, Any], FitRows, FitContext], None]


def fit_at_once(pipeline: Any, params: Mapping[str, Any], rows: FitRows, context: FitContext) -> None:  # noqa: ARG001 - one signature for all
    """Fit a pipeline that learns from the training rows in one go and cannot be resumed."""
    pipeline.fit(rows.train, rows.train_target)


@dataclass(frozen=True)
class Algorithm:
    """A registered way to train.

    `build(task, params, features, seed, threads)` gives an unfitted Pipeline from a model frame (features.model_frame)
    to class indices 0…k-1 or numbers; `fit(pipeline, params, rows, context)` fits it in place. Only a `resumable`
    algorithm may run on spot capacity with checkpoints; only a `distributed` one uses more than one host.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    build: Build
    fit: Fit = fit_at_once
    tasks: tuple[str, ...] = TASKS
    resumable: bool = False
    distributed: bool = False

    def parameters_for(self, task: str) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if task in parameter.tasks)

    def trial(self, task: str, fixed: Mapping[str, Value], *, seed: int, number: int) -> dict[str, Value]:
        """The complete hyperparameters of trial `number` (from 0) of the search. Trial 0 is the defaults."""
        # A string seed is hashed with SHA-512, so the draw is the same on every machine and Python version.
        rng = random.Random(f"{seed}/{self.name}/{number}")  # noqa: S311 - a search, not a secret
        drawn = {
            parameter.name: parameter.draw(rng) if number else parameter.default
            for parameter in self.parameters_for(task)
        }
        return {**drawn, **fixed}


def validate(algorithm: Algorithm, given: Mapping[str, Any], task: str | None = None) -> dict[str, Value]:
    """`given` with each value as its parameter's type; what is not given stays open for the search.

    Raises InvalidInput naming the parameter, the value given and what is allowed.
    """
    known = {p.name: p for p in (algorithm.parameters if task is None else algorithm.parameters_for(task))}
    accepted: dict[str, Value] = {}
    for name, value in given.items():
        if name not in known:
            purpose = "" if task is None else f" for {task}"
            raise InvalidInput(
                f"{algorithm.name} has no hyperparameter {name!r}{purpose} (given {value!r}); "
                f"it has {', '.join(sorted(known))}"
            )
        try:
            accepted[name] = known[name].accept(value)
        except (ValueError, TypeError) as error:
            allowed = known[name].allowed
            raise InvalidInput(f"{algorithm.name}: {name} is {value!r}, but must be {allowed}") from error
    return accepted
