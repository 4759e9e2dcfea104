"""The ten busiest routes on the local platform, with 100, 10,000 and 100,000 datasets, runs and models each.

`http`: a client's view, over the front door of the embedded AWS, with 1 and with 8 clients. `handler`: the API's
function alone, called in this process on the same table; what it spends waiting for AWS calls is counted apart, since
that is the emulator's time here and DynamoDB's on AWS. Target: neither the handler's own time nor the number of its AWS
calls grows with the number of items (±20 %). `cold_import`: CPU seconds of the deployed packages in a fresh process;
targets 0.6 for the API and 0.5 for predictions. Items are copies of what lists and pages show of one real dataset, run
and model, laid into what the embedded AWS loads at its start: kept counts do not know them. A route is called until it
was called CALLS times or SECONDS_A_ROUTE are over, whichever comes first; `calls` says how often. On a busy machine
only ratios mean something.
Sizes may be given: `python -m benchmarks.api_latency 100 10000`.
"""

from __future__ import annotations

import json
import os
import platform as machine
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

import botocore.client

import app
from lambdas.api.app import handler
from local import platform as local_platform
from local.platform import RunningPlatform
from millrace import bootstrap
from millrace.bootstrap import Platform
from millrace.cli.deployment import LOCAL_STATE, connect
from millrace.client import AccessToken, Client
from millrace.domain.run import RunState
from tests.builders import NOON, a_model_version, a_run
from tests.integration.api.conftest import Deployed

ROOT = Path(__file__).parents[1]
SIZES = (100, 10_000, 100_000)
CALLS, LEAST_CALLS, COLD_STARTS, CLIENTS = 60, 10, 7, 8
SECONDS_A_ROUTE = 5.0
TEMPLATE, COPIES = "bench-0000000", "copies"
ROUTES = (
    "/dashboard/stats",
    "/dashboard/overview",
    "/datasets",
    f"/datasets/{TEMPLATE}",
    "/runs",
    f"/runs/{TEMPLATE}",
    "/models",
    f"/models/{TEMPLATE}",
    f"/models/{TEMPLATE}/versions",
    f"/models/{TEMPLATE}:1/detail",
)


class AwsCalls:
    """Seconds that this process waits for AWS calls, and how many."""

    def __init__(self) -> None:
        self.seconds, self.number = 0.0, 0
        call = botocore.client.BaseClient._make_api_call

        def timed(client: Any, *arguments: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(client, *arguments)
            finally:
                self.seconds += time.perf_counter() - started
                self.number += 1

        botocore.client.BaseClient._make_api_call = timed


class Context:
    function_name = aws_request_id = invoked_function_arn = "bench"
    memory_limit_in_mb = 1769


def event_of(path: str, number: int) -> dict[str, Any]:
    """As API Gateway hands a request on. Callers alternate: each may ask only so often."""
    claims = {"token_use": "access", "username": f"bench-{number % 50}", "cognito:groups": "[viewer]"}
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": {},
        "requestContext": {
            "requestId": f"r{number}", "stage": "$default", "authorizer": {"jwt": {"claims": claims, "scopes": []}},
            "http": {"method": "GET", "path": path, "sourceIp": "10.0.0.1", "protocol": "HTTP/1.1", "userAgent": "b"},
        },
        "isBase64Encoded": False,
    }  # fmt: skip


def plant(platform: Platform) -> None:
    """One dataset, one run and one model with a version: what is copied, and what the detail routes show."""
    platform.catalog.ensure(TEMPLATE, at=NOON, actor="bench")
    platform.ledger.open(a_run(TEMPLATE, dataset=TEMPLATE))
    platform.ledger.close(TEMPLATE, state=RunState.SUCCEEDED, reason=None, steps=(), at=NOON)
    number = platform.registry.claim_number(TEMPLATE, dataset=TEMPLATE, run_id=TEMPLATE, algorithm="xgboost", at=NOON)
    platform.registry.register(a_model_version(number, model=TEMPLATE, run_id=TEMPLATE), actor="bench")


