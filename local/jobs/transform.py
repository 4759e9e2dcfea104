"""Runs SageMaker batch transform jobs: the model as a serving process, every object of the input through it."""

import http.client
import socket
import tarfile
import threading
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from local.jobs.batches import MEBIBYTE, WHOLE, TooLarge, filter_record, mini_batches, split_lines
from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.layout import HostDirectory
from local.jobs.log_stream import LogStream
from local.jobs.platform import JobPlatform
from local.jobs.process import Command, Ended, Outcome, run_hosts
from local.jobs.role_session import RoleSession, open_role_session
from local.jobs.sagemaker_job import (
    COMPLETED,
    FAILED,
    STOPPED,
    TRANSFORM,
    JobFailed,
    SageMakerJob,
    failure_reason,
)
from local.jobs.transfer import RemoteFile, S3Location, TransferFailed, download, find_inputs, upload

MODEL = "model"
SERVER = Path(__file__).with_name("serving.py")
READY_SECONDS = 240
INVOCATION_SECONDS = 600
LONGEST_JOB_SECONDS = 28 * 86_400
DEFAULT_PAYLOAD_MEGABYTES = 6


def run_transform_job(platform: JobPlatform, name: str, control: JobControl) -> None:
    """Take the job from `InProgress` to its final status."""
    job = TransformJob(platform, TRANSFORM, name, control)
    try:
        job.run()
    except (JobFailed, TransferFailed) as error:
        job.finish(FAILED, FailureReason=str(error))
    except Exception as error:
        job.finish(FAILED, FailureReason=f"InternalServerError: {type(error).__name__}: {error}")
        raise


