"""Fakes of every port: they keep everything in memory and pass the same tests as the real adapters."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import wraps
from operator import itemgetter
from threading import RLock
from typing import IO, Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from millrace.adapters.clock import SystemClock
from millrace.domain import audit
from millrace.domain.api_key import ApiKey
from millrace.domain.audit import AuditEntry, ChainHead, Deed, following_entry
from millrace.domain.dataset import (
    Contract,
    Dataset,
    DatasetSettings,
    DatasetVersion,
    Upload,
    UploadState,
    VersionState,
)
from millrace.domain.drift import DriftDay, DriftKind, DriftSummary, counts_better, outranks
from millrace.domain.endpoint_use import EndpointUse
from millrace.domain.event import DomainEvent
from millrace.domain.model import (
    CHAMPION,
    Approval,
    ApprovalState,
    ModelEvent,
    ModelEventKind,
    ModelVersion,
    RegisteredModel,
    rollout_moves,
    with_alias,
    with_decided,
    with_registered,
)
from millrace.domain.place import split_uri
from millrace.domain.rollout import Rollout
from millrace.domain.run import Job, Run, RunState, Step
from millrace.domain.schedule import Firing, Schedule
from millrace.domain.tally import Amounts, DayTally, Tally, counted, day_tally, whole
from millrace.domain.traffic import TrafficCounts, TrafficHour, added, hour_of, traffic_hour
from millrace.domain.transfer import Transfer, TransferState
from millrace.domain.truth import TruthFile
from millrace.errors import (
    AlreadyDecided,
    ChangedMeanwhile,
    Conflict,
    ContractMoved,
    EndpointFailed,
    InvalidInput,
    KeyReused,
    NotFound,
)
from millrace.ports import (
    ContentClaim,
    DatasetCatalog,
    EndpointSpec,
    LogLine,
    LogTail,
    ModelRegistry,
    ObjectInfo,
    ObjectStore,
    Page,
    RunLedger,
    SentPart,
    UnfinishedUpload,
)

T = TypeVar("T")
P = ParamSpec("P")


class _Locked(Protocol):
    _lock: RLock


Self = TypeVar("Self", bound=_Locked)


def _one_at_a_time(method: Callable[Concatenate[Self, P], T]) -> Callable[Concatenate[Self, P], T]:
    """What a transaction is to DynamoDB: no other call of the same fake happens in between."""

    @wraps(method)
    def locked(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked


class InMemoryAuditTrail:
    """`now` is the time that entries carry."""

    def __init__(self, now: Callable[[], datetime] | None = None) -> None:
        self._lock = RLock()
        self._now = now or SystemClock().now
        self._chains: dict[str, list[AuditEntry]] = {}

    @_one_at_a_time
    def record(self, deed: Deed) -> None:
        entry = following_entry(deed, self.head(deed.subject), self._now())
        self._chains.setdefault(deed.subject, []).append(entry)

    def page(self, *, actor: str | None = None, after: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        found = [entry for chain in self._chains.values() for entry in chain if actor in (None, entry.actor)]
        return _page(sorted(found, key=_recorded, reverse=True), _recorded, after, limit, newest_first=True)

    def page_of(self, subject: str, *, after: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        found = list(reversed(self._chains.get(subject, [])))
        return _page(found, lambda entry: f"{entry.sequence:08}", after, limit, newest_first=True)

    def subjects(self) -> Iterator[str]:
        return iter(sorted(self._chains))

    def chain(self, subject: str) -> Iterator[AuditEntry]:
        return iter(list(self._chains.get(subject, [])))

    def head(self, subject: str) -> ChainHead | None:
        chain = self._chains.get(subject)
        return ChainHead(chain[-1].sequence, chain[-1].hash) if chain else None


def _recorded(entry: AuditEntry) -> str:
    return f"{entry.at.isoformat(timespec='microseconds')}#{entry.subject}#{entry.sequence:08}"


class InMemoryTransfers:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._transfers: dict[tuple[str, str], Transfer] = {}

    @_one_at_a_time
    def open(self, transfer: Transfer) -> Transfer:
        key = (transfer.dataset, transfer.transfer_id)
        if key not in self._transfers:
            self._transfers[key] = transfer
            self._trail.record(audit.transfer_moved(transfer, transfer.actor))
        return self._transfers[key]

    def get(self, dataset: str, transfer_id: str) -> Transfer:
        missing = f"dataset {dataset} has no transfer {transfer_id}"
        return _existing(self._transfers, (dataset, transfer_id), missing)

    @_one_at_a_time
    def settle(self, dataset: str, transfer_id: str, state: TransferState, *, actor: str) -> Transfer:
        transfer = self.get(dataset, transfer_id)
        if transfer.state is not TransferState.OPEN:
            raise Conflict(f"transfer {transfer_id} is {transfer.state} already")
        settled = transfer.model_copy(update={"state": state})
        self._transfers[dataset, transfer_id] = settled
        self._trail.record(audit.transfer_moved(settled, actor))
        return settled


class InMemorySchedules:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._schedules: dict[str, Schedule] = {}
        self._firings: dict[tuple[str, datetime], Firing] = {}

    @_one_at_a_time
    def add(self, schedule: Schedule) -> Schedule:
        if schedule.schedule_id not in self._schedules:
            self._schedules[schedule.schedule_id] = schedule
            self._trail.record(audit.schedule_created(schedule))
        return self._schedules[schedule.schedule_id]

    def get(self, schedule_id: str) -> Schedule:
        return _existing(self._schedules, schedule_id, f"there is no schedule {schedule_id}")

    def page(self, *, after: str | None = None, limit: int = 50) -> Page[Schedule]:
        def made(schedule: Schedule) -> str:
            return f"{schedule.created_at.isoformat(timespec='microseconds')}#{schedule.schedule_id}"

        found = sorted(self._schedules.values(), key=made, reverse=True)
        return _page(found, made, after, limit, newest_first=True)

    @_one_at_a_time
    def change(self, changed: Schedule, *, actor: str) -> Schedule:
        seen = self.get(changed.schedule_id)
        if seen.revision != changed.revision:
            raise ChangedMeanwhile(f"schedule {changed.schedule_id} changed since you looked at it: look again")
        after = changed.model_copy(update={"revision": seen.revision + 1, "last_firing": seen.last_firing})
        self._schedules[changed.schedule_id] = after
        self._trail.record(audit.schedule_changed(seen, after, actor))
        return after

    @_one_at_a_time
    def delete(self, schedule_id: str, *, actor: str) -> Schedule:
        seen = self.get(schedule_id)
        del self._schedules[schedule_id]
        self._trail.record(audit.schedule_deleted(seen, actor))
        return seen

    @_one_at_a_time
    def record(self, firing: Firing) -> Firing:
        key = (firing.schedule_id, firing.due_at)
        if key not in self._firings:
            known = self.get(firing.schedule_id)
            self._schedules[firing.schedule_id] = known.model_copy(update={"last_firing": firing})
            self._firings[key] = firing
            self._trail.record(audit.schedule_fired(firing))
        return self._firings[key]

    def firing(self, schedule_id: str, due_at: datetime) -> Firing | None:
        return self._firings.get((schedule_id, due_at))

    def firings(self, schedule_id: str, *, limit: int) -> Sequence[Firing]:
        found = [firing for (owner, _), firing in self._firings.items() if owner == schedule_id]
        return sorted(found, key=lambda firing: firing.due_at, reverse=True)[:limit]


class SetTimer(NamedTuple):
    schedule: Schedule
    begin_at: datetime | None


class InMemoryTimer:
    """Timers that wake nobody: `set_to` says what they were set to last."""

    def __init__(self) -> None:
        self.set_to: dict[str, SetTimer] = {}

    def set(self, schedule: Schedule, *, begin_at: datetime | None) -> None:
        self.set_to[schedule.schedule_id] = SetTimer(schedule, begin_at)

    def remove(self, schedule_id: str) -> None:
        self.set_to.pop(schedule_id, None)


class InMemoryApiKeys:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._keys: dict[str, ApiKey] = {}
        self.uses_noted = 0

    @_one_at_a_time
    def add(self, key: ApiKey) -> None:
        if key.key_id in self._keys:
            raise Conflict(f"there is an API key {key.key_id} already")
        self._keys[key.key_id] = key
        self._trail.record(audit.api_key_created(key))

    def get(self, key_id: str) -> ApiKey:
        return _existing(self._keys, key_id, f"there is no API key {key_id}")

    def page(self, *, owner: str | None = None, after: str | None = None, limit: int = 50) -> Page[ApiKey]:
        def made(key: ApiKey) -> str:
            return f"{key.created_at.isoformat(timespec='microseconds')}#{key.key_id}"

        found = [key for key in self._keys.values() if owner in (None, key.owner)]
        return _page(sorted(found, key=made, reverse=True), made, after, limit, newest_first=True)

    @_one_at_a_time
    def revoke(self, key_id: str, *, actor: str, at: datetime) -> ApiKey:
        key = self.get(key_id)
        if key.revoked_at is not None:
            raise Conflict(f"API key {key_id} was revoked by {key.revoked_by} already")
        self._keys[key_id] = key.model_copy(update={"revoked_at": at, "revoked_by": actor})
        self._trail.record(audit.api_key_revoked(self._keys[key_id], actor))
        return self._keys[key_id]

    @_one_at_a_time
    def note_use(self, key: ApiKey, *, at: datetime) -> None:
        stored = self._keys[key.key_id]
        if stored.last_used_at == key.last_used_at:
            self._keys[key.key_id] = stored.model_copy(update={"last_used_at": at})
            self.uses_noted += 1


class InMemoryMultipartUploads:
    """Parts arrive by `put`, as they would at their addresses; the object lands in `store`."""

    def __init__(self, store: ObjectStore, *, now: Callable[[], datetime] | None = None) -> None:
        self._now = now or SystemClock().now
        self._began: dict[tuple[str, str], datetime] = {}
        self._lock = RLock()
        self._store = store
        self._begun = 0
        self._parts: dict[tuple[str, str], dict[int, bytes]] = {}

    @_one_at_a_time
    def begin(self, uri: str) -> str:
        self._begun += 1
        self._parts[uri, f"multipart-{self._begun}"] = {}
        self._began[uri, f"multipart-{self._begun}"] = self._now()
        return f"multipart-{self._begun}"

    def part_address(self, uri: str, multipart_id: str, number: int, *, seconds: int) -> str:
        return f"https://{uri.removeprefix('s3://')}?partNumber={number}&uploadId={multipart_id}&expires={seconds}"

    def put(self, uri: str, multipart_id: str, number: int, body: bytes) -> None:
        self._sent(uri, multipart_id)[number] = body

    def parts(self, uri: str, multipart_id: str) -> Sequence[SentPart]:
        sent = self._sent(uri, multipart_id)
        return [SentPart(number, len(body), f"etag-{number}") for number, body in sorted(sent.items())]

    @_one_at_a_time
    def complete(self, uri: str, multipart_id: str) -> None:
        sent = self._sent(uri, multipart_id)
        self._store.write(uri, b"".join(body for _, body in sorted(sent.items())))
        del self._parts[uri, multipart_id]

    @_one_at_a_time
    def abort(self, uri: str, multipart_id: str) -> None:
        self._parts.pop((uri, multipart_id), None)

    def unfinished(self, prefix_uri: str) -> Sequence[UnfinishedUpload]:
        return [
            UnfinishedUpload(uri, multipart_id, self._began[uri, multipart_id])
            for uri, multipart_id in self._parts
            if uri.startswith(prefix_uri)
        ]

    def _sent(self, uri: str, multipart_id: str) -> dict[int, bytes]:
        return _existing(self._parts, (uri, multipart_id), f"there is no upload in parts of {uri}")


class InMemoryDownloads:
    def address(self, uri: str, *, file_name: str, seconds: int) -> str:
        return f"https://{uri.removeprefix('s3://')}?name={file_name}&expires={seconds}"


class PublishedFile(NamedTuple):
    body: bytes
    content_type: str
    cache_control: str


class InMemorySite:
    """`writes` are the paths in the order in which they were written; `refreshed` what readers have seen since."""

    def __init__(self) -> None:
        self.files: dict[str, PublishedFile] = {}
        self.writes: list[str] = []
        self.refreshed: dict[str, PublishedFile] = {}

    def write(self, path: str, body: bytes, *, content_type: str, cache_control: str) -> None:
        self.files[path] = PublishedFile(body, content_type, cache_control)
        self.writes.append(path)

    def refresh(self) -> None:
        self.refreshed = dict(self.files)


class InMemoryTallies:
    """Counted anew at every look: what the kept counts must equal."""

    def __init__(self, catalog: DatasetCatalog, ledger: RunLedger, registry: ModelRegistry) -> None:
        self._catalog, self._ledger, self._registry = catalog, ledger, registry

    def now(self) -> Tally:
        datasets, models = self._catalog.list(), self._registry.models()
        return counted(
            datasets=len(datasets),
            dataset_versions=(each for dataset in datasets for each in self._catalog.versions(dataset.name)),
            models=len(models),
            model_versions=(each for model in models for each in self._registry.versions(model.name)),
            runs=self._runs(),
        )

    def days(self, first: date, last: date) -> Sequence[DayTally]:
        by_day: dict[date, list[Amounts]] = {}
        for run in sorted(self._runs(), key=lambda run: run.started_at):
            if first <= run.started_at.date() <= last:
                by_day.setdefault(run.started_at.date(), []).append(whole(run))
        return [day_tally(day, parts) for day, parts in by_day.items()]

    def _runs(self) -> Iterator[Run]:
        position: str | None = None
        while True:
            page = self._ledger.page(after=position)
            yield from page.items
            position = page.position
            if position is None:
                return


class InMemoryDatasetCatalog:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._datasets: dict[str, Dataset] = {}
        self._contracts: dict[tuple[str, int], Contract] = {}
        self._uploads: dict[tuple[str, str], Upload] = {}
        self._versions: dict[tuple[str, int], DatasetVersion] = {}
        self._contents: dict[tuple[str, str | None], int] = {}

    @_one_at_a_time
    def ensure(self, name: str, *, at: datetime, actor: str) -> Dataset:
        if name not in self._datasets:
            self._datasets[name] = Dataset(name=name, created_at=at, created_by=actor)
            self._trail.record(audit.dataset_created(self._datasets[name]))
        return self._datasets[name]

    def get(self, name: str) -> Dataset:
        return _existing(self._datasets, name, f"there is no dataset {name}")

    def list(self) -> Sequence[Dataset]:
        return [self._datasets[name] for name in sorted(self._datasets)]

    def page(self, *, after: str | None = None, limit: int = 50, reverse: bool = False) -> Page[Dataset]:
        found = sorted(self.list(), key=lambda dataset: dataset.name, reverse=reverse)
        return _page(found, lambda dataset: dataset.name, after, limit, newest_first=reverse)

    @_one_at_a_time
    def configure(
        self, name: str, settings: DatasetSettings, *, revision: int, actor: str, upload: Upload | None = None
    ) -> Dataset:
        seen = self.get(name)
        if seen.revision != revision:
            raise Conflict(f"the settings of {name} changed meanwhile")
        if upload is not None:
            if self.upload(name, upload.upload_id).state != UploadState.RECEIVED:
                raise Conflict(f"upload {upload.upload_id} was settled meanwhile")
            self._keep(upload, state=UploadState.ACCEPTED)
        self._trail.record(audit.dataset_configured(seen, settings, upload, actor))
        return self._change(seen, settings=settings, revision=revision + 1)

    def contract(self, name: str, version: int) -> Contract:
        return _existing(self._contracts, (name, version), f"dataset {name} has no contract {version}")

    @_one_at_a_time
    def put_contract(self, contract: Contract) -> Dataset:
        seen = self.get(contract.dataset)
        if contract.version != seen.contract_version + 1:
            raise Conflict(f"contract {contract.version} of {contract.dataset} is not the next one")
        self._contracts[contract.dataset, contract.version] = contract
        self._trail.record(audit.contract_changed(contract))
        return self._change(seen, contract_version=contract.version, revision=seen.revision + 1)

    @_one_at_a_time
    def open_upload(self, upload: Upload) -> Upload:
        key = (upload.dataset, upload.upload_id)
        if key not in self._uploads:
            self._uploads[key] = upload
            self._trail.record(audit.upload_received(upload))
        return self._uploads[key]

    def upload(self, dataset: str, upload_id: str) -> Upload:
        return _existing(self._uploads, (dataset, upload_id), f"dataset {dataset} has no upload {upload_id}")

    def uploads(self, dataset: str) -> Sequence[Upload]:
        found = [upload for (owner, _), upload in self._uploads.items() if owner == dataset]
        return sorted(found, key=lambda upload: (upload.received_at, upload.upload_id), reverse=True)

    def page_uploads(self, dataset: str, *, after: str | None = None, limit: int = 50) -> Page[Upload]:
        def key(upload: Upload) -> str:
            return f"{upload.received_at.isoformat()}#{upload.upload_id}"

        return _page(self.uploads(dataset), key, after, limit, newest_first=True)

    @_one_at_a_time
    def claim_content(
        self, upload: Upload, *, location_prefix: str, quarantine_prefix: str, at: datetime
    ) -> ContentClaim:
        stored = self.upload(upload.dataset, upload.upload_id)
        if stored.state == UploadState.REJECTED:
            raise Conflict(f"upload {upload.upload_id} was rejected")
        if stored.version is not None:
            return ContentClaim(stored.version, new=stored.state != UploadState.IDENTICAL)
        known = self._contents.get((upload.dataset, upload.sha256))
        if known is not None:
            self._keep(upload, state=UploadState.IDENTICAL, version=known)
            self._trail.record(audit.upload_identical(upload, known))
            return ContentClaim(known, new=False)
        dataset = self.get(upload.dataset)
        number = dataset.latest_version + 1
        self._versions[upload.dataset, number] = DatasetVersion(
            dataset=upload.dataset,
            version=number,
            upload_id=upload.upload_id,
            sha256=str(upload.sha256),
            location=f"{location_prefix}/v{number}/",
            quarantine_location=f"{quarantine_prefix}/v{number}/",
            dialect=upload.dialect,
            run_id=upload.run_id,
            created_at=at,
        )
        self._contents[upload.dataset, upload.sha256] = number
        self._keep(upload, state=UploadState.PREPARING, version=number)
        self._trail.record(audit.version_reserved(upload, number))
        self._change(dataset, latest_version=number)
        return ContentClaim(number, new=True)

    def version(self, dataset: str, version: int) -> DatasetVersion:
        return _existing(self._versions, (dataset, version), f"dataset {dataset} has no version {version}")

    def look_up(self, versions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], DatasetVersion]:
        return {key: self._versions[key] for key in versions if key in self._versions}

    def versions(self, dataset: str) -> Sequence[DatasetVersion]:
        found = [version for (owner, _), version in self._versions.items() if owner == dataset]
        return sorted(found, key=lambda version: version.version, reverse=True)

    def page_versions(self, dataset: str, *, after: str | None = None, limit: int = 50) -> Page[DatasetVersion]:
        return _page(self.versions(dataset), lambda version: f"{version.version:08}", after, limit, newest_first=True)

    @_one_at_a_time
    def accept_version(self, version: DatasetVersion, contract: Contract | None) -> None:
        stored = self.version(version.dataset, version.version)
        if stored.state == VersionState.READY:
            return
        if stored.state == VersionState.REJECTED:
            raise Conflict(f"version {version.version} of {version.dataset} was rejected")
        dataset = self.get(version.dataset)
        if dataset.contract_version != (0 if contract is not None else version.contract_version):
            raise ContractMoved(f"contract {dataset.contract_version} of {version.dataset} is in force now")
        if contract is not None:
            self._contracts[contract.dataset, contract.version] = contract
        self._versions[version.dataset, version.version] = version.model_copy(update={"state": VersionState.READY})
        self._keep(self.upload(version.dataset, version.upload_id), state=UploadState.ACCEPTED)
        self._trail.record(audit.version_accepted(version, contract))
        self._change(
            dataset,
            latest_ready_version=max(dataset.latest_ready_version, version.version),
            contract_version=dataset.contract_version if contract is None else contract.version,
        )

    @_one_at_a_time
    def reject_upload(self, upload: Upload, reasons: Sequence[str]) -> None:
        stored = self.upload(upload.dataset, upload.upload_id)
        if stored.state == UploadState.REJECTED:
            return
        if stored.state in (UploadState.ACCEPTED, UploadState.IDENTICAL):
            raise Conflict(f"upload {upload.upload_id} is {stored.state} already")
        if stored.version is not None:
            version = self._versions[upload.dataset, stored.version]
            self._versions[upload.dataset, stored.version] = version.model_copy(
                update={"state": VersionState.REJECTED, "reasons": tuple(reasons)}
            )
            del self._contents[upload.dataset, stored.sha256]
        self._keep(stored, state=UploadState.REJECTED, reasons=tuple(reasons))
        self._trail.record(audit.upload_rejected(stored, reasons))

    def _keep(self, upload: Upload, **changes: object) -> None:
        self._uploads[upload.dataset, upload.upload_id] = upload.model_copy(update=changes)

    def _change(self, dataset: Dataset, **changes: object) -> Dataset:
        changed = dataset.model_copy(update=changes)
        self._datasets[dataset.name] = changed
        return changed


class InMemoryRunLedger:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._runs: dict[str, Run] = {}

    @_one_at_a_time
    def open(self, run: Run) -> Run:
        if run.run_id not in self._runs:
            self._runs[run.run_id] = run
            self._trail.record(audit.run_started(run))
        return self._runs[run.run_id]

    def get(self, run_id: str) -> Run:
        return _existing(self._runs, run_id, f"there is no run {run_id}")

    def list(self, *, pipeline: str | None = None, state: RunState | None = None, limit: int = 50) -> Sequence[Run]:
        found = [
            run for run in list(self._runs.values()) if pipeline in (None, run.pipeline) and state in (None, run.state)
        ]
        return sorted(found, key=lambda run: (run.started_at, run.run_id), reverse=True)[:limit]

    def page(
        self,
        *,
        pipeline: str | None = None,
        state: RunState | None = None,
        dataset: str | None = None,
        after: str | None = None,
        limit: int = 50,
        reverse: bool = False,
    ) -> Page[Run]:
        found = self.list(pipeline=pipeline, state=state, limit=len(self._runs))
        kept = [run for run in found if dataset in (None, run.dataset)]

        def position(run: Run) -> str:
            return f"{run.started_at.isoformat(timespec='microseconds')}#{run.run_id}"

        return _page(sorted(kept, key=position, reverse=not reverse), position, after, limit, newest_first=not reverse)

    @_one_at_a_time
    def annotate(self, run_id: str, *, dataset_version: int | None = None, outcome: str | None = None) -> None:
        found = {"dataset_version": dataset_version, "outcome": outcome}
        changes = {name: value for name, value in found.items() if value is not None}
        run = self.get(run_id)
        self._runs[run_id] = run.model_copy(update={**changes, "revision": run.revision + 1})
        self._trail.record(audit.run_annotated(run_id, changes))

    @_one_at_a_time
    def request_stop(self, run_id: str, *, actor: str, reason: str) -> Run:
        run = self.get(run_id)
        if run.state != RunState.RUNNING:
            raise Conflict(f"{run_id} has ended already: it is {run.state}")
        self._trail.record(audit.run_stop_requested(run_id, actor, reason))
        return run

    @_one_at_a_time
    def close(self, run_id: str, *, state: RunState, reason: str | None, steps: Sequence[Step], at: datetime) -> bool:
        run = self.get(run_id)
        if run.state != RunState.RUNNING:
            return False
        ending = {
            "state": state,
            "reason": reason,
            "steps": tuple(steps),
            "ended_at": at,
            "revision": run.revision + 1,
        }
        self._runs[run_id] = run.model_copy(update=ending)
        self._trail.record(audit.run_ended(self._runs[run_id]))
        return True


class InMemoryDriftReports:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._reports: dict[str, DriftSummary] = {}
        self._days: dict[tuple[str, DriftKind, date], DriftDay] = {}
        self._counted: dict[str, DriftSummary] = {}

    @_one_at_a_time
    def record(self, summary: DriftSummary, day: DriftDay) -> None:
        if summary.id in self._reports:
            return
        self._reports[summary.id] = summary
        key = (day.model, day.kind, day.day)
        seen = self._days.get(key)
        if seen is None or outranks(day, seen):
            self._days[key] = day
        told = self._counted.get(summary.model)
        if summary.labels is not None and (told is None or counts_better(summary, told)):
            self._counted[summary.model] = summary
        self._trail.record(audit.drift_reported(summary))

    def get(self, report_id: str) -> DriftSummary:
        return _existing(self._reports, report_id, f"there is no drift report {report_id}")

    def page(
        self, *, model: str | None = None, kind: DriftKind | None = None, after: str | None = None, limit: int = 50
    ) -> Page[DriftSummary]:
        found = [each for each in self._reports.values() if model in (None, each.model) and kind in (None, each.kind)]
        return _page(sorted(found, key=_reported, reverse=True), _reported, after, limit, newest_first=True)

    def days(self, model: str, kind: DriftKind, first: date, last: date) -> Sequence[DriftDay]:
        found = [
            each
            for (of_model, of_kind, day), each in self._days.items()
            if (of_model, of_kind) == (model, kind) and first <= day <= last
        ]
        return sorted(found, key=lambda each: each.day)

    def labels_counted(self, model: str) -> DriftSummary | None:
        return self._counted.get(model)


def _reported(report: DriftSummary) -> str:
    return f"{report.created_at.isoformat(timespec='microseconds')}#{report.id}"


class InMemoryModelRegistry:
    def __init__(self, trail: InMemoryAuditTrail | None = None) -> None:
        self._lock = RLock()
        self._trail = trail or InMemoryAuditTrail()
        self._models: dict[str, RegisteredModel] = {}
        self._claims: dict[tuple[str, str, str], int] = {}
        self._versions: dict[tuple[str, int], ModelVersion] = {}
        self._events: dict[str, list[ModelEvent]] = {}
        self._truth_files: dict[tuple[str, str], TruthFile] = {}
        self._truth_told: set[tuple[str, str]] = set()

    @_one_at_a_time
    def claim_number(self, model: str, *, dataset: str, run_id: str, algorithm: str, at: datetime) -> int:
        if model not in self._models:
            self._models[model] = RegisteredModel(name=model, dataset=dataset, created_at=at)
            self._trail.record(audit.model_created(self._models[model], run_id))
        known = self._models[model]
        if (model, run_id, algorithm) not in self._claims:
            self._models[model] = known.model_copy(update={"latest_number": known.latest_number + 1})
            self._claims[model, run_id, algorithm] = known.latest_number + 1
            self._trail.record(audit.number_claimed(model, known.latest_number + 1, run_id, algorithm))
        return self._claims[model, run_id, algorithm]

    @_one_at_a_time
    def register(self, version: ModelVersion, *, actor: str) -> ModelVersion:
        if self._claims.get((version.model, version.lineage.run_id, version.algorithm)) != version.number:
            raise Conflict(f"{version.id} was not claimed for {version.algorithm} of run {version.lineage.run_id}")
        stored = self._versions.get((version.model, version.number))
        if stored is not None:
            return stored
        self._versions[version.model, version.number] = version
        self._models[version.model] = with_registered(self._models[version.model], version.number)
        self._record(
            version.model,
            kind=ModelEventKind.REGISTERED,
            number=version.number,
            actor=actor,
            reason=version.verdict.sentence,
            at=version.created_at,
        )
        self._trail.record(audit.version_registered(version, actor))
        return version

    def get(self, model: str, number: int) -> ModelVersion:
        return _existing(self._versions, (model, number), f"there is no model version {model}:{number}")

    def model(self, name: str) -> RegisteredModel:
        return _existing(self._models, name, f"there is no registered model {name}")

    def models(self) -> Sequence[RegisteredModel]:
        return [self._models[name] for name in sorted(self._models)]

    def page(self, *, after: str | None = None, limit: int = 50, reverse: bool = False) -> Page[RegisteredModel]:
        found = sorted(self.models(), key=lambda model: model.name, reverse=reverse)
        return _page(found, lambda model: model.name, after, limit, newest_first=reverse)

    def waiting(self, *, limit: int = 50) -> Sequence[RegisteredModel]:
        found = [model for model in self.models() if model.pending]
        return sorted(found, key=lambda model: (self._last_registered(model.name), model.name), reverse=True)[:limit]

    def live(self, *, limit: int = 50) -> Sequence[RegisteredModel]:
        return [model for model in self.models() if CHAMPION in model.aliases][:limit]

    def look_up_models(self, names: Iterable[str]) -> Mapping[str, RegisteredModel]:
        return {name: self._models[name] for name in names if name in self._models}

    def look_up(self, versions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], ModelVersion]:
        return {key: self._versions[key] for key in versions if key in self._versions}

    def versions(self, model: str) -> Sequence[ModelVersion]:
        found = [version for (owner, _), version in self._versions.items() if owner == model]
        return sorted(found, key=lambda version: version.number, reverse=True)

    def page_versions(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[ModelVersion]:
        return _page(self.versions(model), lambda version: f"{version.number:08}", after, limit, newest_first=True)

    @_one_at_a_time
    def decide(self, model: str, number: int, *, approve: bool, actor: str, reason: str, at: datetime) -> ModelVersion:
        version = self.get(model, number)
        if version.approval.state != ApprovalState.PENDING:
            raise AlreadyDecided(f"{version.id} was {version.approval.state} by {version.approval.actor}")
        state = ApprovalState.APPROVED if approve else ApprovalState.REJECTED
        approval = Approval(state=state, actor=actor, reason=reason, decided_at=at)
        decided = version.model_copy(update={"approval": approval, "revision": version.revision + 1})
        self._versions[model, number] = decided
        self._models[model] = with_decided(self._models[model], number)
        self._record(model, kind=ModelEventKind(state.value), number=number, actor=actor, reason=reason, at=at)
        self._trail.record(audit.version_decided(decided, approval))
        return decided

    @_one_at_a_time
    def move_alias(
        self, model: str, alias: str, number: int, *, expected: int | None, actor: str, reason: str, at: datetime
    ) -> ModelEvent:
        known = self.model(model)
        if self.get(model, number).approval.state != ApprovalState.APPROVED:
            raise Conflict(f"{model}:{number} is not approved")
        present = known.aliases.get(alias)
        if present != expected or present == number:
            raise Conflict(f"alias {alias} of {model} is at {present or 'no version'} now")
        self._models[model] = with_alias(known, alias, number)
        event = self._record(
            model,
            kind=ModelEventKind.ALIAS_MOVED,
            number=number,
            previous_number=expected,
            alias=alias,
            actor=actor,
            reason=reason,
            at=at,
        )
        self._trail.record(audit.alias_moved(event))
        return event

    @_one_at_a_time
    def move_rollout(
        self,
        model: str,
        rollout: Rollout | None,
        *,
        run_id: str,
        number: int,
        actor: str,
        reason: str,
        at: datetime,
    ) -> ModelEvent | None:
        self.get(model, number)
        known = self.model(model)
        kind = rollout_moves(known.rollout, rollout, champion=known.aliases.get(CHAMPION), run_id=run_id)
        if kind is None:
            return None
        self._models[model] = known.model_copy(update={"rollout": rollout})
        event = self._record(model, kind=kind, number=number, actor=actor, reason=reason, at=at)
        self._trail.record(audit.rollout_moved(event, rollout.share if rollout else 0.0))
        return event

    @_one_at_a_time
    def note_deployment(
        self, model: str, number: int, kind: ModelEventKind, *, actor: str, reason: str, at: datetime
    ) -> ModelEvent:
        self.get(model, number)
        for event in self._events[model]:
            if (event.kind, event.number, event.at) == (kind, number, at):
                return event
        noted = self._record(model, kind=kind, number=number, actor=actor, reason=reason, at=at)
        self._trail.record(audit.deployment_noted(noted))
        return noted

    @_one_at_a_time
    def note_truth_file(self, file: TruthFile) -> bool:
        self.model(file.model)
        if (file.model, file.file_id) in self._truth_files:
            return False
        self._truth_files[file.model, file.file_id] = file
        self._trail.record(audit.ground_truth_recorded(file))
        return True

    @_one_at_a_time
    def note_truth_told(self, model: str, told_id: str, labels: int, *, days: Collection[date], actor: str) -> None:
        self.model(model)
        if (model, told_id) not in self._truth_told:
            self._truth_told.add((model, told_id))
            self._trail.record(audit.ground_truth_told(model, labels, days, actor))

    def truth_file(self, model: str, file_id: str) -> TruthFile:
        if (model, file_id) not in self._truth_files:
            raise NotFound(f"model {model} has no file of ground truth {file_id}")
        return self._truth_files[model, file_id]

    def history(self, model: str) -> Sequence[ModelEvent]:
        return list(self._events.get(model, []))

    def page_history(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[ModelEvent]:
        latest_first = list(reversed(self.history(model)))
        return _page(latest_first, lambda event: f"{event.sequence:08}", after, limit, newest_first=True)

    def _last_registered(self, model: str) -> datetime:
        return [event.at for event in self._events[model] if event.kind is ModelEventKind.REGISTERED][-1]

    def _record(self, model: str, **facts: Any) -> ModelEvent:
        events = self._events.setdefault(model, [])
        event = ModelEvent(model=model, sequence=len(events) + 1, **facts)
        self._models[model] = self._models[model].model_copy(update={"revision": event.sequence})
        events.append(event)
        return event


class _StoredObject(NamedTuple):
    version_id: str
    body: bytes
    content_type: str


class InMemoryObjectStore:
    """Every bucket exists and keeps versions."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._objects: dict[str, list[_StoredObject]] = {}

    def head(self, uri: str, *, version_id: str | None = None) -> ObjectInfo:
        found = self._stored(uri, version_id)
        return ObjectInfo(uri, len(found.body), found.version_id)

    def open(self, uri: str, *, version_id: str | None = None, start: int = 0, length: int | None = None) -> IO[bytes]:
        body = self._stored(uri, version_id).body
        return io.BytesIO(body[start : None if length is None else start + length])

    def read(self, uri: str, *, version_id: str | None = None) -> bytes:
        return self._stored(uri, version_id).body

    @_one_at_a_time
    def write(self, uri: str, body: bytes, *, content_type: str = "application/json") -> None:
        split_uri(uri)
        versions = self._objects.setdefault(uri, [])
        versions.append(_StoredObject(f"version-{len(versions) + 1}", body, content_type))

    def upload(self, uri: str, body: IO[bytes], *, content_type: str = "application/octet-stream") -> None:
        self.write(uri, body.read(), content_type=content_type)

    @_one_at_a_time
    def delete(self, uri: str) -> None:
        self._objects.pop(uri, None)

    def copy(self, source_uri: str, target_uri: str) -> None:
        source = self._stored(source_uri, None)
        self.write(target_uri, source.body, content_type=source.content_type)

    def list(self, prefix_uri: str) -> Sequence[ObjectInfo]:
        return [
            ObjectInfo(uri, len(self._objects[uri][-1].body), "")
            for uri in sorted(self._objects)
            if uri.startswith(prefix_uri)
        ]

    def _stored(self, uri: str, version_id: str | None) -> _StoredObject:
        split_uri(uri)
        for stored in reversed(self._objects.get(uri, [])):
            if version_id in (None, stored.version_id):
                return stored
        raise NotFound(f"there is no object {uri}")


