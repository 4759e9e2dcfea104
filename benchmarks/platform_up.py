"""`up` to ready: synthesis, embedded AWS, all stacks. Target: at most 30 s warm (package caches filled).

Three states: cold (no state directory), again (state there, nothing changed), and after `kill -9`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from local import platform as local_platform

ROOT = Path(__file__).parents[1]
ASSEMBLY = ROOT / "cdk.out" / "assembly-local"
RUNS = 3
T = TypeVar("T")


def timed(action: Callable[[], T]) -> tuple[float, T]:
    started = time.monotonic()
    result = action()
    return round(time.monotonic() - started, 2), result


def synthesise() -> None:
    subprocess.run([sys.executable, "app.py", "local"], cwd=ROOT, check=True)


def main() -> None:
    results = []
    synthesise()  # fills the package cache once: what is measured is warm
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder) / "state"
            synth, _ = timed(synthesise)
            first, running = timed(lambda state=state: local_platform.start(state, port=0, assembly=ASSEMBLY))
            running.stop()
            again, running = timed(lambda state=state: local_platform.start(state, port=0, assembly=ASSEMBLY))
            running.kill()
            killed, running = timed(lambda state=state: local_platform.start(state, port=0, assembly=ASSEMBLY))
            running.stop()
        results.append({"synth": synth, "first_start": first, "start_again": again, "start_after_kill": killed})
    for name in results[0]:
        values = sorted(result[name] for result in results)
        print(f"{name:<18} min {values[0]:6.2f} s   median {values[len(values) // 2]:6.2f} s   max {values[-1]:6.2f} s")
    path = ROOT / "benchmarks" / "results" / "platform_up.json"
    path.write_text(json.dumps({"runs": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
