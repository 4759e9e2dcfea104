"""Glue job runs of the embedded AWS: replaces ministack's, which need Docker and otherwise only pretend."""

import contextlib
import functools
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import glue as ministack_glue
from ministack.services.cloudformation import provisioners

from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.glue_run import KIND, GlueRun, RunFailed, require_supported, role_arn
from local.jobs.listing import page_of
from local.jobs.platform import JobPlatform
from local.jobs.role_session import require_assumable
from local.jobs.service_error import ServiceError
from local.jobs.service_model import check_request, members_of

SERVICE = "glue"
PRINCIPAL = "glue.amazonaws.com"
ACTIVE_STATES = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})
STOPPABLE_STATES = ("STARTING", "RUNNING")
RESTARTED = "Internal service error: the local platform was restarted while the job ran"
DEFAULT_TIMEOUT_MINUTES = 480
RUN_FIELDS = ("Timeout", "WorkerType", "NumberOfWorkers", "MaxCapacity", "ExecutionClass", "SecurityConfiguration")
# Properties of a job that ministack drops.
KEPT_JOB_FIELDS = ("ExecutionProperty", "ExecutionClass", "JobRunQueuingEnabled", "MaintenanceWindow", "JobMode")


class GlueJobs:
    """Starts, shows and stops job runs. Callers are the AWS port and Step Functions."""

    def __init__(self, platform: JobPlatform, *, enforce_iam: bool) -> None:
        self._platform = platform
        self._enforce_iam = enforce_iam
        self._starting = threading.Lock()

    def start_job_run(self, request: Document) -> Document:
        """→ {JobRunId}"""
        _check("StartJobRun", request)
        job = _job(request["JobName"])
        if self._enforce_iam:
            with _as_glue_error():
                require_assumable(role_arn(job["Role"], self._platform.context.account_id), PRINCIPAL)
        with self._starting:
            self._require_free_run(job)
            run = self._new_run(job, request)
            self._platform.store.add(KIND, run["Id"], run)
        self._platform.launch(KIND, run["Id"], lambda control: self._execute(job, run, control))
        return {"JobRunId": run["Id"]}

    def get_job_run(self, request: Document) -> Document:
        """→ {JobRun}"""
        _check("GetJobRun", request)
        run = self._platform.store.find(KIND, request["RunId"])
        if run is None or run["JobName"] != request["JobName"]:
            raise _not_found(f"Job run {request['RunId']} not found")
        return {"JobRun": _shown(run)}

    def get_job_runs(self, request: Document) -> Document:
        """→ {JobRuns, NextToken}, newest first"""
        _check("GetJobRuns", request)
        runs = [_shown(run) for run in reversed(self._runs_of(request["JobName"]))]
        page, token = page_of(runs, request)
        return {"JobRuns": page, **({"NextToken": token} if token else {})}

    def batch_stop_job_run(self, request: Document) -> Document:
        """→ {SuccessfulSubmissions, Errors}"""
        _check("BatchStopJobRun", request)
        stopped: list[Document] = []
        errors: list[Document] = []
        for run_id in request["JobRunIds"]:
            named = {"JobName": request["JobName"], "JobRunId": run_id}
            try:
                self._stop(request["JobName"], run_id)
                stopped.append(named)
            except ServiceError as error:
                errors.append({**named, "ErrorDetail": {"ErrorCode": error.code, "ErrorMessage": error.message}})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def wait(self, run_id: str, seconds: float) -> bool:
        """Whether the run ended within so many seconds."""
        control = self._platform.control(KIND, run_id)
        return control is None or control.finished.wait(seconds)

    def fail_interrupted_runs(self) -> None:
        """Close what an earlier launcher left open. Its processes are gone."""
        for run in self._platform.store.all(KIND):
            if run["JobRunState"] in ACTIVE_STATES:
                now = time.time()
                changes = {
                    "JobRunState": "FAILED",
                    "CompletedOn": now,
                    "LastModifiedOn": now,
                    "ErrorMessage": RESTARTED,
                }
                self._platform.store.update(KIND, run["Id"], changes)

    def _execute(self, job: Document, run: Document, control: JobControl) -> None:
        GlueRun(self._platform, job, run, control).execute()

    def _runs_of(self, job_name: str) -> list[Document]:
        return [run for run in self._platform.store.all(KIND) if run["JobName"] == job_name]

    def _require_free_run(self, job: Document) -> None:
        most = int((job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns") or 1)
        active = [run for run in self._runs_of(job["Name"]) if run["JobRunState"] in ACTIVE_STATES]
        if len(active) >= most:
            raise ServiceError(
                "ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}", modeled=True
            )

    def _new_run(self, job: Document, request: Document) -> Document:
        now = time.time()
        with _as_glue_error():
            require_supported(job)
        sizes = {field: job[field] for field in RUN_FIELDS if job.get(field)}
        return {
            "Timeout": DEFAULT_TIMEOUT_MINUTES,
            **sizes,
            **{field: request[field] for field in RUN_FIELDS if field in request},
            "Id": f"jr_{secrets.token_hex(32)}",
            "Attempt": 0,
            "JobName": job["Name"],
            "StartedOn": now,
            "LastModifiedOn": now,
            "JobRunState": "STARTING",
            "Arguments": request.get("Arguments", {}),
            "PredecessorRuns": [],
            "ExecutionTime": 0,
            "GlueVersion": job["GlueVersion"],
            "LogGroupName": "/aws-glue/jobs",
        }

    def _stop(self, job_name: str, run_id: str) -> None:
        state = self.get_job_run({"JobName": job_name, "RunId": run_id})["JobRun"]["JobRunState"]
        changes = {"JobRunState": "STOPPING", "LastModifiedOn": time.time()}
        stopping = (
            self._platform.store.update_when(KIND, run_id, "JobRunState", stoppable, changes)
            for stoppable in STOPPABLE_STATES
        )
        if not any(stopping):
            raise ServiceError(
                "JobRunNotInRunningStateException", f"Job run {run_id} is in state {state}", modeled=True
            )
        self._platform.stop(KIND, run_id)


def install(jobs: GlueJobs) -> None:
    """Answer ministack's Glue requests about runs, and let it keep the properties of jobs that runs depend on."""
    ministack_glue._start_job_run = _answering(jobs.start_job_run)
    ministack_glue._get_job_run = _answering(jobs.get_job_run)
    ministack_glue._get_job_runs = _answering(jobs.get_job_runs)
    ministack_glue._batch_stop_job_run = _answering(jobs.batch_stop_job_run)
    ministack_glue._create_job = _keeping_fields(ministack_glue._create_job, lambda data: data)
    ministack_glue._update_job = _keeping_fields(ministack_glue._update_job, lambda data: data.get("JobUpdate", {}))
    provisioners._GLUE_JOB_DEFAULTS["ExecutionProperty"] = {"MaxConcurrentRuns": 1}


def _answering(operation: Callable[[Document], Document]) -> Callable[[Document], Any]:
    def answer(request: Document) -> Any:
        try:
            return json_response(operation(request))
        except ServiceError as error:
            return error_response_json(error.code, error.message)

    return answer


def _keeping_fields(operation: Callable[[Document], Any], fields: Callable[[Document], Document]) -> Any:
    @functools.wraps(operation)
    def keep(request: Document) -> Any:
        answer = operation(request)
        job = ministack_glue._jobs.get(request.get("Name") or request.get("JobName"))
        if answer[0] == 200 and job is not None:
            given = fields(request)
            job.update({field: given[field] for field in KEPT_JOB_FIELDS if field in given})
        return answer

    return keep


def _check(operation: str, request: Document) -> None:
    with _as_glue_error():
        check_request(SERVICE, operation, request)


@contextlib.contextmanager
def _as_glue_error() -> Any:
    """Glue's name for a request that is not valid."""
    try:
        yield
    except (ServiceError, RunFailed) as error:
        raise ServiceError("InvalidInputException", str(error), modeled=True) from error


def _job(name: str) -> Document:
    job: Document | None = ministack_glue._jobs.get(name)
    if job is None:
        raise _not_found(f"Failed to start job run due to missing metadata: job {name} not found")
    return dict(job)


def _not_found(message: str) -> ServiceError:
    return ServiceError("EntityNotFoundException", message, modeled=True)


def _shown(run: Document) -> Document:
    members = members_of(SERVICE, "JobRun")
    return {field: value for field, value in run.items() if field in members}
