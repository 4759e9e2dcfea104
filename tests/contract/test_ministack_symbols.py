"""Every private name of ministack that the local platform leans on. A port to another release starts here."""

import importlib
import inspect
from typing import Any

import pytest

from local.emulator import release

SIGNATURES = {
    "app._build_persistence_save_dict": "()",
    "app._load_persisted_state": "()",
    "app.app": "(scope, receive, send)",
    "app.load_state": "(service: str) -> dict | None",
    "app.save_all": "(services: dict) -> None",
    "core.iam_actions.extract_resource_arn": None,
    "core.iam_evaluator._action_matches": "(request_action: str, actions: list[str], not_actions: list[str]) -> bool",
    "core.iam_evaluator._gather_role_policies": None,
    "core.iam_evaluator.enforce": None,
    "core.iam_evaluator.evaluate": None,
    "core.lambda_runtime._worker_class_for": "(config: dict)",
    "core.lambda_runtime.reset": "()",
    "core.persistence._json_default": "(obj)",
    "core.persistence._json_object_hook": "(obj)",
    "core.responses.get_account_id": "() -> str",
    "core.responses.get_region": "() -> str",
    "core.responses.json_response": None,
    "core.responses.now_iso": None,
    "core.responses.request_scope": "(account_id: str, region: str)",
    "services.cloudformation.stacks._resolve_refs": (
        "(value, resources, params, conditions, mappings, stack_name, stack_id)"
    ),
    "services.cloudfront._forward_to_origin": (
        "(origin: dict, method: str, uri: str, query_string: str, headers: dict, body: bytes, viewer_is_https: bool, "
        "client_ip: str = '127.0.0.1', viewer_x_forwarded_for: str = '') -> tuple"
    ),
    "services.cloudwatch._calc_stats": "(points)",
    "services.cloudwatch._dims_key": "(dims: dict) -> str",
    "services.cloudwatch._dispatch_alarm_actions": "(alarm, old_state, new_state, reason)",
    "services.cloudwatch._evaluate_alarm": "(alarm)",
    "services.cloudwatch._evaluate_parent_alarms": None,
    "services.cloudwatch._record_history": None,
    "services.cloudwatch._delete_alarms": "(params, cbor_data, is_cbor, is_json=False)",
    "services.cloudwatch._put_composite_alarm": "(params, cbor_data, is_cbor, is_json=False)",
    "services.cloudwatch._transition_composite": "(alarm, new_state, reason, triggers, seen=frozenset())",
    "services.cloudwatch._stat_value": "(stats, stat_name, points=None)",
    "services.cloudwatch.record_metric": (
        "(namespace: str, metric_name: str, value: float, unit: str = 'None', dimensions: dict | None = None) -> None"
    ),
    "services.cloudwatch_logs._fanout_to_subscription_filters": "(group_name, stream_name, events)",
    "services.cognito._fake_token": (
        "(sub: str, pool_id: str, client_id: str, token_type: str = 'access', username: str = '', "
        "user_attrs: dict | None = None, groups: list[str] | None = None, nonce: str = '', "
        "trigger_source: str = 'TokenGeneration_Authentication', client_metadata: dict | None = None, "
        "origin_jti: str = '', scope: str | None = None) -> str"
    ),
    "services.cognito._get_pool_unscoped": None,
    "services.dynamodb._create_backup": "(data)",
    "services.dynamodb._delete_table": "(data)",
    "services.dynamodb._normalize_table_name": "(value: str) -> str",
    "services.dynamodb._index_def": "(table, index_name)",
    "services.dynamodb._index_item": "(table, base_pk, base_sk, item, add)",
    "services.dynamodb._index_key_lists": "(index)",
    "services.dynamodb._index_key_schemas": "(table)",
    "services.dynamodb._index_members": "(table)",
    "services.dynamodb._index_order_keys": "(table, sk_name)",
    "services.dynamodb._index_order_value": "(item, name, type_hint)",
    "services.dynamodb._index_partition": "(item, hashes, ranges)",
    "services.dynamodb._query": "(data)",
    "services.eventbridge._dispatch_event": "(event, view=None)",
    "services.eventbridge._dispatch_to_lambda": "(arn, payload)",
    "services.eventbridge._cron_next_fire": "(fields, after_dt: datetime.datetime) -> datetime.datetime | None",
    "services.eventbridge._invoke_target": "(target, event, rule, view=None)",
    "services.eventbridge._parse_cron_fields": "(expr: str)",
    "services.eventbridge._parse_rate_seconds": "(expr: str) -> int | None",
    "services.eventbridge._put_events": "(data, allow_aws_source=False)",
    "services.lambda_svc._execute_function_provided_warm": "(func: dict, event: dict, request_id: str) -> dict",
    "services.lambda_svc._execute_function_warm": "(func: dict, event: dict, request_id: str) -> dict",
    "services.lambda_svc._execute_function_with_config_scope": "(func: dict, event: dict) -> dict",
    "services.lambda_svc._execution_record_for_config": "(func: dict, config: dict) -> dict",
    "services.lambda_svc._get_func_record_for_ref": None,
    "services.lambda_svc._provided_runtime_code_dir": "(code_zip: bytes) -> str",
    "services.lambda_svc._provided_worker_env": "(config: dict, code_dir: str, port: int) -> dict",
    "services.lambda_svc._route_async_failure": "(target_arn: str, func_name: str, event: dict, result: dict) -> None",
    "services.lambda_svc._write_code_blob": "(code_zip: bytes) -> str",
    "services.s3._fire_s3_event": (
        "(bucket_name: str, key: str, event_name: str, size: int = 0, etag: str = '', "
        "deletion_type: str | None = None, restore_event_data: dict | None = None, version_id: str | None = None, "
        "sequencer: str | None = None, object_extra: dict | None = None, record_extra: dict | None = None) -> None"
    ),
    "services.s3._fire_s3_event_async": None,
    "services.s3._record_object_version": (
        "(bucket_name: str, key: str, prior_obj: dict | None, obj: dict, data) -> str | None"
    ),
    "services.scheduler._tick_schedules": "()",
    "services.scheduler._to_epoch": "(value)",
    "services.stepfunctions._add_event": "(execution, event_type, details=None)",
    "services.stepfunctions._apply_input_path": "(state_def, data, ctx=None)",
    "services.stepfunctions._apply_output_path": "(state_def, data, ctx=None)",
    "services.stepfunctions._emit_execution_status_event": "(execution) -> None",
    "services.stepfunctions._error_matches": "(error_equals, error)",
    "services.stepfunctions._execute_choice": "(state_def, raw_input, ctx=None)",
    "services.stepfunctions._execute_map": "(state_def, raw_input, execution, ctx)",
    "services.stepfunctions._execute_parallel": "(state_def, raw_input, execution, ctx)",
    "services.stepfunctions._execute_pass": "(state_def, raw_input, ctx=None)",
    "services.stepfunctions._execute_task": "(state_def, raw_input, execution, ctx)",
    "services.stepfunctions._execute_wait": "(state_def, raw_input, ctx=None)",
    "services.stepfunctions._fail_execution": "(execution, error, cause)",
    "services.stepfunctions._fail_state_error": "(state_def, raw_input, ctx=None)",
    "services.stepfunctions._invoke_resource": "(resource, input_data)",
    "services.stepfunctions._invoke_resource_with_timeout": "(resource, input_data, timeout)",
    "services.stepfunctions._iso_to_epoch_ms": "(iso)",
    "services.stepfunctions._resolve_path_or_ctx": "(path, data, ctx)",
    "services.stepfunctions._resolve_state_machine_arn": "(arn)",
    "services.stepfunctions._restore_state": "(data)",
    "services.stepfunctions._run_execution": "(exec_arn)",
    "services.stepfunctions._run_map_items": "(state_def, raw_input, execution, ctx)",
    "services.stepfunctions._run_parallel_branches": "(state_def, raw_input, execution, ctx)",
    "services.stepfunctions._run_sub_machine": "(states, start_at, input_data, execution, ctx)",
    "services.stepfunctions._start_execution": "(data)",
    "services.stepfunctions._stop_execution": "(data)",
}
CLASSES = {
    "core.iam_evaluator.EvalContext": {
        "principal_arn",
        "principal_type",
        "principal_account",
        "action",
        "resource_arn",
        "region",
        "service_context",
    },
    "core.lambda_runtime.ProvidedWorker": {"func_name", "config", "code_zip"},
    "services.stepfunctions._ExecutionError": {"error", "cause"},
}
STORES = {
    "services.scheduler._SCHEDULE_TICK_INTERVAL": int,
    "app.SERVICE_HANDLERS": dict,
    "core.lambda_runtime._PROVIDED_INIT_TIMEOUT": float,
    "core.node_pool._NODE_BINARY": str,
    "services.cloudformation.provisioners._RESOURCE_HANDLERS": dict,
    "services.stepfunctions._SERVICE_DISPATCH": dict,
}
# Resource types whose provisioning we wrap, or would otherwise have to do ourselves.
PROVISIONED = (
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::Function",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::DynamoDB::Table",
)
SCOPED_STORES = (
    "cloudwatch._alarms",
    "cloudwatch._metrics",
    "dynamodb._backups",
    "dynamodb._pitr_settings",
    "dynamodb._tables",
    "scheduler._schedules",
    "stepfunctions._executions",
    "stepfunctions._state_machines",
)


