"""For every operation a request that could be meant, made from the contract's own examples."""

from __future__ import annotations

from typing import Any

from lambdas.api.app import ENDPOINTS, contract
from lambdas.api.resource import Endpoint
from millrace.domain import identity
from tests.builders import DATA_BUCKET, NOON

PARAMETERS = {
    "dataset": "credit",
    "number": "1",
    "model": "credit",
    "version": "credit:1",
    "alias": "champion",
    "run_id": "training-1",
    "job_id": "batch-1",
    "key_id": "0" * 16,
    "report_id": "drift-0123456789abcdef-data",
    "schedule_id": "0" * 16,
    "alert_id": identity.alert_id("drift:credit:data", "report-1"),
    "channel_id": identity.channel_id("on-call", "user:ada", NOON),
    "upload_id": identity.transfer_id(DATA_BUCKET, "uploads/credit/may.csv", "multipart-1"),
}
QUERIES = {
    "list_ground_truth": {"model": "credit"},
    "get_monitoring": {"model": "credit"},
    "get_traffic": {"model": "credit"},
    "get_training_estimate": {"dataset": "credit"},
    "compare_candidates": {"of": "credit:1,credit:2"},
    "compare_versions": {"from": "1", "to": "1"},
    "get_row_comparison": {"from": "1", "to": "2"},
    "get_compared_rows": {"from": "1", "to": "2"},
}
READS = [endpoint for endpoint in ENDPOINTS if endpoint.method == "GET"]
WRITES = [endpoint for endpoint in ENDPOINTS if endpoint.method != "GET"]


# What a parameter is called in several places and is not the same in.
OF_OPERATIONS = {"get_dataset_file": {"file": "quarantine"}, "get_model_file": {"file": "evaluation"}}


def path_of(endpoint: Endpoint, **parameters: str) -> str:
    return endpoint.path.format(**PARAMETERS | OF_OPERATIONS.get(endpoint.operation_id, {}) | parameters)


def body_of(endpoint: Endpoint) -> Any:
    """The example of the request's schema, or None where there is no body."""
    operation = contract()["paths"][endpoint.path][endpoint.method.lower()]
    if "requestBody" not in operation:
        return None
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = contract()["components"]["schemas"][reference.rpartition("/")[2]]
    return schema["examples"][0]


def named(endpoint: Endpoint) -> str:
    return endpoint.operation_id
