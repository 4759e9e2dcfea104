"""Nothing bills while idle, or hardly: read from the templates, resource by resource."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Platform

from scripts.idle_cost import idle_cost, price_table, table, use_table

# Paid by the hour, whoever uses it.
BY_THE_HOUR = {
    "AWS::EC2::Instance",
    "AWS::EC2::NatGateway",
    "AWS::EC2::VPCEndpoint",
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::RDS::DBInstance",
    "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::NotebookInstance",
}


def test_an_idle_month_of_dev_costs_at_most_two_dollars(assembly: Path) -> None:
    lines = idle_cost(assembly, "dev")

    assert 0 < sum(line.usd for line in lines) <= 2.0, table(lines)


@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod"])
def test_nothing_is_paid_by_the_hour(environment: str, assembly: Path) -> None:
    assert {line.kind for line in idle_cost(assembly, environment)} & BY_THE_HOUR == set()


def test_no_capacity_is_provisioned(prod: Platform) -> None:
    assert {table["BillingMode"] for table in prod.properties("AWS::DynamoDB::Table")} == {"PAY_PER_REQUEST"}
    assert prod.resources("AWS::Lambda::Alias") == {}
    assert all("ReservedConcurrentExecutions" not in found for found in prod.functions().values())


def test_a_resource_that_nobody_priced_is_an_error(tmp_path: Path) -> None:
    stage = tmp_path / "assembly-dev"
    stage.mkdir()
    template = {"Resources": {"Gateway": {"Type": "AWS::EC2::NatGateway"}}}
    (stage / "network.template.json").write_text(json.dumps(template))

    with pytest.raises(LookupError, match=r"no price for AWS::EC2::NatGateway"):
        idle_cost(tmp_path, "dev")


def test_what_an_account_has_free_is_not_counted(tmp_path: Path) -> None:
    stage = tmp_path / "assembly-dev"
    stage.mkdir()
    alarms = {f"Alarm{number}": {"Type": "AWS::CloudWatch::Alarm"} for number in range(12)}
    (stage / "monitoring.template.json").write_text(json.dumps({"Resources": alarms}))

    assert [(line.number, round(line.usd, 2)) for line in idle_cost(tmp_path, "dev")] == [(12, 0.2)]


def test_the_page_of_costs_shows_the_table_of_now(assembly: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "cost.md").read_text()

    assert table(idle_cost(assembly, "dev")) in page


def test_the_page_of_costs_shows_the_prices_that_runs_are_reckoned_with() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cost.md").read_text()

    assert price_table() in page
    assert use_table() in page
