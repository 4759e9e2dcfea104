"""Hyperparameters are checked in plain words, the search is seeded, the registry needs only the standard library."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_containers import REPOSITORY

from millrace.algorithms import ALGORITHMS, algorithm_named, validate_hyperparameters
from millrace.algorithms.base import TASKS, validate
from millrace.algorithms.features import Feature
from millrace.errors import InvalidInput

FEATURES = (Feature("age", "integer"), Feature("home", "category", ("", "own", "rent")))


def test_the_three_algorithms_are_registered_under_their_names() -> None:
    assert set(ALGORITHMS) == {"random_forest", "xgboost", "linear"}
    assert all(name == algorithm.name for name, algorithm in ALGORITHMS.items())
    assert all(algorithm.tasks == TASKS for algorithm in ALGORITHMS.values())


def test_only_xgboost_resumes_and_runs_on_several_hosts() -> None:
    assert [name for name, algorithm in ALGORITHMS.items() if algorithm.resumable] == ["xgboost"]
    assert [name for name, algorithm in ALGORITHMS.items() if algorithm.distributed] == ["xgboost"]


def test_an_unknown_algorithm_is_answered_with_the_choices() -> None:
    with pytest.raises(InvalidInput, match=r"no algorithm 'perceptron'; choose one of random_forest, xgboost, linear"):
        algorithm_named("perceptron")


@pytest.mark.parametrize(
    ("algorithm", "given_values", "said"),
    [
        ("xgboost", {"max_depth": 99}, "xgboost: max_depth is 99, but must be an integer from 1 to 16"),
        ("xgboost", {"max_depth": 2.5}, "max_depth is 2.5, but must be an integer"),
        ("xgboost", {"max_depth": True}, "max_depth is True, but must be an integer"),
        ("xgboost", {"learning_rate": 0}, "learning_rate is 0, but must be a number from 0.0001 to 1"),
        ("xgboost", {"learning_rate": float("nan")}, "learning_rate is nan, but must be a number"),
        ("xgboost", {"learning_rate": "0.1"}, "learning_rate is '0.1', but must be a number"),
        ("xgboost", {"learning_rate": None}, "learning_rate is None, but must be a number"),
        ("random_forest", {"max_features": "most"}, "max_features is 'most', but must be one of sqrt, third, all"),
        ("random_forest", {"max_features": ["sqrt"]}, "must be one of sqrt, third, all"),
        ("linear", {"depth": 3}, r"linear has no hyperparameter 'depth' \(given 3\); it has alpha, class_weight"),
    ],
)
def test_a_wrong_hyperparameter_is_named_with_its_value_and_what_is_allowed(
    algorithm: str, given_values: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        validate_hyperparameters(algorithm, given_values)


def test_accepted_values_take_their_type_and_what_is_not_given_stays_open() -> None:
    accepted = validate_hyperparameters("xgboost", {"max_depth": 4.0, "learning_rate": 1})
    assert accepted == {"max_depth": 4, "learning_rate": 1.0}
    assert isinstance(accepted["max_depth"], int)
    assert isinstance(accepted["learning_rate"], float)


def test_the_ends_of_a_range_are_allowed() -> None:
    for algorithm in ALGORITHMS.values():
        for parameter in algorithm.parameters:
            for value in parameter.choices or (parameter.minimum, parameter.maximum):
                assert validate(algorithm, {parameter.name: value})[parameter.name] == value


def test_class_weight_is_refused_for_regression() -> None:
    assert validate_hyperparameters("linear", {"class_weight": "balanced"}, "binary") == {"class_weight": "balanced"}
    with pytest.raises(InvalidInput, match="no hyperparameter 'class_weight' for regression"):
        validate_hyperparameters("linear", {"class_weight": "balanced"}, "regression")


@given(
    name=st.sampled_from(sorted(ALGORITHMS)),
    task=st.sampled_from(TASKS),
    seed=st.integers(0, 10**6),
    number=st.integers(0, 50),
)
def test_every_trial_is_complete_and_allowed_and_the_same_each_time(
    name: str, task: str, seed: int, number: int
) -> None:
    algorithm = ALGORITHMS[name]
    trial = algorithm.trial(task, {}, seed=seed, number=number)

    assert set(trial) == {parameter.name for parameter in algorithm.parameters_for(task)}
    assert validate(algorithm, trial, task) == trial
    assert algorithm.trial(task, {}, seed=seed, number=number) == trial


def test_the_first_trial_is_the_defaults_and_later_ones_search() -> None:
    for algorithm in ALGORITHMS.values():
        defaults = {parameter.name: parameter.default for parameter in algorithm.parameters_for("binary")}
        assert algorithm.trial("binary", {}, seed=7, number=0) == defaults
        assert algorithm.trial("binary", {}, seed=7, number=1) != defaults
        assert algorithm.trial("binary", {}, seed=7, number=1) != algorithm.trial("binary", {}, seed=8, number=1)


def test_what_a_person_fixed_is_never_searched() -> None:
    for number in range(10):
        assert algorithm_named("xgboost").trial("binary", {"max_depth": 3}, seed=7, number=number)["max_depth"] == 3


def test_search_stays_inside_its_range_and_covers_it() -> None:
    algorithm = algorithm_named("xgboost")
    drawn = [algorithm.trial("binary", {}, seed=7, number=number) for number in range(1, 200)]
    depths = {trial["max_depth"] for trial in drawn}
    assert depths == set(range(3, 9))
    rates = sorted(float(trial["learning_rate"]) for trial in drawn)
    assert rates[0] >= 0.03
    assert rates[-1] <= 0.3
    # Even in the exponent: the median is the geometric mean of the ends, 0.095, not the middle, 0.165.
    assert 0.07 < rates[100] < 0.13


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_every_algorithm_builds_a_pipeline_with_the_given_parameters_for_every_task(name: str, task: str) -> None:
    algorithm = ALGORITHMS[name]
    fixed = {"alpha": 0.5} if name == "linear" else {"max_depth": 3}
    pipeline = algorithm.build(task, algorithm.trial(task, fixed, seed=1, number=0), FEATURES, 5, 1)

    params = pipeline.get_params()
    model = pipeline[-1]
    assert hasattr(model, "predict")
    assert hasattr(model, "predict_proba") is (task != "regression")
    assert 5 in [value for key, value in params.items() if key.endswith("random_state")]
    expected = 3 if name != "linear" else 0.5 if task == "regression" else 2.0
    assert expected in [value for key, value in params.items() if key.endswith(("max_depth", "alpha", "__C"))]


def test_importing_the_registry_needs_no_library_beyond_the_standard_one() -> None:
    blocked = ("numpy", "pandas", "sklearn", "xgboost", "pyarrow", "pydantic", "scipy")
    program = f"""
import sys
for name in {blocked!r}:
    sys.modules[name] = None
from millrace.algorithms import validate_hyperparameters
from millrace.analytics.measures import primary_measure
assert validate_hyperparameters("xgboost", {{"max_depth": 3}}) == {{"max_depth": 3}}
assert primary_measure("binary").name == "roc_auc"
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=REPOSITORY, timeout=60)