class StartedExecution(NamedTuple):
    pipeline: str
    run_id: str
    payload: dict[str, Any]


class InMemoryPipelines:
    """Executions that go on until `finish` says how they ended."""

    def __init__(self) -> None:
        self._lock = RLock()
        self.started: list[StartedExecution] = []
        self.stopped: list[tuple[str, str]] = []
        self._states: dict[tuple[str, str], RunState] = {}
        self._steps: dict[tuple[str, str], Sequence[Step]] = {}

    @_one_at_a_time
    def start(self, pipeline: str, run_id: str, payload: Mapping[str, Any]) -> bool:
        if (pipeline, run_id) in self._states:
            execution = next(known for known in self.started if known[:2] == (pipeline, run_id))
            return self._states[pipeline, run_id] == RunState.RUNNING and execution.payload == dict(payload)
        self._states[pipeline, run_id] = RunState.RUNNING
        self.started.append(StartedExecution(pipeline, run_id, dict(payload)))
        return True

    @_one_at_a_time
    def stop(self, pipeline: str, run_id: str, *, reason: str) -> None:
        if self.state(pipeline, run_id) == RunState.RUNNING:
            self._states[pipeline, run_id] = RunState.ABORTED
            self.stopped.append((run_id, reason))

    def state(self, pipeline: str, run_id: str) -> RunState:
        return _existing(self._states, (pipeline, run_id), f"there is no execution {run_id}")

    def steps(self, pipeline: str, run_id: str) -> Sequence[Step]:
        self.state(pipeline, run_id)
        return self._steps.get((pipeline, run_id), ())

    def finish(self, pipeline: str, run_id: str, state: RunState, steps: Sequence[Step] = ()) -> None:
        self._states[pipeline, run_id] = state
        self._steps[pipeline, run_id] = tuple(steps)


