"""The REST API: an HTTP API that lets nobody in without a token, the one function behind it, and its public address."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from millrace import names
from stacks.acknowledge import acknowledge
from stacks.alerts_stack import AlertsStack
from stacks.batch_stack import BatchStack
from stacks.comparison_stack import ComparisonStack
from stacks.config import EnvironmentConfig
from stacks.constructs.front_door import FrontDoor
from stacks.constructs.observability import may_read_logs
from stacks.constructs.platform_function import PlatformFunction, logs_retention
from stacks.constructs.spa_client import SpaClient
from stacks.data_stack import DataStack
from stacks.drift_stack import DriftStack
from stacks.identity_stack import IdentityStack
from stacks.ingest_stack import IngestStack
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.schedules_stack import SchedulesStack
from stacks.serving_stack import ServingStack
from stacks.training_stack import TrainingStack

# Everything else needs a token, also a path that does not exist.
OPEN_PATHS = ("/healthz", "/openapi.json")
# Answered by a function of its own, which has what computes predictions.
PREDICT_PATH = "/inference/predict"
# What follows is checked by the functions themselves, and why.
KEYED = "The functions check the API key of each request: an authorizer could not say why one is refused."
ALLOWED_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"]
EXPOSED_HEADERS = ["ETag", "Location", "Retry-After", "X-Poll-After", "X-Request-Id"]
# The log groups of the jobs of a run, which GET /runs/{run_id}/logs reads.
JOB_LOG_GROUPS = ("/aws/sagemaker/", "/aws-glue/")
ACCESS_LOG = {
    "request_id": "$context.requestId",
    "at": "$context.requestTime",
    "source_ip": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "function_milliseconds": "$context.integrationLatency",
    "subject": "$context.authorizer.claims.sub",
    "error": "$context.error.message",
    "authorizer_error": "$context.authorizer.error",
}


class ApiStack(PlatformStack):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        data: DataStack,
        registry: RegistryStack,
        notifications: NotificationsStack,
        identity: IdentityStack,
        alerts: AlertsStack,
        ingest: IngestStack,
        training: TrainingStack,
        schedules: SchedulesStack,
        serving: ServingStack,
        batch: BatchStack,
        drift: DriftStack,
        comparison: ComparisonStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        app = PlatformFunction(
            self,
            "App",
            kind="api",
            config=config,
            # An HTTP API waits 30 s.
            timeout=cdk.Duration.seconds(29),
            environment={
                names.DATA_BUCKET: data.data_bucket.bucket_name,
                names.ARTIFACTS_BUCKET: data.artifacts_bucket.bucket_name,
                names.REGISTRY_TABLE: registry.table.table_name,
                names.EVENT_BUS_NAME: notifications.event_bus.event_bus_name,
                names.NOTIFICATIONS_TOPIC_ARN: notifications.topic.topic_arn,
                names.DASHBOARD_URL_PARAMETER: notifications.dashboard_url_parameter,
                names.DELIVERIES_QUEUE_URL: alerts.deliveries.queue_url,
                names.CHANNEL_SECRETS_PREFIX: alerts.secrets_prefix,
                names.LOOPBACK_WEBHOOKS: config.loopback_webhooks,
                names.SPOT_CAPACITY: config.spot,
                names.APPROVALS: config.approvals,
                names.INGEST_STATE_MACHINE_ARN: ingest.state_machine.state_machine_arn,
                names.TRAINING_STATE_MACHINE_ARN: training.state_machine.state_machine_arn,
                names.DEPLOYMENT_STATE_MACHINE_ARN: serving.state_machine.state_machine_arn,
                names.BATCH_INFERENCE_STATE_MACHINE_ARN: batch.state_machine.state_machine_arn,
                names.DRIFT_STATE_MACHINE_ARN: drift.state_machine.state_machine_arn,
                names.COMPARISON_STATE_MACHINE_ARN: comparison.state_machine.state_machine_arn,
                **schedules.settings,
            },
        )
        registry.may_record(app)
        registry.may_remove(app)
        registry.may_insist(app)
        registry.may_follow(app)
        registry.may_look_up_many(app)
        registry.may_list(app)
        data.data_bucket.may_read(app, names.DATASETS_PREFIX, names.QUARANTINE_PREFIX)
        # A completed upload is looked at once: which object version it became names its run.
        data.data_bucket.may_read(app, names.UPLOADS_PREFIX)
        data.data_bucket.may_write_in_parts(app, names.UPLOADS_PREFIX)
        data.data_bucket.may_list(app)
        data.artifacts_bucket.may_read(app, names.MODELS_PREFIX, names.DRIFT_PREFIX)
        data.artifacts_bucket.may_list(app)
        notifications.event_bus.grant_put_events_to(app)
        alerts.may_tell(app)
        alerts.may_keep_secrets(app)
        notifications.may_subscribe(app)
        training.state_machine.grant_start_execution(app)
        serving.state_machine.grant_start_execution(app)
        comparison.state_machine.grant_start_execution(app)
        batch.state_machine.grant_start_execution(app)
        drift.state_machine.grant_start_execution(app)
        # The input of a batch inference is sent in parts; its results are read by addresses that carry this permission.
        data.data_bucket.may_read(app, names.INFERENCE_PREFIX)
        data.data_bucket.may_write_in_parts(app, names.INFERENCE_PREFIX)
        pipelines = (ingest, training, serving, batch, drift, comparison)
        for machine in (stack.state_machine for stack in pipelines):
            machine.may_read_executions(app)
            machine.may_stop_executions(app)
        schedules.may_keep_timers(app)
        may_read_logs(app, *JOB_LOG_GROUPS)

        self.spa_client = SpaClient(self, "Spa", user_pool=identity.user_pool, config=config)
        self.api = api = self._http_api(config, identity, app)
        self.front_door = FrontDoor(
            self,
            "FrontDoor",
            config=config,
            api=api,
            data_bucket=data.data_bucket,
            sign_in_url=identity.sign_in_url,
        )
        self.spa_client.send_back_to(self.front_door.url, *config.origins)
        # Not by `add_routes`: that leaves the path of jsii's temporary directory in the stack's metadata.
        apigateway.HttpRoute(
            self,
            "PredictRoute",
            http_api=api,
            route_key=apigateway.HttpRouteKey.with_(PREDICT_PATH, apigateway.HttpMethod.POST),
            integration=HttpLambdaIntegration("PredictIntegration", serving.answering),
        )
        self._keyed_routes(api, app, serving.answering)
        cdk.CfnOutput(self, "ApiUrl", value=api.api_endpoint)
        cdk.CfnOutput(self, "SpaClientId", value=self.spa_client.user_pool_client_id)
        self.dashboard_url = config.dashboard_url or self.front_door.url
        cdk.CfnOutput(self, "DashboardUrl", value=self.dashboard_url)
        cdk.CfnOutput(self, "Approvals", value=config.approvals)
        cdk.CfnOutput(self, "SiteBucket", value=self.front_door.bucket.bucket_name)
        cdk.CfnOutput(self, "DistributionId", value=self.front_door.distribution.distribution_id)

    def _http_api(
        self, config: EnvironmentConfig, identity: IdentityStack, app: PlatformFunction
    ) -> apigateway.HttpApi:
        integration = HttpLambdaIntegration("AppIntegration", app)
        clients = (self.spa_client, identity.machine_client)
        api = apigateway.HttpApi(
            self,
            "Api",
            create_default_stage=False,
            default_integration=integration,
            default_authorizer=HttpJwtAuthorizer(
                "Tokens", identity.issuer, jwt_audience=[client.user_pool_client_id for client in clients]
            ),
            cors_preflight=self._cross_origin(config),
        )
        for path in OPEN_PATHS:
            route = self._open_route(api, integration, apigateway.HttpMethod.GET, path)
            acknowledge(route, "Says that the API answers, or what it can do: nothing of anybody's.", "APIG4")
        if config.allowed_origins:
            # Otherwise the default route, and with it the authorizer, would catch what browsers ask beforehand.
            route = self._open_route(api, integration, apigateway.HttpMethod.OPTIONS, "/{proxy+}")
            acknowledge(route, "A browser asks without a token which origins may call; API Gateway answers.", "APIG4")
        self._stage(api, config)
        return api

    def _keyed_routes(self, api: apigateway.HttpApi, app: PlatformFunction, predict: lambda_.IFunction) -> None:
        """The same paths for requests with an API key, which the functions check themselves (adr/0009)."""
        for id, path, method, function in (
            ("Keyed", "/{proxy+}", apigateway.HttpMethod.ANY, app),
            ("KeyedPredict", PREDICT_PATH, apigateway.HttpMethod.POST, predict),
        ):
            route = apigateway.HttpRoute(
                self,
                f"{id}Route",
                http_api=api,
                route_key=apigateway.HttpRouteKey.with_(f"{names.KEYED_PATH}{path}", method),
                integration=HttpLambdaIntegration(f"{id}Integration", function),
                authorizer=apigateway.HttpNoneAuthorizer(),
            )
            acknowledge(route, KEYED, "APIG4")

    def _open_route(
        self, api: apigateway.HttpApi, integration: HttpLambdaIntegration, method: apigateway.HttpMethod, path: str
    ) -> apigateway.HttpRoute:
        return apigateway.HttpRoute(
            self,
            f"Open{path.strip('/{}+').partition('.')[0].capitalize()}",
            http_api=api,
            route_key=apigateway.HttpRouteKey.with_(path, method),
            integration=integration,
            authorizer=apigateway.HttpNoneAuthorizer(),
        )

    def _cross_origin(self, config: EnvironmentConfig) -> apigateway.CorsPreflightOptions | None:
        if not config.allowed_origins:
            return None
        methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
        return apigateway.CorsPreflightOptions(
            allow_origins=list(config.allowed_origins),
            allow_methods=[apigateway.CorsHttpMethod[method] for method in methods],
            allow_headers=ALLOWED_HEADERS,
            expose_headers=EXPOSED_HEADERS,
            max_age=cdk.Duration.hours(1),
        )

    def _stage(self, api: apigateway.HttpApi, config: EnvironmentConfig) -> None:
        self.access_log = logs.LogGroup(
            self, "AccessLog", retention=logs_retention(config), removal_policy=config.removal_policy
        )
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=config.requests_per_second,
                throttling_burst_limit=2 * config.requests_per_second,
                detailed_metrics_enabled=True,
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=self.access_log.log_group_arn, format=json.dumps(ACCESS_LOG)
            ),
        )