def multiply(state: Path, size: int) -> None:
    """The planted items under `size` names, in what the embedded AWS keeps of DynamoDB: it has stopped meanwhile."""
    with closing(sqlite3.connect(state)) as kept, kept:
        (planted,) = kept.execute("SELECT document FROM service WHERE name = 'dynamodb'").fetchone()
        document = json.loads(planted)
        (items,) = (table["items"] for table in document["tables"]["data"].values())
        shown = {pk: {sk: each for sk, each in items[pk].items() if is_shown(pk, sk)} for pk in items}
        text = ", ".join(f"{json.dumps(pk)}: {json.dumps(each)}" for pk, each in shown.items() if each)
        items[COPIES] = 0
        copies = ", ".join(text.replace(TEMPLATE, f"bench-{number:07d}") for number in range(1, size))
        made = json.dumps(document).replace(f'"{COPIES}": 0', copies)
        kept.execute("UPDATE service SET document = ? WHERE name = 'dynamodb'", (made,))


def is_shown(pk: str, sk: str) -> bool:
    """What lists and pages show of what was planted: not its history, and not its audit trail."""
    kind, _, name = pk.partition("#")
    return name == TEMPLATE and kind != "AUDIT" and sk in {"META", "WAITING", "VERSION#00000001"}


def measure_http(api_url: str, tokens: list[str]) -> dict[str, Any]:
    """Milliseconds by route with one client, and all routes at once with eight."""
    asking = cycle([Client(api_url, AccessToken(token)) for token in tokens])
    alone = {route: quantiles([timed_get(next(asking), route) for _ in calls()]) for route in ROUTES}
    one = {
        "routes": alone,
        "requests_per_second": round(1000 / statistics.mean(a["p50_ms"] for a in alone.values()), 1),
    }
    return {"one_client": one, "eight_clients": measure_eight(asking)}


def measure_eight(asking: Iterator[Client]) -> dict[str, Any]:
    """All routes by turns, as fast as eight clients get answers; each has an execution environment before that."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda client: client.get(ROUTES[0]), [next(asking) for _ in range(CLIENTS * 2)]))
    times: dict[str, list[float]] = {route: [] for route in ROUTES}
    order = iter([(next(asking), route) for _ in range(CALLS // 2) for route in ROUTES])
    ends = time.monotonic() + SECONDS_A_ROUTE * len(ROUTES) / 2
    taking = threading.Lock()

    def ask() -> None:
        while time.monotonic() < ends:
            with taking:
                client, route = next(order, (None, ""))
            if client is None:
                return
            times[route].append(timed_get(client, route))

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as clients:
        for done in [clients.submit(ask) for _ in range(CLIENTS)]:
            done.result()
    answered = sum(map(len, times.values()))
    return {
        "routes": {route: quantiles(each) for route, each in times.items()},
        "requests_per_second": round(answered / (time.perf_counter() - started), 1),
    }


def calls() -> Iterator[int]:
    """The numbers of a route's calls, for as long as it may be called."""
    ends = time.monotonic() + SECONDS_A_ROUTE
    for number in range(CALLS):
        if number >= LEAST_CALLS and time.monotonic() > ends:
            return
        yield number


