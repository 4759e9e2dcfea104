"""SageMaker endpoints: a model as a serving process that answers InvokeEndpoint, until the endpoint is deleted.

Serverless and real-time variants run alike. After a restart of the platform an endpoint is started again by the first
request, as a serverless one is after a rest.
"""

import http.client
import time
from functools import cached_property
from typing import Any

from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.layout import HostDirectory
from local.jobs.platform import JobPlatform
from local.jobs.process import Command, Ended, run_hosts
from local.jobs.role_session import RoleSession, open_role_session
from local.jobs.sagemaker_job import FAILED, JobFailed, JobKind, SageMakerJob, failure_reason
from local.jobs.service_error import ServiceError, invalid
from local.jobs.transfer import TransferFailed
from local.jobs.transform import (
    LONGEST_JOB_SECONDS,
    MODEL,
    READY_SECONDS,
    SERVER,
    container_of,
    free_port,
    last_line,
    unpack_model,
)

ENDPOINT = JobKind("endpoint", "Endpoint")
CREATING, IN_SERVICE = "Creating", "InService"
PING_SECONDS = 2.0
INVOCATION_SECONDS = 60.0
MOST_BYTES = 6_291_456
SERVERLESS_BYTES = 4 * 1024 * 1024
MODEL_ERROR_STATUS = 424
# What this platform alone keeps in an endpoint's document: where its process listens.
PORT = "LocalPort"


def run_endpoint(platform: JobPlatform, name: str, control: JobControl) -> None:
    """Serve from `Creating` on until the endpoint is deleted, or say why it failed."""
    endpoint = Endpoint(platform, ENDPOINT, name, control)
    try:
        endpoint.run()
    except (JobFailed, TransferFailed) as error:
        endpoint.fail(str(error))
    except Exception as error:
        endpoint.fail(f"InternalServerError: {type(error).__name__}: {error}")
        raise


def invoke(platform: JobPlatform, name: str, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """The model's answer and its content type. Raises the service's ValidationError and ModelError."""
    document = platform.store.find(ENDPOINT.resource, name)
    if document is None:
        raise ServiceError("ValidationError", f"Endpoint {name} of account not found.", modeled=True)
    if len(body) > (SERVERLESS_BYTES if document["Serverless"] else MOST_BYTES):
        raise ServiceError("ValidationError", f"the body of {len(body)} bytes is too large", modeled=True)
    port = _port_in_service(platform, name)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=INVOCATION_SECONDS)
    try:
        connection.request("POST", "/invocations", body, {"Content-Type": content_type, "Accept": accept})
        answer = connection.getresponse()
        content = answer.read()
    except OSError as error:
        raise ServiceError("ModelError", f"the container did not answer: {error}", modeled=True) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        message = f'Received server error ({answer.status}) from primary with message "{last_line(content)}"'
        raise ServiceError("ModelError", message, modeled=True)
    return content, answer.getheader("Content-Type", accept)


def _port_in_service(platform: JobPlatform, name: str) -> int:
    """Where the endpoint listens; started again if an earlier launcher started it."""
    last_moment = time.monotonic() + INVOCATION_SECONDS
    document = platform.store.find(ENDPOINT.resource, name) or {}
    if document.get(ENDPOINT.status_key) == IN_SERVICE and platform.control(ENDPOINT.resource, name) is None:
        platform.store.update(ENDPOINT.resource, name, {PORT: None})
        platform.launch(ENDPOINT.resource, name, lambda control: run_endpoint(platform, name, control))
    while time.monotonic() < last_moment:
        document = platform.store.find(ENDPOINT.resource, name) or {}
        if document.get(ENDPOINT.status_key) != IN_SERVICE:
            raise ServiceError("ValidationError", f"Endpoint {name} is not in service.", modeled=True)
        if document.get(PORT):
            return int(document[PORT])
        time.sleep(0.05)
    raise ServiceError("ModelError", "the container did not start in time", modeled=True)


class Endpoint(SageMakerJob):
    """One endpoint with one variant and one process."""

    @cached_property
    def model(self) -> Document:
        return self.platform.store.find(MODEL, self.document["ModelName"]) or {}

    @cached_property
    def role(self) -> RoleSession:
        return open_role_session(
            self.platform.context, self.model["ExecutionRoleArn"], "SageMaker", LONGEST_JOB_SECONDS
        )

    def run(self) -> None:
        with self.platform.directory(self.kind.resource, self.name) as directory:
            (host,) = self.hosts(directory, 1).values()
            container = container_of(self.model)
            unpack_model(self.role, host, container)
            self._serve(host, container)

    def fail(self, reason: str) -> None:
        """An endpoint that was deleted meanwhile is not there any more to fail."""
        if self.platform.store.find(self.kind.resource, self.name):
            self.update(**{self.kind.status_key: FAILED, "FailureReason": reason, PORT: None})
            self.publish()

    def _serve(self, host: HostDirectory, container: Document) -> None:
        port, (stream,) = free_port(), self.log_streams(1)
        last_moment = time.monotonic() + READY_SECONDS
        ready = False

        def tick() -> None:
            nonlocal ready
            stream.tick()
            if not ready and _answers_ping(port):
                ready = True
                self.update(**{self.kind.status_key: IN_SERVICE, PORT: port})
                self.publish()
            if not ready and time.monotonic() > last_moment:
                raise JobFailed("The primary container did not pass the ping health check")

        try:
            outcome = run_hosts(
                [self._command(host, container, port, stream.write)],
                control=self.control,
                store=self.platform.store,
                deadline=time.monotonic() + LONGEST_JOB_SECONDS,
                grace_seconds=self.platform.times.stop_grace_seconds,
                on_tick=tick,
            )
        finally:
            stream.flush()
        if outcome.ended is Ended.EXITED:
            raise JobFailed(failure_reason("the serving process ended", outcome.exit_code))

    def _command(self, host: HostDirectory, container: Document, port: int, on_line: Any) -> Command:
        isolated = bool(self.model.get("EnableNetworkIsolation"))
        return Command(
            argv=[self.platform.context.python, str(SERVER), str(port)],
            environment=self.environment(host, container.get("Environment", {}), isolated=isolated),
            directory=host.root,
            on_line=on_line,
        )


def _answers_ping(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PING_SECONDS)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def variant_of(config: Document) -> Document:
    """The one variant of an endpoint configuration. Raises ValidationException for what is not emulated."""
    variants: list[Document] = config["ProductionVariants"]
    if len(variants) != 1:
        raise invalid("several production variants: valid on AWS, but the local platform does not emulate them")
    (variant,) = variants
    if ("ServerlessConfig" in variant) == ("InstanceType" in variant):
        raise invalid("You must provide exactly one of ServerlessConfig and InstanceType")
    return variant
