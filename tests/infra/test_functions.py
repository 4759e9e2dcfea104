"""Each function and its module: present on both sides, able to start, allowed no more than it needs."""

from __future__ import annotations

import ast
import importlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Platform

from millrace import names
from stacks.packaging import REPOSITORY

# Actions for which AWS has no resource to name, and why the role needs them.
NAMELESS = {
    "cloudformation:DescribeStacks": "a list of stacks has no resource; operators' commands read the outputs",
    "xray:PutTraceSegments": "traces",
    "xray:PutTelemetryRecords": "traces",
    "xray:GetSamplingRules": "traces of state machines",
    "xray:GetSamplingTargets": "traces of state machines",
    "logs:CreateLogDelivery": "a state machine's log",
    "logs:GetLogDelivery": "a state machine's log",
    "logs:UpdateLogDelivery": "a state machine's log",
    "logs:DeleteLogDelivery": "a state machine's log",
    "logs:ListLogDeliveries": "a state machine's log",
    "logs:PutResourcePolicy": "a state machine's log",
    "logs:DescribeResourcePolicies": "a state machine's log",
    "logs:DescribeLogGroups": "a state machine's log",
    "ecr:GetAuthorizationToken": "the image of AWS that jobs run in",
    "cloudwatch:PutMetricData": "limited by namespace",
    "events:ListRules": "AWS Backup looks for its own rules",
    "cloudwatch:GetMetricData": "AWS Backup measures how far it is",
    "tag:GetResources": "AWS Backup looks for what a plan names",
    "sns:Unsubscribe": "IAM knows no resource for it",
    "sagemaker:ListEndpoints": "which endpoints nobody needs any more",
}


PREDICTIONS = {"lambdas.inference.predict", "lambdas.inference.write_inference_records"}


def modules_in(folder: str, root: Path = REPOSITORY) -> set[str]:
    return {f"lambdas.{folder}.{path.stem}" for path in (root / "lambdas" / folder).glob("*.py") if path.stem[0] != "_"}


def statements(platform: Platform) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in platform.resources("AWS::IAM::Policy").items():
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            yield name, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_every_module_is_deployed_and_every_function_has_its_module(local: Platform) -> None:
    assert set(local.functions()) == modules_in("tasks") | modules_in("events") | modules_in("hosting") | modules_in(
        "alerts"
    ) | PREDICTIONS | {"lambdas.api.app"}


def test_every_handler_can_be_imported(local: Platform) -> None:
    for module in local.functions():
        assert callable(importlib.import_module(module).handler), module


def test_a_functions_id_is_its_modules_name_in_another_casing(local: Platform) -> None:
    for id, function in local.resources("AWS::Lambda::Function").items():
        module = function["Properties"]["Handler"].split(".")[-2]
        assert id.startswith("".join(word.capitalize() for word in module.split("_"))), (id, module)


PIPELINES = {
    names.INGEST_STATE_MACHINE_ARN,
    names.TRAINING_STATE_MACHINE_ARN,
    names.DEPLOYMENT_STATE_MACHINE_ARN,
    names.BATCH_INFERENCE_STATE_MACHINE_ARN,
    names.DRIFT_STATE_MACHINE_ARN,
    names.COMPARISON_STATE_MACHINE_ARN,
}
# A function that starts executions, or reads them, knows the state machines it does that with and no other.
KNOWN_PIPELINES = {
    "lambdas.events.on_upload_arrived": {names.INGEST_STATE_MACHINE_ARN},
    "lambdas.events.on_dataset_version_ready": {names.TRAINING_STATE_MACHINE_ARN},
    "lambdas.events.on_schedule_due": {
        names.TRAINING_STATE_MACHINE_ARN,
        names.BATCH_INFERENCE_STATE_MACHINE_ARN,
        names.DRIFT_STATE_MACHINE_ARN,
    },
    "lambdas.events.on_model_version_approved": {names.DEPLOYMENT_STATE_MACHINE_ARN},
    "lambdas.events.on_batch_input_arrived": {names.BATCH_INFERENCE_STATE_MACHINE_ARN},
    "lambdas.events.on_ground_truth_arrived": {names.DRIFT_STATE_MACHINE_ARN},
    "lambdas.events.on_day_ended": {names.DRIFT_STATE_MACHINE_ARN},
    "lambdas.events.on_batch_inference_completed": {names.DRIFT_STATE_MACHINE_ARN},
    "lambdas.events.on_drift_detected": {names.TRAINING_STATE_MACHINE_ARN},
    "lambdas.events.on_execution_ended": PIPELINES,
    "lambdas.api.app": PIPELINES,
}


