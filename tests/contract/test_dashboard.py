"""Where the dashboard is: read from the parameter that the deployment writes, and kept for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from millrace.adapters.dashboard_parameter import KEPT, ParameterDashboard
from millrace.adapters.memory import InMemoryDashboard
from millrace.ports import Dashboard

NAME = "/millrace/dev/dashboard-url"
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Hours:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def deployed(client: Any, address: str) -> None:
    client.put_parameter(Name=NAME, Value=address, Type="String", Overwrite=True)


@pytest.fixture(params=["memory", "parameter"])
def dashboard(request: pytest.FixtureRequest) -> Dashboard:
    if request.param == "memory":
        return InMemoryDashboard("https://d1.example")
    request.getfixturevalue("aws")
    client = boto3.client("ssm")
    deployed(client, "https://d1.example")
    return ParameterDashboard(client, NAME, Hours())


def test_a_page_has_an_address(dashboard: Dashboard) -> None:
    assert dashboard.address("/alerts/alert-1") == "https://d1.example/alerts/alert-1"
    assert dashboard.address("/monitoring?model=churn") == "https://d1.example/monitoring?model=churn"


def test_before_the_address_is_known_there_is_the_path_and_then_the_address(aws: None) -> None:
    client = boto3.client("ssm")
    dashboard = ParameterDashboard(client, NAME, Hours())

    assert dashboard.address("/runs") == "/runs"
    deployed(client, "https://d1.example/")
    assert dashboard.address("/runs") == "https://d1.example/runs"


def test_the_address_is_asked_for_once_in_a_while(aws: None) -> None:
    client, now = boto3.client("ssm"), Hours()
    deployed(client, "https://d1.example")
    dashboard = ParameterDashboard(client, NAME, now)
    dashboard.address("/runs")
    deployed(client, "https://d2.example")

    now.now += KEPT - timedelta(seconds=1)
    assert dashboard.address("/runs") == "https://d1.example/runs"
    now.now += timedelta(seconds=1)
    assert dashboard.address("/runs") == "https://d2.example/runs"


def test_a_message_goes_without_a_host_rather_than_not_at_all(aws: None) -> None:
    client = boto3.client("ssm")
    with Stubber(client) as stub:
        stub.add_client_error("get_parameter", "ThrottlingException")

        assert ParameterDashboard(client, NAME, Hours()).address("/runs") == "/runs"
