"""Training: from a dataset version to evaluated, registered model versions."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from millrace import names
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.job_role import JobRole
from stacks.constructs.platform_function import EventFunction, PlatformFunction
from stacks.data_stack import DataStack
from stacks.network_stack import NetworkStack
from stacks.notifications_stack import NotificationsStack
from stacks.packaging import sources, zip_package
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.training_image import TrainingImage

# What the container imports: nothing here may need more than the image has (no pydantic).
CONTAINER_SOURCES = (
    "sagemaker_scripts",
    "millrace/__init__.py",
    "millrace/names.py",
    "millrace/errors.py",
    "millrace/settings.py",
    "millrace/analytics",
    "millrace/algorithms",
)


# Rows pass in batches; what stays in memory are profiles and samples.
PROFILING_TIMEOUT = cdk.Duration.minutes(15)
# One Parquet file at a time lies on disk.
PROFILING_STORAGE = cdk.Size.gibibytes(6)


class TrainingStack(PlatformStack):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        data: DataStack,
        registry: RegistryStack,
        notifications: NotificationsStack,
        network: NetworkStack | None = None,
    ) -> None:
        super().__init__(scope, id, config=config)
        data_bucket, artifacts = data.data_bucket, data.artifacts_bucket
        table_name = registry.table.table_name

        package = zip_package("container", sources(*CONTAINER_SOURCES))
        code = s3_assets.Asset(
            self, "Code", path=str(package.path), asset_hash=package.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
        )
        image = TrainingImage(self, "Image", config=config)
        role = JobRole(self, "SageMakerRole", assets=[code], image=image, kinds=["TrainingJobs", "ProcessingJobs"])
        data_bucket.may_read(role, names.DATASETS_PREFIX)
        data_bucket.may_list(role)
        artifacts.may_read(role, names.RUNS_PREFIX)
        artifacts.may_list(role)
        artifacts.may_write(role, names.RUNS_PREFIX)
        # A checkpoint that the script replaces is deleted in S3 too.
        artifacts.may_delete(role, names.RUNS_PREFIX)

        plan_training = PlatformFunction(
            self,
            "PlanTraining",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(2),
            environment={
                names.ARTIFACTS_BUCKET: artifacts.bucket_name,
                names.REGISTRY_TABLE: table_name,
                names.SPOT_CAPACITY: config.spot,
            },
        )
        data_bucket.may_read(plan_training, names.DATASETS_PREFIX)
        artifacts.may_read(plan_training, names.MODELS_PREFIX)
        artifacts.may_write(plan_training, names.RUNS_PREFIX)
        registry.may_record(plan_training)

        collect_candidates = PlatformFunction(
            self,
            "CollectCandidates",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(1),
            environment={names.ARTIFACTS_BUCKET: artifacts.bucket_name},
        )
        artifacts.may_write(collect_candidates, names.RUNS_PREFIX)

        profile_baseline = PlatformFunction(
            self,
            "ProfileBaseline",
            kind="tasks",
            config=config,
            timeout=PROFILING_TIMEOUT,
            storage=PROFILING_STORAGE,
            brings="profile",
            environment={names.ARTIFACTS_BUCKET: artifacts.bucket_name},
        )
        data_bucket.may_read(profile_baseline, names.DATASETS_PREFIX)
        data_bucket.may_list(profile_baseline)
        artifacts.may_read(profile_baseline, names.RUNS_PREFIX)
        artifacts.may_list(profile_baseline)
        artifacts.may_write(profile_baseline, names.RUNS_PREFIX)

        register_candidates = PlatformFunction(
            self,
            "RegisterCandidates",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(5),
            environment={
                names.ARTIFACTS_BUCKET: artifacts.bucket_name,
                names.REGISTRY_TABLE: table_name,
                names.NOTIFICATIONS_TOPIC_ARN: notifications.topic.topic_arn,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
                names.TRAINING_IMAGE: image.uri,
                names.CODE_DIGEST: package.digest,
            },
        )
        artifacts.may_read(register_candidates, names.RUNS_PREFIX, names.MODELS_PREFIX)
        # An evaluation that left no report is told as such.
        artifacts.may_list(register_candidates)
        artifacts.may_write(register_candidates, names.MODELS_PREFIX)
        registry.may_record(register_candidates)
        notifications.may_notify(register_candidates)

        self.state_machine = AslStateMachine(
            self,
            "Training",
            definition=names.TRAINING_PIPELINE,
            config=config,
            functions={
                "PlanTraining": plan_training,
                "CollectCandidates": collect_candidates,
                "ProfileBaseline": profile_baseline,
                "RegisterCandidates": register_candidates,
            },
            sagemaker_role=role,
            network=network,
            values={
                "TrainingImage": image.uri,
                "CodeUri": code.s3_object_url,
                "CodeFile": code.s3_object_key,
            },
        )

        on_dataset_version_ready = EventFunction(
            self,
            "OnDatasetVersionReady",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.REGISTRY_TABLE: table_name,
                names.TRAINING_STATE_MACHINE_ARN: self.state_machine.state_machine_arn,
            },
            event_bus=notifications.event_bus,
            pattern=events.EventPattern(source=[names.EVENT_SOURCE], detail_type=[names.DATASET_VERSION_READY]),
        )
        registry.may_record(on_dataset_version_ready)
        self.state_machine.grant_start_execution(on_dataset_version_ready)

        cdk.CfnOutput(self, "TrainingStateMachineArn", value=self.state_machine.state_machine_arn)
        cdk.CfnOutput(self, "TrainingImage", value=image.uri)
        cdk.CfnOutput(self, "SpotCapacity", value=config.spot)
        cdk.CfnOutput(self, "CodeDigest", value=package.digest)
