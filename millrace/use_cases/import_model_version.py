"""Import a model version that another environment exported: copied by digest, registered anew, waiting for approval.

An operator does it, with credentials of the account: no role of the platform may write what a pickle is read from but
those that make one (docs/security.md).
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

from millrace import names
from millrace.domain import identity, model_export, place
from millrace.domain.model import Approval, ModelVersion, Origin
from millrace.domain.model_export import ARTIFACT, BASELINE, EVALUATION, ModelExport
from millrace.domain.page import version_page
from millrace.domain.run import Run, RunState
from millrace.errors import Conflict, EvaluationInvalid
from millrace.ports import Clock, DatasetCatalog, ModelRegistry, Notifier, ObjectStore, RunLedger
from millrace.use_cases.export_model_version import CHUNK_BYTES


def import_model_version(
    *,
    catalog: DatasetCatalog,
    registry: ModelRegistry,
    ledger: RunLedger,
    source: ObjectStore,
    store: ObjectStore,
    notifier: Notifier,
    clock: Clock,
    artifacts_bucket: str,
    environment: str,
    address: str,
    actor: str,
) -> ModelVersion:
    """The version as it is registered here. The same version of the same environment is imported once.

    `source` reads the other environment's bucket. Everything is there and proven before a number is claimed. Raises
    InvalidInput for what is no export, EvaluationInvalid for a file that is not the exported one, NotFound, and
    Conflict for a version of this very environment.
    """
    exported = model_export.opened(address, source.read(address))
    theirs = exported.version
    if exported.environment == environment:
        raise Conflict(f"{theirs.id} is a version of {environment} already")
    at, folder = clock.now(), address.rpartition("/")[0]
    run_id = identity.import_run_id(exported.environment, theirs.id, theirs.artifact_digest)
    with ExitStack() as closing:
        files = {
            file: closing.enter_context(_proven(source, f"{folder}/{file}", known))
            for file, known in exported.files.items()
        }
        catalog.ensure(theirs.lineage.dataset, at=at, actor=actor)
        ledger.open(
            Run(
                run_id=run_id,
                pipeline=names.IMPORT_PIPELINE,
                dataset=theirs.lineage.dataset,
                model=theirs.model,
                started_by=actor,
                started_at=at,
                input={"address": address},
            )
        )
        number = registry.claim_number(
            theirs.model, dataset=theirs.lineage.dataset, run_id=run_id, algorithm=theirs.algorithm, at=at
        )
        version = _version(exported, artifacts_bucket, number, run_id).model_copy(update={"created_at": at})
        if not registry.look_up([(theirs.model, number)]):
            for file, content in files.items():
                store.upload(place.model_uri(artifacts_bucket, theirs.model, number, _beside(file)), content)
    known = registry.register(version, actor=actor)
    said = f"Took {theirs.id} of {exported.environment} over as {known.id}."
    if ledger.close(run_id, state=RunState.SUCCEEDED, reason=None, steps=(), at=clock.now()):
        ledger.annotate(run_id, outcome=said)
        notifier.notify(
            subject=f"Millrace: approval needed for {known.id}",
            message=f"{said} It serves once somebody approves it here too: millrace approve {known.id} --reason …\n",
            path=version_page(known.model, known.number),
            attributes={"kind": "approval_needed", "model": known.model},
        )
    return known


def _proven(source: ObjectStore, uri: str, known: str) -> IO[bytes]:
    """A copy whose digest is the exported one: what is written later is what was looked at."""
    copy, seen = TemporaryFile(), hashlib.sha256()  # noqa: SIM115 - the caller closes it
    with source.open(uri) as content:
        while chunk := content.read(CHUNK_BYTES):
            copy.write(chunk)
            seen.update(chunk)
    found = seen.hexdigest()
    if found != known:
        copy.close()
        raise EvaluationInvalid(f"{uri} is not what was exported: its SHA-256 is {found}, not {known}. Export again")
    copy.seek(0)
    return copy


def _version(exported: ModelExport, bucket: str, number: int, run_id: str) -> ModelVersion:
    theirs = exported.version
    compared = theirs.verdict.compared_with
    origin = Origin(
        environment=exported.environment,
        version_id=theirs.id,
        run_id=theirs.lineage.run_id,
        files=exported.files,
        approval=theirs.approval,
        contract=exported.contract,
    )
    return theirs.model_copy(
        update={
            "number": number,
            "artifact_uri": place.model_uri(bucket, theirs.model, number, ARTIFACT),
            "evaluation_uri": place.model_uri(bucket, theirs.model, number, EVALUATION),
            "baseline_uri": theirs.baseline_uri and place.model_uri(bucket, theirs.model, number, BASELINE),
            # Versions there and here have the same names, and are others: nothing here was compared with it.
            "verdict": theirs.verdict.model_copy(update={"compared_with": f"{exported.environment}/{compared}"}),
            "recommended": False,
            "lineage": theirs.lineage.model_copy(update={"run_id": run_id, "champion_compared": None}),
            "approval": Approval(),
            "revision": 1,
            "origin": origin,
        }
    )


def _beside(file: str) -> str:
    """What serves there waits here, in `origin/`, until its golden rows were answered by this environment."""
    return f"{place.ORIGIN_FOLDER}/{file.removeprefix('serving/')}" if file.startswith("serving/") else file
