"""Monitoring: alarms on everything that can go wrong, a dashboard, a budget. Nothing here computes anything.

An alarm tells the topic by itself, so that somebody hears even when none of our functions works; the event of its
change opens an alert, which channels are told of. What one trouble sets off together tells together: does the platform
answer, do its pipelines get through (adr/0014). The alarms on drift are in the stack Alerts.
"""

from __future__ import annotations

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from millrace import names
from stacks.api_stack import ApiStack
from stacks.config import EnvironmentConfig
from stacks.constructs.asl_state_machine import AslStateMachine
from stacks.constructs.platform_alarm import AT_LEAST, DAY, HOUR, PART, JoinedAlarm, PlatformAlarm, metric_of
from stacks.notifications_stack import NotificationsStack
from stacks.platform_stack import PlatformStack
from stacks.registry_stack import RegistryStack
from stacks.serving_stack import ServingStack

# A dead-letter queue's construct ends so; a queue that is not one does not.
DEAD_LETTERS = "Failures"
SLOW_MILLISECONDS = 1000
ERRORS = """fields @timestamp, service, message, exception_name, exception, run_id, xray_trace_id
| filter level in ["ERROR", "CRITICAL"]
| sort @timestamp desc
| limit 100"""
FAILED_STEPS = """fields @timestamp, execution_arn, type, details.name, details.error, details.cause
| filter type like /Failed|TimedOut|Aborted/
| sort @timestamp desc
| limit 100"""
SLOW_REQUESTS = f"""fields at, method, path, status, milliseconds, function_milliseconds, request_id
| filter milliseconds > {SLOW_MILLISECONDS}
| sort milliseconds desc
| limit 100"""
REFUSED_REQUESTS = """filter status >= 400
| stats count() as requests, latest(request_id) as the_last by status, method, path, authorizer_error
| sort requests desc"""


