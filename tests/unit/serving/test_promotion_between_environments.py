"""A model version goes from one environment to another: the same bytes, another decision."""

from __future__ import annotations

import json
from typing import Any

import pytest

from millrace.domain import model_export, place
from millrace.domain.model import ApprovalState, ModelVersion
from millrace.domain.model_export import ModelExport
from millrace.domain.retraining import RetrainingFacts, decide_retraining
from millrace.domain.run import RunState
from millrace.errors import Conflict, EvaluationInvalid, InvalidInput, NotDeployed
from millrace.use_cases.check_serving_artefact import check_serving_artefact
from millrace.use_cases.compare_model_versions import on_same_rows
from millrace.use_cases.deploy_model_version import deploy_model_version
from millrace.use_cases.describe_model_version import trace_model_version
from millrace.use_cases.export_model_version import export_model_version
from millrace.use_cases.govern_retraining import retraining_facts
from millrace.use_cases.import_model_version import import_model_version
from tests.builders import ARTIFACTS_BUCKET, a_run, later
from tests.unit.serving.conftest import Exported, check, put
from tests.unit.use_cases.world import ROWS, World

PROD_BUCKET = "prod-artifacts"


@pytest.fixture
def staging(world: World, versions: list[ModelVersion], first: Exported) -> World:
    """credit:1 was approved by ada, and serves."""
    world.ledger.open(a_run("deployment-1", pipeline="deployment"))
    put(world, first.files)
    check(world)
    return world


@pytest.fixture
def prod() -> World:
    return World()


def exported(staging: World, version_id: str = "credit:1") -> str:
    return export_model_version(
        registry=staging.registry,
        catalog=staging.catalog,
        store=staging.store,
        artifacts_bucket=ARTIFACTS_BUCKET,
        environment="staging",
        version_id=version_id,
    )


def imported(prod: World, staging: World, address: str, *, environment: str = "prod") -> ModelVersion:
    return import_model_version(
        catalog=prod.catalog,
        registry=prod.registry,
        ledger=prod.ledger,
        source=staging.store,
        store=prod.store,
        notifier=prod.notifier,
        clock=prod.clock,
        artifacts_bucket=PROD_BUCKET,
        environment=environment,
        address=address,
        actor="cli:olga",
    )


def beside(world: World, bucket: str, file: str) -> bytes:
    return world.store.read(place.model_uri(bucket, "credit", 1, file))


def nothing_happened(prod: World) -> bool:
    return not prod.registry.models() and not prod.catalog.list() and not prod.store.list(f"s3://{PROD_BUCKET}/")


def reexported(staging: World, address: str, **facts: Any) -> str:
    """An export that says something else, with a name that seals it."""
    document = ModelExport.model_validate_json(staging.store.read(address))
    name, body = model_export.sealed(document.model_copy(update=facts))
    changed = f"{address.rpartition('/')[0]}/{name}"
    staging.store.write(changed, body)
    return changed


def test_the_same_bytes_wait_for_another_approval_and_say_where_they_come_from(staging: World, prod: World) -> None:
    theirs = staging.registry.get("credit", 1)

    ours = imported(prod, staging, exported(staging))

    assert ours == prod.registry.get("credit", 1)
    assert ours.approval.state is ApprovalState.PENDING
    assert (ours.artifact_digest, ours.signature, ours.metrics) == (
        theirs.artifact_digest,
        theirs.signature,
        theirs.metrics,
    )
    assert ours.artifact_uri == f"s3://{PROD_BUCKET}/models/credit/v1/model.tar.gz"
    for file in ("model.tar.gz", "evaluation.json", "baseline.json"):
        assert beside(prod, PROD_BUCKET, file) == beside(staging, ARTIFACTS_BUCKET, file)
    for file in ("model.onnx", "golden.json", "serving.json"):
        assert beside(prod, PROD_BUCKET, f"origin/{file}") == beside(staging, ARTIFACTS_BUCKET, f"serving/{file}")
    assert prod.store.list(f"s3://{PROD_BUCKET}/models/credit/v1/serving/") == []
    assert ours.origin is not None
    assert (ours.origin.environment, ours.origin.version_id, ours.origin.run_id) == (
        "staging",
        "credit:1",
        theirs.lineage.run_id,
    )
    assert (ours.origin.approval.actor, ours.origin.approval.reason) == ("ada", "good")
    run = prod.ledger.get(ours.lineage.run_id)
    assert (run.state, run.started_by, run.outcome) == (
        RunState.SUCCEEDED,
        "cli:olga",
        "Took credit:1 of staging over as credit:1.",
    )
    assert "approval needed for credit:1" in str(prod.notifier.sent[-1])


