"""Causes as the services write them, said in plain words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain.failure import explain


def document(**fields: object) -> str:
    return json.dumps(fields)


def test_our_own_errors_speak_for_themselves() -> None:
    cause = document(errorMessage="may.csv is empty. Upload rows.", errorType="DatasetInvalid", stackTrace=["…"])

    assert explain("RegisterUpload", "DatasetInvalid", cause) == "RegisterUpload: may.csv is empty. Upload rows."


def test_an_unforeseen_exception_keeps_its_class() -> None:
    cause = document(errorMessage="'rows'", errorType="KeyError")

    assert explain("PlanTraining", "KeyError", cause) == "PlanTraining: KeyError: 'rows'"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("States.Timeout", ""),
        ("States.HeartbeatTimeout", None),
        ("Sandbox.Timedout", document(errorMessage="Task timed out after 30.00 seconds")),
        ("Lambda.Unknown", document(errorMessage="2026-11-20T12:00:00Z 1234 Task timed out after 30.10 seconds")),
        ("States.TaskFailed", document(errorMessage="RequestId: 1 Error: …", errorType="Sandbox.Timedout")),
    ],
)
def test_a_timeout_is_said_as_one(error: str, cause: str | None) -> None:
    assert explain("RegisterUpload", error, cause) == "RegisterUpload: it took longer than it is allowed to"


@pytest.mark.parametrize("prefix", ["AlgorithmError: ", "ClientError: ", ""])
def test_a_training_job_says_its_failure_reason_without_the_services_prefix(prefix: str) -> None:
    cause = document(TrainingJobName="t-xgboost", TrainingJobStatus="Failed", FailureReason=f"{prefix}no rows")

    assert explain("TrainOnSpot", "States.TaskFailed", cause) == "TrainOnSpot: job t-xgboost ended Failed: no rows"


def test_a_processing_job_says_its_exit_message() -> None:
    cause = document(
        ProcessingJobName="t-evaluation", ProcessingJobStatus="Failed", ExitMessage="digest differs", FailureReason="1"
    )

    said = explain("EvaluateCandidates", "States.TaskFailed", cause)

    assert said == "EvaluateCandidates: job t-evaluation ended Failed: digest differs"


def test_a_stopped_job_without_a_reason_says_so() -> None:
    cause = document(TrainingJobName="t", TrainingJobStatus="Stopped")

    assert explain(None, "States.TaskFailed", cause) == "job t ended Stopped: no message"


def test_a_glue_run_says_its_error_message() -> None:
    cause = document(Id="jr_1", JobRunState="FAILED", ErrorMessage="OutOfMemoryError: Java heap space")

    said = explain("PrepareDataset", "States.TaskFailed", cause)

    assert said == "PrepareDataset: the Glue job run ended FAILED: OutOfMemoryError: Java heap space"


def test_a_failure_inside_a_failure_is_unwrapped() -> None:
    inner = document(errorMessage="no target", errorType="TrainingImpossible")

    assert (
        explain("Nested", "States.TaskFailed", document(Error="TrainingImpossible", Cause=inner)) == "Nested: no target"
    )


@pytest.mark.parametrize("cause", ["disk full", '"disk full"', "[1, 2]", "{", "7"])
def test_plain_text_is_said_as_it_is(cause: str) -> None:
    assert explain("PrepareDataset", "Some.Error", cause) == f"PrepareDataset: {cause}"


def test_without_a_cause_the_error_name_is_better_than_nothing() -> None:
    assert explain("X", "Glue.ThrottlingException", "") == "X: Glue.ThrottlingException"
    assert explain("X", None, None) == "X: it ended without saying why"


def test_a_very_long_cause_is_cut() -> None:
    said = explain(None, "E", "x" * 5000)

    assert len(said) == 1000
    assert said.endswith("…")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=15), inner, max_size=3),
    max_leaves=8,
)
known_keys = st.sampled_from(
    ["TrainingJobName", "FailureReason", "JobRunState", "ErrorMessage", "errorMessage", "errorType", "Error", "Cause"]
)


@given(
    st.none() | st.text(max_size=20), st.text(max_size=50) | st.dictionaries(known_keys, json_values).map(json.dumps)
)
def test_whatever_a_service_writes_is_explained(error: str | None, cause: str) -> None:
    assert explain("Step", error, cause).startswith("Step: ")
