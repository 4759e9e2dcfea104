"""Deploy an approved model version: once by its approval, again by a person."""

from __future__ import annotations

from typing import Any

from millrace import names
from millrace.domain import identity, place
from millrace.domain.model import ApprovalState, ModelVersion
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, Pipelines, RunLedger

_INSTANCE_TYPE = "ml.m5.large"
_MAX_RUNTIME_SECONDS = 3600


def deploy_model_version(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    pipelines: Pipelines,
    clock: Clock,
    artifacts_bucket: str,
    model: str,
    number: int,
    actor: str,
    reason: str,
    again: bool = False,
) -> Run:
    """The run that builds, checks and promotes the version; without `again` always the same one.

    Raises NotFound, and Conflict for a version that is not approved.
    """
    version = registry.get(model, number)
    if version.approval.state != ApprovalState.APPROVED:
        raise Conflict(f"{version.id} is {version.approval.state}: only an approved version is deployed")
    now = clock.now()
    run_id = (
        identity.requested_deployment_run_id(model, number, actor, now)
        if again
        else identity.automatic_deployment_run_id(model, number)
    )
    dataset = catalog.version(version.lineage.dataset, version.lineage.dataset_version)
    served_by = catalog.get(version.lineage.dataset).settings.deployment.served_by
    run = Run(
        run_id=run_id,
        pipeline=names.DEPLOYMENT_PIPELINE,
        dataset=dataset.dataset,
        dataset_version=dataset.version,
        model=model,
        started_by=actor,
        started_at=now,
        input={"served_by": served_by}
        | _payload(
            run_id, version, place.split_data_uri(dataset.location, "test"), artifacts_bucket, actor, reason, again
        ),
    )
    opened = ledger.open(run)
    if opened.state == RunState.RUNNING:
        pipelines.start(opened.pipeline, opened.run_id, opened.input)
    return opened


def _payload(
    run_id: str, version: ModelVersion, test_uri: str, artifacts_bucket: str, actor: str, reason: str, again: bool
) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "model": version.model,
        "number": version.number,
        "actor": actor,
        "reason": reason,
        "again": again,
        "artifact_uri": version.artifact_uri,
        "artifact_digest": version.artifact_digest,
        "test_uri": test_uri,
        # Without a slash at the end: SageMaker appends "/<file>".
        "serving_uri": place.run_uri(artifacts_bucket, run_id, "serving"),
        "export_job": identity.job_name(run_id, "export"),
        "instance_type": _INSTANCE_TYPE,
        "max_runtime_seconds": _MAX_RUNTIME_SECONDS,
    }
