"""Hostile files, dropped on the deployed platform: no crash, no good row lost, every refusal says what to do."""

from __future__ import annotations

import hashlib

import pytest

from millrace.domain.dataset import VersionState
from millrace.domain.run import RunState
from tests.e2e.conftest import Bench
from tests.gauntlet_files import GAUNTLET, HostileFile


def dataset_of(file: HostileFile) -> str:
    return "hostile-" + hashlib.sha256(file.name.encode()).hexdigest()[:12]


@pytest.fixture(scope="module")
def runs(bench: Bench) -> dict[str, str]:
    """All of them at once: a bucket does not wait for one file to be done."""
    settings = b"max_quarantined_share: 1\ntraining: {on_new_version: false}\n"
    started = {}
    for file in GAUNTLET:
        folder = f"uploads/{dataset_of(file)}"
        bench.put(f"{folder}/dataset.yaml", settings)
        started[file.name] = bench.put(f"{folder}/{file.name}", file.body())
    return started


@pytest.mark.parametrize("file", GAUNTLET, ids=lambda file: file.name)
def test_a_hostile_file_loses_no_good_row_or_is_refused_with_what_to_do(
    bench: Bench, runs: dict[str, str], file: HostileFile
) -> None:
    run = bench.ended(runs[file.name])
    versions = bench.platform.catalog.versions(dataset_of(file))
    if file.is_refused:
        assert run.state is RunState.FAILED
        for word in file.refusal:
            assert word.casefold() in (run.reason or "").casefold()
        assert "Traceback" not in (run.reason or "")
        assert all(version.state is VersionState.REJECTED for version in versions)
        return
    assert run.state is RunState.SUCCEEDED, run.reason
    quality = versions[0].quality
    assert quality is not None
    assert (quality.accepted, quality.quarantined) == (len(file.kept), file.quarantined)
    assert quality.rows_in == quality.accepted + quality.quarantined
