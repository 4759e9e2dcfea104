"""Ingest: from an object under `uploads/` to a dataset version."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.glue_job import GlueJob
from stacks.constructs.observability import may_publish_metrics
from stacks.constructs.platform_function import EventFunction, PlatformFunction
from stacks.data_stack import DataStack
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack


class IngestStack(PlatformStack):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        data: DataStack,
        registry: RegistryStack,
        notifications: NotificationsStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        bucket = data.data_bucket

        register_upload = PlatformFunction(
            self,
            "RegisterUpload",
            kind="tasks",
            config=config,
            # It reads the whole upload once, for its SHA-256.
            timeout=cdk.Duration.minutes(15),
            environment={
                names.DATA_BUCKET: bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.EVENT_BUS_NAME: notifications.event_bus.event_bus_name,
            },
        )
        bucket.may_read(register_upload, names.UPLOADS_PREFIX)
        bucket.may_read_versions(register_upload, names.UPLOADS_PREFIX)
        # Settings that came before the file are looked for.
        bucket.may_list(register_upload)
        bucket.may_write(register_upload, names.DATASETS_PREFIX)
        registry.may_record(register_upload)
        registry.may_insist(register_upload)
        # Settings that name a target make the newest version ready to train on.
        notifications.event_bus.grant_put_events_to(register_upload)

        prepare_dataset = self._prepare_dataset(data)

        record_dataset_version = PlatformFunction(
            self,
            "RecordDatasetVersion",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(2),
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.EVENT_BUS_NAME: notifications.event_bus.event_bus_name,
            },
        )
        bucket.may_read(record_dataset_version, names.DATASETS_PREFIX)
        registry.may_record(record_dataset_version)
        notifications.event_bus.grant_put_events_to(record_dataset_version)
        may_publish_metrics(record_dataset_version, names.METRIC_NAMESPACE)

        reject_upload = PlatformFunction(
            self,
            "RejectUpload",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(1),
            environment={names.REGISTRY_TABLE: registry.table.table_name},
        )
        registry.may_record(reject_upload)
        registry.may_remove(reject_upload)

        self.state_machine = AslStateMachine(
            self,
            "Ingest",
            definition=names.INGEST_PIPELINE,
            config=config,
            functions={
                "RegisterUpload": register_upload,
                "RecordDatasetVersion": record_dataset_version,
                "RejectUpload": reject_upload,
            },
            glue_jobs={"PrepareDataset": prepare_dataset},
        )

        on_upload_arrived = EventFunction(
            self,
            "OnUploadArrived",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.INGEST_STATE_MACHINE_ARN: self.state_machine.state_machine_arn,
            },
            pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [bucket.bucket_name]},
                    "object": {"key": [{"prefix": names.UPLOADS_PREFIX}]},
                },
            ),
        )
        registry.may_record(on_upload_arrived)
        self.state_machine.grant_start_execution(on_upload_arrived)

        cdk.CfnOutput(self, "IngestStateMachineArn", value=self.state_machine.state_machine_arn)

    def _prepare_dataset(self, data: DataStack) -> GlueJob:
        job = GlueJob(self, "PrepareDataset", timeout=cdk.Duration.hours(2))
        data.data_bucket.may_read_versions(job.job_role, names.UPLOADS_PREFIX)
        # It joins the parts of a quarantine into one file.
        data.data_bucket.may_read(job.job_role, names.DATASETS_PREFIX, names.QUARANTINE_PREFIX)
        data.data_bucket.may_list(job.job_role)
        data.data_bucket.may_write(job.job_role, names.DATASETS_PREFIX, names.QUARANTINE_PREFIX)
        # A repeated run clears what the one before it left.
        data.data_bucket.may_delete(job.job_role, names.DATASETS_PREFIX, names.QUARANTINE_PREFIX)
        return job
