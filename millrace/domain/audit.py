"""The audit trail: who did what to what, in chains that show when somebody tampered with one entry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic_core import to_json

from millrace.domain.alert import Alert
from millrace.domain.api_key import ApiKey
from millrace.domain.channel import Channel
from millrace.domain.dataset import Contract, Dataset, DatasetSettings, DatasetVersion, Upload
from millrace.domain.drift import DriftSummary
from millrace.domain.entity import Entity, Moment
from millrace.domain.model import Approval, ModelEvent, ModelVersion, RegisteredModel
from millrace.domain.retraining import RetrainingDecision
from millrace.domain.run import Run
from millrace.domain.schedule import Firing, Schedule
from millrace.domain.transfer import Transfer
from millrace.domain.truth import TruthFile

FIRST_LINK = "0" * 64
"""What the first entry of a chain names as the hash of the one before it."""


class Action(StrEnum):
    DATASET_CREATED = "dataset.created"
    DATASET_CONFIGURED = "dataset.configured"
    CONTRACT_CHANGED = "contract.changed"
    UPLOAD_RECEIVED = "upload.received"
    UPLOAD_IDENTICAL = "upload.identical"
    UPLOAD_REJECTED = "upload.rejected"
    DATASET_VERSION_RESERVED = "dataset_version.reserved"
    DATASET_VERSION_ACCEPTED = "dataset_version.accepted"
    TRANSFER_OPENED = "transfer.open"
    TRANSFER_COMPLETED = "transfer.completed"
    TRANSFER_ABORTED = "transfer.aborted"
    RUN_STARTED = "run.started"
    RUN_ANNOTATED = "run.annotated"
    RUN_STOP_REQUESTED = "run.stop_requested"
    RUN_ENDED = "run.ended"
    MODEL_CREATED = "model.created"
    NUMBER_CLAIMED = "model_version.claimed"
    MODEL_VERSION_REGISTERED = "model_version.registered"
    MODEL_VERSION_APPROVED = "model_version.approved"
    MODEL_VERSION_REJECTED = "model_version.rejected"
    GROUND_TRUTH_RECORDED = "ground_truth.recorded"
    GROUND_TRUTH_TOLD = "ground_truth.told"
    DEPLOYMENT_REQUESTED = "model_version.deployment_requested"
    DEPLOYMENT_FAILED = "model_version.deployment_failed"
    ALIAS_MOVED = "alias.moved"
    SCHEDULE_CREATED = "schedule.created"
    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_DELETED = "schedule.deleted"
    SCHEDULE_FIRED = "schedule.fired"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_STEPPED = "rollout.stepped"
    ROLLOUT_PASSED = "rollout.passed"
    ROLLOUT_ENDED = "rollout.ended"
    DRIFT_REPORTED = "drift.reported"
    ALERT_OPENED = "alert.opened"
    ALERT_NOTICED = "alert.noticed"
    ALERT_WOKEN = "alert.woken"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_SNOOZED = "alert.snoozed"
    ALERT_CLOSED = "alert.closed"
    CHANNEL_CREATED = "channel.created"
    CHANNEL_CHANGED = "channel.changed"
    CHANNEL_DELETED = "channel.deleted"
    RETRAINING_DECIDED = "retraining.decided"


class Deed(NamedTuple):
    """What one change of the registry was. `subject` is the thing whose chain keeps it: `dataset:credit`."""

    subject: str
    actor: str
    action: Action
    detail: Mapping[str, Any]


class AuditEntry(Entity):
    """One deed, recorded. `sequence` counts the subject's entries without gaps; `hash` covers everything else here."""

    subject: str
    sequence: int
    at: Moment
    actor: str
    action: Action
    detail: dict[str, Any]
    previous_hash: str
    hash: str


class ChainHead(NamedTuple):
    """Where a chain ends: how many entries it has, and the hash of the last."""

    sequence: int
    hash: str