def attributes_in(tree: ast.AST) -> set[str]:
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def texts_in(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def answers_of_settings() -> dict[str, set[str]]:
    """Which settings each property of `Settings` is answered from: `four_eyes` from `approvals`."""
    tree = ast.parse((REPOSITORY / "millrace" / "settings.py").read_text())
    (settings,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    return {
        node.name: attributes_in(node)
        for node in settings.body
        if isinstance(node, ast.FunctionDef) and "property" in map(named_of, node.decorator_list)
    }


def settings_in(tree: ast.AST) -> set[str]:
    """Settings read as an attribute (`settings.data_bucket`), by a property, or by name (`require("data_bucket")`)."""
    answers = answers_of_settings()
    read: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and named_of(node.value) == "settings":
            read |= answers.get(node.attr, {node.attr})
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and named_of(node.func) == "require":
            read |= texts_in(node)
    return {name.upper() for name in read} & set(names.SETTINGS)


def named_of(node: ast.expr) -> str:
    """The last name of an expression: `settings` of `self.settings`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def settings_by_part() -> dict[str, set[str]]:
    """Which settings each part of the platform is built from, as bootstrap.py says."""
    tree = ast.parse((REPOSITORY / "millrace" / "bootstrap.py").read_text())
    (platform,) = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == "Platform"]
    parts = {node.name: node for node in platform.body if isinstance(node, ast.FunctionDef)}

    def needed(name: str) -> set[str]:
        used = attributes_in(parts[name]) & parts.keys() - {name}
        return settings_in(parts[name]).union(*map(needed, used))

    return {name: needed(name) for name in parts}


def settings_needed(module: str) -> set[str]:
    path = REPOSITORY / f"{module.replace('.', '/')}.py"
    # The API is one function of many modules.
    files = sorted(path.parent.rglob("*.py")) if module == "lambdas.api.app" else [path]
    tree = ast.parse("\n".join(file.read_text() for file in files).replace("from __future__ import annotations", ""))
    by_part = settings_by_part()
    used = set().union(settings_in(tree), *(by_part[part] for part in attributes_in(tree) & by_part.keys()))
    return (used - PIPELINES) | KNOWN_PIPELINES.get(module, set())


def test_every_function_is_given_the_settings_its_code_needs_and_no_other(prod: Platform) -> None:
    given = {
        module: set(found.get("Environment", {}).get("Variables", {})) for module, found in prod.functions().items()
    }

    assert given == {module: settings_needed(module) for module in given}


def test_the_settings_a_function_needs_are_read_from_its_code() -> None:
    assert settings_by_part()["catalog"] == {names.REGISTRY_TABLE}
    assert settings_by_part()["bus"] == {names.EVENT_BUS_NAME}
    assert settings_needed("lambdas.tasks.collect_candidates") == {names.ARTIFACTS_BUCKET}
    assert settings_needed("lambdas.tasks.reject_upload") == {names.REGISTRY_TABLE}
    assert settings_needed("lambdas.tasks.plan_training") >= {names.SPOT_CAPACITY}


def test_every_setting_is_an_output_of_the_same_name(prod: Platform) -> None:
    camel = {"".join(word.capitalize() for word in setting.lower().split("_")) for setting in names.SETTINGS}

    # For operators, and no settings of the code.
    theirs = {"BackupVaultName", "ExportVersionRoleArn", "ImportVersionRoleArn"}
    assert set(prod.outputs()) == camel | set(names.CLIENT_OUTPUTS) | theirs


def test_functions_share_one_package_but_for_those_that_predict_or_profile(prod: Platform) -> None:
    modules: dict[str, set[str]] = defaultdict(set)
    for module, function in prod.functions().items():
        modules[json.dumps(function["Code"])].add(module)

    *smaller, larger = sorted(modules.values(), key=len)
    assert sorted(map(sorted, smaller)) == [
        [
            "lambdas.events.on_ground_truth_dropped",
            "lambdas.tasks.detect_drift",
            "lambdas.tasks.profile_baseline",
        ],
        ["lambdas.inference.predict", "lambdas.tasks.check_serving_artefact"],
    ]
    assert "lambdas.api.app" in larger


def test_every_function_is_traced_and_writes_to_its_own_log(prod: Platform) -> None:
    functions = prod.functions().values()

    assert {function["TracingConfig"]["Mode"] for function in functions} == {"Active"}
    assert len({function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions}) == len(functions)


def test_every_function_has_a_role_of_its_own(prod: Platform) -> None:
    roles = [json.dumps(function["Role"]) for function in prod.functions().values()]

    assert len(set(roles)) == len(roles)


def test_what_an_event_function_cannot_handle_waits_in_a_queue(prod: Platform) -> None:
    by_event = {name: function for name, function in prod.functions().items() if ".events." in name}

    assert len(by_event) == 12
    for function in by_event.values():
        assert function["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0] in prod.resources("AWS::SQS::Queue")
    assert {config["MaximumRetryAttempts"] for config in prod.properties("AWS::Lambda::EventInvokeConfig")} == {2}


def test_a_star_for_a_resource_needs_a_reason(prod: Platform) -> None:
    starred = {
        action
        for _, statement in statements(prod)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }

    assert starred <= NAMELESS.keys()


def test_no_permission_is_for_every_action_of_a_service(prod: Platform) -> None:
    actions = [action for _, statement in statements(prod) for action in listed(statement["Action"])]

    assert actions
    assert [action for action in actions if "*" in action] == []


def test_metrics_can_be_published_in_a_known_namespace_only(prod: Platform) -> None:
    publishing = [
        statement for _, statement in statements(prod) if "cloudwatch:PutMetricData" in listed(statement["Action"])
    ]

    spaces = [statement["Condition"]["StringEqualsIfExists"]["cloudwatch:namespace"] for statement in publishing]
    assert [names.METRIC_NAMESPACE] in [listed(space) for space in spaces]
    assert len(spaces) == 11


def test_roles_come_without_ready_made_policies(prod: Platform) -> None:
    assert [role for role in prod.properties("AWS::IAM::Role") if "ManagedPolicyArns" in role] == []


@pytest.mark.parametrize(
    ("role", "prefixes"),
    [
        ("RegisterUpload", {names.DATASETS_PREFIX}),
        ("PrepareDataset", {names.DATASETS_PREFIX, names.QUARANTINE_PREFIX}),
        ("CompareRows", {names.DATASETS_PREFIX}),
        ("RecordDatasetVersion", set()),
        ("OnUploadArrived", set()),
        ("PlanTraining", {names.RUNS_PREFIX}),
        ("CollectCandidates", {names.RUNS_PREFIX}),
        ("SageMaker", {names.RUNS_PREFIX}),
        ("RegisterCandidates", {names.MODELS_PREFIX}),
        ("App", {names.UPLOADS_PREFIX, names.INFERENCE_PREFIX}),
        ("PlanBatch", {names.INFERENCE_PREFIX}),
        ("OnGroundTruthDropped", {names.INFERENCE_PREFIX}),
        ("PrepareBatch", {names.INFERENCE_PREFIX, names.RUNS_PREFIX}),
        ("Score", {names.INFERENCE_PREFIX}),
        ("Export", {names.RUNS_PREFIX}),
        ("CheckServingArtefact", {names.MODELS_PREFIX}),
        ("PromoteModelVersion", set()),
        ("ProfileBaseline", {names.RUNS_PREFIX}),
        ("DetectDrift", {names.DRIFT_PREFIX}),
        ("RecordDriftReports", set()),
        ("OnBatchInferenceCompleted", set()),
        ("OnGroundTruthArrived", set()),
        ("OnDayEnded", set()),
        ("Predict", set()),
        ("WriteInferenceRecords", {names.INFERENCE_PREFIX}),
        ("PublishSite", {""}),
    ],
)
def test_each_role_writes_where_the_architecture_says_and_nowhere_else(
    role: str, prefixes: set[str], prod: Platform
) -> None:
    written = [
        json.dumps(resource)
        for policy, statement in statements(prod)
        if policy.startswith(f"{role}Role") and "s3:PutObject" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]

    assert len(written) == len(prefixes)
    for prefix in prefixes:
        assert any(f'"/{prefix}*"' in resource for resource in written), (prefix, written)


def test_only_the_api_on_peoples_behalf_writes_uploads_and_nobody_deletes_a_registered_model(prod: Platform) -> None:
    changing = [
        (policy, json.dumps(statement["Resource"]))
        for policy, statement in statements(prod)
        if {"s3:PutObject", "s3:DeleteObject"} & set(listed(statement["Action"]))
    ]
    deleting = [
        json.dumps(statement["Resource"])
        for _, statement in statements(prod)
        if "s3:DeleteObject" in listed(statement["Action"])
    ]

    # The API signs the addresses that people send their parts to.
    uploading = [policy for policy, resource in changing if names.UPLOADS_PREFIX in resource]
    assert [policy.partition("Role")[0] for policy in uploading] == ["App"]
    assert [resource for resource in deleting if names.MODELS_PREFIX in resource] == []


@pytest.mark.parametrize("module", ["lambdas.inference.write_inference_records", "lambdas.alerts.deliver_alert"])
def test_no_inference_record_and_no_alert_is_lost_when_it_cannot_be_handled(module: str, prod: Platform) -> None:
    """It comes again, is never with two workers at once, and waits for a person in the end."""
    worker, queues = prod.functions()[module], prod.resources("AWS::SQS::Queue")
    (source,) = [
        each
        for each in prod.properties("AWS::Lambda::EventSourceMapping")
        if prod.resources("AWS::Lambda::Function")[each["FunctionName"]["Ref"]]["Properties"] == worker
    ]
    queue = queues[source["EventSourceArn"]["Fn::GetAtt"][0]]["Properties"]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0] in queues
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5


def test_predictions_are_asked_for_at_their_own_function_with_a_token(prod: Platform) -> None:
    routes = {route["RouteKey"]: route for route in prod.properties("AWS::ApiGatewayV2::Route")}
    predict, rest = routes["POST /inference/predict"], routes["$default"]

    assert predict["AuthorizationType"] == "JWT"
    assert predict["AuthorizerId"] == rest["AuthorizerId"]
    assert predict["Target"] != rest["Target"]
