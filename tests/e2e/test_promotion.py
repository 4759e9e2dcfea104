"""A version goes from one environment to another: approved anew there, it answers what it answered here."""

from __future__ import annotations

from pathlib import Path

import boto3
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from local import platform as local_platform
from millrace import bootstrap, names
from millrace.cli.deployment import LOCAL_STATE, connect
from millrace.domain import identity
from millrace.domain.model import ApprovalState
from millrace.domain.run import RunState
from millrace.errors import EvaluationInvalid, NotDeployed
from tests.e2e.calling import signed_in
from tests.e2e.conftest import EXAMPLES, Bench
from tests.e2e.deployed import acting_as, export, take_over

DATASET = "promoted"
ROWS = pd.read_csv(EXAMPLES / "penguins.csv").drop(columns="species").head(20)


def predicted(bench: Bench, person: str) -> list[dict[str, float]]:
    rows = ROWS.astype(object).where(ROWS.notna(), None).to_dict("records")
    status, answer = signed_in(bench, person, names.SCIENTIST_ROLE).post(
        "/inference/predict", {"model": DATASET, "rows": rows}
    )
    assert status == 200, answer
    return [each["probabilities"] for each in answer["predictions"]]


def test_a_version_that_was_taken_over_is_approved_anew_and_predicts_the_same_numbers(
    bench: Bench, assembly: Path, tmp_path: Path
) -> None:
    """Two platforms in two directories: neither has a table, a bucket or a caller of the other."""
    settings = {"target": "species", "training": {"trials": 1}}
    assert bench.configure(DATASET, settings).state is RunState.SUCCEEDED
    assert bench.drop(DATASET, "penguins.csv", (EXAMPLES / "penguins.csv").read_bytes()).state is RunState.SUCCEEDED
    assert bench.trained(DATASET, 1).state is RunState.SUCCEEDED
    # The second is taken over as the first: numbers are of an environment.
    theirs = bench.platform.registry.get(DATASET, 2)
    bench.approve(theirs.id, "good in staging")
    deployed = bench.ended(identity.automatic_deployment_run_id(DATASET, 2))
    assert deployed.state is RunState.SUCCEEDED, deployed.reason
    # Approved, and never deployed.
    bench.platform.registry.decide(DATASET, 3, approve=True, actor="tester", reason="as good", at=deployed.started_at)
    with acting_as("ExportVersion", bench.root) as exporter:
        with pytest.raises(NotDeployed, match="export it once it was deployed"):
            export(exporter, f"{DATASET}:3", environment="staging")
        address = export(exporter, theirs.id, environment="staging")
        with pytest.raises(ClientError, match="AccessDenied"):
            exporter.store.write(theirs.artifact_uri, b"another artefact")
    expected, source = predicted(bench, "stella"), bench.platform.store

    running = local_platform.start(tmp_path / LOCAL_STATE, port=0, assembly=assembly)
    try:
        there = connect("local", tmp_path)
        prod = Bench(bootstrap.platform(there), there.data_bucket, boto3.Session(), tmp_path)

        def taken_over() -> str:
            with acting_as("ImportVersion", tmp_path) as importer:
                return take_over(importer, address, source=source, environment="prod").id

        assert [taken_over(), taken_over()] == [f"{DATASET}:1"] * 2
        ours = prod.platform.registry.get(DATASET, 1)
        assert ours.approval.state is ApprovalState.PENDING
        assert ours.artifact_digest == theirs.artifact_digest

        prod.approve(ours.id, "good in prod too")
        run = prod.ended(identity.automatic_deployment_run_id(DATASET, 1))
        assert run.state is RunState.SUCCEEDED, run.reason
        assert "BuildServingArtefact" not in [step.name for step in run.steps]
        assert predicted(prod, "petra") == expected

        status, lineage = signed_in(prod, "paula", names.VIEWER_ROLE).get(f"/models/{ours.id}/lineage")
        assert status == 200, lineage
        assert (lineage["taken_over"]["environment"], lineage["taken_over"]["version_id"]) == ("staging", theirs.id)
        assert lineage["taken_over"]["approval"]["reason"] == "good in staging"

        source.write(theirs.artifact_uri, b"another artefact")
        with pytest.raises(EvaluationInvalid, match="is not what was exported"):
            taken_over()
    finally:
        running.stop()
        # This process was pointed at the second platform; the shared one is used by the tests that follow.
        connect("local", bench.root)
