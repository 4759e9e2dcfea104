"""Lets Step Functions start jobs and wait for them, and stops a job whose execution or time is over."""

import json
from collections.abc import Callable

from ministack.services import stepfunctions

from local.context import TASK_ABANDONED
from local.jobs.documents import Document, milliseconds
from local.jobs.glue import GlueJobs
from local.jobs.sagemaker import SageMaker
from local.jobs.sagemaker_job import COMPLETED, JOB_KINDS, JobKind
from local.jobs.service_error import ServiceError

POLL_SECONDS = 0.25


def abandoned() -> bool:
    """Whether the execution is over, or the state gave up: nobody waits for the task of this thread any more."""
    event = TASK_ABANDONED.get()
    return event is not None and event.is_set()


def install(sagemaker: SageMaker, glue: GlueJobs) -> None:
    """Teach ministack's Step Functions the SageMaker and Glue tasks."""
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::glue:startJobRun"] = _glue_task(glue)
    for name in sorted(sagemaker.operation_names):
        action = name[0].lower() + name[1:]
        stepfunctions._SERVICE_DISPATCH[f"arn:aws:states:::sagemaker:{action}"] = _sagemaker_task(sagemaker, name)
    stepfunctions._AWS_SDK_SERVICE_MAP["sagemaker"] = {"protocol": "json", "target_prefix": "SageMaker"}
    stepfunctions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"


def _sagemaker_task(sagemaker: SageMaker, name: str) -> Callable[[str, Document], Document]:
    kind = next((kind for kind in JOB_KINDS if name == f"Create{kind.noun}"), None)

    def task(resource: str, request: Document) -> Document:
        try:
            answer = sagemaker.call(name, request)
        except ServiceError as error:
            raise stepfunctions._ExecutionError(
                error_name("SageMaker", error), _cause("AmazonSageMaker", error)
            ) from error
        if kind is None or ".sync" not in resource:
            return answer
        return _finished_job(sagemaker, kind, request[kind.name_key])

    return task


def _finished_job(sagemaker: SageMaker, kind: JobKind, name: str) -> Document:
    stopped = False
    while not sagemaker.wait(kind, name, POLL_SECONDS):
        if not stopped and abandoned():
            stopped = True
            _stop(sagemaker, kind, name)
    document: Document = milliseconds(sagemaker.call(f"Describe{kind.noun}", {kind.name_key: name}))
    if document[kind.status_key] != COMPLETED:
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(document))
    return document


def _glue_task(glue: GlueJobs) -> Callable[[str, Document], Document]:
    def task(resource: str, request: Document) -> Document:
        try:
            run_id = glue.start_job_run(request)["JobRunId"]
        except ServiceError as error:
            raise stepfunctions._ExecutionError(error_name("Glue", error), _cause("AWSGlue", error)) from error
        if ".sync" not in resource:
            return {"JobName": request["JobName"], "JobRunId": run_id}
        return _finished_run(glue, request["JobName"], run_id)

    return task


def _finished_run(glue: GlueJobs, job_name: str, run_id: str) -> Document:
    """The JobRun. A STOPPED one counts as a normal end, as in the service's integration."""
    while not glue.wait(run_id, POLL_SECONDS):
        if abandoned():
            glue.batch_stop_job_run({"JobName": job_name, "JobRunIds": [run_id]})
    run: Document = milliseconds(glue.get_job_run({"JobName": job_name, "RunId": run_id})["JobRun"])
    if run["JobRunState"] not in {"SUCCEEDED", "STOPPED"}:
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(run))
    return run


def _stop(sagemaker: SageMaker, kind: JobKind, name: str) -> None:
    try:
        sagemaker.call(f"Stop{kind.noun}", {kind.name_key: name})
    except ServiceError as error:  # it ended by itself in this moment, which is as good
        if error.code != "ValidationException":
            raise


def error_name(service: str, error: ServiceError) -> str:
    """`SageMaker.ResourceInUseException` for an error of the model, else `SageMaker.AmazonSageMakerException`."""
    if error.modeled:
        return f"{service}.{error.code.removesuffix('Exception')}Exception"
    return {"SageMaker": "SageMaker.AmazonSageMakerException", "Glue": "Glue.AWSGlueException"}[service]


def _cause(service: str, error: ServiceError) -> str:
    return f"{error.message} (Service: {service}; Status Code: 400; Error Code: {error.code})"