def symbol(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(f"ministack.{module}"), name)


@pytest.mark.parametrize("path", sorted(SIGNATURES))
def test_ministack_has_the_function_with_the_parameters_we_call_it_with(path: str) -> None:
    expected = SIGNATURES[path]
    function = symbol(path)
    assert callable(function)
    if expected is not None:
        assert str(inspect.signature(function)).replace("\n", "") == expected


@pytest.mark.parametrize("path", sorted(CLASSES))
def test_ministack_has_the_class_with_the_parameters_we_give_it(path: str) -> None:
    assert set(inspect.signature(symbol(path)).parameters) >= CLASSES[path]


@pytest.mark.parametrize("path", sorted(STORES))
def test_ministack_has_the_store_we_write_to(path: str) -> None:
    assert isinstance(symbol(path), STORES[path])


@pytest.mark.parametrize("kind", PROVISIONED)
def test_ministack_makes_changes_and_deletes_what_the_api_stands_on(kind: str) -> None:
    handler = symbol("services.cloudformation.provisioners._RESOURCE_HANDLERS")[kind]
    assert {"create", "update", "delete"} <= handler.keys()


@pytest.mark.parametrize("path", SCOPED_STORES)
def test_a_scoped_store_can_be_walked_across_accounts(path: str) -> None:
    store = symbol(f"services.{path}")
    assert isinstance(store.all_items(), list)
    assert isinstance(store.all_values(), list)


