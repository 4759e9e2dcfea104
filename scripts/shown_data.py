"""What a platform for looking at the dashboard also holds: a model that answers, and whose inputs drifted."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from millrace.bootstrap import Platform
from millrace.domain import identity
from millrace.domain.dataset import VersionState
from millrace.domain.run import Run, RunState
from millrace.errors import NotFound
from millrace.use_cases.approve_model_version import approve_model_version
from millrace.use_cases.check_drift import check_datasets
from millrace.use_cases.start_training import start_training

EXAMPLES = Path(__file__).parents[1] / "examples"
NAME = "seabirds"
SETTINGS = {
    "target": "species",
    "training": {"trials": 1, "algorithms": ["linear"], "on_new_version": False},
    # What drifted is to be looked at, and not to be trained on.
    "retraining": {"governor": False},
}
HEAVIER, LONGER = 1.3, 12.0
SECONDS, PAUSE = 240.0, 0.5

Put = Callable[[str, bytes], object]


def show_live_model(platform: Platform, put: Put, actor: str) -> None:
    """Penguins under another name: trained on, approved and live; then heavier ones, and a check that finds them."""
    put(f"uploads/{NAME}/dataset.yaml", yaml.safe_dump(SETTINGS).encode())
    _wait(lambda: platform.catalog.get(NAME).settings.target == SETTINGS["target"], "settings")
    put(f"uploads/{NAME}/first.csv", (EXAMPLES / "penguins.csv").read_bytes())
    _ready(platform, 1)
    trained = _ended(platform, _train(platform, actor).run_id)
    version = platform.registry.versions(str(trained.model))[0]
    approve_model_version(
        registry=platform.registry,
        catalog=platform.catalog,
        ledger=platform.ledger,
        bus=platform.bus,
        clock=platform.clock,
        version_id=version.id,
        actor=actor,
        reason="it beats a constant prediction by far",
    )
    _ended(platform, identity.automatic_deployment_run_id(version.model, version.number))
    put(f"uploads/{NAME}/heavier.csv", heavier((EXAMPLES / "penguins.csv").read_bytes()))
    _ready(platform, 2)
    checked = check_datasets(
        catalog=platform.catalog,
        registry=platform.registry,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        model=version.model,
        baseline_version=1,
        window_version=2,
        actor=actor,
    )
    _ended(platform, checked.run_id)


def heavier(csv: bytes) -> bytes:
    """The same penguins, heavier and with longer bills."""
    rows = pd.read_csv(io.BytesIO(csv))
    rows["body_mass_g"] = (rows["body_mass_g"] * HEAVIER).round()
    rows["bill_length_mm"] = rows["bill_length_mm"] + LONGER
    return rows.to_csv(index=False).encode()


def _train(platform: Platform, actor: str) -> Run:
    return start_training(
        catalog=platform.catalog,
        ledger=platform.ledger,
        pipelines=platform.pipelines,
        clock=platform.clock,
        dataset=NAME,
        version=1,
        started_by=actor,
    )


def _ready(platform: Platform, version: int) -> None:
    def is_ready() -> bool:
        return platform.catalog.version(NAME, version).state is VersionState.READY

    _wait(is_ready, f"{NAME} v{version}")


def _ended(platform: Platform, run_id: str) -> Run:
    _wait(lambda: platform.ledger.get(run_id).state is not RunState.RUNNING, run_id)
    run = platform.ledger.get(run_id)
    if run.state is not RunState.SUCCEEDED:
        raise RuntimeError(f"{run_id} ended {run.state}: {run.reason}")
    return run


def _wait(done: Callable[[], bool], what: str) -> None:
    """`done` may raise NotFound for as long as the thing is not there."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if done():
                return
        except NotFound:
            pass
        time.sleep(PAUSE)
    raise TimeoutError(f"{what} took longer than {SECONDS:.0f} s")