def following_entry(deed: Deed, head: ChainHead | None, at: datetime) -> AuditEntry:
    """The entry that records `deed` at the end of its subject's chain."""
    before = head or ChainHead(0, FIRST_LINK)
    # Through JSON, so that what is hashed is what will be read again: tuples are lists, times are text.
    detail = json.loads(to_json(dict(deed.detail), inf_nan_mode="null"))
    entry = AuditEntry(
        subject=deed.subject,
        sequence=before.sequence + 1,
        at=at,
        actor=deed.actor,
        action=deed.action,
        detail=detail,
        previous_hash=before.hash,
        hash="",
    )
    return entry.model_copy(update={"hash": hash_of(entry)})


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 over the hash before and the entry's canonical JSON: sorted names, no spaces."""
    said = entry.model_dump(mode="json", exclude={"hash", "previous_hash"})
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{entry.previous_hash}\n{canonical}".encode()).hexdigest()


def chain_faults(subject: str, entries: Iterable[AuditEntry], head: ChainHead | None) -> Iterator[str]:
    """What is wrong with one chain, read oldest first: each entry that was altered, removed or put in.

    Somebody who can write the table can also write a whole chain anew; that is not found here.
    """
    previous = ChainHead(0, FIRST_LINK)
    for entry in entries:
        yield from _entry_faults(subject, entry, previous)
        previous = ChainHead(entry.sequence, entry.hash)
    if head is None:
        yield f"{subject}: entries without the head that every chain has"
    elif head != previous:
        yield f"{subject}: the chain ends with entry {previous.sequence}, but its head names entry {head.sequence}"


def _entry_faults(subject: str, entry: AuditEntry, previous: ChainHead) -> Iterator[str]:
    where = f"{subject} entry {entry.sequence}"
    if entry.subject != subject:
        yield f"{where}: it belongs to {entry.subject}"
    if entry.hash != hash_of(entry):
        yield f"{where}: it was altered"
    if entry.sequence != previous.sequence + 1:
        yield f"{where}: it follows entry {previous.sequence}"
    elif entry.previous_hash != previous.hash:
        yield f"{where}: it does not continue entry {previous.sequence}"


def acting(run_id: str) -> str:
    """The actor of what a pipeline does by itself."""
    return f"run:{run_id}"


def dataset_subject(name: str) -> str:
    return f"dataset:{name}"


def run_subject(run_id: str) -> str:
    return f"run:{run_id}"


def model_subject(name: str) -> str:
    return f"model:{name}"


def schedule_subject(schedule_id: str) -> str:
    return f"schedule:{schedule_id}"


def api_key_subject(key_id: str) -> str:
    return f"api_key:{key_id}"


def alert_subject(alert_id: str) -> str:
    return f"alert:{alert_id}"


def channel_subject(channel_id: str) -> str:
    return f"channel:{channel_id}"


def alert_changed(before: Alert | None, after: Alert) -> Deed:
    """What made `after` of `before`: the new entry of its history, or one more notice of its cause."""
    new = after.history[len(before.history) if before else 0 :]
    detail = {"cause": after.cause, "state": after.state, "breaches": after.breaches, "model": after.model}
    if not new:
        signal = {"signal": after.signals[-1], "sentence": after.sentence}
        return Deed(alert_subject(after.alert_id), f"cause:{after.cause}", Action.ALERT_NOTICED, detail | signal)
    said = detail | {"reason": new[-1].reason, "until": after.snoozed_until}
    action = Action(f"alert.{new[-1].change.lower()}")
    return Deed(alert_subject(after.alert_id), new[-1].actor, action, said)


def channel_created(channel: Channel) -> Deed:
    detail = {"kind": channel.kind, "name": channel.name, "address": channel.address}
    return Deed(channel_subject(channel.channel_id), channel.created_by, Action.CHANNEL_CREATED, detail)


def channel_changed(before: Channel, after: Channel, actor: str) -> Deed:
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = {name: {"from": old[name], "to": new[name]} for name in new if new[name] != old[name]}
    return Deed(channel_subject(after.channel_id), actor, Action.CHANNEL_CHANGED, {"changed": changed})


def channel_deleted(channel: Channel, actor: str) -> Deed:
    return Deed(channel_subject(channel.channel_id), actor, Action.CHANNEL_DELETED, {"name": channel.name})


def retraining_decided(decision: RetrainingDecision) -> Deed:
    detail = {
        "trigger": decision.trigger,
        "start": decision.start,
        "reason": decision.reason,
        "sentence": decision.sentence,
        "run_id": decision.run_id,
    }
    return Deed(model_subject(decision.model), "governor", Action.RETRAINING_DECIDED, detail)


