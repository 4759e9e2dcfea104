"""A platform of fakes, and the story of a dataset told through its use cases."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from millrace import names
from millrace.adapters.memory import (
    InMemoryApiKeys,
    InMemoryAuditTrail,
    InMemoryDashboard,
    InMemoryDatasetCatalog,
    InMemoryDriftReports,
    InMemoryEndpointUses,
    InMemoryEventBus,
    InMemoryMetricSink,
    InMemoryModelRegistry,
    InMemoryMultipartUploads,
    InMemoryNotifier,
    InMemoryObjectStore,
    InMemoryPipelines,
    InMemoryRunLedger,
    InMemorySchedules,
    InMemoryTimer,
    InMemoryTraffic,
    InMemoryTransfers,
    SetClock,
)
from millrace.adapters.memory_alerts import (
    InMemoryAlertBook,
    InMemoryChannelBook,
    InMemoryDeliveryBook,
    InMemoryDeliveryQueue,
    InMemoryPoster,
    InMemoryRetrainingLog,
    InMemorySecrets,
    InMemorySubscriptions,
)
from millrace.domain import place
from millrace.domain.alert import Alert, Signal
from millrace.domain.batch import BatchReport
from millrace.domain.channel import ChannelKind
from millrace.domain.dataset import (
    Contract,
    Dataset,
    DatasetVersion,
    PreparationReport,
    PreparationRequest,
    Quality,
    Registration,
)
from millrace.domain.drift import DriftReport, DriftSummary, day_of, summary_of
from millrace.domain.model import ModelVersion
from millrace.domain.run import Run, RunState
from millrace.use_cases.collect_candidates import TrainedCandidate, collect_candidates
from millrace.use_cases.configure_dataset import configure_dataset
from millrace.use_cases.manage_channels import NewChannel, create_channel
from millrace.use_cases.open_ingest_run import open_ingest_run
from millrace.use_cases.plan_training import plan_training
from millrace.use_cases.raise_alert import raise_alert
from millrace.use_cases.record_dataset_version import record_dataset_version
from millrace.use_cases.record_ground_truth import Label, record_ground_truth
from millrace.use_cases.register_candidates import register_candidates
from millrace.use_cases.register_upload import register_upload
from millrace.use_cases.start_training import start_training
from millrace.use_cases.transfer_file import Progress, start_transfer
from tests.builders import ARTIFACTS_BUCKET, DATA_BUCKET, NOON, a_contract, a_quality, a_verdict

ROWS = b"id,age,income,home,remarks,status\n1,30,2000.5,own,fine,good\n2,41,1500,rent,late,bad\n"


@dataclass
class World:
    audit: InMemoryAuditTrail = field(init=False)
    catalog: InMemoryDatasetCatalog = field(init=False)
    drift_reports: InMemoryDriftReports = field(init=False)
    ledger: InMemoryRunLedger = field(init=False)
    registry: InMemoryModelRegistry = field(init=False)
    transfers: InMemoryTransfers = field(init=False)
    api_keys: InMemoryApiKeys = field(init=False)
    schedules: InMemorySchedules = field(init=False)
    timer: InMemoryTimer = field(default_factory=InMemoryTimer)
    multipart: InMemoryMultipartUploads = field(init=False)
    alerts: InMemoryAlertBook = field(init=False)
    channels: InMemoryChannelBook = field(init=False)
    retraining: InMemoryRetrainingLog = field(init=False)
    deliveries: InMemoryDeliveryBook = field(default_factory=InMemoryDeliveryBook)
    delivery_queue: InMemoryDeliveryQueue = field(default_factory=InMemoryDeliveryQueue)
    channel_secrets: InMemorySecrets = field(default_factory=InMemorySecrets)
    subscriptions: InMemorySubscriptions = field(default_factory=InMemorySubscriptions)
    poster: InMemoryPoster = field(default_factory=InMemoryPoster)
    store: InMemoryObjectStore = field(default_factory=InMemoryObjectStore)
    pipelines: InMemoryPipelines = field(default_factory=InMemoryPipelines)
    bus: InMemoryEventBus = field(default_factory=InMemoryEventBus)
    traffic: InMemoryTraffic = field(default_factory=InMemoryTraffic)
    endpoint_uses: InMemoryEndpointUses = field(default_factory=InMemoryEndpointUses)
    notifier: InMemoryNotifier = field(default_factory=InMemoryNotifier)
    dashboard: InMemoryDashboard = field(default_factory=InMemoryDashboard)
    metrics: InMemoryMetricSink = field(default_factory=InMemoryMetricSink)
    clock: SetClock = field(default_factory=lambda: SetClock(NOON))

    def __post_init__(self) -> None:
        self.audit = InMemoryAuditTrail(self.clock.now)
        self.catalog = InMemoryDatasetCatalog(self.audit)
        self.drift_reports = InMemoryDriftReports(self.audit)
        self.ledger = InMemoryRunLedger(self.audit)
        self.registry = InMemoryModelRegistry(self.audit)
        self.transfers = InMemoryTransfers(self.audit)
        self.api_keys = InMemoryApiKeys(self.audit)
        self.schedules = InMemorySchedules(self.audit)
        self.alerts = InMemoryAlertBook(self.audit)
        self.channels = InMemoryChannelBook(self.audit)
        self.retraining = InMemoryRetrainingLog(self.audit)
        self.multipart = InMemoryMultipartUploads(self.store)

    def notices(self, signal: Signal) -> Alert:
        """Something noticed trouble."""
        return raise_alert(**self.telling(), signal=signal)

    def telling(self) -> dict[str, Any]:
        """What a use case needs to tell channels of alerts."""
        return {
            "alerts": self.alerts,
            "channels": self.channels,
            "deliveries": self.deliveries,
            "queue": self.delivery_queue,
            "dashboard": self.dashboard,
            "clock": self.clock,
        }

    def adds_channel(self, kind: str = "webhook", name: str = "on-call", **facts: Any) -> NewChannel:
        addresses = {
            "webhook": "https://hooks.example.com/in",
            "slack": "https://hooks.slack.com/services/T/B/secret",
            "email": "ada@example.com",
        }
        return create_channel(
            channels=self.channels,
            secrets=self.channel_secrets,
            subscriptions=self.subscriptions,
            poster=self.poster,
            clock=self.clock,
            **{
                "kind": ChannelKind(kind),
                "name": name,
                "address": addresses.get(kind, ""),
                "kinds": (),
                "actor": "user:ada",
            }
            | facts,
        )

    def sends(self, file_name: str = "may.csv", size: int = 100, dataset: str = "credit") -> Progress:
        """A file that somebody begins to send in parts."""
        return start_transfer(
            catalog=self.catalog,
            transfers=self.transfers,
            multipart=self.multipart,
            clock=self.clock,
            bucket=DATA_BUCKET,
            dataset=dataset,
            file_name=file_name,
            size_bytes=size,
            actor="ada",
        )

    def part_arrives(self, progress: Progress, number: int, body: bytes) -> None:
        transfer = progress.transfer
        self.multipart.put(place.uri(transfer.bucket, transfer.key), transfer.multipart_id, number, body)

    def put(self, key: str, body: bytes = ROWS) -> str:
        """An object in the data bucket; its version id."""
        self.store.write(place.uri(DATA_BUCKET, key), body)
        return self.store.head(place.uri(DATA_BUCKET, key)).version_id

    def arrives(self, key: str, version: str, *, size: int = 10, at: datetime = NOON) -> Run | None:
        """An announcement of an object, one of possibly many."""
        return open_ingest_run(
            ledger=self.ledger,
            pipelines=self.pipelines,
            bucket=DATA_BUCKET,
            key=key,
            object_version=version,
            size_bytes=size,
            at=at,
        )

    def dropped(self, key: str, body: bytes = ROWS) -> Run:
        """An object that arrived and was announced."""
        run = self.arrives(key, self.put(key, body))
        assert run is not None
        return run

    def batched(self, rows: int, *, state: RunState = RunState.SUCCEEDED) -> Run:
        """A batch inference `batch-1` of `rows` rows and one more, which could not be read."""
        location = place.batch_uri(DATA_BUCKET, "credit", "batch-1")
        given = {
            "run_id": "batch-1",
            "model": "credit",
            "number": 1,
            "record_id_column": "record_id",
            "source_uri": place.uri(DATA_BUCKET, "inference/credit/may.csv"),
            "object_version": None,
            "location": location,
        }
        run = Run(
            run_id="batch-1",
            pipeline=names.BATCH_INFERENCE_PIPELINE,
            dataset="credit",
            model="credit",
            started_by="ada",
            started_at=NOON,
            input=given,
        )
        self.ledger.open(run)
        report = BatchReport(
            job_id="batch-1", rows_in=rows + 1, accepted=rows, quarantined=1, shards=1, record_ids="given"
        )
        self.store.write(f"{location}report.json", report.model_dump_json().encode())
        row = {"line": rows, "text": "4,many", "reasons": ["age: 'many' is not an integer"]}
        self.store.write(f"{location}quarantine/part-00000-000.jsonl", json.dumps(row).encode() + b"\n")
        joined = {"rows": rows, "parts": 1, "columns": ["record_id", "prediction"]}
        self.store.write(f"{location}results/join.json", json.dumps(joined).encode())
        self.store.write(f"{location}results/part-00000.parquet", b"PAR1" * rows)
        self.store.write(f"{location}results/results.csv", b"record_id,prediction\n" * rows)
        if state is not RunState.RUNNING:
            self.ledger.annotate("batch-1", outcome=f"credit:1 predicted {rows} rows")
            self.ledger.close("batch-1", state=state, reason=None, steps=(), at=NOON)
        return self.ledger.get("batch-1")

    def labelled(self, records: int) -> None:
        """So many records whose truth is known now."""
        record_ground_truth(
            registry=self.registry,
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            data_bucket=DATA_BUCKET,
            model="credit",
            labels=[Label(f"record {number}", "good") for number in range(records)],
            actor="ada",
        )

    def register(self, run: Run) -> Registration:
        return register_upload(
            catalog=self.catalog,
            ledger=self.ledger,
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            data_bucket=DATA_BUCKET,
            **run.input | {"received_at": run.started_at},
        )

    def request(self, registration: Registration) -> PreparationRequest:
        return PreparationRequest.model_validate_json(self.store.read(str(registration.request_uri)))

    def prepare(
        self,
        registration: Registration,
        *,
        contract: Contract | None = None,
        quality: Quality | None = None,
        rejection: str | None = None,
        profile: dict[str, Any] | None = None,
    ) -> None:
        """What the preparation job leaves behind."""
        request = self.request(registration)
        report = PreparationReport(
            dataset=request.dataset,
            version=request.version,
            rejection=rejection,
            contract=None if rejection else contract or request.contract or a_contract(dataset=request.dataset),
            quality=None if rejection else quality or a_quality(),
            seconds=3.5,
        )
        self.store.write(place.profile_uri(request.location), json.dumps(profile or a_profile()).encode())
        self.store.write(str(registration.report_uri), report.model_dump_json().encode())

    def record(self, run: Run, registration: Registration) -> DatasetVersion:
        return record_dataset_version(
            catalog=self.catalog,
            store=self.store,
            ledger=self.ledger,
            bus=self.bus,
            metrics=self.metrics,
            run_id=run.run_id,
            registration=registration,
        )

    def ready(self, key: str = "uploads/credit/may.csv", body: bytes = ROWS, **preparation: Any) -> DatasetVersion:
        """A dataset version, all the way from a dropped file."""
        run = self.dropped(key, body)
        registration = self.register(run)
        self.prepare(registration, **preparation)
        return self.record(run, registration)

    def configure(self, dataset: str = "credit", *, actor: str = "ada", **changes: Any) -> Dataset:
        return configure_dataset(
            catalog=self.catalog, bus=self.bus, clock=self.clock, dataset=dataset, changes=changes, actor=actor
        )

    def start(self, dataset: str = "credit", **given: Any) -> Run:
        return start_training(
            catalog=self.catalog,
            ledger=self.ledger,
            pipelines=self.pipelines,
            clock=self.clock,
            dataset=dataset,
            **{"started_by": "ada", **given},
        )

    def plan(self, run: Run, *, spot: bool = True) -> dict[str, Any]:
        return plan_training(
            catalog=self.catalog,
            registry=self.registry,
            ledger=self.ledger,
            store=self.store,
            artifacts_bucket=ARTIFACTS_BUCKET,
            run_id=run.run_id,
            dataset=run.dataset,
            dataset_version=int(run.dataset_version or 0),
            model=str(run.model),
            choices=run.input["training"],
            spot=spot,
        )

    def train(self, run: Run, plan: dict[str, Any], *, failing: dict[str, str] | None = None) -> list[TrainedCandidate]:
        """What the training jobs leave behind: an artefact each, but a reason for those that are `failing`."""
        candidates = [
            trained(candidate, (failing or {}).get(candidate["algorithm"])) for candidate in plan["candidates"]
        ]
        for candidate in candidates:
            if candidate.artifact_uri:
                self.store.write(candidate.artifact_uri, f"artefact of {candidate.job_name}".encode())
        return candidates

    def collect(self, run: Run, training: list[TrainedCandidate]) -> dict[str, Any]:
        return collect_candidates(
            store=self.store, artifacts_bucket=ARTIFACTS_BUCKET, run_id=run.run_id, training=training
        )

    def evaluate(self, run: Run, training: list[TrainedCandidate], **facts: Any) -> dict[str, Any]:
        """What the evaluation leaves behind."""
        judged = [evaluated(candidate) for candidate in training if candidate.status == "TRAINED"]
        judged[0]["recommended"] = True
        report = {
            "run_id": run.run_id,
            "task": "binary",
            "primary_metric": "roc_auc",
            "test_rows": 668,
            "candidates": judged,
            "champion": None,
            "failed": [],
        }
        self.write_evaluation(run, report | facts)
        for candidate in judged:
            address = place.baseline_uri(ARTIFACTS_BUCKET, run.run_id, candidate["algorithm"])
            self.store.write(address, f"baseline of {candidate['algorithm']}".encode())
        return report | facts

    def write_evaluation(self, run: Run, report: dict[str, Any]) -> None:
        address = place.run_uri(ARTIFACTS_BUCKET, run.run_id, "evaluation/evaluation.json")
        self.store.write(address, json.dumps(report).encode())

    def register_candidates(self, run: Run) -> list[ModelVersion]:
        return register_candidates(
            catalog=self.catalog,
            registry=self.registry,
            ledger=self.ledger,
            store=self.store,
            notifier=self.notifier,
            clock=self.clock,
            artifacts_bucket=ARTIFACTS_BUCKET,
            training_image="image:3.2-0",
            code_digest="code-digest",
            run_id=run.run_id,
            dataset=run.dataset,
            dataset_version=int(run.dataset_version or 0),
        )

    def trained(self, **settings: Any) -> tuple[Run, list[ModelVersion]]:
        """Registered candidates, all the way from a dropped file."""
        self.configure(**{"target": "status", **settings})
        self.ready(body=ROWS + str(len(self.catalog.uploads("credit"))).encode())
        run = self.start()
        candidates = self.train(run, self.plan(run))
        self.collect(run, candidates)
        self.evaluate(run, candidates)
        return run, self.register_candidates(run)

    def drift_found(self, report: DriftReport) -> DriftSummary:
        """A report as a check leaves it: its files, its summary, its day."""
        files = ("report.json", "report.html")
        places = [place.drift_uri(ARTIFACTS_BUCKET, report.model, report.id, file) for file in files]
        self.store.write(places[0], report.model_dump_json().encode())
        self.store.write(places[1], f"<p>{report.window_rows:>{report.window_rows}}</p>".encode())
        summary = summary_of(report, *places)
        self.drift_reports.record(summary, day_of(report))
        return summary

    def read_json(self, bucket: str, key: str) -> Any:
        return json.loads(self.store.read(place.uri(bucket, key)))


def trained(candidate: dict[str, Any], reason: str | None) -> TrainedCandidate:
    known = {"algorithm": candidate["algorithm"], "job_name": candidate["job_name"]}
    if reason is not None:
        return TrainedCandidate(**known, status="FAILED", reason=reason)
    return TrainedCandidate(
        **known,
        status="TRAINED",
        artifact_uri=f"{candidate['output_uri']}/{candidate['job_name']}/output/model.tar.gz",
        training_seconds=12.0,
        billable_seconds=4.0,
    )


def evaluated(candidate: TrainedCandidate, **facts: Any) -> dict[str, Any]:
    return {
        "algorithm": candidate.algorithm,
        "job_name": candidate.job_name,
        "artifact_digest": f"digest-{candidate.algorithm}",
        "hyperparameters": {"depth": 4},
        "signature": {"inputs": [{"name": "age", "kind": "integer"}]},
        "metrics": {"roc_auc": {"value": 0.83, "low": 0.79, "high": 0.86, "higher_is_better": True}},
        "curves": {"roc": []},
        "verdict": a_verdict(f"{candidate.algorithm} gains 0.3.").model_dump(mode="json"),
        "recommended": False,
    } | facts


def a_profile(**facts: Any) -> dict[str, Any]:
    """A profile.json but for its sketches."""

    def column(counts: dict[str, int] | None, distinct: float) -> dict[str, Any]:
        return {
            "kind": "number" if counts is None else "category",
            "count": 980,
            "nulls": 10,
            "counts": counts,
            "distinct": distinct,
            **dict.fromkeys(("mean", "std", "minimum", "maximum")),
            "quantiles": {},
            "histogram": {"edges": [0.0, 1.0], "shares": [1.0]} if counts is None else {"edges": [], "shares": []},
            "top": [list(each) for each in (counts or {}).items()],
        }

    return {
        "rows": 990,
        "target": None,
        "classes": None,
        "splits": {"train": 660, "validation": 165, "test": 165},
        "columns": {
            "id": column(None, 990.0),
            "age": column(None, 60.0),
            "income": column(None, 900.0),
            "home": column({"own": 500, "rent": 490}, 2),
            "remarks": column(None, 900.0),
            "status": column({"good": 700, "bad": 290}, 2),
        },
    } | facts
