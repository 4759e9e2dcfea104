"""What the use cases need from the world. Adapters implement it; fakes in `adapters/memory.py` pass the same tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import IO, Any, Generic, NamedTuple, Protocol, TypeVar

from millrace.domain.alert import Alert, AlertState
from millrace.domain.api_key import ApiKey
from millrace.domain.audit import AuditEntry, ChainHead
from millrace.domain.channel import Channel, Delivery
from millrace.domain.dataset import Contract, Dataset, DatasetSettings, DatasetVersion, Upload
from millrace.domain.drift import DriftDay, DriftKind, DriftSummary
from millrace.domain.endpoint_use import EndpointUse
from millrace.domain.event import DomainEvent
from millrace.domain.model import ModelEvent, ModelEventKind, ModelVersion, RegisteredModel
from millrace.domain.retraining import RetrainingDecision
from millrace.domain.rollout import Rollout
from millrace.domain.run import Job, Run, RunState, Step
from millrace.domain.schedule import Firing, Schedule
from millrace.domain.tally import DayTally, Tally
from millrace.domain.traffic import TrafficCounts, TrafficHour
from millrace.domain.transfer import Transfer, TransferState
from millrace.domain.truth import TruthFile
from millrace.errors import EndpointFailed

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """A part of a list. `position` is where the next part begins; None when this is the last.

    A page may hold fewer than were asked for, even none, and still have a next one: looking is bounded too.
    """

    items: Sequence[T]
    position: str | None


class ContentClaim(NamedTuple):
    """The version that holds these bytes. `new` is False when another upload brought them before."""

    version: int
    new: bool


class DatasetCatalog(Protocol):
    """Datasets, uploads, versions and contracts. Every transition is conditional; none overwrites silently."""

    def ensure(self, name: str, *, at: datetime, actor: str) -> Dataset:
        """The dataset, created with default settings when it is new."""

    def get(self, name: str) -> Dataset:
        """Raises NotFound."""

    def list(self) -> Sequence[Dataset]: ...

    def page(self, *, after: str | None = None, limit: int = 50, reverse: bool = False) -> Page[Dataset]:
        """By name, from the position `after` on; the last name first with `reverse`."""

    def configure(
        self, name: str, settings: DatasetSettings, *, revision: int, actor: str, upload: Upload | None = None
    ) -> Dataset:
        """Replace the settings. Raises Conflict when the dataset is no longer at `revision`.

        With `upload`, the settings file they came from becomes ACCEPTED in the same transaction, so that one object
        version is applied once; Conflict when it was settled before.
        """

    def contract(self, name: str, version: int) -> Contract:
        """Raises NotFound."""

    def put_contract(self, contract: Contract) -> Dataset:
        """Store the next contract. Raises Conflict unless `contract.version` is the dataset's plus one."""

    def open_upload(self, upload: Upload) -> Upload:
        """Record an upload once; repeated deliveries get what is stored already."""

    def upload(self, dataset: str, upload_id: str) -> Upload:
        """Raises NotFound."""

    def uploads(self, dataset: str) -> Sequence[Upload]:
        """Latest arrival first."""

    def page_uploads(self, dataset: str, *, after: str | None = None, limit: int = 50) -> Page[Upload]:
        """Latest arrival first, from the position `after` on."""

    def claim_content(
        self, upload: Upload, *, location_prefix: str, quarantine_prefix: str, at: datetime
    ) -> ContentClaim:
        """Reserve the next version number for these bytes (`upload.sha256`), in one transaction.

        New: a PREPARING DatasetVersion exists afterwards at `{location_prefix}/v{n}/` and the upload is PREPARING.
        Called again for the same upload it answers the same. Not new: the upload is IDENTICAL to `version`.
        Raises NotFound for an upload that was never opened, Conflict for one that was rejected.
        """

    def version(self, dataset: str, version: int) -> DatasetVersion:
        """Raises NotFound."""

    def look_up(self, versions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], DatasetVersion]:
        """Those that exist of at most 100 datasets' versions, in one request."""

    def versions(self, dataset: str) -> Sequence[DatasetVersion]:
        """Newest first."""

    def page_versions(self, dataset: str, *, after: str | None = None, limit: int = 50) -> Page[DatasetVersion]:
        """Newest first, from the position `after` on."""

    def accept_version(self, version: DatasetVersion, contract: Contract | None) -> None:
        """PREPARING → READY, upload ACCEPTED, and `contract` becomes the dataset's first, in one transaction.

        Repeating it changes nothing. Raises ContractMoved when the dataset's contract is not the one prepared against
        (`version.contract_version`, or none yet when `contract` is given), Conflict when the version was rejected.
        """

    def reject_upload(self, upload: Upload, reasons: Sequence[str]) -> None:
        """Upload and reserved version → REJECTED, and the claim on the bytes is released: they may come again.

        Repeating it keeps the first reasons. Raises NotFound, and Conflict for an upload that is ACCEPTED or IDENTICAL.
        """


