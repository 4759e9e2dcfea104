"""Ingest: from an object under `uploads/` to a dataset version."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from millrace import names
from stacks.acknowledge import acknowledge
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.observability import may_publish_metrics, may_write_logs
from stacks.constructs.platform_function import EventFunction, PlatformFunction
from stacks.data_stack import DataStack
from stacks.notifications_stack import NotificationsStack
from stacks.packaging import REPOSITORY, locked_version, sources, zip_package
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
        bucket.may_read(register_upload, names.UPLOADS_PREFIX, names.DATASETS_PREFIX)
        bucket.may_write(register_upload, names.DATASETS_PREFIX)
        registry.may_use(register_upload)
        # Settings that name a target make the newest version ready to train on.
        notifications.event_bus.grant_put_events_to(register_upload)

        prepare_dataset = self._glue_job(data)

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
        registry.may_use(record_dataset_version)
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
        registry.may_use(reject_upload)

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
        bucket.may_read(on_upload_arrived, names.UPLOADS_PREFIX)
        registry.may_use(on_upload_arrived)
        self.state_machine.grant_start_execution(on_upload_arrived)

        cdk.CfnOutput(self, "IngestStateMachineArn", value=self.state_machine.state_machine_arn)

    def _glue_job(self, data: DataStack) -> glue.CfnJob:
        """`glue_jobs/prepare_dataset.py` on Spark, with the core beside it as a zip."""
        script = s3_assets.Asset(self, "Script", path=str(REPOSITORY / "glue_jobs" / "prepare_dataset.py"))
        core = zip_package("glue", sources("millrace", "glue_jobs"))
        library = s3_assets.Asset(
            self, "Core", path=str(core.path), asset_hash=core.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
        )
        role = self._glue_role(data, script, library)
        modules = ",".join(f"{name}=={locked_version(name)}" for name in ("pydantic", "datasketches"))
        job = glue.CfnJob(
            self,
            "PrepareDataset",
            role=role.role_arn,
            glue_version="5.1",
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=script.s3_object_url
            ),
            worker_type="G.1X",
            number_of_workers=2,
            timeout=120,
            max_retries=0,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=20),
            default_arguments={
                "--job-language": "python",
                "--extra-py-files": library.s3_object_url,
                "--additional-python-modules": modules,
                # One argument carries them all: that is how Glue takes several.
                "--conf": "spark.sql.ansi.enabled=false --conf spark.sql.session.timeZone=UTC",
                "--enable-metrics": "true",
                "--enable-continuous-cloudwatch-log": "true",
            },
        )
        job.node.add_dependency(role)
        acknowledge(job, "CloudWatch encrypts its logs with its own key, and they hold no rows.", "GL1")
        acknowledge(job, "The job keeps no bookmarks: each run is told which upload to read.", "GL3")
        return job

    def _glue_role(self, data: DataStack, *assets: s3_assets.Asset) -> iam.Role:
        role = iam.Role(self, "PrepareDatasetRole", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        # It joins the parts of a quarantine into one file.
        data.data_bucket.may_read(role, names.UPLOADS_PREFIX, names.DATASETS_PREFIX, names.QUARANTINE_PREFIX)
        data.data_bucket.may_write(role, names.DATASETS_PREFIX, names.QUARANTINE_PREFIX)
        # A repeated run clears what the one before it left.
        data.data_bucket.may_delete(role, names.DATASETS_PREFIX, names.QUARANTINE_PREFIX)
        for asset in assets:
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=["s3:GetObject"], resources=[asset.bucket.arn_for_objects(asset.s3_object_key)]
                )
            )
        may_write_logs(role, "/aws-glue/")
        may_publish_metrics(role, "Glue")
        return role
