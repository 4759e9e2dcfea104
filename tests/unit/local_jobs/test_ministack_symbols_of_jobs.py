"""The private names of ministack that the job services lean on. When one is gone, they need another hook."""

import inspect
from typing import Any

import pytest
from ministack import app
from ministack.core import concurrency, iam_actions, iam_evaluator, responses, router
from ministack.services import eventbridge, glue, iam, stepfunctions, sts
from ministack.services.cloudformation import provisioners


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (app.app, ["scope", "receive", "send"]),
        (concurrency.run_reentrant, ["fn", "args", "thread_name"]),
        (eventbridge._put_events, ["data", "allow_aws_source"]),
        (glue._batch_stop_job_run, ["data"]),
        (glue._create_job, ["data"]),
        (glue._get_job_run, ["data"]),
        (glue._get_job_runs, ["data"]),
        (glue._start_job_run, ["data"]),
        (glue._update_job, ["data"]),
        (
            iam_actions.extract_resource_arn,
            ["service", "method", "path", "headers", "body", "query_params", "region", "account_id"],
        ),
        (
            iam_evaluator.enforce,
            ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"],
        ),
        (responses.request_scope, ["account_id", "region"]),
        (router.extract_access_key_id, ["headers", "query_params"]),
        (sts.register_session, ["access_key", "session"]),
    ],
)
def test_a_function_takes_what_we_give_it(function: Any, parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (app, "SERVICE_HANDLERS"),
        (glue, "_jobs"),
        (iam, "_roles"),
        (iam_actions, "SERVICE_TO_IAM_NAMESPACE"),
        (provisioners, "_GLUE_JOB_DEFAULTS"),
        (stepfunctions, "_AWS_SDK_ERROR_PREFIX"),
        (stepfunctions, "_AWS_SDK_SERVICE_MAP"),
        (stepfunctions, "_SERVICE_DISPATCH"),
    ],
)
def test_a_table_that_we_add_to_is_there(owner: Any, name: str) -> None:
    assert hasattr(getattr(owner, name), "get")


def test_an_execution_error_carries_error_and_cause() -> None:
    error = stepfunctions._ExecutionError("States.TaskFailed", "because")

    assert (error.error, error.cause) == ("States.TaskFailed", "because")


def test_sagemaker_and_its_runs_are_not_ministacks_own() -> None:
    """When a release brings them, ours would silently replace them: then decide which to keep."""
    assert "sagemaker" not in app.SERVICE_HANDLERS