class RunLedger(Protocol):
    def open(self, run: Run) -> Run:
        """Record a run once; opening it again returns what is stored."""

    def get(self, run_id: str) -> Run:
        """Raises NotFound."""

    def list(self, *, pipeline: str | None = None, state: RunState | None = None, limit: int = 50) -> Sequence[Run]:
        """Newest first."""

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
        """Newest first, from the position `after` on; oldest first with `reverse`."""

    def annotate(self, run_id: str, *, dataset_version: int | None = None, outcome: str | None = None) -> None:
        """Add what a step found out. Raises NotFound."""

    def request_stop(self, run_id: str, *, actor: str, reason: str) -> Run:
        """Record that somebody wants a RUNNING run to stop; the run ends when its execution does.

        Raises NotFound, and Conflict when it has ended.
        """

    def close(self, run_id: str, *, state: RunState, reason: str | None, steps: Sequence[Step], at: datetime) -> bool:
        """RUNNING → a final state. False when it was closed before: the first close wins."""


class ModelRegistry(Protocol):
    """Append-only events beside current state; every transition is a conditional write."""

    def claim_number(self, model: str, *, dataset: str, run_id: str, algorithm: str, at: datetime) -> int:
        """Reserve the model's next version number for one candidate; the same candidate gets the same number again.

        Two steps, so that the artefact lies at `models/{model}/v{n}/` before anybody can see version n.
        """

    def register(self, version: ModelVersion, *, actor: str) -> ModelVersion:
        """Store `version` under the number claimed for its run and algorithm, with a REGISTERED event.

        Registering again returns the stored version. Raises Conflict when the number was not claimed for it.
        """

    def get(self, model: str, number: int) -> ModelVersion:
        """Raises NotFound."""

    def model(self, name: str) -> RegisteredModel:
        """Raises NotFound."""

    def models(self) -> Sequence[RegisteredModel]: ...

    def page(self, *, after: str | None = None, limit: int = 50, reverse: bool = False) -> Page[RegisteredModel]:
        """By name, from the position `after` on; the last name first with `reverse`."""

    def waiting(self, *, limit: int = 50) -> Sequence[RegisteredModel]:
        """Models with versions that wait for a decision, the one that got its last version latest first."""

    def live(self, *, limit: int = 50) -> Sequence[RegisteredModel]:
        """Models with a champion, by name."""

    def look_up_models(self, names: Iterable[str]) -> Mapping[str, RegisteredModel]:
        """Those of the models that exist, by name, read together. At most 100."""

    def look_up(self, versions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], ModelVersion]:
        """Those of the versions that exist, by model and number, read together. At most 100."""

    def versions(self, model: str) -> Sequence[ModelVersion]:
        """Newest first."""

    def page_versions(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[ModelVersion]:
        """Newest first, from the position `after` on."""

    def decide(self, model: str, number: int, *, approve: bool, actor: str, reason: str, at: datetime) -> ModelVersion:
        """PENDING → APPROVED or REJECTED. Raises NotFound, AlreadyDecided."""

    def move_alias(
        self, model: str, alias: str, number: int, *, expected: int | None, actor: str, reason: str, at: datetime
    ) -> ModelEvent:
        """Point `alias` at `number`. `expected` is the number it points at now (None: nowhere).

        Raises NotFound when the version does not exist, Conflict when the alias is not at `expected`, is at `number`
        already, or the version is not APPROVED. Another champion ends a rollout.
        """

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
        """Begin, step, pass or (None) end the rollout of version `number` by run `run_id`; None when it is so already.

        Ending what another run rolls out changes nothing. Raises NotFound, RolloutEnded when a rollout that shall step
        is not this run's any more, and Conflict when another one is under way or the champion is another.
        """

    def note_deployment(
        self, model: str, number: int, kind: ModelEventKind, *, actor: str, reason: str, at: datetime
    ) -> ModelEvent:
        """Append that a version's deployment was asked for again, or failed. `at` tells them apart: each is noted once.

        Raises NotFound when the version does not exist.
        """

    def note_truth_file(self, file: TruthFile) -> bool:
        """Record once what became of a file of ground truth; False when it was noted before. Raises NotFound."""

    def note_truth_told(self, model: str, told_id: str, labels: int, *, days: Collection[date], actor: str) -> None:
        """Record once in the audit trail that `actor` told `labels` of these days. Raises NotFound."""

    def truth_file(self, model: str, file_id: str) -> TruthFile:
        """Raises NotFound."""

    def history(self, model: str) -> Sequence[ModelEvent]:
        """Oldest first, without gaps."""

    def page_history(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[ModelEvent]:
        """Latest first, from the position `after` on."""


class DriftReports(Protocol):
    """Summaries of drift reports, and what the latest report that judged each day said of each feature."""

    def record(self, summary: DriftSummary, day: DriftDay) -> None:
        """Record a report once. `day` replaces what is told of the same model, kind and day if it outranks that."""

    def get(self, report_id: str) -> DriftSummary:
        """Raises NotFound."""

    def page(
        self, *, model: str | None = None, kind: DriftKind | None = None, after: str | None = None, limit: int = 50
    ) -> Page[DriftSummary]:
        """Latest first, from the position `after` on."""

    def days(self, model: str, kind: DriftKind, first: date, last: date) -> Sequence[DriftDay]:
        """Those from `first` to `last` that there is a report about, in order."""

    def labels_counted(self, model: str) -> DriftSummary | None:
        """The last report that looked for the predictions of all labels, else the last that counted any."""


class AuditTrail(Protocol):
    """Who did what: one entry for each change of catalog, ledger and registry, written by the change's transaction.

    Entries of one subject form a chain, each sealed with the hash of the one before.
    """

    def page(self, *, actor: str | None = None, after: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        """Latest first, from the position `after` on; of everybody or of one actor."""

    def page_of(self, subject: str, *, after: str | None = None, limit: int = 50) -> Page[AuditEntry]:
        """One subject's, latest first."""

    def subjects(self) -> Iterator[str]:
        """Every subject that has a chain."""

    def chain(self, subject: str) -> Iterator[AuditEntry]:
        """Every entry of one subject, oldest first."""

    def head(self, subject: str) -> ChainHead | None:
        """Where the subject's chain ends; None when it has none."""


class Transfers(Protocol):
    """Files on their way in parts."""

    def open(self, transfer: Transfer) -> Transfer:
        """Record a transfer once; opening it again returns what is stored."""

    def get(self, dataset: str, transfer_id: str) -> Transfer:
        """Raises NotFound."""

    def settle(self, dataset: str, transfer_id: str, state: TransferState, *, actor: str) -> Transfer:
        """OPEN → COMPLETED or ABORTED. Raises NotFound, Conflict."""


class SentPart(NamedTuple):
    """A part that has arrived. `etag` is what the service calls its content."""

    number: int
    size_bytes: int
    etag: str


class UnfinishedUpload(NamedTuple):
    """`at` is when it began."""

    uri: str
    multipart_id: str
    at: datetime


class MultipartUploads(Protocol):
    """Objects that are sent in parts, by addresses that carry their own permission."""

    def begin(self, uri: str) -> str:
        """The multipart id."""

    def part_address(self, uri: str, multipart_id: str, number: int, *, seconds: int) -> str:
        """Where to PUT the bytes of a part (the first is 1), for so many seconds."""

    def parts(self, uri: str, multipart_id: str) -> Sequence[SentPart]:
        """Those that have arrived, in order. Raises NotFound when it was completed or aborted."""

    def complete(self, uri: str, multipart_id: str) -> None:
        """Make the object of the parts that have arrived. Raises NotFound."""

    def abort(self, uri: str, multipart_id: str) -> None:
        """Nothing happens when there is no such upload."""

    def unfinished(self, prefix_uri: str) -> Sequence[UnfinishedUpload]:
        """Uploads that were begun below the prefix, and neither completed nor aborted."""


class Downloads(Protocol):
    """Objects that people fetch themselves, by addresses that carry their own permission."""

    def address(self, uri: str, *, file_name: str, seconds: int) -> str:
        """Where to GET the object as a file of this name, for so many seconds. It may not exist."""


class Site(Protocol):
    """The files that the dashboard is made of, where browsers get them from."""

    def write(self, path: str, body: bytes, *, content_type: str, cache_control: str) -> None: ...

    def refresh(self) -> None:
        """Have every copy that is kept near readers fetched anew."""


class Tallies(Protocol):
    """Kept counts: each is moved by the transaction that makes it true, so reading them never counts anything."""

    def now(self) -> Tally: ...

    def days(self, first: date, last: date) -> Sequence[DayTally]:
        """The days from `first` to `last` on which runs started, in order."""


class ObjectInfo(NamedTuple):
    """`version_id` is "null" in a bucket without versions, and empty in a listing."""

    uri: str
    size_bytes: int
    version_id: str


class ObjectStore(Protocol):
    """S3 by URI (`s3://bucket/key`)."""

    def head(self, uri: str, *, version_id: str | None = None) -> ObjectInfo:
        """Raises NotFound."""

    def open(self, uri: str, *, version_id: str | None = None, start: int = 0, length: int | None = None) -> IO[bytes]:
        """A forward-only stream of `length` bytes from `start`: a 5 GB object never sits in memory. Raises NotFound."""

    def read(self, uri: str, *, version_id: str | None = None) -> bytes:
        """Small objects only. Raises NotFound."""

    def write(self, uri: str, body: bytes, *, content_type: str = "application/json") -> None: ...

    def upload(self, uri: str, body: IO[bytes], *, content_type: str = "application/octet-stream") -> None:
        """Any size, in parts: `body` is read to its end and never held whole."""

    def delete(self, uri: str) -> None:
        """Nothing happens when there is no such object."""

    def copy(self, source_uri: str, target_uri: str) -> None:
        """Server side, any size. Raises NotFound."""

    def list(self, prefix_uri: str) -> Sequence[ObjectInfo]:
        """Every object below the prefix, by key."""


class ObjectVersion(NamedTuple):
    """One version of an object. `removed` is True for the mark that a deletion leaves in a versioned bucket."""

    uri: str
    version_id: str
    at: datetime
    removed: bool
    size_bytes: int = 0


class ObjectHistory(Protocol):
    """What a versioned bucket still knows of objects that are gone."""

    def versions(self, prefix_uri: str) -> Iterator[ObjectVersion]:
        """Every version below the prefix: by key, the newest of a key first."""

    def forget(self, version: ObjectVersion) -> None:
        """Remove this one version for good. When it is the mark of a deletion, the object is back, unchanged."""


class TableBackup(NamedTuple):
    """`backup_id` is the service's own name for it."""

    backup_id: str
    at: datetime


class TableSettings(NamedTuple):
    """What a table loses when it is restored, and must be given again."""

    expiry_attribute: str | None
    point_in_time_recovery: bool
    deletion_protection: bool
    tags: Mapping[str, str]


class RegistryTable(Protocol):
    """The registry's table as a whole."""

    @property
    def name(self) -> str: ...

    def exists(self) -> bool: ...

    def backups(self) -> Sequence[TableBackup]:
        """Whole copies of the table, the latest first; also of a table that is gone."""

    def restore(self, backup_id: str) -> None:
        """Make the table of a backup, under its own name, and wait until it answers.

        Raises Conflict when there is a table of that name.
        """

    def apply(self, settings: TableSettings) -> None: ...


class Pipelines(Protocol):
    """Step Functions. An execution's name is its run id, so starting twice is starting once."""

    def start(self, pipeline: str, run_id: str, payload: Mapping[str, Any]) -> bool:
        """False when the service says that an execution of that name was there before.

        The service answers a repeated start of a RUNNING execution with the same input as if it were the first: True.
        """

    def stop(self, pipeline: str, run_id: str, *, reason: str) -> None:
        """Raises NotFound."""

    def state(self, pipeline: str, run_id: str) -> RunState:
        """Raises NotFound."""

    def steps(self, pipeline: str, run_id: str) -> Sequence[Step]:
        """From the execution's history, in order of start; the failed step carries its reason. Raises NotFound."""


class LogLine(NamedTuple):
    """One line that a job wrote. `job` is its name."""

    at: datetime
    job: str
    text: str


class LogTail(NamedTuple):
    """`marks` say how far each stream was read: give them again for what came since."""

    lines: Sequence[LogLine]
    marks: Mapping[str, str]


class JobLogs(Protocol):
    """What jobs write, while they write it."""

    def tail(self, jobs: Sequence[Job], marks: Mapping[str, str], *, limit: int) -> LogTail:
        """In order of time: of streams without a mark the last `limit` lines, of others what came since, oldest first.

        Raises InvalidInput for a mark that the service does not know.
        """


class GivenAnswers(Protocol):
    """Answers to requests that change something, by the key a caller gave: repeated, they are answered, not done."""

    def begin(self, key: str, request: str, *, at: datetime, kept: timedelta, worked_on: timedelta) -> str | None:
        """The answer given before; None when there is none, and then the request is ours to work on.

        `request` is a digest of all that was asked. Answers are kept for `kept`; work that did not end within
        `worked_on` is taken to be abandoned. Raises KeyReused when the key came with another request, Conflict while
        somebody works on the same one.
        """

    def finish(self, key: str, answer: str) -> None:
        """Keep the answer to what was begun."""

    def forget(self, key: str) -> None:
        """What was begun came to nothing: the key may begin again."""


class ApiKeys(Protocol):
    """API keys, without their secrets. Using one is no change of the platform: it leaves no audit entry."""

    def add(self, key: ApiKey) -> None:
        """Raises Conflict when there is a key of this id."""

    def get(self, key_id: str) -> ApiKey:
        """Raises NotFound."""

    def page(self, *, owner: str | None = None, after: str | None = None, limit: int = 50) -> Page[ApiKey]:
        """Newest first, from the position `after` on; of everybody or of one owner."""

    def revoke(self, key_id: str, *, actor: str, at: datetime) -> ApiKey:
        """Raises NotFound, and Conflict when it was revoked before."""

    def note_use(self, key: ApiKey, *, at: datetime) -> None:
        """`key` as it was read; nothing happens when another request noted a use since."""


class Schedules(Protocol):
    """What the platform does by the clock, as it is meant to be."""

    def add(self, schedule: Schedule) -> Schedule:
        """Record a schedule once; adding it again returns what is stored."""

    def get(self, schedule_id: str) -> Schedule:
        """Raises NotFound."""

    def page(self, *, after: str | None = None, limit: int = 50) -> Page[Schedule]:
        """Newest first, from the position `after` on."""

    def change(self, changed: Schedule, *, actor: str) -> Schedule:
        """Replace what is at `changed.revision`, which the result counts on. Raises NotFound, ChangedMeanwhile."""

    def delete(self, schedule_id: str, *, actor: str) -> Schedule:
        """Raises NotFound."""

    def record(self, firing: Firing) -> Firing:
        """Record what came of one time, once: the first record stays. Raises NotFound without the schedule."""

    def firing(self, schedule_id: str, due_at: datetime) -> Firing | None: ...

    def firings(self, schedule_id: str, *, limit: int) -> Sequence[Firing]:
        """Latest first."""


class Timer(Protocol):
    """What wakes the platform when a schedule is due."""

    def set(self, schedule: Schedule, *, begin_at: datetime | None) -> None:
        """Make the timer of this schedule what the schedule says, from `begin_at` on (None: from now on)."""

    def remove(self, schedule_id: str) -> None:
        """Nothing happens when there is none."""


class EventBus(Protocol):
    def publish(self, event: DomainEvent) -> None: ...


class Notifier(Protocol):
    def notify(self, *, subject: str, message: str, path: str, attributes: Mapping[str, str]) -> None:
        """`subject` ≤ 100 ASCII characters (SNS); `attributes` allow subscription filters.

        The message ends with the address of the dashboard's page at `path` (millrace.domain.page).
        """


class Dashboard(Protocol):
    def address(self, path: str) -> str:
        """Where people open the page at `path`: a link with a host, or `path` alone while nobody knows the host."""


class AlertBook(Protocol):
    """Alerts: at most one of a cause is not closed."""

    def get(self, alert_id: str) -> Alert:
        """Raises NotFound."""

    def latest(self, cause: str) -> Alert | None:
        """The last alert that the cause opened, closed or not."""

    def open(self, alert: Alert, *, following: Alert | None) -> None:
        """Store a new alert. Raises ChangedMeanwhile unless `following` is the latest of its cause."""

    def replace(self, alert: Alert) -> None:
        """Store the next revision of an alert. Raises NotFound, and ChangedMeanwhile when it is not the next."""

    def page(
        self,
        *,
        state: AlertState | None = None,
        model: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Alert]:
        """Latest opened first, from the position `after` on."""


class ChannelBook(Protocol):
    """Where alerts are told."""

    def create(self, channel: Channel) -> None:
        """Raises Conflict when there is one of that id."""

    def get(self, channel_id: str) -> Channel:
        """Raises NotFound."""

    def list(self) -> Sequence[Channel]:
        """In the order in which they were created."""

    def replace(self, channel: Channel, *, actor: str) -> None:
        """Store the next revision. Raises NotFound, ChangedMeanwhile."""

    def delete(self, channel: Channel, *, actor: str) -> None:
        """Raises ChangedMeanwhile when it is not at that revision any more."""


class DeliveryBook(Protocol):
    """What was told to which channel, and what is still to be told."""

    def open(self, delivery: Delivery) -> Delivery:
        """Record a delivery once; opening it again returns what is stored."""

    def get(self, channel_id: str, delivery_id: str) -> Delivery:
        """Raises NotFound."""

    def replace(self, delivery: Delivery) -> None:
        """Store the next revision. Raises ChangedMeanwhile when somebody else was first."""

    def page(self, channel_id: str, *, after: str | None = None, limit: int = 50) -> Page[Delivery]:
        """Latest first, from the position `after` on."""


class DeliveryQueue(Protocol):
    """Where deliveries wait for their time."""

    def send(self, channel_id: str, delivery_id: str, *, delay_seconds: float) -> None:
        """To be worked on after a while; what lasts longer than the queue can wait comes earlier."""


class RetrainingLog(Protocol):
    """What the retrain governor decided."""

    def record(self, decision: RetrainingDecision) -> RetrainingDecision:
        """Record a decision once; recording it again returns what is stored."""

    def page(self, model: str, *, after: str | None = None, limit: int = 50) -> Page[RetrainingDecision]:
        """Latest first, from the position `after` on."""


class Secrets(Protocol):
    """What nobody reads but who needs it."""

    def put(self, name: str, value: str) -> None: ...

    def get(self, name: str) -> str:
        """Raises NotFound."""

    def delete(self, name: str) -> None:
        """Nothing happens when there is no such secret."""


class Subscriptions(Protocol):
    """Who reads the environment's notifications by e-mail."""

    def subscribe(self, address: str, *, audience: str) -> str:
        """Send messages with the attribute `audience` to the address, once its owner confirms. Its identifier."""

    def unsubscribe(self, subscription: str) -> None:
        """Nothing happens when there is no such subscription."""


class PostAnswer(NamedTuple):
    """`status` is None when nobody answered; `failure` says in words why this is no success, or is None."""

    status: int | None
    failure: str | None


class Poster(Protocol):
    """POST to an address that somebody else chose: only public ones, over TLS, no redirects, bounded in time."""

    def check(self, url: str) -> None:
        """Raises InvalidInput for an address that nothing is ever posted to."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostAnswer:
        """Never raises for what the receiver does."""


class MetricSink(Protocol):
    def record(self, values: Mapping[str, float], *, dimensions: Mapping[str, str], units: Mapping[str, str]) -> None:
        """CloudWatch metrics in the platform's namespace; `units` are CloudWatch's names, default None."""


class RecordQueue(Protocol):
    """Where inference records wait to be written, off the path of the answer."""

    def send(self, records: Sequence[str]) -> None:
        """Records as JSON objects. Never fails: what the queue does not take is kept in the log."""


class Traffic(Protocol):
    """What models were asked, by the hour; under the name EVERY_MODEL what all of them were."""

    def add(self, model: str, hour: datetime, counts: TrafficCounts, *, delivery: str) -> None:
        """Add `counts` to this hour, once for each `delivery`."""

    def hours(self, model: str, first: datetime, last: datetime) -> Sequence[TrafficHour]:
        """Those from the hour of `first` to the hour of `last` in which it was asked anything, in order."""


class EndpointSpec(NamedTuple):
    """What a SageMaker endpoint is made of. `kind` is "serverless" or "realtime"."""

    name: str
    kind: str
    image: str
    role_arn: str
    archive_uri: str
    environment: Mapping[str, str]

    def check_kind(self, found: str) -> None:
        """Raises EndpointFailed when the endpoint of this name is of another kind: it may be answering right now."""
        if found != self.kind:
            raise EndpointFailed(
                f"the endpoint {self.name} is {found}, not {self.kind}: deploy another version, and this one again "
                "once its endpoint was retired"
            )


class Endpoints(Protocol):
    """SageMaker endpoints, one per model version; model, configuration and endpoint have one name."""

    @property
    def region(self) -> str:
        """Where they are made."""

    def check_kind(self, spec: EndpointSpec) -> None:
        """Raises EndpointFailed when an endpoint of another kind has its name."""

    def deploy(self, spec: EndpointSpec) -> bool:
        """Create what is missing. True once it is in service.

        Raises EndpointFailed with the service's reason, or when one of another kind has its name.
        """

    def invoke(self, name: str, body: bytes) -> bytes:
        """JSON in, JSON out. Raises EndpointFailed when there is no answer."""

    def delete(self, name: str) -> None:
        """Endpoint, configuration and model; nothing happens for what is not there."""

    def names(self, prefix: str) -> Sequence[str]:
        """The endpoints whose names begin so."""

    def parts(self, prefix: str) -> Sequence[str]:
        """The models and configurations whose names begin so, whether or not there is an endpoint."""


class EndpointUses(Protocol):
    """How long which endpoint was in service. Of a version one use at most is open."""

    def find(self, model: str, number: int) -> EndpointUse | None:
        """The open one."""

    def begin(self, use: EndpointUse) -> None:
        """An open use of this version goes on, with more machines if it may have them now; one that billed otherwise
        ends as this one begins.
        """

    def end(self, model: str, number: int, *, at: datetime) -> None:
        """Nothing happens when none is open."""

    def since(self, moment: datetime) -> Sequence[EndpointUse]:
        """Those that ended at `moment` or later, in that order, then those that are open, by name."""

    def open(self) -> Sequence[EndpointUse]:
        """By name."""


class Clock(Protocol):
    def now(self) -> datetime:
        """UTC."""
