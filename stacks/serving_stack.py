"""Serving: from an approved model version to predictions, and the records of them."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from millrace import names
from millrace.function_memory import ONE_VCPU_MB
from stacks.acknowledge import acknowledge, acknowledge_wildcard
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.job_role import JobRole
from stacks.constructs.platform_function import EventFunction, PlatformFunction
from stacks.data_stack import DataStack
from stacks.network_stack import NetworkStack
from stacks.notifications_stack import NotificationsStack
from stacks.packaging import Package, export_libraries, sources, zip_package
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.training_image import TrainingImage
from stacks.training_stack import CONTAINER_SOURCES

WRITING_TIMEOUT = cdk.Duration.seconds(30)


class ServingStack(PlatformStack):
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
        # Endpoints are made while the platform runs, so they have names: these keep environments of one account apart.
        self.endpoint_prefix = f"millrace-{config.name}"
        self._endpoints_are = {
            names.ENDPOINT_MACHINE: config.endpoint_machine,
            names.ENDPOINT_MOST_MACHINES: str(config.endpoint_most_machines),
        }
        self.state_machine = self._deployment(config, data, registry, notifications, network)
        self._start_on_approval(config, data, registry, notifications)
        self.records = self._records(config, data, registry)
        self.predict = self._predict(config, data, registry)
        self.answering = self._answering(config)
        cdk.CfnOutput(self, "DeploymentStateMachineArn", value=self.state_machine.state_machine_arn)
        cdk.CfnOutput(self, "InferenceRecordsQueueUrl", value=self.records.queue_url)
        cdk.CfnOutput(self, "EndpointMachine", value=config.endpoint_machine)
        cdk.CfnOutput(self, "EndpointMostMachines", value=str(config.endpoint_most_machines))

    def _deployment(
        self,
        config: EnvironmentConfig,
        data: DataStack,
        registry: RegistryStack,
        notifications: NotificationsStack,
        network: NetworkStack | None,
    ) -> AslStateMachine:
        code = self._asset("Code", zip_package("container", sources(*CONTAINER_SOURCES)))
        libraries = self._asset("Libraries", export_libraries(config.container_target))
        image = TrainingImage(self, "Image", config=config)
        role = JobRole(self, "ExportRole", assets=[code, libraries], image=image, kinds=["ProcessingJobs"])
        data.data_bucket.may_read(role, names.DATASETS_PREFIX)
        data.data_bucket.may_list(role)
        data.artifacts_bucket.may_read(role, names.MODELS_PREFIX)
        data.artifacts_bucket.may_list(role)
        data.artifacts_bucket.may_write(role, names.RUNS_PREFIX)

        check_serving_artefact = PlatformFunction(
            self,
            "CheckServingArtefact",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.minutes(2),
            brings="predict",
            environment={
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
            },
        )
        data.artifacts_bucket.may_read(check_serving_artefact, names.RUNS_PREFIX)
        # What was taken over from another environment lies beside its version.
        data.artifacts_bucket.may_read(check_serving_artefact, names.MODELS_PREFIX)
        # An export that left nothing to serve is told as such.
        data.artifacts_bucket.may_list(check_serving_artefact)
        data.artifacts_bucket.may_write(check_serving_artefact, names.MODELS_PREFIX)
        registry.may_record(check_serving_artefact)

        telling = {
            names.REGISTRY_TABLE: registry.table.table_name,
            names.NOTIFICATIONS_TOPIC_ARN: notifications.topic.topic_arn,
            names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
        }
        start_rollout = PlatformFunction(
            self,
            "StartRollout",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment=telling,
        )
        watch_rollout = PlatformFunction(
            self,
            "WatchRollout",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.seconds(100),
            environment={**telling, names.DATA_BUCKET: data.data_bucket.bucket_name},
        )
        data.data_bucket.may_read(watch_rollout, names.INFERENCE_PREFIX)
        data.data_bucket.may_list(watch_rollout)
        promote_model_version = PlatformFunction(
            self,
            "PromoteModelVersion",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment=telling,
        )
        for function in (start_rollout, watch_rollout, promote_model_version):
            registry.may_record(function)
            registry.may_follow(function)
            notifications.may_notify(function)
        roll_back_rollout = PlatformFunction(
            self,
            "RollBackRollout",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={names.REGISTRY_TABLE: registry.table.table_name},
        )
        registry.may_record(roll_back_rollout)

        endpoint_role = self._endpoint_role(data, image)
        deploy_endpoint = PlatformFunction(
            self,
            "DeployEndpoint",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.seconds(100),
            environment={
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                **self._endpoints_are,
            },
        )
        data.artifacts_bucket.may_read(deploy_endpoint, names.MODELS_PREFIX)
        data.artifacts_bucket.may_write(deploy_endpoint, names.MODELS_PREFIX)
        registry.may_look_up(deploy_endpoint)
        registry.may_count_hours(deploy_endpoint)
        self._may_on_endpoints(deploy_endpoint, "Create")
        # Of which kind the one is that is there already: a version deployed again may be served otherwise now.
        for action, resource in (("DescribeEndpoint", "endpoint"), ("DescribeEndpointConfig", "endpoint-config")):
            deploy_endpoint.add_to_role_policy(
                iam.PolicyStatement(actions=[f"sagemaker:{action}"], resources=[self._named(resource)])
            )
        self._may_invoke_endpoints(deploy_endpoint)
        deploy_endpoint.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[endpoint_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        retire_endpoints = PlatformFunction(
            self,
            "RetireEndpoints",
            kind="tasks",
            config=config,
            timeout=cdk.Duration.seconds(50),
            environment={names.REGISTRY_TABLE: registry.table.table_name, **self._endpoints_are},
        )
        registry.may_look_up(retire_endpoints)
        registry.may_follow(retire_endpoints)
        registry.may_count_hours(retire_endpoints, ending=True)
        self._may_on_endpoints(retire_endpoints, "Delete")
        # Lists have no resource to name.
        retire_endpoints.add_to_role_policy(iam.PolicyStatement(actions=["sagemaker:ListEndpoints"], resources=["*"]))
        if config.endpoint_most_machines > 1:
            self._scale(deploy_endpoint, retire_endpoints)

        return AslStateMachine(
            self,
            "Deployment",
            definition=names.DEPLOYMENT_PIPELINE,
            config=config,
            functions={
                "CheckServingArtefact": check_serving_artefact,
                "DeployEndpoint": deploy_endpoint,
                "RetireEndpoints": retire_endpoints,
                "StartRollout": start_rollout,
                "WatchRollout": watch_rollout,
                "PromoteModelVersion": promote_model_version,
                "RollBackRollout": roll_back_rollout,
            },
            sagemaker_role=role,
            network=network,
            values={
                "TrainingImage": image.uri,
                "JobMachine": config.job_machine,
                "EndpointPrefix": self.endpoint_prefix,
                "EndpointRole": endpoint_role.role_arn,
                "CodeUri": code.s3_object_url,
                "CodeFile": code.s3_object_key,
                "LibrariesUri": libraries.s3_object_url,
            },
        )

    def _endpoint_role(self, data: DataStack, image: TrainingImage) -> iam.Role:
        """What serves a version reads the version, and writes its log."""
        role = JobRole(self, "EndpointRole", assets=[], image=image, kinds=["Endpoints"])
        data.artifacts_bucket.may_read(role, names.MODELS_PREFIX)
        data.artifacts_bucket.may_list(role)
        return role

    def _may_on_endpoints(self, function: PlatformFunction, *verbs: str) -> None:
        for kind, resource in (("Endpoint", "endpoint"), ("EndpointConfig", "endpoint-config"), ("Model", "model")):
            actions = [f"sagemaker:{verb}{kind}" for verb in verbs if f"{verb}{kind}" != "CreateEndpoint"]
            function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[self._named(resource)]))
            self._acknowledge_named(function, resource)
        if "Create" in verbs:
            # An endpoint is made of its configuration, and IAM asks for both.
            both = [self._named("endpoint"), self._named("endpoint-config")]
            function.add_to_role_policy(iam.PolicyStatement(actions=["sagemaker:CreateEndpoint"], resources=both))

    def _may_invoke_endpoints(self, function: PlatformFunction) -> None:
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[self._named("endpoint")])
        )
        self._acknowledge_named(function, "endpoint")

    def _scale(self, deploy: PlatformFunction, retire: PlatformFunction) -> None:
        """What Application Auto Scaling asks of whoever begins and ends the scaling of an endpoint."""
        target = self.format_arn(service="application-autoscaling", resource="scalable-target", resource_name="*")
        theirs = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
        for function, verbs in (
            (deploy, ["RegisterScalableTarget", "PutScalingPolicy"]),
            (retire, ["DeregisterScalableTarget"]),
        ):
            actions = [f"application-autoscaling:{verb}" for verb in verbs]
            function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[target], conditions=theirs))
            acknowledge_wildcard(
                function,
                "A scalable target is named by the service, once it is there; only endpoints' are meant.",
                "arn:<AWS::Partition>:application-autoscaling:<AWS::Region>:<AWS::AccountId>:scalable-target/*",
            )
        self._may_make_the_role_that_scales(deploy)

    def _may_make_the_role_that_scales(self, function: PlatformFunction) -> None:
        """The account's own for it, made by the first endpoint that scales; it changes endpoints and sets alarms."""
        service = "sagemaker.application-autoscaling.amazonaws.com"
        role = f"role/aws-service-role/{service}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:CreateServiceLinkedRole"],
                resources=[f"arn:{self.partition}:iam::{self.account}:{role}"],
                conditions={"StringEquals": {"iam:AWSServiceName": service}},
            )
        )

    def _named(self, resource: str) -> str:
        return self.format_arn(service="sagemaker", resource=resource, resource_name=f"{self.endpoint_prefix}-*")

    def _acknowledge_named(self, function: PlatformFunction, resource: str) -> None:
        arn = f"arn:<AWS::Partition>:sagemaker:<AWS::Region>:<AWS::AccountId>:{resource}/{self.endpoint_prefix}-*"
        acknowledge_wildcard(function, "An endpoint is named after its model version, and versions come and go.", arn)

    def _asset(self, id: str, package: Package) -> s3_assets.Asset:
        return s3_assets.Asset(
            self, id, path=str(package.path), asset_hash=package.digest, asset_hash_type=cdk.AssetHashType.CUSTOM
        )

    def _start_on_approval(
        self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack, notifications: NotificationsStack
    ) -> None:
        on_model_version_approved = EventFunction(
            self,
            "OnModelVersionApproved",
            config=config,
            timeout=cdk.Duration.seconds(30),
            environment={
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.DEPLOYMENT_STATE_MACHINE_ARN: self.state_machine.state_machine_arn,
            },
            event_bus=notifications.event_bus,
            pattern=events.EventPattern(source=[names.EVENT_SOURCE], detail_type=[names.MODEL_VERSION_APPROVED]),
        )
        registry.may_record(on_model_version_approved)
        self.state_machine.grant_start_execution(on_model_version_approved)

    def _records(self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack) -> sqs.Queue:
        """What was asked and answered waits here until it is written; what cannot be written is kept for two weeks."""
        failures = sqs.Queue(
            self,
            "InferenceRecordsFailures",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )
        acknowledge(failures, "This is the dead-letter queue.", "SQS3")
        queue = sqs.Queue(
            self,
            "InferenceRecords",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            # Six times what the writer may take, as AWS advises: no message is given to two writers.
            visibility_timeout=cdk.Duration.seconds(6 * WRITING_TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=5, queue=failures),
        )
        write_inference_records = PlatformFunction(
            self,
            "WriteInferenceRecords",
            kind="inference",
            config=config,
            timeout=WRITING_TIMEOUT,
            environment={
                names.DATA_BUCKET: data.data_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
            },
        )
        data.data_bucket.may_write(write_inference_records, names.INFERENCE_PREFIX)
        registry.may_count_traffic(write_inference_records)
        write_inference_records.take_from(queue, batch_size=100, max_batching_window=cdk.Duration.seconds(5))
        return queue

    def _predict(self, config: EnvironmentConfig, data: DataStack, registry: RegistryStack) -> PlatformFunction:
        predict = PlatformFunction(
            self,
            "Predict",
            kind="inference",
            config=config,
            # An HTTP API waits 30 s.
            timeout=cdk.Duration.seconds(29),
            # A prediction is over in a millisecond, and starting takes a third as long as with 1 GB.
            memory_mb=ONE_VCPU_MB,
            brings="predict",
            environment={
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.INFERENCE_RECORDS_QUEUE_URL: self.records.queue_url,
                **self._endpoints_are,
            },
        )
        data.artifacts_bucket.may_read(predict, names.MODELS_PREFIX)
        # A champion whose artefact is not there yet is no error of the platform.
        data.artifacts_bucket.may_list(predict)
        registry.may_look_up(predict)
        registry.may_note_use_of_keys(predict)
        self.records.grant(predict, "sqs:SendMessage")
        self._may_invoke_endpoints(predict)
        return predict

    def _answering(self, config: EnvironmentConfig) -> lambda_.IFunction:
        """What the API asks for predictions: the function, or a version with instances that are kept started."""
        if not config.warm_predictions:
            return self.predict
        return lambda_.Alias(
            self,
            "Warm",
            alias_name="warm",
            version=self.predict.current_version,
            provisioned_concurrent_executions=config.warm_predictions,
        )
