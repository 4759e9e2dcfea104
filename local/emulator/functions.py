"""Lambda: functions run under AWS's own runtime client, see only their asset, and fail with their real error types."""

import contextlib
import importlib.metadata
import os
import re
import shlex
import signal
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.context import EmulatorContext

# AWS gives the init phase 10 s on a machine of its own; a laptop that also runs Spark is slower.
INIT_TIMEOUT_SECONDS = 60.0
RUNTIME_CLIENT = "awslambdaric"
SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"


class RuntimeClientWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]
    """An execution environment whose bootstrap is AWS's runtime client; ministack serves the Runtime API to it."""

    def _build_handler_class(self, generation: int, pending: Any) -> type:
        handler: type = super()._build_handler_class(generation, pending)
        # Headers and body go out in two writes: Nagle's algorithm would add 40 ms to every invocation.
        handler.disable_nagle_algorithm = True  # type: ignore[attr-defined]
        return handler

    def _drain_stderr_bounded(
        self, first_line_wait: float = 0.02, idle_confirm: float = 0.005, hard_cap: float = 0.25
    ) -> str:
        return str(super()._drain_stderr_bounded(first_line_wait, idle_confirm, hard_cap))


def install(context: EmulatorContext) -> None:
    """Run every python function under the runtime client, isolated from this interpreter's packages."""
    runtime_dir = link_runtime_client(context.state_dir / "emulator" / "runtime")
    end_orphans(runtime_dir)
    bootstrap = bootstrap_script(context.python)
    original_worker_class = lambda_runtime._worker_class_for
    original_execute = lambda_svc._execute_function_warm
    original_code_dir = lambda_svc._provided_runtime_code_dir
    original_environment = lambda_svc._provided_worker_env

    def worker_class_for(config: dict[str, Any]) -> type:
        return RuntimeClientWorker if is_python(config) else original_worker_class(config)

    def execute_warm(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        execute = (
            lambda_svc._execute_function_provided_warm if is_python(func.get("config") or func) else original_execute
        )
        return dict(execute(func, event, request_id))

    def code_dir(code_zip: bytes) -> str:
        directory = str(original_code_dir(code_zip))
        write_bootstrap(Path(directory), bootstrap)
        return directory

    def environment(config: dict[str, Any], directory: str, port: int) -> dict[str, str]:
        proposed = original_environment(config, directory, port)
        return function_environment(proposed, config, directory, runtime_dir) if is_python(config) else proposed

    lambda_runtime._PROVIDED_INIT_TIMEOUT = INIT_TIMEOUT_SECONDS
    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_warm
    lambda_svc._provided_runtime_code_dir = code_dir
    lambda_svc._provided_worker_env = environment


def is_python(config: dict[str, Any]) -> bool:
    """Whether a function's configuration names a python runtime."""
    return str(config.get("Runtime", "")).startswith("python")


def bootstrap_script(python: str) -> str:
    """The bootstrap of an execution environment. `-S -s` keeps this interpreter's site-packages out of it."""
    return f'#!/bin/sh\nexec {shlex.quote(python)} -S -s -m {RUNTIME_CLIENT} "$_HANDLER"\n'


def write_bootstrap(directory: Path, script: str) -> None:
    """Put the bootstrap of an asset beside its code, once.

    Two functions may start from one asset at the same moment: neither sees a bootstrap that is not all there and
    executable. Under the lock no function is started meanwhile: it would inherit the file open for writing, and Linux
    does not execute such a file.
    """
    with lambda_svc._provided_code_lock:
        target = directory / "bootstrap"
        if target.exists():
            return
        draft = directory / ".bootstrap"
        draft.write_text(script)
        draft.chmod(0o755)
        draft.rename(target)


def function_environment(
    proposed: dict[str, str], config: dict[str, Any], code_dir: str, runtime_dir: Path
) -> dict[str, str]:
    """Reduce what ministack proposes (the host's environment included) to what AWS documents, plus the endpoint.

    Only names that AWS or the function's configuration set survive; PYTHONPATH has the asset and the runtime client.
    """
    declared = (config.get("Environment") or {}).get("Variables") or {}
    kept = {name: value for name, value in proposed.items() if name in declared or _set_by_lambda(name)}
    return kept | {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
        "AWS_LAMBDA_LOG_GROUP_NAME": (config.get("LoggingConfig") or {}).get("LogGroup")
        or f"/aws/lambda/{config['FunctionName']}",
        "LAMBDA_RUNTIME_DIR": str(runtime_dir),
        "LANG": "en_US.UTF-8",
        "OMP_NUM_THREADS": declared.get("OMP_NUM_THREADS", "1"),
        "PATH": SEARCH_PATH,
        "PYTHONPATH": os.pathsep.join(
            part for part in (code_dir, declared.get("PYTHONPATH"), str(runtime_dir)) if part
        ),
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
    }


def _set_by_lambda(name: str) -> bool:
    return name in {
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_DISABLE_HOST_PREFIX_INJECTION",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
    } or name.startswith("AWS_LAMBDA_")


def end_orphans(runtime_dir: Path, processes: Path = Path("/proc")) -> list[int]:
    """End functions that a killed launcher of this installation left working: they would write into its successor.

    Returns their process ids. They are known by their environment, which names `runtime_dir`; where the system shows
    no environments nothing is ended, and a function ends by itself when it next asks its dead launcher for work.
    """
    mark = f"LAMBDA_RUNTIME_DIR={runtime_dir}".encode()
    ended = []
    for environment in processes.glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in environment.read_bytes().split(b"\0"):
                os.kill(int(environment.parent.name), signal.SIGKILL)
                ended.append(int(environment.parent.name))
    return ended


def link_runtime_client(directory: Path) -> Path:
    """Make `directory` hold links to the runtime client and what it requires, and nothing else. Returns it."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for source in sorted(_top_level_entries(RUNTIME_CLIENT)):
        (directory / source.name).symlink_to(source)
    return directory


def _top_level_entries(package: str) -> set[Path]:
    distribution = importlib.metadata.distribution(package)
    names = {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}
    entries = {Path(str(distribution.locate_file(name))) for name in names}
    for requirement in distribution.requires or []:
        if "extra ==" not in requirement:
            entries |= _top_level_entries(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0])
    return entries