def dataset_created(dataset: Dataset) -> Deed:
    return Deed(dataset_subject(dataset.name), dataset.created_by, Action.DATASET_CREATED, {})


def dataset_configured(before: Dataset, after: DatasetSettings, upload: Upload | None, actor: str) -> Deed:
    old, new = before.settings.model_dump(mode="json"), after.model_dump(mode="json")
    changed = {name: {"from": old[name], "to": new[name]} for name in new if new[name] != old[name]}
    origin = {} if upload is None else {"upload_id": upload.upload_id, "key": upload.key}
    detail = {"revision": before.revision + 1, "changed": changed, **origin}
    return Deed(dataset_subject(before.name), actor, Action.DATASET_CONFIGURED, detail)


def contract_changed(contract: Contract) -> Deed:
    detail = {"contract": contract.version, "columns": len(contract.columns)}
    return Deed(dataset_subject(contract.dataset), contract.created_by, Action.CONTRACT_CHANGED, detail)


def upload_received(upload: Upload) -> Deed:
    return _of_upload(upload, Action.UPLOAD_RECEIVED, size_bytes=upload.size_bytes)


def upload_identical(upload: Upload, version: int) -> Deed:
    return _of_upload(upload, Action.UPLOAD_IDENTICAL, version=version, sha256=upload.sha256)


def upload_rejected(upload: Upload, reasons: Iterable[str]) -> Deed:
    return _of_upload(upload, Action.UPLOAD_REJECTED, version=upload.version, reasons=list(reasons))


def version_reserved(upload: Upload, version: int) -> Deed:
    return _of_upload(upload, Action.DATASET_VERSION_RESERVED, version=version, sha256=upload.sha256)


def version_accepted(version: DatasetVersion, contract: Contract | None) -> Deed:
    quality = version.quality
    detail = {
        "version": version.version,
        "upload_id": version.upload_id,
        "contract": version.contract_version if contract is None else contract.version,
        "accepted": None if quality is None else quality.accepted,
        "quarantined": None if quality is None else quality.quarantined,
    }
    return Deed(dataset_subject(version.dataset), acting(version.run_id), Action.DATASET_VERSION_ACCEPTED, detail)


def transfer_moved(transfer: Transfer, actor: str) -> Deed:
    """`transfer.state` is what it has become."""
    detail = {"transfer_id": transfer.transfer_id, "key": transfer.key, "size_bytes": transfer.size_bytes}
    return Deed(dataset_subject(transfer.dataset), actor, Action(f"transfer.{transfer.state.lower()}"), detail)


def run_started(run: Run) -> Deed:
    detail = {"pipeline": run.pipeline, "dataset": run.dataset, "dataset_version": run.dataset_version}
    return Deed(run_subject(run.run_id), run.started_by, Action.RUN_STARTED, detail)


def run_annotated(run_id: str, changes: Mapping[str, object]) -> Deed:
    return Deed(run_subject(run_id), acting(run_id), Action.RUN_ANNOTATED, changes)


def run_stop_requested(run_id: str, actor: str, reason: str) -> Deed:
    return Deed(run_subject(run_id), actor, Action.RUN_STOP_REQUESTED, {"reason": reason})


def run_ended(run: Run) -> Deed:
    return Deed(
        run_subject(run.run_id), acting(run.run_id), Action.RUN_ENDED, {"state": run.state, "reason": run.reason}
    )


def model_created(model: RegisteredModel, run_id: str) -> Deed:
    return Deed(model_subject(model.name), acting(run_id), Action.MODEL_CREATED, {"dataset": model.dataset})


def number_claimed(model: str, number: int, run_id: str, algorithm: str) -> Deed:
    detail = {"number": number, "algorithm": algorithm}
    return Deed(model_subject(model), acting(run_id), Action.NUMBER_CLAIMED, detail)


def version_registered(version: ModelVersion, actor: str) -> Deed:
    detail: dict[str, Any] = {
        "number": version.number,
        "algorithm": version.algorithm,
        "run_id": version.lineage.run_id,
        "artifact_digest": version.artifact_digest,
    }
    if version.origin is not None:
        detail["origin"] = {
            "environment": version.origin.environment,
            "version": version.origin.version_id,
            "approved_by": version.origin.approval.actor,
            "files": version.origin.files,
        }
    return Deed(model_subject(version.model), actor, Action.MODEL_VERSION_REGISTERED, detail)


