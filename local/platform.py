"""Starts, stops and inspects the local platform: the launcher process, its deployment and its AWS profile."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from local import people
from local.assembly import read_assembly
from local.deployer import Deployer
from local.emulator.environment import INHERITED, ROOT_KEY, ROOT_SECRET

HOST = "127.0.0.1"
DEFAULT_PORT = 4710
DEFAULT_DASHBOARD_PORT = 4711
REGION = "us-east-1"
PROFILE = "millrace-local"
READY_SECONDS = 60.0
STOP_SECONDS = 30.0
REPOSITORY = Path(__file__).resolve().parents[1]

Report = Callable[[str, float], None]


def say_nothing(_step: str, _seconds: float) -> None:
    """The report of callers that want none."""


class PlatformUnavailable(Exception):
    """The platform could not be started, stopped or reached; the message says what to do."""


@dataclass(frozen=True)
class RunningPlatform:
    """A launcher that answers: its addresses, its process and where its state and log are."""

    endpoint_url: str
    dashboard_url: str
    pid: int
    state_dir: Path

    @property
    def log_file(self) -> Path:
        """What the launcher, and everything in it, had to say."""
        return self.state_dir / "launcher.log"

    def session(self) -> boto3.Session:
        """A boto3 session of the platform's root caller, with its endpoint."""
        return aws_session(self.endpoint_url)

    def deploy(self, assembly: Path, report: Report = say_nothing) -> None:
        """Deploy an assembly, then let the platform hear what an earlier process left unsaid."""
        deployer = Deployer(self.session())
        deployer.bootstrap(assembly)
        deployer.deploy(assembly, lambda stack: report(f"{stack.name} {stack.change.lower()}", stack.seconds))
        self.announce()

    def announce(self) -> dict[str, Any]:
        """Have undelivered events delivered and interrupted executions announced. Idempotent."""
        return _get(self.endpoint_url, "/_local/announce", timeout_seconds=30.0)

    def status(self) -> dict[str, Any]:
        """What the launcher says of itself."""
        return _get(self.endpoint_url, "/_local/status", timeout_seconds=10.0)

    def stop(self) -> None:
        """End the launcher; it saves its state first. Raises PlatformUnavailable when it does not end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the launcher as a power cut would: `kill -9`."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while _alive(self.pid):
            if time.monotonic() > deadline:
                raise PlatformUnavailable(
                    f"process {self.pid} did not end within {STOP_SECONDS:.0f} s of {number.name}"
                )
            time.sleep(0.02)
        _record_file(self.state_dir).unlink(missing_ok=True)


def start(
    state_dir: Path,
    port: int = 0,
    assembly: Path | None = None,
    report: Report = say_nothing,
    dashboard_port: int = 0,
) -> RunningPlatform:
    """Start the launcher unless it runs, and deploy `assembly` when given.

    Port 0 takes the port that this state had before, or any free one: addresses are part of what is deployed, and a
    browser's uploads fail at another. Another port that is asked for is taken over by the next change of the templates.
    The dashboard has a port of its own.

    Starting is idempotent: with the same state directory it returns the launcher that runs already.
    Raises PlatformUnavailable when the port is taken or the launcher does not come up.
    """
    if assembly is not None:
        read_assembly(assembly)  # a wrong one is told before anything starts
    state_dir = state_dir.resolve()
    started = time.monotonic()
    platform = running(state_dir)
    if platform is None:
        known = known_ports(state_dir)
        port, dashboard_port = port or known.api or _free_port(), dashboard_port or known.dashboard or _free_port()
        platform = _launch(state_dir, port, dashboard_port)
        report("embedded AWS started", time.monotonic() - started)
    else:
        report("embedded AWS was running", time.monotonic() - started)
    write_profile(state_dir, platform.endpoint_url)
    if assembly is not None:
        platform.deploy(assembly, report)
    return platform


class Ports(NamedTuple):
    """None where nothing was deployed yet."""

    api: int | None
    dashboard: int | None


def known_ports(state_dir: Path) -> Ports:
    """Where the platform of this state was last."""
    file = _ports_file(state_dir.resolve())
    return Ports(**json.loads(file.read_text())) if file.is_file() else Ports(None, None)


def running(state_dir: Path) -> RunningPlatform | None:
    """Return the launcher that runs on this state directory, or None."""
    record = _record_file(state_dir.resolve())
    if not record.is_file():
        return None
    document = json.loads(record.read_text())
    platform = RunningPlatform(
        document["endpoint_url"], document.get("dashboard_url", ""), document["pid"], state_dir.resolve()
    )
    if not _alive(platform.pid):
        return None
    try:
        answer = platform.status()
    except (OSError, ValueError):
        return None
    return platform if answer.get("pid") == platform.pid else None


def describe(state_dir: Path) -> dict[str, Any]:
    """Return whether the platform runs, where, for how long, its stacks and the resources that do nothing here."""
    platform = running(state_dir)
    if platform is None:
        return {"running": False, "state_dir": str(state_dir.resolve())}
    status = platform.status()
    no_op_types = set(status["no_op_types"])
    cloudformation = platform.session().client("cloudformation")
    stacks, no_ops = [], []
    for stack in cloudformation.describe_stacks()["Stacks"]:
        stacks.append({"name": stack["StackName"], "status": stack["StackStatus"]})
        for resource in cloudformation.describe_stack_resources(StackName=stack["StackName"])["StackResources"]:
            if resource["ResourceType"] in no_op_types:
                no_ops.append(
                    {
                        "stack": stack["StackName"],
                        "name": resource["LogicalResourceId"],
                        "type": resource["ResourceType"],
                    }
                )
    return {
        "running": True,
        "endpoint_url": platform.endpoint_url,
        "dashboard_url": platform.dashboard_url,
        "pid": platform.pid,
        "state_dir": str(platform.state_dir),
        "log_file": str(platform.log_file),
        "people_file": str(platform.state_dir / people.FILE),
        "uptime_seconds": status["uptime_seconds"],
        "stacks": sorted(stacks, key=lambda stack: stack["name"]),
        "no_op_resources": no_ops,
    }


def write_profile(state_dir: Path, endpoint_url: str) -> Path:
    """Write the AWS profile, with its keys, that leads every SDK and the AWS CLI here. Returns the config file."""
    directory = state_dir / "aws"
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "config"
    config.write_text(
        f"[profile {PROFILE}]\nendpoint_url = {endpoint_url}\nregion = {REGION}\n"
        f"aws_access_key_id = {ROOT_KEY}\naws_secret_access_key = {ROOT_SECRET}\n"
    )
    return config


def aws_session(endpoint_url: str) -> boto3.Session:
    """Return a session whose clients all call `endpoint_url`, whatever the host's AWS configuration says."""
    return _EndpointSession(endpoint_url)


