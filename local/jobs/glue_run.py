"""Runs one Glue job run: the real script under PySpark or Python, with the role's rights."""

import importlib.metadata
import math
import os
import re
import time
from collections import deque
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.java import java_home
from local.jobs.layout import bare_environment
from local.jobs.log_stream import LogStream
from local.jobs.platform import SESSION_MARGIN_SECONDS, JobPlatform
from local.jobs.process import Command, Ended, Outcome, run_hosts
from local.jobs.role_session import RoleSession, open_role_session
from local.jobs.spark import SPARK_VERSION_OF_GLUE, parse_conf, spark_environment
from local.jobs.transfer import RemoteFile, S3Location, TransferFailed, download

KIND = "glue-job-run"
SPARK_COMMAND = "glueetl"
DPU_PER_WORKER = {"Standard": 1.0, "G.025X": 0.25, "G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0}
REMEMBERED_LINES = 400
LONGEST_ERROR = 2000
# Glue reads these itself; the script never sees them.
CONSUMED_ARGUMENTS = frozenset({"--conf", "--additional-python-modules", "--python-modules-installer-option"})

_EXCEPTION_LINE = re.compile(r"^(?:[\w.]+\.)?[A-Z]\w*(?:: .*|$)")


class RunFailed(Exception):
    """The run cannot go on. The text is the ErrorMessage."""


class GlueRun:
    """One run: reads job and run as they were when it started, and writes every change of state back."""

    def __init__(self, platform: JobPlatform, job: Document, run: Document, control: JobControl) -> None:
        self._platform = platform
        self._job = job
        self._run = run
        self._control = control
        self._role: RoleSession = open_role_session(
            platform.context,
            role_arn(job["Role"], platform.context.account_id),
            "GlueJobRunnerSession",
            self._timeout_seconds + SESSION_MARGIN_SECONDS,
        )

    def execute(self) -> None:
        """Take the run from STARTING to its final state."""
        try:
            self._execute_in_slot()
        except (RunFailed, TransferFailed) as error:
            self._finish("FAILED", str(error))
        except Exception as error:
            self._finish("FAILED", f"Internal service error: {type(error).__name__}: {error}")
            raise

    @property
    def _timeout_seconds(self) -> float:
        return float(self._run["Timeout"]) * self._platform.times.minute_seconds

    def _execute_in_slot(self) -> None:
        if not self._platform.slots.take(self._control):
            self._finish("STOPPED")
            return
        try:
            with self._platform.directory(KIND, self._run["Id"]) as directory:
                self._execute_in(directory)
        finally:
            self._platform.slots.give_back()

    def _execute_in(self, directory: Path) -> None:
        (directory / "tmp").mkdir()
        self._update(JobRunState="RUNNING", RunningOn=time.time())
        arguments = script_arguments(self._job, self._run)
        command_line = [self._platform.context.python, str(self._script(directory)), *flatten(arguments)]
        output, errors = self._stream("output"), self._stream("error")
        tail: deque[str] = deque(maxlen=REMEMBERED_LINES)

        def on_error_line(line: str) -> None:
            errors.write(line)
            tail.append(line)

        command = Command(
            argv=command_line,
            environment=self._environment(directory, arguments),
            directory=directory,
            on_line=output.write,
            on_error_line=on_error_line,
        )

        def tick() -> None:
            output.tick()
            errors.tick()

        try:
            outcome = run_hosts(
                [command],
                control=self._control,
                store=self._platform.store,
                deadline=time.monotonic() + self._timeout_seconds,
                grace_seconds=self._platform.times.stop_grace_seconds,
                on_tick=tick,
            )
        finally:
            output.flush()
            errors.flush()
        self._conclude(outcome, list(tail))

    def _conclude(self, outcome: Outcome, tail: list[str]) -> None:
        if outcome.ended is Ended.OUT_OF_TIME:
            self._finish("TIMEOUT", f"Job run timed out after {self._run['Timeout']} minutes")
        elif outcome.ended is Ended.STOPPED:
            self._finish("STOPPED")
        elif outcome.exit_code:
            self._finish("FAILED", error_message(tail, outcome.exit_code))
        else:
            self._finish("SUCCEEDED")

    def _script(self, directory: Path) -> Path:
        location = self._job["Command"]["ScriptLocation"]
        return self._fetch([location], directory / "script")[0]

    def _environment(self, directory: Path, arguments: dict[str, str]) -> dict[str, str]:
        context = self._platform.context
        environment = {
            **bare_environment(directory, python=context.python, threads=1),
            **self._role.environment,
            "AWS_REGION": context.region,
            "AWS_DEFAULT_REGION": context.region,
        }
        if libraries := self._libraries(directory, arguments):
            environment["PYTHONPATH"] = os.pathsep.join(str(path) for path in libraries)
        if self._job["Command"]["Name"] != SPARK_COMMAND:
            return environment
        try:
            conf = parse_conf(arguments.get("--conf", ""))
        except ValueError as error:
            raise RunFailed(f"LAUNCH ERROR | {error}") from error
        spark = spark_environment(conf, directory, python=context.python, java_home=java_home())
        return {**environment, **spark}

    def _libraries(self, directory: Path, arguments: dict[str, str]) -> list[Path]:
        """Archives for PYTHONPATH: --extra-py-files and wheels in S3; other modules must be installed already."""
        modules = split_list(arguments.get("--additional-python-modules", ""))
        require_installed([module for module in modules if not module.startswith("s3://")])
        wheels = [module for module in modules if module.startswith("s3://")]
        return self._fetch(split_list(arguments.get("--extra-py-files", "")) + wheels, directory / "libraries")

    def _fetch(self, uris: list[str], directory: Path) -> list[Path]:
        paths = []
        for uri in uris:
            location = S3Location.parse(uri)
            name = location.key.rpartition("/")[2]
            try:
                download(self._role.s3, [RemoteFile(location, name)], directory)
            except TransferFailed as error:
                raise RunFailed(f"LAUNCH ERROR | Error downloading from S3: {error}") from error
            paths.append(directory / name)
        return paths

    def _stream(self, kind: str) -> LogStream:
        return LogStream(self._role.logs, f"/aws-glue/jobs/{kind}", self._run["Id"])

    def _update(self, **changes: Any) -> None:
        self._run = self._platform.store.update(KIND, self._run["Id"], {**changes, "LastModifiedOn": time.time()})

    def _finish(self, state: str, error_message: str = "") -> None:
        now = time.time()
        seconds = math.ceil(now - self._run["RunningOn"]) if "RunningOn" in self._run else 0
        self._update(
            JobRunState=state,
            CompletedOn=now,
            ExecutionTime=seconds,
            DPUSeconds=seconds * capacity(self._run),
            **({"ErrorMessage": error_message} if error_message else {}),
        )
        self._platform.publish("aws.glue", "Glue Job State Change", "", state_change(self._run))


def role_arn(role: str, account_id: str) -> str:
    """Jobs name their role by ARN or by name."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{account_id}:role/{role}"


def script_arguments(job: Document, run: Document) -> dict[str, str]:
    """Name → value, as Glue lays them over each other: job, run, what may not be overridden, and Glue's own."""
    return {
        **job.get("DefaultArguments", {}),
        **run.get("Arguments", {}),
        **job.get("NonOverridableArguments", {}),
        "--JOB_NAME": run["JobName"],
        "--JOB_RUN_ID": run["Id"],
    }


def flatten(arguments: dict[str, str]) -> list[str]:
    """The script's argv after its name. A value is passed as it is, `s3://` URIs too."""
    flat: list[str] = []
    for name, value in arguments.items():
        if name not in CONSUMED_ARGUMENTS:
            flat += [name, value] if value else [name]
    return flat


def split_list(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def require_installed(requirements: list[str]) -> None:
    """Nothing is installed at run time here: every module must be there already, in a version that pip would accept."""
    for text in requirements:
        try:
            requirement = Requirement(text)
            installed = importlib.metadata.version(requirement.name)
        except InvalidRequirement as error:
            raise RunFailed(f"LAUNCH ERROR | Python module installer: invalid requirement: {text!r}") from error
        except importlib.metadata.PackageNotFoundError as error:
            raise RunFailed(
                f"LAUNCH ERROR | Python module installer: no matching distribution found for {text} "
                "(the local platform has only what is installed beside it)"
            ) from error
        if not requirement.specifier.contains(installed, prereleases=True):
            raise RunFailed(f"LAUNCH ERROR | Python module installer: {text} is wanted, {installed} is installed")


def error_message(lines: list[str], exit_code: int) -> str:
    """The exception that ended the script, in one line, as Glue shows it; without one, the exit code."""
    last_traceback = max((i for i, line in enumerate(lines) if line.startswith("Traceback (most recent")), default=-1)
    if last_traceback >= 0:
        for line in lines[last_traceback + 1 :]:
            if _EXCEPTION_LINE.match(line):
                return line[:LONGEST_ERROR]
    return f"SystemExit: {exit_code}" if exit_code > 0 else f"Command failed with exit code {128 - exit_code}"


def capacity(run: Document) -> float:
    """The run's size in DPU."""
    if "WorkerType" in run:
        return DPU_PER_WORKER.get(run["WorkerType"], 1.0) * float(run.get("NumberOfWorkers", 2))
    return float(run.get("MaxCapacity", 2.0))


def require_supported(job: Document) -> None:
    """Refuse to pretend: only what runs here as it does on Glue is run."""
    command = job.get("Command", {})
    if command.get("Name") not in {SPARK_COMMAND, "pythonshell"}:
        raise RunFailed(f"LAUNCH ERROR | the local platform does not run {command.get('Name')} jobs")
    version = str(job.get("GlueVersion", ""))
    if command["Name"] == SPARK_COMMAND and version not in SPARK_VERSION_OF_GLUE:
        supported = ", ".join(sorted(SPARK_VERSION_OF_GLUE))
        raise RunFailed(f"LAUNCH ERROR | the local platform runs Glue {supported}, not {version}")


def state_change(run: Document) -> Document:
    """The detail of Glue's event."""
    state = run["JobRunState"]
    return {
        "jobName": run["JobName"],
        "severity": {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN"}.get(state, "ERROR"),
        "state": state,
        "jobRunId": run["Id"],
        "message": run.get("ErrorMessage") or f"Job run {state.lower()}",
    }