def version_decided(version: ModelVersion, approval: Approval) -> Deed:
    """`approval.state` is APPROVED or REJECTED."""
    detail = {"number": version.number, "reason": approval.reason}
    action = Action(f"model_version.{approval.state.lower()}")
    return Deed(model_subject(version.model), str(approval.actor), action, detail)


def alias_moved(event: ModelEvent) -> Deed:
    detail = {
        "alias": event.alias,
        "from": event.previous_number,
        "to": event.number,
        "reason": event.reason,
    }
    return Deed(model_subject(event.model), event.actor, Action.ALIAS_MOVED, detail)


def rollout_moved(event: ModelEvent, share: float) -> Deed:
    """`share` of the requests is the challenger's from here on."""
    detail = {"number": event.number, "share": share, "reason": event.reason}
    action = Action(event.kind.lower().replace("_", ".", 1))
    return Deed(model_subject(event.model), event.actor, action, detail)


def ground_truth_recorded(file: TruthFile) -> Deed:
    counts = file.model_dump(include={"key", "rows", "kept", "repeated", "refused", "rejection"})
    return Deed(model_subject(file.model), "upload", Action.GROUND_TRUTH_RECORDED, counts)


def ground_truth_told(model: str, labels: int, days: Iterable[date], actor: str) -> Deed:
    """How many labels somebody told, and of which days; the labels themselves say who told them."""
    detail = {"labels": labels, "days": [day.isoformat() for day in sorted(days)]}
    return Deed(model_subject(model), actor, Action.GROUND_TRUTH_TOLD, detail)


def deployment_noted(event: ModelEvent) -> Deed:
    """Asked for again, or failed."""
    detail = {"number": event.number, "reason": event.reason}
    return Deed(model_subject(event.model), event.actor, Action(f"model_version.{event.kind.lower()}"), detail)


def schedule_created(schedule: Schedule) -> Deed:
    detail = _schedule_facts(schedule)
    return Deed(schedule_subject(schedule.schedule_id), schedule.created_by, Action.SCHEDULE_CREATED, detail)


def schedule_changed(before: Schedule, after: Schedule, actor: str) -> Deed:
    was, is_now = _schedule_facts(before), _schedule_facts(after)
    changed = {name: {"from": was[name], "to": is_now[name]} for name in was if was[name] != is_now[name]}
    return Deed(schedule_subject(after.schedule_id), actor, Action.SCHEDULE_CHANGED, {"changed": changed})


def schedule_deleted(schedule: Schedule, actor: str) -> Deed:
    return Deed(schedule_subject(schedule.schedule_id), actor, Action.SCHEDULE_DELETED, _schedule_facts(schedule))


def schedule_fired(firing: Firing) -> Deed:
    detail = firing.model_dump(mode="json", include={"due_at", "outcome", "run_id", "reason"})
    return Deed(schedule_subject(firing.schedule_id), firing.actor, Action.SCHEDULE_FIRED, detail)


def _schedule_facts(schedule: Schedule) -> dict[str, Any]:
    wanted = {"name", "action", "about", "expression", "timezone", "starts_at", "state"}
    return schedule.model_dump(mode="json", include=wanted)


def api_key_created(key: ApiKey) -> Deed:
    detail = {"name": key.name, "roles": key.roles, "expires_at": key.expires_at}
    return Deed(api_key_subject(key.key_id), key.owner, Action.API_KEY_CREATED, detail)


def api_key_revoked(key: ApiKey, actor: str) -> Deed:
    return Deed(api_key_subject(key.key_id), actor, Action.API_KEY_REVOKED, {"name": key.name, "owner": key.owner})


def drift_reported(report: DriftSummary) -> Deed:
    detail = {
        "report_id": report.id,
        "number": report.number,
        "kind": report.kind,
        "verdict": report.verdict,
        "drifted": list(report.drifted),
    }
    return Deed(model_subject(report.model), acting(report.run_id), Action.DRIFT_REPORTED, detail)


def _of_upload(upload: Upload, action: Action, **detail: object) -> Deed:
    said = {"upload_id": upload.upload_id, "key": upload.key, **detail}
    return Deed(dataset_subject(upload.dataset), acting(upload.run_id), action, said)
