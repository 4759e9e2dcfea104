"""Everything that can go wrong has an alarm, every alarm is heard, and what is heard opens an alert."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import Platform
from test_events import matches, rule_of

from millrace import names
from stacks.api_stack import ACCESS_LOG
from stacks.config import ENVIRONMENTS
from stacks.constructs.platform_alarm import PART
from stacks.constructs.platform_function import module_name


def alarms(platform: Platform) -> dict[str, Mapping[str, Any]]:
    return {id: alarm["Properties"] for id, alarm in platform.resources("AWS::CloudWatch::Alarm").items()}


def watched(platform: Platform, metric: str, dimension: str | None = None) -> list[Any]:
    """The values of a dimension that alarms on a metric watch."""
    found = [alarm for alarm in alarms(platform).values() if alarm["MetricName"] == metric]
    return [
        each["Value"] for alarm in found for each in alarm.get("Dimensions", []) if each["Name"] == dimension
    ] or found


def test_every_state_machine_has_an_alarm_on_its_failures(prod: Platform) -> None:
    machines = prod.resources("AWS::StepFunctions::StateMachine")

    assert len(watched(prod, "ExecutionsFailed", "StateMachineArn")) == len(machines) >= 5


def test_every_dead_letter_queue_has_an_alarm_and_only_those(prod: Platform) -> None:
    queues = prod.resources("AWS::SQS::Queue")
    dead = {name for name in queues if "Failures" in name}
    redriven = {
        queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in queues.values()
        if "RedrivePolicy" in queue["Properties"]
    }
    targets = {
        function["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0]
        for function in prod.functions().values()
        if "DeadLetterConfig" in function
    }
    named = json.dumps(watched(prod, "ApproximateNumberOfMessagesVisible", "QueueName"))

    assert dead == redriven | targets
    assert all(name in named for name in dead)
    assert len(watched(prod, "ApproximateNumberOfMessagesVisible", "QueueName")) == len(dead)


@pytest.mark.parametrize(
    ("metric", "dimension", "values"),
    [
        (names.FAILED_JOBS, names.JOB_SERVICE, ["glue", "sagemaker"]),
        (names.DRIFT_REPORTS, names.DRIFT_KIND, ["data", "prediction", "performance"]),
    ],
)
def test_what_the_platform_measures_itself_is_watched_by_kind(
    metric: str, dimension: str, values: list[str], prod: Platform
) -> None:
    assert watched(prod, metric, dimension) == values


@pytest.mark.parametrize(
    "metric",
    [
        names.QUARANTINED_SHARE,
        names.RUN_COST,
        "5xx",
        "Latency",
        "Errors",
        "Duration",
        "Throttles",
        "ReadThrottleEvents",
        "WriteThrottleEvents",
    ],
)
def test_each_of_these_has_an_alarm(metric: str, prod: Platform) -> None:
    assert watched(prod, metric)


def composites(platform: Platform) -> dict[str, Mapping[str, Any]]:
    return {id: alarm["Properties"] for id, alarm in platform.resources("AWS::CloudWatch::CompositeAlarm").items()}


def parts_of(composite: Mapping[str, Any]) -> set[str]:
    """The logical ids of the alarms in its rule, which is one `ALARM(…) OR ALARM(…) …`."""
    separator, tokens = composite["AlarmRule"]["Fn::Join"]
    words = {token for token in tokens if isinstance(token, str)}
    assert separator == ""
    assert words <= {'(ALARM("', '") OR ALARM("', '"))', '")', 'ALARM("', '")))'}, words
    return {token["Fn::GetAtt"][0] for token in tokens if not isinstance(token, str)}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_alarms_are_plain_quiet_without_data_and_say_what_they_mean(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    for id, alarm in alarms(platform_of(environment)).items():
        assert "Metrics" not in alarm, f"{id} computes something"
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"].count(". ") >= 1, id


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_alarm_tells_the_topic_itself_or_by_one_that_joins_it_or_is_about_drift(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    platform = platform_of(environment)
    (topic,) = platform.resources("AWS::SNS::Topic")
    joined = [part for composite in composites(platform).values() for part in parts_of(composite)]

    assert len(joined) == len(set(joined)), "two alarms tell of one"
    for id, alarm in alarms(platform).items():
        silent = alarm["MetricName"] == names.DRIFT_REPORTS or id in joined
        assert ("AlarmActions" in alarm) is not silent, id
        assert silent or topic in json.dumps(alarm["AlarmActions"])
    for composite in composites(platform).values():
        assert topic in json.dumps(composite["AlarmActions"])
        assert composite["AlarmDescription"].count(". ") == 1
        assert "AlarmName" not in composite, "the event's filter knows alarms by CloudFormation's names"


def plain(ids: set[str]) -> set[str]:
    """Construct ids: CDK adds eight digits of a hash."""
    return {id[:-8].removeprefix(PART) for id in ids}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_whether_the_platform_answers_is_one_alarm(environment: str, platform_of: Callable[[str], Platform]) -> None:
    found = {id[:-8]: parts_of(composite) for id, composite in composites(platform_of(environment)).items()}

    assert plain(found["ServiceUnhealthy"]) == {
        "ApiErrors",
        "ApiLatency",
        "PredictErrors",
        "PredictLatency",
        "FunctionErrors",
        "FunctionThrottles",
        "RegistryReadThrottled",
        "RegistryWriteThrottled",
    }


def test_whether_pipelines_get_through_is_one_alarm_where_it_is_paid_for(
    prod: Platform, platform_of: Callable[[str], Platform]
) -> None:
    found = {id[:-8]: parts_of(composite) for id, composite in composites(prod).items()}
    of_runs_and_jobs = {id for id, alarm in alarms(prod).items() if "Failed" in alarm["MetricName"]} | {
        id for id, alarm in alarms(prod).items() if alarm["MetricName"] == names.FAILED_JOBS
    }
    of_queues = {id for id in alarms(prod) if "Failures" in id}

    assert found["PipelinesUnhealthy"] == of_runs_and_jobs | of_queues
    assert len(of_runs_and_jobs) == len(prod.resources("AWS::StepFunctions::StateMachine")) + 2
    assert {id[:-8] for id in composites(platform_of("dev"))} == {"ServiceUnhealthy"}
    assert {id[:-8] for id in composites(platform_of("local"))} == {"ServiceUnhealthy", "PipelinesUnhealthy"}


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_where_queues_have_no_alarm_of_their_own_one_tells_of_what_functions_dropped(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    platform = platform_of(environment)
    (dropped,) = watched(platform, "AsyncEventsDropped")

    assert "Dimensions" not in dropped
    assert watched(platform, "ApproximateNumberOfMessagesVisible") == []


def test_with_an_alarm_on_each_queue_there_is_none_on_what_was_dropped(prod: Platform) -> None:
    assert watched(prod, "AsyncEventsDropped") == []


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_what_tells_the_topic_opens_an_alert_and_neither_parts_nor_drift_alarms_do(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    platform = platform_of(environment)
    pattern = rule_of(platform, "OnAlarmChanged")["EventPattern"]
    in_stack = {name: stack for stack, template in platform.templates.items() for name in template["Resources"]}

    for id, alarm in {**alarms(platform), **composites(platform)}.items():
        name = f"Millrace-{environment}-{in_stack[id]}-{id}-1ABC"
        assert matches(pattern, alarm_change(name)) is ("AlarmActions" in alarm), id
    assert not matches(pattern, alarm_change("Millrace-other-Monitoring-ServiceUnhealthy"))


def alarm_change(name: str, before: str = "OK", after: str = "ALARM") -> dict[str, Any]:
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "resources": [f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"],
        "detail": {"alarmName": name, "previousState": {"value": before}, "state": {"value": after}},
    }


@pytest.mark.parametrize(
    ("before", "after", "heard"),
    [
        ("OK", "ALARM", True),
        ("INSUFFICIENT_DATA", "ALARM", True),
        ("ALARM", "OK", True),
        ("INSUFFICIENT_DATA", "OK", False),
        ("OK", "INSUFFICIENT_DATA", False),
    ],
)
def test_an_alarm_that_is_new_starts_nothing(before: str, after: str, heard: bool, prod: Platform) -> None:
    """Else each deployment would start a function for each of its alarms, all at once."""
    pattern = rule_of(prod, "OnAlarmChanged")["EventPattern"]

    assert matches(pattern, alarm_change("Millrace-prod-Monitoring-ServiceUnhealthy", before, after)) is heard


def test_drift_reaches_its_function_on_the_platforms_bus(prod: Platform) -> None:
    rule = rule_of(prod, "OnDriftDetected")

    assert matches(rule["EventPattern"], {"source": names.EVENT_SOURCE, "detail-type": names.DRIFT_DETECTED})
    assert "EventBusName" in rule


def test_alarms_and_budgets_of_this_account_alone_may_speak(prod: Platform) -> None:
    (policy,) = prod.properties("AWS::SNS::TopicPolicy")
    speaking = {
        statement["Principal"]["Service"]: statement.get("Condition")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }

    assert set(speaking) == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    for condition in speaking.values():
        assert condition == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_spending_is_budgeted_and_warned_about(prod: Platform) -> None:
    (budget,) = prod.properties("AWS::Budgets::Budget")

    assert budget["Budget"]["BudgetLimit"] == {"Amount": ENVIRONMENTS["prod"].monthly_budget_usd, "Unit": "USD"}
    said = {
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
        for each in budget["NotificationsWithSubscribers"]
    }
    assert said == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}


def test_each_environment_has_one_dashboard_of_what_alarms_watch(prod: Platform) -> None:
    (dashboard,) = prod.properties("AWS::CloudWatch::Dashboard")
    shown = json.dumps(dashboard["DashboardBody"])

    for metric in (names.DRIFT_REPORTS, names.FAILED_JOBS, names.RUN_COST, names.QUARANTINED_SHARE, "5xx", "Throttles"):
        assert metric in shown


def test_webhooks_to_the_machine_itself_are_for_laptops(platform_of: Callable[[str], Platform]) -> None:
    for environment in ENVIRONMENTS:
        worker = platform_of(environment).functions()["lambdas.alerts.deliver_alert"]
        allowed = worker["Environment"]["Variables"][names.LOOPBACK_WEBHOOKS]
        assert (allowed == "allowed") is (environment == "local")


def parameters_of(platform: Platform) -> dict[str, dict[str, list[str]]]:
    """Role → action → the parameters of Systems Manager that it is for."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, policy in platform.resources("AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            for action in (each for each in actions if each.startswith("ssm:")):
                arns = json.dumps(statement["Resource"])
                role = found.setdefault(name.partition("Role")[0], {})
                role.setdefault(action, []).extend(re.findall(r":parameter(/[^\"]*)", arns))
    return found