def test_the_worker_has_the_methods_we_extend() -> None:
    worker = symbol("core.lambda_runtime.ProvidedWorker")
    assert list(inspect.signature(worker._build_handler_class).parameters) == ["self", "generation", "pending"]
    assert list(inspect.signature(worker._drain_stderr_bounded).parameters) == [
        "self",
        "first_line_wait",
        "idle_confirm",
        "hard_cap",
    ]


def test_s3_keeps_its_current_objects_by_bucket_and_key() -> None:
    source = inspect.getsource(symbol("services.s3._fire_s3_event_async"))
    assert "args=(_fire_s3_event," in source
    assert symbol("services.s3._buckets") is not None


def test_distributions_are_kept_with_their_host_name_and_whether_they_are_enabled() -> None:
    source = inspect.getsource(symbol("services.cloudformation.provisioners._cf_distribution_create"))
    assert '"DomainName": domain_name' in source
    assert '"enabled": ' in source
    assert list(symbol("services.cloudfront._distributions").values()) == []


def test_the_installed_release_is_the_one_that_the_hooks_were_written_against() -> None:
    release.require_supported()


def test_another_release_is_refused_with_the_way_out() -> None:
    with pytest.raises(release.UnsupportedRelease, match=r"needs ministack 1\.5\.33, but 1\.6\.0 is installed"):
        release.require_supported("1.6.0")