class InMemoryJobLogs:
    """Lines by job; a mark is how many of them were read."""

    def __init__(self) -> None:
        self.written: dict[str, list[LogLine]] = {}

    def write(self, job: str, at: datetime, text: str) -> None:
        self.written.setdefault(job, []).append(LogLine(at, job, text))

    def tail(self, jobs: Sequence[Job], marks: Mapping[str, str], *, limit: int) -> LogTail:
        lines: list[LogLine] = []
        reached = dict(marks)
        for name in [job.name for job in jobs if job.name in self.written]:
            if not marks.get(name, "0").isdigit():
                raise InvalidInput("cursor: the log cannot be read on from there")
            begin, found = int(marks.get(name, "0")), self.written[name]
            read = found[begin : begin + limit] if name in marks else found[-limit:]
            reached[name] = str(begin + len(read) if name in marks else len(found))
            lines += read
        lines.sort(key=lambda line: line.at)
        return LogTail(lines if marks else lines[-limit:], reached)


class _Begun(NamedTuple):
    request: str
    at: datetime
    expires_at: datetime
    answer: str | None = None


class InMemoryGivenAnswers:
    def __init__(self) -> None:
        self._lock = RLock()
        self._begun: dict[str, _Begun] = {}

    @_one_at_a_time
    def begin(self, key: str, request: str, *, at: datetime, kept: timedelta, worked_on: timedelta) -> str | None:
        known = self._begun.get(key)
        if known is not None and known.expires_at > at:
            if known.request != request:
                raise KeyReused("this Idempotency-Key came with another request before")
            if known.answer is not None:
                return known.answer
            if known.at + worked_on > at:
                raise Conflict("the same request is being worked on")
        self._begun[key] = _Begun(request, at, at + kept)
        return None

    @_one_at_a_time
    def finish(self, key: str, answer: str) -> None:
        self._begun[key] = self._begun[key]._replace(answer=answer)

    @_one_at_a_time
    def forget(self, key: str) -> None:
        if key in self._begun and self._begun[key].answer is None:
            del self._begun[key]