class _EndpointSession(boto3.Session):
    def __init__(self, endpoint_url: str) -> None:
        super().__init__(aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_SECRET, region_name=REGION)
        self._endpoint_url = endpoint_url

    def client(self, *arguments: Any, **named: Any) -> Any:
        return super().client(*arguments, **{"endpoint_url": self._endpoint_url, **named})


def _launch(state_dir: Path, port: int, dashboard_port: int) -> RunningPlatform:
    state_dir.mkdir(parents=True, exist_ok=True)
    _require_free(port, "--port")
    _require_free(dashboard_port, "--dashboard-port")
    endpoint_url = f"http://{HOST}:{port}"
    dashboard_url = f"http://{HOST}:{dashboard_port}"
    command = [sys.executable, "-m", "local.emulator", "--state-dir", str(state_dir)]
    command += ["--port", str(port), "--dashboard-port", str(dashboard_port)]
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with (state_dir / "launcher.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    platform = RunningPlatform(endpoint_url, dashboard_url, process.pid, state_dir)
    try:
        _wait_until_ready(platform, process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    _ports_file(state_dir).write_text(json.dumps(Ports(port, dashboard_port)._asdict()))
    record = {"endpoint_url": endpoint_url, "dashboard_url": dashboard_url, "pid": process.pid}
    _record_file(state_dir).write_text(json.dumps(record))
    return platform


def _wait_until_ready(platform: RunningPlatform, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PlatformUnavailable(f"The embedded AWS ended while starting:\n{_last_lines(platform.log_file)}")
        with contextlib.suppress(OSError, ValueError):
            if platform.status().get("pid") == platform.pid:
                return
        time.sleep(0.05)
    raise PlatformUnavailable(f"The embedded AWS did not answer within {READY_SECONDS:.0f} s; see {platform.log_file}")


def _last_lines(file: Path, count: int = 15) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-count:])


def _require_free(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PlatformUnavailable(
                f"Port {port} is used by another program. Choose another one with {option}."
            ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _record_file(state_dir: Path) -> Path:
    return state_dir / "launcher.json"


def _ports_file(state_dir: Path) -> Path:
    return state_dir / "ports.json"


def _alive(pid: int) -> bool:
    """Whether the process lives. One of our own that ended is reaped, or it would look alive for ever."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _get(endpoint_url: str, path: str, timeout_seconds: float) -> dict[str, Any]:
    # A proxy of the host must not see loopback traffic.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint_url}{path}", timeout=timeout_seconds) as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as error:
        raise PlatformUnavailable(f"{endpoint_url}{path} answered {error.code}") from error
