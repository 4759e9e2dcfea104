"""Two versions of a dataset, compared over HTTP."""

from __future__ import annotations

from typing import Any

from tests.unit.api.conftest import Api
from tests.unit.use_cases.world import a_profile


def two_versions(api: Api) -> None:
    api.world.configure(target="status")
    api.world.ready("uploads/credit/may.csv", b"may", profile=a_profile(rows=990))
    later = a_profile(rows=1000)
    later["columns"]["home"]["counts"] = {"own": 500, "rent": 250, "boat": 250}
    later["columns"]["home"]["count"] = 1000
    del later["columns"]["remarks"]
    api.world.ready("uploads/credit/june.csv", b"june", profile=later)


def diff(api: Api, before: int, after: int) -> Any:
    return api.get("/datasets/credit/diff", query={"from": str(before), "to": str(after)})


def test_the_later_version_is_held_against_the_earlier_one(api: Api) -> None:
    two_versions(api)

    found = diff(api, 1, 2).json

    columns = {each["name"]: each for each in found["columns"]}
    assert (found["from_rows"], found["to_rows"], found["identical"]) == (990, 1000, False)
    assert columns["remarks"]["change"] == "REMOVED"
    assert columns["home"]["new_values"] == ["boat"]
    assert columns["home"]["distance"] > 0.2
    assert columns["status"]["distance"] == 0.0
    assert "remarks is gone" in found["contract_breaks"]
    assert "home holds values not known before: boat" in found["contract_breaks"]


def test_a_version_is_identical_to_itself(api: Api) -> None:
    two_versions(api)

    found = diff(api, 2, 2).json

    assert found["identical"]
    assert {each["distance"] for each in found["columns"]} <= {0.0, None}


def test_each_pair_has_a_tag_of_its_own(api: Api) -> None:
    two_versions(api)
    tags = {diff(api, before, after).headers["ETag"] for before, after in ((1, 2), (2, 1), (1, 1), (2, 2))}

    assert len(tags) == 4
    seen = diff(api, 1, 2).headers["ETag"]
    query = {"from": "1", "to": "2"}
    assert api.get("/datasets/credit/diff", query=query, headers={"if-none-match": seen}).status == 304


def test_a_version_that_is_not_there_or_not_ready_cannot_be_compared(api: Api) -> None:
    two_versions(api)
    run = api.world.dropped("uploads/credit/july.csv", b"july")
    api.world.register(run)

    assert diff(api, 1, 9).status == 404
    assert diff(api, 1, 3).json["detail"] == "credit v3 is PREPARING, so there is nothing to compare"
    assert api.get("/datasets/credit/diff", query={"from": "1"}).status == 422