def quantiles(times: list[float]) -> dict[str, float]:
    """Milliseconds, without the first tenth: what is loaded once is loaded then."""
    cuts = statistics.quantiles(times[len(times) // 10 :], n=100, method="inclusive")
    return {"p50_ms": round(cuts[49], 2), "p99_ms": round(cuts[98], 2), "calls": len(times)}


def timed_get(client: Client, route: str) -> float:
    started = time.perf_counter()
    client.get(route)
    return (time.perf_counter() - started) * 1000


def measure_handler(aws: AwsCalls) -> dict[str, Any]:
    found = {}
    for route in ROUTES:
        own, waited, asked = [], [], []
        for number in calls():
            seconds, before = aws.seconds, aws.number
            started = time.perf_counter()
            answer = handler(event_of(route, number), Context())  # type: ignore[arg-type]
            took = time.perf_counter() - started
            assert answer["statusCode"] == 200, answer
            own.append((took - (aws.seconds - seconds)) * 1000)
            waited.append((aws.seconds - seconds) * 1000)
            asked.append(aws.number - before)
        found[route] = {
            "own": quantiles(own),
            "waiting_for_aws": quantiles(waited),
            "aws_calls": round(statistics.median(asked), 1),
        }
    return found


def cold_import(module: str, brings: Literal["predict"] | None) -> float:
    """CPU seconds, the median, of the deployed package in a process that sees nothing else."""
    from stacks.config import this_machine
    from stacks.packaging import lambda_package

    package = lambda_package(this_machine(), brings=brings).path
    program = f"import time; c = time.process_time(); import {module}; print(time.process_time() - c)"
    command = [sys.executable, "-S", "-s", "-c", program]
    said = [
        subprocess.run(command, cwd=package, capture_output=True, text=True, check=True).stdout
        for _ in range(COLD_STARTS)
    ]
    return round(statistics.median(float(line) for line in said), 3)


def plant_and_stop(root: Path) -> tuple[Deployed, Platform]:
    """The platform with one thing of each kind, deployed and stopped again, and what speaks with it once it runs."""
    subprocess.run([sys.executable, "app.py", "local", "--output", str(root / "cdk.out")], cwd=ROOT, check=True)
    running = local_platform.start(root / LOCAL_STATE, port=0, assembly=root / "cdk.out" / "assembly-local")
    try:
        stacks = running.session().client("cloudformation").describe_stacks()["Stacks"]
        outputs = {out["OutputKey"]: out["OutputValue"] for stack in stacks for out in stack.get("Outputs", [])}
        platform = Platform(connect("local", root))
        plant(platform)
    finally:
        running.stop()
    return Deployed(running, outputs), platform


@contextmanager
def holding(size: int, root: Path, planted: RunningPlatform) -> Iterator[RunningPlatform]:
    """The platform where it ran before, with so many things of each kind; nothing is kept of what happens to it."""
    state = root / LOCAL_STATE / "emulator" / "state.db"
    before = state.with_name(f"state-{size}.db")
    with closing(sqlite3.connect(state)) as kept, closing(sqlite3.connect(before)) as copied:
        kept.backup(copied)
    multiply(state, size)
    ports = [int(url.rpartition(":")[2]) for url in (planted.endpoint_url, planted.dashboard_url)]
    running = local_platform.start(root / LOCAL_STATE, port=ports[0], dashboard_port=ports[1])
    try:
        yield running
    finally:
        running.stop()
        with closing(sqlite3.connect(before)) as copied, closing(sqlite3.connect(state)) as kept:
            copied.backup(kept)
        before.unlink()


def growth(results: dict[int, Any]) -> dict[str, Any]:
    """By route, the largest size to the smallest: own time at the median, and AWS calls."""
    least, most = results[min(results)]["handler"], results[max(results)]["handler"]
    return {
        route: {
            "own_p50": round(most[route]["own"]["p50_ms"] / least[route]["own"]["p50_ms"], 2),
            "aws_calls": round(most[route]["aws_calls"] / max(least[route]["aws_calls"], 1), 2),
        }
        for route in ROUTES
    }


def main() -> None:
    # Before the first import of the stacks, whose aws_cdk starts it.
    app.choose_node()
    sizes = tuple(int(size) for size in sys.argv[1:]) or SIZES
    imports = {
        "api_cpu_seconds": cold_import("lambdas.api.app", None),
        "predict_cpu_seconds": cold_import("lambdas.inference.predict", "predict"),
    }
    print(json.dumps(imports), flush=True)
    results: dict[int, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        planted, platform = plant_and_stop(root)
        os.environ["MILLRACE_CHECKPOINTS"] = "off"
        # The largest state is hundreds of megabytes of JSON.
        vars(local_platform)["READY_SECONDS"] = 600.0
        aws = AwsCalls()
        vars(bootstrap)["platform"] = lambda: platform
        for size in sizes:
            with holding(size, root, planted.running) as running:
                on = Deployed(running, planted.outputs)
                tokens = [on.person(f"bench-{number}", "viewer") for number in range(8)]
                results[size] = {"handler": measure_handler(aws), "http": measure_http(on.outputs["ApiUrl"], tokens)}
            print(json.dumps({size: results[size]}), flush=True)
            write_report(imports, results)


def write_report(imports: dict[str, float], results: dict[int, Any]) -> None:
    """After each size: a long run that is ended early has measured something."""
    report = {
        "machine": f"{machine.machine()}, Python {machine.python_version()}",
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "cold_import": imports,
        "growth": growth(results),
        "sizes": dict(sorted(results.items())),
    }
    print(json.dumps(report["growth"], indent=1), flush=True)
    (ROOT / "benchmarks" / "results" / "api_latency.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