def test_the_audit_trail_tells_the_origin(staging: World, prod: World) -> None:
    imported(prod, staging, exported(staging))

    (entry,) = [each for each in prod.audit.chain("model:credit") if each.action == "model_version.registered"]

    assert entry.actor == "cli:olga"
    assert entry.detail["origin"]["version"] == "credit:1"
    assert entry.detail["origin"]["approved_by"] == "ada"
    assert len(entry.detail["origin"]["files"]["model.tar.gz"]) == 64


def test_it_is_exported_to_one_place_and_imported_once_however_often(staging: World, prod: World) -> None:
    address = exported(staging)
    assert exported(staging) == address

    assert [imported(prod, staging, address).id for _ in range(3)] == ["credit:1"] * 3
    assert len(prod.registry.history("credit")) == 1
    assert len(prod.notifier.sent) == 1


def test_an_import_that_broke_off_is_finished_by_the_next(
    staging: World, prod: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, upload, sent = exported(staging), prod.store.upload, []

    def breaks(uri: str, body: Any, **named: Any) -> None:
        sent.append(uri)
        if len(sent) == 3:
            raise ConnectionError
        upload(uri, body, **named)

    monkeypatch.setattr(prod.store, "upload", breaks)
    with pytest.raises(ConnectionError):
        imported(prod, staging, address)
    assert prod.registry.versions("credit") == []

    ours = imported(prod, staging, address)

    assert ours.id == "credit:1"
    assert beside(prod, PROD_BUCKET, "origin/model.onnx") == beside(staging, ARTIFACTS_BUCKET, "serving/model.onnx")


@pytest.mark.parametrize("file", ["model.tar.gz", "evaluation.json", "baseline.json", "serving/golden.json"])
def test_a_file_that_changed_since_is_refused_and_nothing_is_written(staging: World, prod: World, file: str) -> None:
    address = exported(staging)
    staging.store.write(place.model_uri(ARTIFACTS_BUCKET, "credit", 1, file), b"other bytes")

    with pytest.raises(EvaluationInvalid, match="is not what was exported"):
        imported(prod, staging, address)

    assert nothing_happened(prod)


def test_an_export_that_was_changed_is_not_what_its_name_seals(staging: World, prod: World) -> None:
    address = exported(staging)
    staging.store.write(address, staging.store.read(address).replace(b"staging", b"another"))

    with pytest.raises(InvalidInput, match="not what its name seals"):
        imported(prod, staging, address)

    assert nothing_happened(prod)


def test_what_is_no_export_of_the_version_beside_it_is_refused(staging: World, prod: World) -> None:
    address = exported(staging)
    evaluation = f"{address.rpartition('/')[0]}/evaluation.json"
    other = address.replace("/v1/", "/v2/")
    staging.store.copy(address, other)
    files = ModelExport.model_validate_json(staging.store.read(address)).files
    more = reexported(staging, address, files=files | {"../v2/model.tar.gz": "0" * 64})
    fewer = reexported(staging, address, files={"model.tar.gz": files["model.tar.gz"]})

    for refused, why in (
        (evaluation, "is no export"),
        (other, "whose folder is another"),
        (more, "other files than a version has"),
        (fewer, "other files than a version has"),
    ):
        with pytest.raises(InvalidInput, match=why):
            imported(prod, staging, refused)
    assert nothing_happened(prod)


def test_only_what_was_approved_and_served_elsewhere_goes_elsewhere(staging: World, prod: World) -> None:
    with pytest.raises(Conflict, match="a version of staging already"):
        imported(prod, staging, exported(staging), environment="staging")
    with pytest.raises(NotDeployed, match="no serving artefact"):
        exported(staging, "credit:2")
    taken = imported(prod, staging, exported(staging))
    with pytest.raises(Conflict, match="PENDING"):
        exported(prod, taken.id)
    prod.registry.decide("credit", 1, approve=True, actor="bob", reason="here too", at=later(3))
    with pytest.raises(Conflict, match="comes from staging"):
        exported(prod, taken.id)


def test_whoever_imported_it_is_who_asked_for_it_where_four_eyes_are_wanted(staging: World, prod: World) -> None:
    from millrace.errors import NotAllowed
    from millrace.use_cases.approve_model_version import check_four_eyes

    ours = imported(prod, staging, exported(staging))
    prod.configure(four_eyes=True)

    with pytest.raises(NotAllowed, match="somebody else has to approve"):
        check_four_eyes(prod.catalog, prod.ledger, ours, "user:olga")
    check_four_eyes(prod.catalog, prod.ledger, ours, "user:bob")


def test_its_deployment_checks_what_served_there_in_place_of_building_it_again(staging: World, prod: World) -> None:
    imported(prod, staging, exported(staging))
    prod.registry.decide("credit", 1, approve=True, actor="bob", reason="here too", at=later(3))

    run = deploy_model_version(
        catalog=prod.catalog,
        registry=prod.registry,
        ledger=prod.ledger,
        pipelines=prod.pipelines,
        clock=prod.clock,
        artifacts_bucket=PROD_BUCKET,
        model="credit",
        number=1,
        actor="bob",
        reason="here too",
    )
    assert (run.input["taken_over"], run.input["test_uri"], run.dataset_version) == (True, None, None)
    assert run.input["serving_uri"] == f"s3://{PROD_BUCKET}/models/credit/v1/origin"
    document = check_serving_artefact(
        registry=prod.registry,
        ledger=prod.ledger,
        store=prod.store,
        artifacts_bucket=PROD_BUCKET,
        run_id=run.run_id,
        model="credit",
        number=1,
        serving_uri=run.input["serving_uri"],
    )

    assert document["check"]["worst_difference"] <= 1e-5
    assert beside(prod, PROD_BUCKET, "serving/model.onnx") == beside(staging, ARTIFACTS_BUCKET, "serving/model.onnx")
    assert json.loads(beside(prod, PROD_BUCKET, "serving/serving.json"))["check"] == document["check"]


def test_numbers_of_dataset_versions_there_are_not_taken_for_those_here(staging: World, prod: World) -> None:
    ours = imported(prod, staging, exported(staging))
    prod.ready(body=b"age,home,status\n1,own,good\n" * 40)
    here = ours.model_copy(
        update={"number": 2, "origin": None, "lineage": ours.lineage.model_copy(update={"dataset_sha256": "other"})}
    )

    assert trace_model_version(registry=prod.registry, catalog=prod.catalog, version=ours).upload_id is None
    assert not on_same_rows([ours, here])


def known_to_the_governor(prod: World) -> RetrainingFacts:
    return retraining_facts(
        catalog=prod.catalog, registry=prod.registry, ledger=prod.ledger, clock=prod.clock, model="credit"
    )


def test_the_governor_knows_which_rows_of_here_a_champion_from_elsewhere_has_seen(staging: World, prod: World) -> None:
    ours = imported(prod, staging, exported(staging))
    prod.registry.decide("credit", 1, approve=True, actor="bob", reason="good", at=later(6))
    prod.registry.move_alias("credit", "champion", 1, expected=None, actor="bob", reason="good", at=later(7))
    prod.configure(target="status", retraining={"cool_down_hours": 0, "min_new_rows": 1})

    without_rows = decide_retraining(known_to_the_governor(prod))
    assert without_rows.sentence == (
        "Retraining cannot help: there are no labels here, and credit:1 was trained on those of staging."
    )

    # The very file that it was trained on, and then another.
    the_same = prod.ready(body=ROWS + b"0")
    assert the_same.sha256 == ours.lineage.dataset_sha256
    assert "no new labels since v1, which credit:1 was trained on" in (
        decide_retraining(known_to_the_governor(prod)).sentence
    )
    prod.ready("uploads/credit/june.csv", ROWS + b"3,9,9,own,new,good\n")
    said = decide_retraining(known_to_the_governor(prod))
    assert said.start
    assert said.sentence.startswith("Training starts: v2 brings")
