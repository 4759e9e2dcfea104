"""The audit trail: each change of the registry leaves exactly one entry, and tampering with one entry shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest

from millrace.adapters.dynamodb import (
    DynamoAlertBook,
    DynamoApiKeys,
    DynamoAuditTrail,
    DynamoChannelBook,
    DynamoDatasetCatalog,
    DynamoDriftReports,
    DynamoModelRegistry,
    DynamoRetrainingLog,
    DynamoRunLedger,
    DynamoSchedules,
    DynamoTransfers,
    Table,
)
from millrace.adapters.memory import (
    InMemoryApiKeys,
    InMemoryAuditTrail,
    InMemoryDatasetCatalog,
    InMemoryDriftReports,
    InMemoryModelRegistry,
    InMemoryRunLedger,
    InMemorySchedules,
    InMemoryTransfers,
)
from millrace.adapters.memory_alerts import InMemoryAlertBook, InMemoryChannelBook, InMemoryRetrainingLog
from millrace.domain.alert import acknowledged, closed, noticed_again, opened, snoozed
from millrace.domain.audit import (
    Action,
    AuditEntry,
    ChainHead,
    Deed,
    api_key_subject,
    dataset_subject,
    following_entry,
    hash_of,
    model_subject,
    run_subject,
    schedule_subject,
)
from millrace.domain.dataset import Upload
from millrace.domain.model import ModelEventKind
from millrace.domain.rollout import DeploymentPolicy, Rollout, Strategy
from millrace.domain.run import RunState
from millrace.domain.transfer import TransferState
from millrace.errors import AlreadyDecided, ChangedMeanwhile, Conflict, NotFound
from millrace.ports import (
    AlertBook,
    ApiKeys,
    AuditTrail,
    ChannelBook,
    DatasetCatalog,
    DriftReports,
    ModelRegistry,
    RetrainingLog,
    RunLedger,
    Schedules,
    Transfers,
)
from millrace.use_cases.verify_audit import verify_audit
from tests.builders import (
    NOON,
    a_column,
    a_contract,
    a_drift_day,
    a_drift_summary,
    a_firing,
    a_model_version,
    a_run,
    a_schedule,
    a_transfer,
    a_truth_file,
    an_api_key,
    an_upload,
    later,
    prepared,
    settings,
)
from tests.contract.concurrency import all_at_once
from tests.contract.conftest import IMPLEMENTATIONS, TABLE
from tests.contract.test_alerts import a_decision
from tests.contract.test_pages import walked
from tests.unit.domain.test_alert import a_signal
from tests.unit.domain.test_channel import a_channel


class World(NamedTuple):
    catalog: DatasetCatalog
    ledger: RunLedger
    registry: ModelRegistry
    trail: AuditTrail
    transfers: Transfers
    api_keys: ApiKeys
    drift_reports: DriftReports
    schedules: Schedules
    alerts: AlertBook
    channels: ChannelBook
    retraining: RetrainingLog


class Ticking:
    """A clock that moves a second on whenever it is looked at."""

    def __init__(self) -> None:
        self._looks = 0

    def now(self) -> Any:
        self._looks += 1
        return later(self._looks / 60)


@pytest.fixture(params=IMPLEMENTATIONS)
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        trail = InMemoryAuditTrail(Ticking().now)
        return World(
            InMemoryDatasetCatalog(trail),
            InMemoryRunLedger(trail),
            InMemoryModelRegistry(trail),
            trail,
            InMemoryTransfers(trail),
            InMemoryApiKeys(trail),
            InMemoryDriftReports(trail),
            InMemorySchedules(trail),
            InMemoryAlertBook(trail),
            InMemoryChannelBook(trail),
            InMemoryRetrainingLog(trail),
        )
    table = Table(request.getfixturevalue("dynamodb"), TABLE, sleep=lambda _: None, now=Ticking().now)
    return World(
        DynamoDatasetCatalog(table),
        DynamoRunLedger(table),
        DynamoModelRegistry(table),
        DynamoAuditTrail(table),
        DynamoTransfers(table),
        DynamoApiKeys(table),
        DynamoDriftReports(table),
        DynamoSchedules(table),
        DynamoAlertBook(table),
        DynamoChannelBook(table),
        DynamoRetrainingLog(table),
    )


def entries(trail: AuditTrail) -> list[AuditEntry]:
    """Of everything, oldest first."""
    return [entry for page in walked(trail.page, limit=7) for entry in page][::-1]


def claim(world: World, upload: Upload) -> None:
    world.catalog.claim_content(upload, location_prefix="s3://d/x", quarantine_prefix="s3://d/q", at=NOON)


class Change(NamedTuple):
    do: Callable[[], Any]
    subject: str
    actor: str
    actions: tuple[Action, ...]


def everything(world: World) -> list[Change]:
    """Every change there is, in an order in which each is possible."""
    return [Change(do, subject, actor, tuple(actions)) for do, subject, actor, *actions in _everything(world)]


def _everything(world: World) -> list[tuple[Any, ...]]:
    catalog, ledger, registry, transfers = world.catalog, world.ledger, world.registry, world.transfers
    may, same, bad = an_upload("may.csv", sha256="x"), an_upload("same.csv", sha256="x"), an_upload("bad.csv")
    file, schedules = an_upload("dataset.yaml"), world.schedules
    scheduled, going = schedule_subject("0" * 16), schedule_subject("1" * 16)
    key, api_key = an_api_key(), api_key_subject(an_api_key().key_id)
    credit, run, model = dataset_subject("credit"), run_subject("training-1"), model_subject("credit")

    def accept() -> None:
        catalog.accept_version(prepared(catalog.version("credit", 1)), a_contract())

    def number(run_id: str) -> int:
        return registry.claim_number("credit", dataset="credit", run_id=run_id, algorithm="xgboost", at=NOON)

    def decide(number: int, approve: bool) -> None:
        registry.decide("credit", number, approve=approve, actor="bob", reason="because", at=NOON)

    def register(number: int) -> None:
        registry.register(a_model_version(number, model="credit", run_id=f"training-{number}"), actor="training")

    def roll_out(step: int | None, **facts: Any) -> None:
        policy = DeploymentPolicy(strategy=Strategy.LINEAR, share=0.4)
        facts = {"run_id": "d", "number": 2, "champion": 1, "started_at": NOON, "step_started_at": NOON, **facts}
        rollout = Rollout(policy=policy, step=step, **facts) if step else None
        registry.move_rollout("credit", rollout, run_id="d", number=2, actor="bob", reason="so", at=NOON)

    def note(kind: ModelEventKind) -> None:
        registry.note_deployment("credit", 1, kind, actor="bob", reason="it differs", at=NOON)

    def by(upload: Upload) -> str:
        return f"run:{upload.run_id}"

    return [
        (lambda: catalog.ensure("credit", at=NOON, actor="ada"), credit, "ada", Action.DATASET_CREATED),
        (
            lambda: catalog.configure("credit", settings(target="status"), revision=1, actor="bob"),
            credit,
            "bob",
            Action.DATASET_CONFIGURED,
        ),
        (lambda: catalog.open_upload(file), credit, by(file), Action.UPLOAD_RECEIVED),
        (
            lambda: catalog.configure("credit", settings(target="age"), revision=2, actor="run:x", upload=file),
            credit,
            "run:x",
            Action.DATASET_CONFIGURED,
        ),
        (lambda: catalog.open_upload(may), credit, by(may), Action.UPLOAD_RECEIVED),
        (lambda: claim(world, may), credit, by(may), Action.DATASET_VERSION_RESERVED),
        (accept, credit, by(may), Action.DATASET_VERSION_ACCEPTED),
        (lambda: catalog.open_upload(same), credit, by(same), Action.UPLOAD_RECEIVED),
        (lambda: claim(world, same), credit, by(same), Action.UPLOAD_IDENTICAL),
        (lambda: catalog.open_upload(bad), credit, by(bad), Action.UPLOAD_RECEIVED),
        (lambda: claim(world, bad), credit, by(bad), Action.DATASET_VERSION_RESERVED),
        (lambda: catalog.reject_upload(bad, ["torn"]), credit, by(bad), Action.UPLOAD_REJECTED),
        (
            lambda: catalog.put_contract(a_contract(2, columns=(a_column("age"),))),
            credit,
            "inference",
            Action.CONTRACT_CHANGED,
        ),
        (lambda: transfers.open(a_transfer("one")), credit, "ada", Action.TRANSFER_OPENED),
        (
            lambda: transfers.settle("credit", "one", TransferState.COMPLETED, actor="bob"),
            credit,
            "bob",
            Action.TRANSFER_COMPLETED,
        ),
        (lambda: transfers.open(a_transfer("two")), credit, "ada", Action.TRANSFER_OPENED),
        (
            lambda: transfers.settle("credit", "two", TransferState.ABORTED, actor="bob"),
            credit,
            "bob",
            Action.TRANSFER_ABORTED,
        ),
        (lambda: ledger.open(a_run()), run, a_run().started_by, Action.RUN_STARTED),
        (lambda: ledger.annotate("training-1", outcome="good"), run, "run:training-1", Action.RUN_ANNOTATED),
        (
            lambda: ledger.request_stop("training-1", actor="ada", reason="too slow"),
            run,
            "ada",
            Action.RUN_STOP_REQUESTED,
        ),
        (
            lambda: ledger.close("training-1", state=RunState.ABORTED, reason="stopped", steps=[], at=later(1)),
            run,
            "run:training-1",
            Action.RUN_ENDED,
        ),
        (lambda: number("training-1"), model, "run:training-1", Action.MODEL_CREATED, Action.NUMBER_CLAIMED),
        (lambda: register(1), model, "training", Action.MODEL_VERSION_REGISTERED),
        (lambda: number("training-2"), model, "run:training-2", Action.NUMBER_CLAIMED),
        (lambda: register(2), model, "training", Action.MODEL_VERSION_REGISTERED),
        (lambda: decide(1, True), model, "bob", Action.MODEL_VERSION_APPROVED),
        (lambda: decide(2, False), model, "bob", Action.MODEL_VERSION_REJECTED),
        (
            lambda: registry.move_alias("credit", "champion", 1, expected=None, actor="bob", reason="live", at=NOON),
            model,
            "bob",
            Action.ALIAS_MOVED,
        ),
        (
            lambda: note(ModelEventKind.DEPLOYMENT_FAILED),
            model,
            "bob",
            Action.DEPLOYMENT_FAILED,
        ),
        (lambda: registry.note_truth_file(a_truth_file()), model, "upload", Action.GROUND_TRUTH_RECORDED),
        (
            lambda: registry.note_truth_told("credit", "4" * 24, 7, days=[NOON.date()], actor="user:ada"),
            model,
            "user:ada",
            Action.GROUND_TRUTH_TOLD,
        ),
        (lambda: note(ModelEventKind.DEPLOYMENT_REQUESTED), model, "bob", Action.DEPLOYMENT_REQUESTED),
        (lambda: schedules.add(a_schedule()), scheduled, "user:ada", Action.SCHEDULE_CREATED),
        (
            lambda: schedules.change(a_schedule(name="new"), actor="user:bob"),
            scheduled,
            "user:bob",
            Action.SCHEDULE_CHANGED,
        ),
        (lambda: schedules.record(a_firing()), scheduled, a_schedule().actor, Action.SCHEDULE_FIRED),
        (lambda: schedules.add(a_schedule("1" * 16)), going, "user:ada", Action.SCHEDULE_CREATED),
        (lambda: schedules.delete("1" * 16, actor="user:bob"), going, "user:bob", Action.SCHEDULE_DELETED),
        (lambda: world.api_keys.add(key), api_key, "user:ada", Action.API_KEY_CREATED),
        (
            lambda: world.api_keys.revoke(key.key_id, actor="user:bob", at=NOON),
            api_key,
            "user:bob",
            Action.API_KEY_REVOKED,
        ),
        (lambda: roll_out(1), model, "bob", Action.ROLLOUT_STARTED),
        (lambda: roll_out(2), model, "bob", Action.ROLLOUT_STEPPED),
        (lambda: roll_out(2, passed=True), model, "bob", Action.ROLLOUT_PASSED),
        (lambda: roll_out(None), model, "bob", Action.ROLLOUT_ENDED),
        (
            lambda: world.drift_reports.record(a_drift_summary(), a_drift_day()),
            model,
            "run:drift-1",
            Action.DRIFT_REPORTED,
        ),
        *_of_alerts(world),
    ]


def _of_alerts(world: World) -> list[tuple[Any, ...]]:
    alerts, channels = world.alerts, world.channels
    first = opened(a_signal(1))
    second = noticed_again(first, a_signal(2))
    third = snoozed(second, until=later(200), actor="user:ada", at=later(130), reason="tonight")
    fourth = noticed_again(third, a_signal(5))
    fifth = acknowledged(fourth, actor="user:ada", at=later(310), reason="on it")
    sixth = closed(fifth, actor="user:bob", at=later(320), reason="gone")
    alert, channel = f"alert:{first.alert_id}", a_channel()
    off = channel.model_copy(update={"enabled": False, "revision": 2})
    told, log = f"channel:{channel.channel_id}", world.retraining
    return [
        (lambda: alerts.open(first, following=None), alert, "report:1", Action.ALERT_OPENED),
        (lambda: alerts.replace(second), alert, "cause:drift:credit:data", Action.ALERT_NOTICED),
        (lambda: alerts.replace(third), alert, "user:ada", Action.ALERT_SNOOZED),
        (lambda: alerts.replace(fourth), alert, "report:5", Action.ALERT_WOKEN),
        (lambda: alerts.replace(fifth), alert, "user:ada", Action.ALERT_ACKNOWLEDGED),
        (lambda: alerts.replace(sixth), alert, "user:bob", Action.ALERT_CLOSED),
        (lambda: channels.create(channel), told, "user:ada", Action.CHANNEL_CREATED),
        (lambda: channels.replace(off, actor="user:bob"), told, "user:bob", Action.CHANNEL_CHANGED),
        (lambda: channels.delete(off, actor="user:bob"), told, "user:bob", Action.CHANNEL_DELETED),
        (lambda: log.record(a_decision()), model_subject("credit"), "governor", Action.RETRAINING_DECIDED),
    ]


def test_each_change_leaves_exactly_one_entry_that_says_who_did_what(world: World) -> None:
    for change in everything(world):
        before = entries(world.trail)

        change.do()

        new = entries(world.trail)[len(before) :]
        assert [(entry.subject, entry.actor, entry.action) for entry in new] == [
            (change.subject, change.actor, action) for action in change.actions
        ]


def test_every_kind_of_entry_is_written_somewhere(world: World) -> None:
    assert {action for change in everything(world) for action in change.actions} == set(Action)


REPEATED = {
    Action.TRANSFER_COMPLETED,
    Action.TRANSFER_ABORTED,
    Action.DATASET_CONFIGURED,  # it names the revision it saw
    Action.CONTRACT_CHANGED,  # it names the version before it
    Action.RUN_ANNOTATED,  # it says something anew
    Action.RUN_STOP_REQUESTED,  # somebody may ask twice
    Action.MODEL_VERSION_APPROVED,
    Action.MODEL_VERSION_REJECTED,
    Action.ALIAS_MOVED,
    Action.API_KEY_CREATED,  # a key is drawn anew each time
    Action.API_KEY_REVOKED,
    Action.SCHEDULE_CHANGED,  # it names the revision it saw
    Action.SCHEDULE_DELETED,
    *(action for action in Action if action.startswith(("alert.", "channel."))),  # each names what it saw
}


def test_what_changes_nothing_when_repeated_leaves_no_entry(world: World) -> None:
    for change in everything(world):
        change.do()
        if REPEATED.isdisjoint(change.actions):
            before = entries(world.trail)
            change.do()
            assert entries(world.trail) == before


def test_a_refused_change_leaves_no_entry(world: World) -> None:
    for change in everything(world):
        change.do()
    before = entries(world.trail)
    upload = an_upload("may.csv", sha256="x")
    refused: list[tuple[Callable[[], Any], type[Exception]]] = [
        (lambda: world.catalog.configure("credit", settings(target="id"), revision=1, actor="eve"), Conflict),
        (lambda: world.catalog.put_contract(a_contract(2)), Conflict),
        (lambda: world.catalog.reject_upload(upload, ["no"]), Conflict),
        (lambda: world.transfers.settle("credit", "one", TransferState.ABORTED, actor="eve"), Conflict),
        (lambda: world.transfers.settle("credit", "none", TransferState.ABORTED, actor="eve"), NotFound),
        (lambda: world.schedules.change(a_schedule(name="x"), actor="eve"), ChangedMeanwhile),
        (lambda: world.schedules.delete("1" * 16, actor="eve"), NotFound),
        (lambda: world.schedules.record(a_firing(schedule_id="1" * 16)), NotFound),
        (lambda: world.api_keys.add(an_api_key()), Conflict),
        (lambda: world.api_keys.revoke("nobody's", actor="eve", at=NOON), NotFound),
        (lambda: world.api_keys.revoke(an_api_key().key_id, actor="eve", at=NOON), Conflict),
        (lambda: world.ledger.annotate("nobody's", outcome="x"), NotFound),
        (lambda: world.ledger.request_stop("nobody's", actor="eve", reason="x"), NotFound),
        (lambda: world.ledger.request_stop("training-1", actor="eve", reason="x"), Conflict),
        (
            lambda: world.registry.decide("credit", 1, approve=False, actor="eve", reason="no", at=NOON),
            AlreadyDecided,
        ),
        (
            lambda: world.registry.move_alias("credit", "champion", 2, expected=1, actor="eve", reason="no", at=NOON),
            Conflict,
        ),
    ]
    for attempt, error in refused:
        with pytest.raises(error):
            attempt()

    assert not world.ledger.close("training-1", state=RunState.FAILED, reason="late", steps=[], at=NOON)
    assert entries(world.trail) == before


def test_an_entry_says_what_changed(world: World) -> None:
    world.catalog.ensure("credit", at=NOON, actor="ada")
    world.catalog.configure("credit", settings(target="status"), revision=1, actor="bob")

    latest = world.trail.page(limit=1).items[0]

    assert latest.detail == {"revision": 2, "changed": {"target": {"from": None, "to": "status"}}}


def test_entries_come_latest_first_of_everybody_of_one_actor_and_of_one_subject(world: World) -> None:
    for change in everything(world):
        change.do()
    known = entries(world.trail)[::-1]

    by_ada = [entry for page in walked(world.trail.page, limit=1, actor="ada") for entry in page]
    credit = dataset_subject("credit")
    of_credit = [
        entry for page in walked(lambda **given: world.trail.page_of(credit, **given), limit=4) for entry in page
    ]

    assert [entry.at for entry in known] == sorted((entry.at for entry in known), reverse=True)
    assert by_ada == [entry for entry in known if entry.actor == "ada"]
    assert len(by_ada) > 1
    assert of_credit == [entry for entry in known if entry.subject == credit]
    assert [entry.sequence for entry in of_credit] == list(range(len(of_credit), 0, -1))


def test_a_trail_that_nobody_touched_is_whole(world: World) -> None:
    for change in everything(world):
        change.do()

    report = verify_audit(trail=world.trail)

    assert (report.chains, report.entries, report.faults) == (8, len(entries(world.trail)), ())


def test_changes_at_the_same_moment_all_find_their_place_in_the_chain(world: World) -> None:
    world.catalog.ensure("credit", at=NOON, actor="ada")
    uploads = [an_upload(f"{number}.csv") for number in range(12)]

    _, errors = all_at_once([partial(world.catalog.open_upload, upload) for upload in uploads])

    assert errors == []
    assert [entry.sequence for entry in world.trail.chain("dataset:credit")] == list(range(1, 14))
    assert verify_audit(trail=world.trail).faults == ()


@pytest.fixture
def whole(dynamodb: Any) -> DynamoAuditTrail:
    """Three entries about one dataset, and one about another."""
    table = Table(dynamodb, TABLE, sleep=lambda _: None, now=Ticking().now)
    catalog = DynamoDatasetCatalog(table)
    catalog.ensure("credit", at=NOON, actor="ada")
    catalog.configure("credit", settings(target="status"), revision=1, actor="bob")
    catalog.configure("credit", settings(target="age"), revision=2, actor="bob")
    catalog.ensure("churn", at=NOON, actor="ada")
    return DynamoAuditTrail(table)


def key(sk: str, subject: str = "dataset:credit") -> dict[str, Any]:
    return {"pk": {"S": f"AUDIT#{subject}"}, "sk": {"S": sk}}


def test_an_altered_entry_is_named(whole: DynamoAuditTrail, dynamodb: Any) -> None:
    item = dynamodb.get_item(TableName=TABLE, Key=key("ENTRY#00000002"))["Item"]
    item["body"]["S"] = item["body"]["S"].replace("bob", "eve")
    dynamodb.put_item(TableName=TABLE, Item=item)

    assert verify_audit(trail=whole).faults == ("dataset:credit entry 2: it was altered",)


def test_an_altered_entry_that_was_sealed_again_no_longer_fits(whole: DynamoAuditTrail, dynamodb: Any) -> None:
    entry = list(whole.chain("dataset:credit"))[1].model_copy(update={"actor": "eve"})
    sealed = entry.model_copy(update={"hash": hash_of(entry)})
    item = dynamodb.get_item(TableName=TABLE, Key=key("ENTRY#00000002"))["Item"]
    dynamodb.put_item(TableName=TABLE, Item=item | {"body": {"S": sealed.model_dump_json()}})

    assert verify_audit(trail=whole).faults == ("dataset:credit entry 3: it does not continue entry 2",)


@pytest.mark.parametrize(
    ("removed", "fault"),
    [
        ("ENTRY#00000001", "dataset:credit entry 2: it follows entry 0"),
        ("ENTRY#00000002", "dataset:credit entry 3: it follows entry 1"),
        ("ENTRY#00000003", "dataset:credit: the chain ends with entry 2, but its head names entry 3"),
        ("HEAD", "dataset:credit: entries without the head that every chain has"),
    ],
)
def test_a_removed_item_is_noticed(whole: DynamoAuditTrail, dynamodb: Any, removed: str, fault: str) -> None:
    dynamodb.delete_item(TableName=TABLE, Key=key(removed))

    assert verify_audit(trail=whole).faults == (fault,)


def test_the_only_entry_of_a_chain_is_missed_too(whole: DynamoAuditTrail, dynamodb: Any) -> None:
    dynamodb.delete_item(TableName=TABLE, Key=key("ENTRY#00000001", "dataset:churn"))

    assert verify_audit(trail=whole).faults == (
        "dataset:churn: the chain ends with entry 0, but its head names entry 1",
    )


def test_an_entry_put_at_the_end_is_noticed(whole: DynamoAuditTrail, dynamodb: Any) -> None:
    last = list(whole.chain("dataset:credit"))[-1]
    deed = Deed("dataset:credit", "eve", Action.DATASET_CONFIGURED, {})
    forged = following_entry(deed, ChainHead(last.sequence, last.hash), NOON)
    item = key("ENTRY#00000004") | {"body": {"S": forged.model_dump_json()}}
    dynamodb.put_item(TableName=TABLE, Item=item)

    assert verify_audit(trail=whole).faults == (
        "dataset:credit: the chain ends with entry 4, but its head names entry 3",
    )


def test_an_entry_of_another_chain_does_not_belong(whole: DynamoAuditTrail, dynamodb: Any) -> None:
    item = dynamodb.get_item(TableName=TABLE, Key=key("ENTRY#00000001", "dataset:churn"))["Item"]
    dynamodb.put_item(TableName=TABLE, Item=item | key("ENTRY#00000001"))

    faults = verify_audit(trail=whole).faults

    assert "dataset:credit entry 1: it belongs to dataset:churn" in faults


def test_a_chain_that_grows_while_it_is_read_is_read_again(whole: DynamoAuditTrail, table: Table) -> None:
    """The change comes between reading the head and reading the chain."""
    catalog, read = DynamoDatasetCatalog(table), whole.chain
    rivals: list[Callable[[], Any]] = [lambda: catalog.open_upload(an_upload())]

    class Growing(DynamoAuditTrail):
        def chain(self, subject: str) -> Any:
            if subject == "dataset:credit" and rivals:
                rivals.pop()()
            return read(subject)

    report = verify_audit(trail=Growing(table))

    assert (report.entries, report.faults) == (5, ())


@pytest.mark.parametrize("operation", ["configure", "put_contract"])
def test_an_edit_that_only_met_an_upload_in_the_chain_is_not_refused(
    dynamodb: Any, table: Table, operation: str
) -> None:
    """An upload arrives between the reading and the writing of an edit: they are different things."""
    catalog, call = DynamoDatasetCatalog(table), dynamodb._make_api_call
    catalog.ensure("credit", at=NOON, actor="ada")
    rivals = [lambda: catalog.open_upload(an_upload())]

    def intercepted(operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "TransactWriteItems" and rivals:
            rivals.pop()()
        return call(operation, arguments)

    dynamodb._make_api_call = intercepted

    if operation == "configure":
        catalog.configure("credit", settings(target="status"), revision=1, actor="bob")
    else:
        catalog.put_contract(a_contract(1))

    assert not rivals
    assert catalog.get("credit").revision == 2
    assert [entry.sequence for entry in DynamoAuditTrail(table).chain("dataset:credit")] == [1, 2, 3]