class MonitoringStack(PlatformStack):
    """After all other stacks: it finds every state machine and every dead-letter queue there is."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: EnvironmentConfig,
        registry: RegistryStack,
        notifications: NotificationsStack,
        serving: ServingStack,
        api: ApiStack,
    ) -> None:
        super().__init__(scope, id, config=config)
        self._topic = notifications.topic
        self._table = {"TableName": registry.table.table_name}
        self._api = {"ApiId": api.api.api_id}
        self._predict = {"FunctionName": serving.predict.function_name}
        self._machines = [each for each in scope.node.find_all() if isinstance(each, AslStateMachine)]
        self._dead_letters = [
            each
            for each in scope.node.find_all()
            if isinstance(each, sqs.Queue) and each.node.id.endswith(DEAD_LETTERS)
        ]
        self._parts = Construct(self, PART)
        self._service_alarm()
        self._pipelines_alarm(config)
        self._quarantine()
        self._spend(config, notifications.topic)
        self._dashboard()
        self._queries(api)

    def _service_alarm(self) -> None:
        JoinedAlarm(
            self,
            "ServiceUnhealthy",
            "The platform does not answer as it should. Requests or predictions fail or wait, or a function or the "
            "registry is held up.",
            [*self._api_alarms(), *self._resource_alarms()],
            topic=self._topic,
        )

    def _pipelines_alarm(self, config: EnvironmentConfig) -> None:
        where = self._parts if config.pipelines_join else self
        parts = [*self._pipeline_alarms(where), *self._lost_alarms(where, each=config.dead_letter_alarms)]
        if config.pipelines_join:
            JoinedAlarm(
                self,
                "PipelinesUnhealthy",
                "Runs fail, or events are lost. The run's page names the step and the reason.",
                parts,
                topic=self._topic,
            )

    def _pipeline_alarms(self, where: Construct) -> list[PlatformAlarm]:
        runs = [
            self._alarm(
                f"{machine.node.id}Failed",
                f"{machine.node.id} pipeline: a run failed. Its page names the step and the reason.",
                metric_of("AWS/States", "ExecutionsFailed", {"StateMachineArn": machine.state_machine_arn}),
                where=where,
            )
            for machine in self._machines
        ]
        jobs = [
            self._alarm(
                f"{service.capitalize()}JobFailed",
                f"{what}. The run that it belongs to names the reason.",
                metric_of(names.METRIC_NAMESPACE, names.FAILED_JOBS, {names.JOB_SERVICE: service}),
                where=where,
            )
            for service, what in (
                ("glue", "A Glue job failed"),
                ("sagemaker", "A training or processing job failed"),
            )
        ]
        return [*runs, *jobs]

    def _quarantine(self) -> None:
        self._alarm(
            "Quarantine",
            "More than a fifth of an upload's rows broke the contract. Look at the dataset's quarantine.",
            metric_of(names.METRIC_NAMESPACE, names.QUARANTINED_SHARE, {}, statistic="Maximum", period=HOUR),
            threshold=0.2,
            comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        )

    def _api_alarms(self) -> list[PlatformAlarm]:
        return [
            self._alarm(
                "ApiErrors",
                "The API answers with errors of its own. The function's log has them by request id.",
                metric_of("AWS/ApiGateway", "5xx", self._api),
                threshold=5,
                where=self._parts,
            ),
            self._alarm(
                "ApiLatency",
                "The API is slow. One answer in twenty takes more than three seconds.",
                metric_of("AWS/ApiGateway", "Latency", self._api, statistic="p95"),
                threshold=3000,
                periods=3,
                where=self._parts,
            ),
            self._alarm(
                "PredictErrors",
                "Predictions fail. Champions may be rolled back.",
                metric_of("AWS/Lambda", "Errors", self._predict),
                threshold=3,
                where=self._parts,
            ),
            self._alarm(
                "PredictLatency",
                "Predictions are slow. One in twenty takes more than a second.",
                metric_of("AWS/Lambda", "Duration", self._predict, statistic="p95"),
                threshold=1000,
                periods=3,
                where=self._parts,
            ),
        ]

    def _resource_alarms(self) -> list[PlatformAlarm]:
        # Without dimensions: of all functions of the account's region. One alarm, where one for each would be twenty.
        functions = [
            self._alarm(
                "FunctionErrors",
                "Functions of this region fail. Their logs say why.",
                metric_of("AWS/Lambda", "Errors", {}),
                threshold=5,
                where=self._parts,
            ),
            self._alarm(
                "FunctionThrottles",
                "Functions of this region are throttled. The account's concurrency is used up.",
                metric_of("AWS/Lambda", "Throttles", {}),
                where=self._parts,
            ),
        ]
        registry = [
            self._alarm(
                f"Registry{kind}Throttled",
                f"The registry table refuses {kind.lower()}s for a moment. Callers try again.",
                metric_of("AWS/DynamoDB", f"{kind}ThrottleEvents", self._table),
                threshold=10,
                where=self._parts,
            )
            for kind in ("Read", "Write")
        ]
        return [*functions, *registry]

    def _lost_alarms(self, where: Construct, *, each: bool) -> list[PlatformAlarm]:
        """What nobody could handle: an alarm on `each` dead-letter queue, or one on what functions gave up."""
        if not each:
            # Without dimensions too. It does not see the two queues that functions take messages from.
            return [
                self._alarm(
                    "EventsDropped",
                    "Events that functions of this region could not handle wait in dead-letter queues. Their logs say "
                    "why.",
                    metric_of("AWS/Lambda", "AsyncEventsDropped", {}),
                    where=where,
                )
            ]
        return [
            self._alarm(
                queue.node.id,
                f"Messages of {queue.node.id.removesuffix(DEAD_LETTERS)} wait in a dead-letter queue. "
                "Nobody could handle them: the function's log says why.",
                metric_of(
                    "AWS/SQS",
                    "ApproximateNumberOfMessagesVisible",
                    {"QueueName": queue.queue_name},
                    statistic="Maximum",
                ),
                where=where,
            )
            for queue in self._dead_letters
        ]

    def _spend(self, config: EnvironmentConfig, topic: sns.Topic) -> None:
        self._alarm(
            "RunCosts",
            "Runs cost more today than planned. Each run's page has its estimate.",
            metric_of(names.METRIC_NAMESPACE, names.RUN_COST, {}, period=DAY),
            threshold=config.monthly_budget_usd / 10,
        )
        subscriber = budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)

        def at(share: float, kind: str) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
            notification = budgets.CfnBudget.NotificationProperty(
                comparison_operator="GREATER_THAN", notification_type=kind, threshold=share, threshold_type="PERCENTAGE"
            )
            return budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=notification, subscribers=[subscriber]
            )

        # Of the account: which costs are an environment's is known once its tags are activated for cost allocation.
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=config.monthly_budget_usd, unit="USD"),
            ),
            notifications_with_subscribers=[at(80, "ACTUAL"), at(100, "ACTUAL"), at(100, "FORECASTED")],
        )

    def _alarm(
        self,
        id: str,
        description: str,
        metric: cloudwatch.Metric,
        *,
        threshold: float = 1,
        periods: int = 1,
        comparison: cloudwatch.ComparisonOperator = AT_LEAST,
        where: Construct | None = None,
    ) -> PlatformAlarm:
        """`where` is who else tells of it; without, it tells the topic itself."""
        return PlatformAlarm(
            where or self,
            id,
            description,
            metric,
            topic=None if where is self._parts else self._topic,
            threshold=threshold,
            periods=periods,
            comparison=comparison,
        )

    def _dashboard(self) -> None:
        """What an operator looks at first. Per dataset and model by search: they come and go."""
        states = [
            metric_of(
                "AWS/States", name, {"StateMachineArn": machine.state_machine_arn}, label=f"{machine.node.id} {word}"
            )
            for machine in self._machines
            for name, word in (("ExecutionsSucceeded", "succeeded"), ("ExecutionsFailed", "failed"))
        ]
        letters = [
            metric_of(
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                {"QueueName": queue.queue_name},
                statistic="Maximum",
                label=queue.node.id,
            )
            for queue in self._dead_letters
        ]
        ours = names.METRIC_NAMESPACE
        rows = [
            [
                _graph("Runs", states),
                _graph(
                    "Jobs that failed",
                    [metric_of(ours, names.FAILED_JOBS, {names.JOB_SERVICE: each}) for each in ("glue", "sagemaker")],
                ),
                _graph("Cost of runs, USD", [metric_of(ours, names.RUN_COST, {}, period=DAY)]),
            ],
            [
                _graph("API", [metric_of("AWS/ApiGateway", name, self._api) for name in ("Count", "4xx", "5xx")]),
                _graph(
                    "API, milliseconds",
                    [metric_of("AWS/ApiGateway", "Latency", self._api, statistic=each) for each in ("p50", "p95")],
                ),
                _graph(
                    "Predictions",
                    [
                        metric_of("AWS/Lambda", "Invocations", self._predict),
                        metric_of("AWS/Lambda", "Errors", self._predict),
                    ],
                ),
            ],
            [
                _graph(
                    "Drift reports",
                    [
                        metric_of(ours, names.DRIFT_REPORTS, {names.DRIFT_KIND: kind}, period=HOUR)
                        for kind in ("data", "prediction", "performance")
                    ],
                ),
                _search("Features that drifted", names.MODEL_DIMENSION, names.DRIFTED_FEATURES),
                _search("Quarantined share", "dataset", names.QUARANTINED_SHARE),
            ],
            [
                _graph("Dead letters", letters),
                _graph(
                    "Throttling",
                    [
                        metric_of("AWS/Lambda", "Throttles", {}),
                        metric_of("AWS/DynamoDB", "ReadThrottleEvents", self._table),
                        metric_of("AWS/DynamoDB", "WriteThrottleEvents", self._table),
                    ],
                ),
                _search("Preparation, seconds", "dataset", "preparation_seconds"),
            ],
        ]
        cloudwatch.Dashboard(self, "Dashboard", widgets=rows)

    def _queries(self, api: ApiStack) -> None:
        """Questions that the runbook asks of logs, kept where they are asked: CloudWatch's Logs Insights."""
        pipelines = [machine.log_group for machine in self._machines]
        for id, name, text, groups in (
            # Over functions that whoever asks picks: a reference to each log would hold every function in its stack.
            ("ErrorsQuery", "errors of functions", ERRORS, []),
            ("FailedStepsQuery", "failed steps", FAILED_STEPS, pipelines),
            ("SlowRequestsQuery", "slow requests", SLOW_REQUESTS, [api.access_log]),
            ("RefusedRequestsQuery", "refused requests", REFUSED_REQUESTS, [api.access_log]),
        ):
            logs.CfnQueryDefinition(
                self,
                id,
                name=f"{self.stack_name}/{name}",
                query_string=text,
                log_group_names=[group.log_group_name for group in groups] or None,
            )


def _graph(title: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=8, height=6)


def _search(title: str, dimension: str, metric: str) -> cloudwatch.IWidget:
    expression = f"SEARCH('{{{names.METRIC_NAMESPACE},{dimension}}} MetricName=\"{metric}\"', 'Maximum', 3600)"
    found = cloudwatch.MathExpression(expression=expression, using_metrics={}, label="", period=HOUR)
    return cloudwatch.GraphWidget(title=title, left=[found], width=8, height=6)
