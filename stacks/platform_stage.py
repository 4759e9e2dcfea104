"""The platform of one environment: its stacks, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from stacks.alerts_stack import AlertsStack
from stacks.api_stack import ApiStack
from stacks.audit_stack import AuditStack
from stacks.batch_stack import BatchStack
from stacks.comparison_stack import ComparisonStack
from stacks.config import ENVIRONMENTS, EnvironmentConfig
from stacks.data_stack import DataStack
from stacks.drift_stack import DriftStack
from stacks.findings import accept
from stacks.frontend_stack import FrontendStack
from stacks.identity_stack import IdentityStack
from stacks.ingest_stack import IngestStack
from stacks.key_stack import EncryptedWith, KeyStack
from stacks.monitoring_stack import MonitoringStack
from stacks.network_stack import NetworkStack
from stacks.notifications_stack import NotificationsStack
from stacks.promotion_stack import PromotionStack
from stacks.recovery_stack import RecoveryStack
from stacks.registry_stack import RegistryStack
from stacks.runs_stack import RunsStack
from stacks.schedules_stack import SchedulesStack
from stacks.serving_stack import ServingStack
from stacks.training_stack import TrainingStack

# Given here and not in cdk.json, which only the CDK CLI reads: both ways of synthesising give the same bytes.
FEATURE_FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-sqs:enableQueuePolicies": True,
    # An export that another stack uses cannot be removed under it.
    "@aws-cdk/core:defaultCrossStackReferences": "strong",
}


class PlatformStage(cdk.Stage):
    def __init__(self, scope: Construct, config: EnvironmentConfig) -> None:
        super().__init__(scope, config.name, env=cdk.Environment(account=config.account, region=config.region))
        for name, value in (("Application", "Millrace"), ("Environment", config.name)):
            cdk.Tags.of(self).add(name, value)
        accept(self, config)
        if config.customer_key:
            cdk.Aspects.of(self).add(EncryptedWith(KeyStack(self, "Keys", config=config).key))
        network = NetworkStack(self, "Network", config=config) if config.private_jobs else None

        data = DataStack(self, "Data", config=config)
        registry = RegistryStack(self, "Registry", config=config)
        if config.backup is not None:
            RecoveryStack(self, "Recovery", config=config, backups=config.backup, data=data, registry=registry)
        AuditStack(self, "Audit", config=config, data=data, registry=registry)
        notifications = NotificationsStack(self, "Notifications", config=config)
        PromotionStack(self, "Promotion", config=config, data=data, registry=registry, notifications=notifications)
        ingest = IngestStack(
            self,
            "Ingest",
            config=config,
            data=data,
            registry=registry,
            notifications=notifications,
        )
        training = TrainingStack(
            self,
            "Training",
            config=config,
            data=data,
            registry=registry,
            notifications=notifications,
            network=network,
        )
        alerts = AlertsStack(
            self,
            "Alerts",
            config=config,
            registry=registry,
            notifications=notifications,
            training=training,
        )
        serving = ServingStack(
            self,
            "Serving",
            config=config,
            data=data,
            registry=registry,
            notifications=notifications,
            network=network,
        )
        batch = BatchStack(
            self,
            "Batch",
            config=config,
            data=data,
            registry=registry,
            notifications=notifications,
            network=network,
        )
        drift = DriftStack(
            self,
            "Drift",
            config=config,
            data=data,
            registry=registry,
            notifications=notifications,
        )
        comparison = ComparisonStack(self, "Comparison", config=config, data=data)
        schedules = SchedulesStack(
            self, "Schedules", config=config, data=data, registry=registry, training=training, batch=batch, drift=drift
        )
        RunsStack(
            self,
            "Runs",
            config=config,
            registry=registry,
            notifications=notifications,
            alerts=alerts,
            ingest=ingest,
            training=training,
            serving=serving,
            batch=batch,
            drift=drift,
            comparison=comparison,
        )
        identity = IdentityStack(self, "Identity", config=config)
        api = ApiStack(
            self,
            "Api",
            config=config,
            data=data,
            registry=registry,
            notifications=notifications,
            identity=identity,
            alerts=alerts,
            ingest=ingest,
            training=training,
            schedules=schedules,
            serving=serving,
            batch=batch,
            drift=drift,
            comparison=comparison,
        )
        FrontendStack(self, "Frontend", config=config, notifications=notifications, identity=identity, api=api)
        MonitoringStack(
            self,
            "Monitoring",
            config=config,
            registry=registry,
            notifications=notifications,
            serving=serving,
            api=api,
        )


def build_app(output: Path, environments: Iterable[str]) -> cdk.App:
    """The app with a stage per environment, to be synthesised into `output`."""
    app = cdk.App(outdir=str(output), analytics_reporting=False, context=FEATURE_FLAGS)
    for name in environments:
        PlatformStage(app, ENVIRONMENTS[name])
    return app
