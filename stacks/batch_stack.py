"""Batch inference: from a file or a dataset version to a prediction beside each row."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from millrace import names
from millrace.function_memory import ONE_VCPU_MB
from stacks.acknowledge import acknowledge
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.job_role import JobRole
from stacks.constructs.observability import may_publish_metrics, may_write_logs
from stacks.constructs.platform_function import EventFunction, PlatformFunction
from stacks.data_stack import DataStack
from stacks.network_stack import NetworkStack
from stacks.notifications_stack import NotificationsStack
from stacks.packaging import REPOSITORY, Package, locked_version, sources, zip_package
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.training_image import TrainingImage
from stacks.training_stack import CONTAINER_SOURCES, PROFILING_STORAGE, PROFILING_TIMEOUT


class BatchStack(PlatformStack):
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
        bucket, table_name = data.data_bucket, registry.table.table_name
        code = self._asset("Code", zip_package("container", sources(*CONTAINER_SOURCES)))
        image = TrainingImage(self, "Image", config=config)
        role = JobRole(self, "ScoreRole", assets=[code], image=image, kinds=["TransformJobs", "ProcessingJobs"])
        bucket.may_read(role, names.INFERENCE_PREFIX)
        bucket.may_list(role)
        bucket.may_write(role, names.INFERENCE_PREFIX)
        # The model's archive: copied there from the registered one, with the code beside it.
        data.artifacts_bucket.may_read(role, names.RUNS_PREFIX)
        data.artifacts_bucket.may_list(role)

        plan_batch = PlatformFunction(
            self,
            "PlanBatch",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(1),
            environment={
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
                names.REGISTRY_TABLE: table_name,
            },
        )
        # A dataset version's files are listed; the request is written.
        bucket.may_list(plan_batch)
        bucket.may_write(plan_batch, names.INFERENCE_PREFIX)
        registry.may_look_up(plan_batch)

        check_batch = PlatformFunction(
            self,
            "CheckBatch",
            kind="tasks",
            config=config,
            # What an attempt before left is removed object by object.
            timeout=cdk.Duration.minutes(5),
            environment={},
        )
        bucket.may_read(check_batch, names.INFERENCE_PREFIX)
        bucket.may_list(check_batch)
        bucket.may_delete(check_batch, names.INFERENCE_PREFIX)

        record_batch = PlatformFunction(
            self,
            "RecordBatch",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(2),
            environment={
                names.REGISTRY_TABLE: table_name,
                names.EVENT_BUS_NAME: notifications.event_bus.event_bus_name,
                names.NOTIFICATIONS_TOPIC_ARN: notifications.topic.topic_arn,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
            },
        )
        bucket.may_read(record_batch, names.INFERENCE_PREFIX)
        registry.may_record(record_batch)
        notifications.event_bus.grant_put_events_to(record_batch)
        notifications.may_notify(record_batch)
        may_publish_metrics(record_batch, names.METRIC_NAMESPACE)

        self.state_machine = AslStateMachine(
            self,
            "BatchInference",
            definition=names.BATCH_INFERENCE_PIPELINE,
            config=config,
            functions={"PlanBatch": plan_batch, "CheckBatch": check_batch, "RecordBatch": record_batch},
            glue_jobs={"PrepareBatch": self._glue_job(data, code)},
            sagemaker_role=role,
            network=network,
            values={
                "TrainingImage": image.uri,
                "JobMachine": config.job_machine,
                "CodeUri": code.s3_object_url,
                "CodeFile": code.s3_object_key,
            },
        )
        self._start_on_arrival(config, data, registry)
        self._record_ground_truth(config, data, registry, notifications)
        cdk.CfnOutput(self, "BatchInferenceStateMachineArn", value=self.state_machine.state_machine_arn)

    def _start_on_arrival(self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack) -> None:
        on_batch_input_arrived = EventFunction(
            self,
            "OnBatchInputArrived",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.REGISTRY_TABLE: registry.table.table_name,
                names.BATCH_INFERENCE_STATE_MACHINE_ARN: self.state_machine.state_machine_arn,
            },
            # What the platform itself writes below a model is announced too, and passed over: a pattern can name one
            # prefix of a key, or exclude some, but not both.
            pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [data.data_bucket.bucket_name]},
                    "object": {"key": [{"prefix": names.INFERENCE_PREFIX}]},
                },
            ),
        )
        registry.may_record(on_batch_input_arrived)
        self.state_machine.grant_start_execution(on_batch_input_arrived)

    def _record_ground_truth(
        self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack, notifications: NotificationsStack
    ) -> None:
        on_ground_truth_dropped = EventFunction(
            self,
            "OnGroundTruthDropped",
            config=config,
            # A long file is read label by label, by the reader of uploads; Parquet lies in /tmp meanwhile.
            timeout=PROFILING_TIMEOUT,
            memory_mb=ONE_VCPU_MB,
            storage=PROFILING_STORAGE,
            brings="profile",
            environment={
                names.DATA_BUCKET: data.data_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.EVENT_BUS_NAME: notifications.event_bus.event_bus_name,
                names.NOTIFICATIONS_TOPIC_ARN: notifications.topic.topic_arn,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
            },
            pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [data.data_bucket.bucket_name]},
                    "object": {"key": [{"prefix": names.GROUND_TRUTH_PREFIX}]},
                },
            ),
        )
        data.data_bucket.may_read_versions(on_ground_truth_dropped, names.GROUND_TRUTH_PREFIX)
        data.data_bucket.may_write(on_ground_truth_dropped, names.INFERENCE_PREFIX)
        # What a delivery before left of the rows set aside is removed.
        data.data_bucket.may_list(on_ground_truth_dropped)
        data.data_bucket.may_delete(on_ground_truth_dropped, names.INFERENCE_PREFIX)
        registry.may_record(on_ground_truth_dropped)
        notifications.event_bus.grant_put_events_to(on_ground_truth_dropped)
        notifications.may_notify(on_ground_truth_dropped)

    def _glue_job(self, data: DataStack, code: s3_assets.Asset) -> glue.CfnJob:
        """`glue_jobs/prepare_batch.py` on Spark, with the core beside it as a zip."""
        script = s3_assets.Asset(self, "Script", path=str(REPOSITORY / "glue_jobs" / "prepare_batch.py"))
        library = self._asset("Core", zip_package("glue", sources("millrace", "glue_jobs")))
        role = self._glue_role(data, script, library, code)
        modules = ",".join(f"{name}=={locked_version(name)}" for name in ("pydantic", "datasketches"))
        job = glue.CfnJob(
            self,
            "PrepareBatch",
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
                "--container_code_uri": code.s3_object_url,
                # One argument carries them all: that is how Glue takes several.
                "--conf": "spark.sql.ansi.enabled=false --conf spark.sql.session.timeZone=UTC",
                "--enable-metrics": "true",
                "--enable-continuous-cloudwatch-log": "true",
            },
        )
        job.node.add_dependency(role)
        acknowledge(job, "CloudWatch encrypts its logs with its own key, and they hold no rows.", "GL1")
        acknowledge(job, "The job keeps no bookmarks: each run is told which input to read.", "GL3")
        return job

    def _glue_role(self, data: DataStack, *assets: s3_assets.Asset) -> iam.Role:
        role = iam.Role(self, "PrepareBatchRole", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        data.data_bucket.may_read(role, names.INFERENCE_PREFIX, names.DATASETS_PREFIX)
        data.data_bucket.may_read_versions(role, names.INFERENCE_PREFIX)
        data.data_bucket.may_list(role)
        data.data_bucket.may_write(role, names.INFERENCE_PREFIX)
        # A repeated run clears what the one before it left.
        data.data_bucket.may_delete(role, names.INFERENCE_PREFIX)
        data.artifacts_bucket.may_read(role, names.MODELS_PREFIX)
        data.artifacts_bucket.may_write(role, names.RUNS_PREFIX)
        for asset in assets:
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=["s3:GetObject"], resources=[asset.bucket.arn_for_objects(asset.s3_object_key)]
                )
            )
        may_write_logs(role, "/aws-glue/")
        may_publish_metrics(role, "Glue")
        return role

    def _asset(self, id: str, package: Package) -> s3_assets.Asset:
        return s3_assets.Asset(
            self, id, path=str(package.path), asset_hash=package.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
        )
