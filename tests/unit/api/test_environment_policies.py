"""What an environment decides for all its datasets, the API keeps to and says."""

from __future__ import annotations

import pytest

from tests.unit.api.conftest import REASON, Api


def approved_by(api: Api, user: str) -> int:
    return api.call("PUT", "/models/credit:1/approve", {"reason": REASON}, user=user).status


def test_where_approvals_want_four_eyes_nobody_approves_what_came_of_a_run_of_their_own(api: Api) -> None:
    api.told["approvals"] = "four_eyes"
    api.trained()

    assert approved_by(api, "ada") == 403
    assert approved_by(api, "grace") == 200


def test_elsewhere_it_is_the_datasets_choice(api: Api) -> None:
    api.told["approvals"] = "one_person"
    api.trained()

    assert approved_by(api, "ada") == 200


@pytest.mark.parametrize(("spot", "offered"), [("allowed", {"xgboost"}), ("refused", set())])
def test_what_runs_on_spot_capacity_is_said_before_a_run_starts(spot: str, offered: set[str], api: Api) -> None:
    api.told["spot_capacity"] = spot
    api.trained()

    algorithms = api.get("/training/options").json["algorithms"]

    assert {each["name"] for each in algorithms if each["spot"]} == offered
