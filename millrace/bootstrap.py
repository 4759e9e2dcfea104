"""The composition root: settings become adapters, each built on its first use.

A function pays only for the clients it touches: nothing here imports boto3 or an adapter before somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from millrace import names
from millrace.settings import Settings

if TYPE_CHECKING:
    from millrace.adapters.dynamodb import Table
    from millrace.adapters.endpoint_scaling import EndpointScaling
    from millrace.ports import (
        AlertBook,
        ApiKeys,
        AuditTrail,
        ChannelBook,
        Clock,
        Dashboard,
        DatasetCatalog,
        DeliveryBook,
        DeliveryQueue,
        Downloads,
        DriftReports,
        Endpoints,
        EndpointUses,
        EventBus,
        GivenAnswers,
        JobLogs,
        MetricSink,
        ModelRegistry,
        MultipartUploads,
        Notifier,
        ObjectHistory,
        ObjectStore,
        Pipelines,
        Poster,
        RecordQueue,
        RegistryTable,
        RetrainingLog,
        RunLedger,
        Schedules,
        Secrets,
        Site,
        Subscriptions,
        Tallies,
        Timer,
        Traffic,
        Transfers,
    )
    from millrace.use_cases.load_served_model import ServedModels


@dataclass(frozen=True)
class Platform:
    """Every port, as the settings say."""

    settings: Settings

    def with_parts(self, **parts: object) -> Platform:
        """The same platform with some ports filled already, as a test fills `catalog` with a fake."""
        platform = Platform(self.settings)
        unknown = [name for name in parts if not isinstance(vars(Platform).get(name), cached_property)]
        if unknown:
            raise AttributeError(f"the platform has no part {', '.join(unknown)}")
        vars(platform).update(vars(self) | parts)
        return platform

    @cached_property
    def catalog(self) -> DatasetCatalog:
        from millrace.adapters.dynamodb import DynamoDatasetCatalog

        return DynamoDatasetCatalog(self._table)

    @cached_property
    def ledger(self) -> RunLedger:
        from millrace.adapters.dynamodb import DynamoRunLedger

        return DynamoRunLedger(self._table)

    @cached_property
    def registry(self) -> ModelRegistry:
        from millrace.adapters.dynamodb import DynamoModelRegistry

        return DynamoModelRegistry(self._table)

    @cached_property
    def drift_reports(self) -> DriftReports:
        from millrace.adapters.dynamodb import DynamoDriftReports

        return DynamoDriftReports(self._table)

    @cached_property
    def audit(self) -> AuditTrail:
        from millrace.adapters.dynamodb import DynamoAuditTrail

        return DynamoAuditTrail(self._table)

    @cached_property
    def tallies(self) -> Tallies:
        from millrace.adapters.dynamodb import DynamoTallies

        return DynamoTallies(self._table)

    @cached_property
    def given_answers(self) -> GivenAnswers:
        from millrace.adapters.dynamodb import DynamoGivenAnswers

        return DynamoGivenAnswers(self._table)

    @cached_property
    def api_keys(self) -> ApiKeys:
        from millrace.adapters.dynamodb import DynamoApiKeys

        return DynamoApiKeys(self._table)

    @cached_property
    def schedules(self) -> Schedules:
        from millrace.adapters.dynamodb import DynamoSchedules

        return DynamoSchedules(self._table)

    @cached_property
    def timer(self) -> Timer:
        from millrace.adapters.scheduler import EventBridgeTimer

        return EventBridgeTimer(
            _client("scheduler"),
            group=self.settings.require("schedule_group"),
            target_arn=self.settings.require("schedule_target_arn"),
            role_arn=self.settings.require("schedule_role_arn"),
        )

    @cached_property
    def transfers(self) -> Transfers:
        from millrace.adapters.dynamodb import DynamoTransfers

        return DynamoTransfers(self._table)

    @cached_property
    def multipart(self) -> MultipartUploads:
        from millrace.adapters.s3_multipart import S3MultipartUploads

        return S3MultipartUploads(_client("s3"))

    @cached_property
    def downloads(self) -> Downloads:
        from millrace.adapters.s3_downloads import S3Downloads

        return S3Downloads(_client("s3"))

    @cached_property
    def store(self) -> ObjectStore:
        from millrace.adapters.s3 import S3ObjectStore

        return S3ObjectStore(_client("s3"))

    @cached_property
    def object_history(self) -> ObjectHistory:
        from millrace.adapters.s3_history import S3ObjectHistory

        return S3ObjectHistory(_client("s3"))

    @cached_property
    def registry_table(self) -> RegistryTable:
        from millrace.adapters.registry_table import DynamoRegistryTable

        return DynamoRegistryTable(_client("dynamodb"), self.settings.require("registry_table"))

    @cached_property
    def pipelines(self) -> Pipelines:
        from millrace.adapters.step_functions import StepFunctionsPipelines

        arns: Mapping[str, str] = {
            names.INGEST_PIPELINE: self.settings.ingest_state_machine_arn,
            names.TRAINING_PIPELINE: self.settings.training_state_machine_arn,
            names.DEPLOYMENT_PIPELINE: self.settings.deployment_state_machine_arn,
            names.BATCH_INFERENCE_PIPELINE: self.settings.batch_inference_state_machine_arn,
            names.DRIFT_PIPELINE: self.settings.drift_state_machine_arn,
            names.COMPARISON_PIPELINE: self.settings.comparison_state_machine_arn,
        }
        return StepFunctionsPipelines(_client("stepfunctions"), arns)

    @cached_property
    def bus(self) -> EventBus:
        from millrace.adapters.events import EventBridgeBus

        return EventBridgeBus(_client("events"), self.settings.require("event_bus_name"))

    @cached_property
    def notifier(self) -> Notifier:
        from millrace.adapters.sns import SnsNotifier

        return SnsNotifier(_client("sns"), self.settings.require("notifications_topic_arn"), self.dashboard)

    @cached_property
    def dashboard(self) -> Dashboard:
        from millrace.adapters.dashboard_parameter import ParameterDashboard

        # The message waits for it.
        client = _client("ssm", attempts=2, timeout_seconds=2)
        return ParameterDashboard(client, self.settings.require("dashboard_url_parameter"), self.clock.now)

    @cached_property
    def alerts(self) -> AlertBook:
        from millrace.adapters.dynamodb import DynamoAlertBook

        return DynamoAlertBook(self._table)

    @cached_property
    def channels(self) -> ChannelBook:
        from millrace.adapters.dynamodb import DynamoChannelBook

        return DynamoChannelBook(self._table)

    @cached_property
    def deliveries(self) -> DeliveryBook:
        from millrace.adapters.dynamodb import DynamoDeliveryBook

        return DynamoDeliveryBook(self._table)

    @cached_property
    def delivery_queue(self) -> DeliveryQueue:
        from millrace.adapters.delivery_queue import SqsDeliveryQueue

        return SqsDeliveryQueue(_client("sqs"), self.settings.require("deliveries_queue_url"))

    @cached_property
    def retraining(self) -> RetrainingLog:
        from millrace.adapters.dynamodb import DynamoRetrainingLog

        return DynamoRetrainingLog(self._table)

    @cached_property
    def channel_secrets(self) -> Secrets:
        from millrace.adapters.secret_parameters import ParameterSecrets

        return ParameterSecrets(_client("ssm"), self.settings.require("channel_secrets_prefix"))

    @cached_property
    def subscriptions(self) -> Subscriptions:
        from millrace.adapters.sns import SnsSubscriptions

        return SnsSubscriptions(_client("sns"), self.settings.require("notifications_topic_arn"))

    @cached_property
    def poster(self) -> Poster:
        from millrace.adapters.poster import HttpPoster

        return HttpPoster(loopback=self.settings.loopback_webhooks == "allowed")

    @cached_property
    def job_logs(self) -> JobLogs:
        from millrace.adapters.cloudwatch_logs import CloudWatchJobLogs

        return CloudWatchJobLogs(_client("logs"))

    @cached_property
    def metrics(self) -> MetricSink:
        from millrace.adapters.cloudwatch import CloudWatchMetrics

        return CloudWatchMetrics(_client("cloudwatch"))

    @cached_property
    def inference_records(self) -> RecordQueue:
        from millrace.adapters.sqs import SqsRecordQueue

        # Somebody waits for the answer: a queue that does not react soon is left alone.
        client = _client("sqs", attempts=2, timeout_seconds=1)
        return SqsRecordQueue(client, self.settings.require("inference_records_queue_url"))

    @cached_property
    def traffic(self) -> Traffic:
        from millrace.adapters.dynamodb import DynamoTraffic

        return DynamoTraffic(self._table)

    @cached_property
    def site(self) -> Site:
        from millrace.adapters.cloudfront import CloudFrontSite

        return CloudFrontSite(
            _client("s3"),
            _client("cloudfront"),
            bucket=self.settings.require("site_bucket"),
            distribution_id=self.settings.require("distribution_id"),
        )

    @cached_property
    def served_models(self) -> ServedModels:
        from millrace.use_cases.load_served_model import ServedModels

        bucket = self.settings.require("artifacts_bucket")

        def invoke(name: str, body: bytes) -> bytes:
            return self.endpoints.invoke(name, body)

        return ServedModels(self.registry, self.store, bucket, invoke=invoke)

    @cached_property
    def endpoints(self) -> Endpoints:
        from millrace.adapters.sagemaker import SageMakerEndpoints

        # Somebody waits for the answer, and an HTTP API waits 30 s: a request is not sent twice.
        runtime = _client("sagemaker-runtime", attempts=1, timeout_seconds=20)
        return SageMakerEndpoints(
            _client("sagemaker"), runtime, machine=self.settings.endpoint_machine, scaling=self._endpoint_scaling
        )

    @cached_property
    def endpoint_uses(self) -> EndpointUses:
        from millrace.adapters.dynamodb import DynamoEndpointUses

        return DynamoEndpointUses(self._table)

    @property
    def _endpoint_scaling(self) -> EndpointScaling | None:
        most = self.settings.most_machines
        if most == 1:
            return None
        from millrace.adapters.endpoint_scaling import EndpointScaling

        return EndpointScaling(_client("application-autoscaling"), most=most)

    @cached_property
    def clock(self) -> Clock:
        from millrace.adapters.clock import SystemClock

        return SystemClock()

    @cached_property
    def _table(self) -> Table:
        from millrace.adapters.dynamodb import Table

        return Table(_client("dynamodb"), self.settings.require("registry_table"), now=self.clock.now)


def platform(settings: Settings | None = None) -> Platform:
    """The platform of `settings`; without them that of the environment, built once: a warm function reuses it."""
    return _of_environment() if settings is None else Platform(settings)


def object_store() -> ObjectStore:
    """S3 alone, for a Glue job: it has no settings, only addresses."""
    return Platform(Settings()).store


@cache
def _of_environment() -> Platform:
    return Platform(Settings.from_env())


def _client(service: str, *, attempts: int = 5, timeout_seconds: int = 60) -> Any:
    """SigV4 for S3, also where the default would still be the older one; a retried request is a safe one."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "max_attempts": attempts},
        signature_version="s3v4" if service == "s3" else None,
        read_timeout=timeout_seconds,
        connect_timeout=min(5, timeout_seconds),
    )
    build: Any = boto3.client  # its overloads name every service, so they cannot be called with a variable
    return build(service, config=config)