class InMemoryEventBus:
    def __init__(self) -> None:
        self.published: list[DomainEvent] = []

    def publish(self, event: DomainEvent) -> None:
        self.published.append(event)


class Notification(NamedTuple):
    subject: str
    message: str
    attributes: dict[str, str]
    path: str


class InMemoryDashboard:
    """`host` is what the deployment says, and empty before it does."""

    def __init__(self, host: str = "https://dashboard.test") -> None:
        self.host = host

    def address(self, path: str) -> str:
        return self.host + path


class InMemoryNotifier:
    def __init__(self) -> None:
        self.sent: list[Notification] = []

    def notify(self, *, subject: str, message: str, path: str, attributes: Mapping[str, str]) -> None:
        self.sent.append(Notification(subject, message, dict(attributes), path))


class InMemoryRecordQueue:
    def __init__(self) -> None:
        self.records: list[str] = []

    def send(self, records: Sequence[str]) -> None:
        self.records += records


class InMemoryTraffic:
    def __init__(self) -> None:
        self._lock = RLock()
        self._hours: dict[tuple[str, datetime], TrafficCounts] = {}
        self._delivered: set[tuple[str, datetime, str]] = set()

    @_one_at_a_time
    def add(self, model: str, hour: datetime, counts: TrafficCounts, *, delivery: str) -> None:
        key = (model, hour_of(hour))
        if (*key, delivery) in self._delivered:
            return
        self._delivered.add((*key, delivery))
        self._hours[key] = added(self._hours.get(key, {}), counts)

    def hours(self, model: str, first: datetime, last: datetime) -> Sequence[TrafficHour]:
        return [
            traffic_hour(hour, counts)
            for (asked, hour), counts in sorted(self._hours.items())
            if asked == model and hour_of(first) <= hour <= last
        ]


