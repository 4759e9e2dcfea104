"""The composition root builds only what is asked for, once, and takes ready parts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from millrace import bootstrap
from millrace.adapters.memory import InMemoryDatasetCatalog
from millrace.bootstrap import Platform
from millrace.errors import InvalidInput
from millrace.settings import Settings

ENTRY_POINTS = sorted(
    f"lambdas.{path.parent.name}.{path.stem}"
    for path in (Path(__file__).parents[2] / "lambdas").glob("*/*.py")
    if path.stem != "__init__"
)
# They predict, so they cannot do without numpy; tests/architecture says what else they may import.
PREDICTING = {"lambdas.inference.predict", "lambdas.tasks.check_serving_artefact"}
# They profile rows that lie in Parquet files, or read a table that somebody dropped.
PROFILING = {
    "lambdas.tasks.profile_baseline",
    "lambdas.tasks.detect_drift",
    "lambdas.events.on_ground_truth_dropped",
}
HEAVY = ("numpy", "pandas", "sklearn", "xgboost", "pyarrow", "scipy", "yaml", "boto3")

SETTINGS = Settings(
    registry_table="table",
    notifications_topic_arn="arn:aws:sns:us-east-1:123456789012:topic",
    dashboard_url_parameter="/millrace/dev/dashboard-url",
    event_bus_name="bus",
    ingest_state_machine_arn="arn:aws:states:us-east-1:123456789012:stateMachine:Ingest",
)


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def test_every_part_can_be_built_from_settings() -> None:
    platform = bootstrap.platform(SETTINGS)

    parts = ("catalog", "ledger", "registry", "store", "pipelines", "bus", "notifier", "dashboard", "metrics", "clock")
    assert all(getattr(platform, part) is getattr(platform, part) for part in parts)


def test_a_part_without_its_setting_says_which_is_missing() -> None:
    for part, setting in (
        ("catalog", "REGISTRY_TABLE"),
        ("notifier", "NOTIFICATIONS_TOPIC_ARN"),
        ("dashboard", "DASHBOARD_URL_PARAMETER"),
        ("bus", "EVENT_BUS_NAME"),
    ):
        with pytest.raises(InvalidInput, match=setting):
            getattr(bootstrap.platform(Settings()), part)


def test_the_platform_of_the_environment_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap._of_environment.cache_clear()
    monkeypatch.setenv("REGISTRY_TABLE", "from-the-environment")

    platform = bootstrap.platform()

    assert platform.settings.registry_table == "from-the-environment"
    assert bootstrap.platform() is platform
    bootstrap._of_environment.cache_clear()


def test_a_glue_job_gets_a_store_without_any_settings() -> None:
    assert callable(bootstrap.object_store().read)


def test_ready_parts_replace_built_ones_and_leave_the_original_alone() -> None:
    catalog = InMemoryDatasetCatalog()
    platform = Platform(Settings())

    assert platform.with_parts(catalog=catalog).catalog is catalog
    with pytest.raises(InvalidInput):
        _ = platform.catalog


def test_a_part_that_does_not_exist_cannot_be_given() -> None:
    with pytest.raises(AttributeError, match="catalogue"):
        Platform(Settings()).with_parts(catalogue=InMemoryDatasetCatalog())


def test_no_entry_point_imports_what_a_cold_start_cannot_afford() -> None:
    """One process for all of them: what none imports, no single one does."""
    assert len(ENTRY_POINTS) >= 10
    light = [name for name in ENTRY_POINTS if name not in PREDICTING | PROFILING]
    code = (
        "import importlib, sys\n"
        f"for name in {light!r}: importlib.import_module(name)\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_a_part_brings_only_its_own_client() -> None:
    code = (
        "import sys\n"
        "from millrace import bootstrap\n"
        "from millrace.settings import Settings\n"
        "bootstrap.platform(Settings()).clock\n"
        "print('boto3' in sys.modules, 'millrace.adapters.dynamodb' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
