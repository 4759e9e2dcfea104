"""Puts the job services into ministack: the request handlers, the IAM names and the Step Functions tasks."""

import json
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions

from local.context import EmulatorContext
from local.jobs import admin_routes, glue, sagemaker, step_functions
from local.jobs.glue import GlueJobs
from local.jobs.platform import JobPlatform, JobTimes
from local.jobs.sagemaker import SageMaker


def install(context: EmulatorContext, *, slots: int = 2, times: JobTimes | None = None) -> None:
    """Add SageMaker and Glue to the embedded AWS of this process, once, before it serves.

    `slots` bounds how many jobs run at once. Jobs that an earlier process left running are killed and closed as failed.
    """
    platform = JobPlatform(context, slots=slots, times=times)
    platform.clear_after_restart()
    service = SageMaker(platform, enforce_iam=app.AUTH)
    service.fail_interrupted_jobs()
    app.SERVICE_HANDLERS[sagemaker.SERVICE] = service.handle_request
    iam_actions.SERVICE_TO_IAM_NAMESPACE[sagemaker.SERVICE] = sagemaker.SERVICE
    iam_actions.extract_resource_arn = _with_sagemaker(iam_actions.extract_resource_arn)
    app.app = admin_routes.wrap(app.app, service)
    runs = GlueJobs(platform, enforce_iam=app.AUTH)
    runs.fail_interrupted_runs()
    glue.install(runs)
    step_functions.install(service, runs)


def _with_sagemaker(extract_resource_arn: Callable[..., str]) -> Callable[..., str]:
    """ministack knows no SageMaker ARNs, and a policy on one would not match `*`."""

    def extract(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        if invoked := service == sagemaker.SERVICE and sagemaker.INVOCATION.fullmatch(path):
            return sagemaker.arn_of("endpoint", invoked["name"], region, account_id)
        if service != sagemaker.SERVICE:
            return extract_resource_arn(service, method, path, headers, body, query_params, region, account_id)
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            return "*"
        return sagemaker.resource_arn(headers.get("x-amz-target", ""), request, region, account_id)

    return extract