class Measurement(NamedTuple):
    name: str
    value: float
    dimensions: dict[str, str]
    unit: str


class InMemoryMetricSink:
    def __init__(self) -> None:
        self.recorded: list[Measurement] = []

    def record(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], units: Mapping[str, str]) -> None:
        self.recorded += [
            Measurement(name, value, dict(dimensions), units.get(name, "None")) for name, value in values.items()
        ]


class InMemoryEndpointUses:
    def __init__(self) -> None:
        self._lock = RLock()
        self._open: dict[tuple[str, int], EndpointUse] = {}
        self._ended: list[EndpointUse] = []

    def find(self, model: str, number: int) -> EndpointUse | None:
        return self._open.get((model, number))

    @_one_at_a_time
    def begin(self, use: EndpointUse) -> None:
        known = self.find(use.model, use.number)
        if known is not None and known.by_the_hour == use.by_the_hour:
            self._open[use.model, use.number] = known.grown(use) or known
            return
        self.end(use.model, use.number, at=use.since)
        self._open[use.model, use.number] = use

    @_one_at_a_time
    def end(self, model: str, number: int, *, at: datetime) -> None:
        known = self._open.pop((model, number), None)
        if known is not None:
            self._ended.append(known.ended(at))

    def since(self, moment: datetime) -> Sequence[EndpointUse]:
        ended = [((use.until, use.model, use.number), use) for use in self._ended if use.until and use.until >= moment]
        return [*(use for _, use in sorted(ended, key=itemgetter(0))), *self.open()]

    def open(self) -> Sequence[EndpointUse]:
        return [self._open[key] for key in sorted(self._open)]