class TransformJob(SageMakerJob):
    """The steps of a transform job. One serving process, whatever InstanceCount says: the results are the same."""

    @cached_property
    def model(self) -> Document:
        """The model as it was when the job began."""
        return self.platform.store.find(MODEL, self.document["ModelName"]) or {}

    @cached_property
    def role(self) -> RoleSession:
        return open_role_session(
            self.platform.context, self.model["ExecutionRoleArn"], "SageMaker", LONGEST_JOB_SECONDS
        )

    def run(self) -> None:
        if not self.platform.slots.take(self.control):
            self.finish(STOPPED)
            return
        try:
            with self.platform.directory(self.kind.resource, self.name) as directory:
                (host,) = self.hosts(directory, 1).values()
                self._run_on(host)
        finally:
            self.platform.slots.give_back()

    def _run_on(self, host: HostDirectory) -> None:
        self.started()
        self.publish()
        container = container_of(self.model)
        unpack_model(self.role, host, container)
        source = self.document["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        inputs = find_inputs(self.role.s3, source, self.model["ExecutionRoleArn"])
        port = free_port()
        requests = _Requests(self, host, inputs, port)
        (stream,) = self.log_streams(1)
        try:
            outcome = self._serve(self._command(host, container, stream, port), stream, requests)
        finally:
            stream.flush()
        self._conclude(outcome, requests)

    def _serve(self, command: Command, stream: LogStream, requests: "_Requests") -> Outcome:
        """Run the serving process as long as requests are made, or until the job is stopped."""
        requests.start()

        def tick() -> None:
            stream.tick()
            if self.control.stop.is_set():
                requests.server.stop.set()

        outcome = run_hosts(
            [command],
            control=requests.server,
            store=self.platform.store,
            deadline=time.monotonic() + LONGEST_JOB_SECONDS,
            grace_seconds=self.platform.times.stop_grace_seconds,
            on_tick=tick,
        )
        requests.end()
        return outcome

    def _command(self, host: HostDirectory, container: Document, stream: LogStream, port: int) -> Command:
        asked = {
            **container.get("Environment", {}),
            **self.document.get("Environment", {}),
            "SAGEMAKER_BATCH": "true",
        }
        isolated = bool(self.model.get("EnableNetworkIsolation"))
        return Command(
            argv=[self.platform.context.python, str(SERVER), str(port)],
            environment=self.environment(host, asked, isolated=isolated),
            directory=host.root,
            on_line=stream.write,
        )

    def _conclude(self, outcome: Outcome, requests: "_Requests") -> None:
        if self.control.stop.is_set():
            self.finish(STOPPED)
        elif outcome.ended is Ended.EXITED:
            raise JobFailed(failure_reason("the serving process ended", outcome.exit_code))
        elif requests.failure:
            raise JobFailed(requests.failure)
        else:
            for path, relative in requests.results:
                output = S3Location.parse(self.document["TransformOutput"]["S3OutputPath"])
                upload(self.role.s3, path, output.child(f"{relative}.out"))
            self.finish(COMPLETED)


class _Requests(threading.Thread):
    """Sends every object through the server. When it is done, or has failed, it stops the server."""

    def __init__(self, job: TransformJob, host: HostDirectory, inputs: list[RemoteFile], port: int) -> None:
        super().__init__(daemon=True, name=f"transform/{job.name}")
        self.server = JobControl()
        self.failure = ""
        self.results: list[tuple[Path, str]] = []
        self._job = job
        self._host = host
        self._inputs = inputs
        self._port = port
        document = job.document
        processing = document.get("DataProcessing", {})
        self._input_filter = processing.get("InputFilter", WHOLE)
        self._output_filter = processing.get("OutputFilter", WHOLE)
        self._join = processing.get("JoinSource", "None") == "Input"
        self._split = document["TransformInput"].get("SplitType", "None") == "Line"
        self._single = document.get("BatchStrategy", "MultiRecord") == "SingleRecord"
        self._largest_bytes = document.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MEGABYTES) * MEBIBYTE
        self._content_type = document["TransformInput"].get("ContentType", "text/csv")
        self._accept = document["TransformOutput"].get("Accept", self._content_type)
        self._end_of_part = b"\n" if document["TransformOutput"].get("AssembleWith") == "Line" else b""
        client = document.get("ModelClientConfig", {})
        self._timeout_seconds = client.get("InvocationsTimeoutInSeconds", INVOCATION_SECONDS)

    def run(self) -> None:
        try:
            self._wait_for_server()
            for file in self._inputs:
                self._transform(file)
        except (JobFailed, TransferFailed, TooLarge) as error:
            self.failure = str(error)
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            self.failure = f"AlgorithmError: {type(error).__name__}: {error}"
        finally:
            self.server.stop.set()

    def end(self) -> None:
        """The server is gone: give up what is still asked of it."""
        self.server.stop.set()
        self.join()

    def _wait_for_server(self) -> None:
        last_moment = time.monotonic() + READY_SECONDS
        while time.monotonic() < last_moment and not self.server.stop.is_set():
            try:
                if self._ask("GET", "/ping", b"")[0] == http.client.OK:
                    return
            except OSError:
                self.server.wait(0.1)
        raise JobFailed("AlgorithmError: the model did not answer /ping")

    def _transform(self, file: RemoteFile) -> None:
        source, target = self._host.root / "in" / file.relative, self._host.root / "out" / file.relative
        download(self._job.role.s3, [file], self._host.root / "in")
        target.parent.mkdir(parents=True, exist_ok=True)
        body = source.read_bytes()
        with target.open("wb") as output:
            for part in self._answers(body):
                output.write(part if part.endswith(b"\n") else part + self._end_of_part)
        self.results.append((target, file.relative))

    def _answers(self, body: bytes) -> Iterator[bytes]:
        if not self._split:
            if len(body) > self._largest_bytes:
                raise TooLarge(f"ClientError: an object of {len(body)} bytes is larger than MaxPayloadInMB")
            yield self._invoke(body)
            return
        for batch in mini_batches(split_lines(body.decode()), self._largest_bytes, single=self._single):
            asked = "\n".join(filter_record(self._input_filter, record) for record in batch) + "\n"
            yield self._processed(batch, self._invoke(asked.encode()).decode()).encode()

    def _processed(self, batch: list[str], answer: str) -> str:
        """The answer after JoinSource and OutputFilter, which are for text alone."""
        if not self._join and self._output_filter == WHOLE:
            return answer
        lines = split_lines(answer)
        if len(lines) != len(batch):
            raise JobFailed(f"ClientError: {len(batch)} records were sent, {len(lines)} predictions came back")
        joined = [f"{record},{line}" for record, line in zip(batch, lines, strict=True)] if self._join else lines
        return "\n".join(filter_record(self._output_filter, record) for record in joined)

    def _invoke(self, body: bytes) -> bytes:
        status, answer = self._ask("POST", "/invocations", body)
        if status != http.client.OK:
            raise JobFailed(f"AlgorithmError: the model answered {status}: {last_line(answer)}")
        return answer

    def _ask(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_seconds)
        try:
            headers = {"Content-Type": self._content_type, "Accept": self._accept}
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def unpack_model(role: RoleSession, host: HostDirectory, container: Document) -> None:
    """Put the model's archive where the container looks for it. Raises JobFailed, TransferFailed."""
    uri = container.get("ModelDataUrl")
    if not uri:
        return
    download(role.s3, [RemoteFile(S3Location.parse(uri), "model.tar.gz")], host.root / "download")
    try:
        with tarfile.open(host.root / "download" / "model.tar.gz") as archive:
            archive.extractall(host.base / "model", filter="data")
    except tarfile.TarError as error:
        raise JobFailed(f"ClientError: {uri} is not a model archive: {error}") from error


def container_of(model: Document) -> Document:
    container: Document = model["PrimaryContainer"] if "PrimaryContainer" in model else model["Containers"][0]
    environment = container.get("Environment", {})
    if "SAGEMAKER_PROGRAM" not in environment or "SAGEMAKER_SUBMIT_DIRECTORY" not in environment:
        raise JobFailed(
            "ClientError: the local platform does not run images: give the model SAGEMAKER_PROGRAM and "
            "SAGEMAKER_SUBMIT_DIRECTORY, for example inference.py in /opt/ml/model/code"
        )
    return container


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_line(report: bytes) -> str:
    lines = report.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
