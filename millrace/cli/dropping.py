"""Dropping a file: settings first, then the bytes, then watching what becomes of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from millrace import names
from millrace.bootstrap import Platform
from millrace.cli import following
from millrace.domain import identity
from millrace.domain.dataset import Task, UploadState
from millrace.domain.run import Run, RunState
from millrace.errors import NotFound
from millrace.use_cases.configure_dataset import configure_dataset


@dataclass(frozen=True)
class SettingsChange:
    """What a person named on the command line; what is left out stays as it is stored."""

    target: str | None = None
    task: Task | None = None
    key: tuple[str, ...] = ()

    def as_settings(self) -> dict[str, Any]:
        given: dict[str, Any] = {"target": self.target, "task": self.task, "key": list(self.key) or None}
        return {name: value for name, value in given.items() if value is not None}


def configure(platform: Platform, dataset: str, change: SettingsChange, *, actor: str) -> None:
    """Store what was named. Raises InvalidInput for a bad dataset name or setting."""
    configure_dataset(
        catalog=platform.catalog,
        bus=platform.bus,
        clock=platform.clock,
        dataset=dataset,
        changes=change.as_settings(),
        actor=actor,
    )


def upload(platform: Platform, file: Path, dataset: str, console: Console) -> str:
    """Put `file` under a key of its own, so that no two uploads share one, and return its ingest run's id."""
    at = platform.clock.now().astimezone(UTC)
    bucket = platform.settings.require("data_bucket")
    key = f"{names.UPLOADS_PREFIX}{dataset}/{at:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}/{file.name}"
    client = boto3.client("s3")
    columns = (TextColumn("uploading {task.description}"), BarColumn(24), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(file.name, total=file.stat().st_size)
        client.upload_file(str(file), bucket, key, Callback=lambda sent: progress.update(bar, advance=sent))
    object_version = client.head_object(Bucket=bucket, Key=key).get("VersionId", "null")
    return identity.ingest_run_id(bucket, key, object_version)


def follow_drop(platform: Platform, run_id: str, console: Console, *, seconds: float) -> list[Run]:
    """The ingest run, and the training run it leads to when the dataset's policy asks for one."""
    following.await_run(lambda: following.find_run(platform, run_id), what="the ingest run")
    ingest = following.follow(platform, run_id, console, seconds=seconds)
    if ingest.state is not RunState.SUCCEEDED or ingest.dataset_version is None:
        return [ingest]
    version = ingest.dataset_version
    settings = platform.catalog.get(ingest.dataset).settings
    if settings.target is None or not settings.training.on_new_version or _identical(platform, ingest):
        return [ingest]
    training = following.await_run(
        lambda: following.find_training(platform, ingest.dataset, version), what="the training run"
    )
    return [ingest, following.follow(platform, training.run_id, console, seconds=seconds)]


def _identical(platform: Platform, ingest: Run) -> bool:
    uploads = platform.catalog.uploads(ingest.dataset)
    return any(each.run_id == ingest.run_id and each.state is UploadState.IDENTICAL for each in uploads)


def quarantined_rows(platform: Platform, dataset: str, version: int | None, *, limit: int) -> list[dict[str, Any]]:
    """The first `limit` quarantined rows in file order. Raises NotFound when the dataset has no such version."""
    number = version or platform.catalog.get(dataset).latest_version
    if number == 0:
        raise NotFound(f"dataset {dataset!r} has no version yet")
    location = platform.catalog.version(dataset, number).quarantine_location
    rows: list[dict[str, Any]] = []
    for part in sorted(platform.store.list(location), key=lambda info: info.uri):
        with platform.store.open(part.uri) as lines:
            for line in lines:
                rows.append(json.loads(line))
                if len(rows) == limit:
                    return rows
    return rows