class InMemoryEndpoints:
    """`answers` is what a model would say: name and body of a request in, the answer out. Starting takes one look.

    `orphans` are configurations of which the endpoint is gone.
    """

    def __init__(self, answers: Callable[[str, bytes], bytes] | None = None) -> None:
        self.answers = answers
        self.made: dict[str, EndpointSpec] = {}
        self.orphans: set[str] = set()
        self.region = "us-east-1"

    def check_kind(self, spec: EndpointSpec) -> None:
        spec.check_kind(self.made.get(spec.name, spec).kind)

    def deploy(self, spec: EndpointSpec) -> bool:
        ready = spec.name in self.made
        spec.check_kind(self.made.setdefault(spec.name, spec).kind)
        return ready

    def invoke(self, name: str, body: bytes) -> bytes:
        if name not in self.made or self.answers is None:
            raise EndpointFailed(f"the endpoint {name} did not answer")
        return self.answers(name, body)

    def delete(self, name: str) -> None:
        self.made.pop(name, None)
        self.orphans.discard(name)

    def names(self, prefix: str) -> Sequence[str]:
        return sorted(name for name in self.made if name.startswith(prefix))

    def parts(self, prefix: str) -> Sequence[str]:
        return sorted(name for name in {*self.made, *self.orphans} if name.startswith(prefix))


class SetClock:
    """Shows the time it was set to until somebody moves it on."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def pass_time(self, duration: timedelta) -> None:
        self._now += duration


K = TypeVar("K")


def _page(
    items: Sequence[T], key: Callable[[T], str], after: str | None, limit: int, *, newest_first: bool = False
) -> Page[T]:
    """The part of `items`, which are in order, that begins beyond the key `after`."""
    beyond = [item for item in items if after is None or (key(item) < after if newest_first else key(item) > after)]
    return Page(beyond[:limit], key(beyond[limit - 1]) if len(beyond) > limit else None)


def _existing(known: Mapping[K, T], key: K, missing: str) -> T:
    if key not in known:
        raise NotFound(missing)
    return known[key]
