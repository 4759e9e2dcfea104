"""Sending a file over the API, and watching what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from millrace import names
from millrace.cli import answers, following
from millrace.client import Client

Document = dict[str, Any]
TRAINING_APPEARS_WITHIN_SECONDS = 60.0
POLL_SECONDS = 1.0


@contextmanager
def sent_bytes(file: Path, console: Console) -> Iterator[Callable[[int], None]]:
    """A function that is told how many more bytes are there, and draws how far it is."""
    columns = (TextColumn("uploading {task.description}"), BarColumn(24), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(file.name, total=file.stat().st_size)
        yield lambda sent: progress.update(bar, advance=sent)


def upload(client: Client, file: Path, dataset: str, console: Console, *, resume: str | None) -> str:
    """The id of the run that makes a version of it."""
    with sent_bytes(file, console) as sent:
        return client.upload(file, dataset, upload_id=resume, sent=sent)


def follow(client: Client, run_id: str, console: Console, *, seconds: float) -> Document:
    """Draw one line per step until the run has ended. Raises RunUnfinished after `seconds`."""
    with following.drawn_steps(console) as draw:
        return client.wait_for_run(run_id, seconds=seconds, seen=lambda run: draw(answers.steps_of(run)))


def follow_upload(client: Client, run_id: str, console: Console, *, seconds: float) -> list[Document]:
    """The ingest run, and the training run it leads to when the dataset's policy asks for one."""
    ingest = follow(client, run_id, console, seconds=seconds)
    dataset, version = ingest["dataset"], ingest["dataset_version"]
    if ingest["state"] != "SUCCEEDED" or version is None or not _trains(client, dataset, run_id):
        return [ingest]
    training = _training_of(client, dataset, version)
    return [ingest, follow(client, training, console, seconds=seconds)]


def _trains(client: Client, dataset: str, run_id: str) -> bool:
    settings = client.get(f"/datasets/{dataset}")["settings"]
    identical = any(
        each["run_id"] == run_id and each["state"] == "IDENTICAL"
        for each in client.items(f"/datasets/{dataset}/uploads")
    )
    return settings["target"] is not None and settings["training"]["on_new_version"] and not identical


def _training_of(client: Client, dataset: str, version: int) -> str:
    """The newest training run of one dataset version. Raises RunUnfinished when none starts within a minute."""
    deadline = time.monotonic() + TRAINING_APPEARS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        for run in client.runs(pipeline=names.TRAINING_PIPELINE, dataset=dataset):
            if run["dataset_version"] == version:
                return str(run["run_id"])
        time.sleep(POLL_SECONDS)
    raise following.RunUnfinished(f"no training of {dataset} v{version} has started; see: millrace runs")