def test_only_who_delivers_reads_secrets_and_only_this_environments(prod: Platform) -> None:
    secrets, found = "/millrace/prod/channels/*", parameters_of(prod)

    assert {role for role, actions in found.items() if secrets in actions.get("ssm:GetParameter", [])} == {
        "DeliverAlert"
    }
    written = {"ssm:PutParameter": [secrets], "ssm:DeleteParameter": [secrets]}
    assert {
        role: {action: names for action, names in actions.items() if action in written}
        for role, actions in found.items()
        if written.keys() & actions.keys()
    } == {"App": written}


def test_who_tells_people_something_may_read_the_dashboards_address_and_no_other_parameter(prod: Platform) -> None:
    address, found = "/millrace/prod/dashboard-url", parameters_of(prod)
    telling = {
        name.rpartition(".")[2]
        for name, function in prod.functions().items()
        if names.DASHBOARD_URL_PARAMETER in function.get("Environment", {}).get("Variables", {})
    }

    # An operator who takes a version over says that it waits.
    assert {module_name(role) for role in found} == telling | {"import_version"}
    for role, actions in found.items():
        assert set(actions["ssm:GetParameter"]) - {"/millrace/prod/channels/*"} == {address}, role


def test_who_may_publish_or_queue_deliveries_is_told_where_the_address_is(prod: Platform) -> None:
    for name, function in prod.functions().items():
        variables = function.get("Environment", {}).get("Variables", {})
        tells = {names.NOTIFICATIONS_TOPIC_ARN, names.DELIVERIES_QUEUE_URL} & variables.keys()
        assert (variables.get(names.DASHBOARD_URL_PARAMETER) == "/millrace/prod/dashboard-url") is bool(tells), name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_address_that_messages_link_to_is_cloudfronts(
    environment: str, platform_of: Callable[[str], Platform]
) -> None:
    (parameter,) = platform_of(environment).properties("AWS::SSM::Parameter")

    assert parameter["Name"] == f"/millrace/{environment}/dashboard-url"
    scheme, domain = parameter["Value"]["Fn::Join"][1]
    assert scheme == "https://"
    assert "FrontDoorDistribution" in json.dumps(domain)


def asked(query: str) -> set[str]:
    """The fields that a query names: those listed, filtered by, sorted by or counted by."""
    words = re.sub(r"\bstats count\(\) as requests, latest\((\w+)\) as the_last by", r"fields \1,", query)
    return set(re.findall(r"[a-z_]+", words)) - {
        *("fields", "filter", "sort", "desc", "limit", "requests", "level", "in", "like", "type"),
    }


def test_questions_to_the_logs_are_saved_and_ask_for_fields_that_the_log_of_requests_has(prod: Platform) -> None:
    saved = {found["Name"].partition("/")[2]: found for found in prod.properties("AWS::Logs::QueryDefinition")}

    assert set(saved) == {"errors of functions", "failed steps", "slow requests", "refused requests"}
    assert len(saved["failed steps"]["LogGroupNames"]) == len(prod.resources("AWS::StepFunctions::StateMachine"))
    for name in ("slow requests", "refused requests"):
        (group,) = saved[name]["LogGroupNames"]
        assert "AccessLog" in json.dumps(group)
        assert asked(saved[name]["QueryString"]) <= ACCESS_LOG.keys(), name
