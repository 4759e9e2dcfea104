"""What arrived, and what can be fetched: no byte of it comes by the API."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from millrace.domain import place
from tests.builders import DATA_BUCKET, NOON
from tests.unit.api.conftest import Api

VERSION = "/datasets/credit/versions/1/files"
QUARANTINE = place.quarantine_uri(DATA_BUCKET, "credit") + "/v1"


def test_every_file_that_arrived_is_listed_with_what_became_of_it(api: Api) -> None:
    api.world.configure(target="status")
    api.world.ready("uploads/credit/may.csv")
    late = api.world.arrives(
        "uploads/credit/june.csv", api.world.put("uploads/credit/june.csv"), at=NOON + timedelta(minutes=1)
    )
    assert late is not None
    api.world.register(late)

    found = api.get("/datasets/credit/uploads").json

    assert [(each["key"], each["state"], each["version"]) for each in found["items"]] == [
        ("uploads/credit/june.csv", "IDENTICAL", 1),
        ("uploads/credit/may.csv", "ACCEPTED", 1),
    ]
    assert found["items"][0]["run_id"] == late.run_id
    assert api.get("/datasets/none/uploads").status == 404


def test_a_file_on_its_way_makes_asking_again_soon_worth_it(api: Api) -> None:
    api.world.ready("uploads/credit/may.csv")
    assert api.get("/datasets/credit/uploads").headers["X-Poll-After"] == "30"
    api.world.register(api.world.dropped("uploads/credit/june.csv", b"other"))

    assert api.get("/datasets/credit/uploads").headers["X-Poll-After"] == "5"


class TestQuarantine:
    def test_one_part_is_offered_as_it_lies(self, api: Api) -> None:
        api.trained()
        api.world.store.write(f"{QUARANTINE}/part-00000.jsonl", b"{}\n")

        offer = api.get(f"{VERSION}/quarantine").json

        assert (offer["file_name"], offer["size_bytes"]) == ("credit-v1-quarantine.jsonl", 3)
        assert "/quarantine/credit/v1/part-00000.jsonl?" in offer["address"]
        assert offer["expires_at"] == "2026-11-20T12:05:00Z"

    def test_of_several_parts_the_whole_is_offered(self, api: Api) -> None:
        api.trained()
        for part in range(2):
            api.world.store.write(f"{QUARANTINE}/part-0000{part}.jsonl", b"{}\n")
        whole = place.all_quarantined_uri(f"{place.datasets_uri(DATA_BUCKET, 'credit')}/v1/")
        api.world.store.write(whole, b"{}\n{}\n")

        offer = api.get(f"{VERSION}/quarantine").json

        assert (offer["size_bytes"], offer["address"].partition("?")[0]) == (6, f"https://{whole[5:]}")

    def test_where_nothing_was_set_aside_there_is_nothing_to_fetch(self, api: Api) -> None:
        api.trained()

        assert "no row was set aside" in api.get(f"{VERSION}/quarantine").json["detail"]


def test_reports_and_artefacts_are_offered_by_name_with_their_size(api: Api) -> None:
    api.trained()

    report = api.get(f"{VERSION}/report").json
    artifact = api.get("/models/credit:1/files/artifact").json
    evaluation = api.get("/models/credit:1/files/evaluation").json

    assert report["file_name"] == "credit-v1-report.json"
    assert json.loads(api.world.store.read("s3://" + report["address"][8:].partition("?")[0]))["dataset"] == "credit"
    assert artifact["file_name"] == "credit-v1-artifact.tar.gz"
    assert artifact["address"].partition("?")[0].endswith("models/credit/v1/model.tar.gz")
    assert evaluation["size_bytes"] > 100


@pytest.mark.parametrize("file", ["request", "..", "data", "..%2F..%2Fv2%2Freport", "model.joblib"])
def test_only_files_with_a_name_of_ours_can_be_asked_for(file: str, api: Api) -> None:
    api.trained()

    assert api.get(f"{VERSION}/{file}").status in (404, 422)
    assert api.get(f"/models/credit:1/files/{file}").status in (404, 422)


class TestTotals:
    """How many there are on all pages, where that is kept."""

    def test_lists_say_how_many_there_are_in_all(self, api: Api) -> None:
        for name in "abc":
            api.call("POST", "/datasets", {"name": name})
        api.trained()

        assert api.get("/datasets", query={"limit": "1"}).json["total"] == 4
        assert api.get("/models", query={"limit": "1"}).json["total"] == 1
        assert api.get("/datasets/credit/versions").json["total"] == 1
        assert api.get("/datasets/credit/quality").json["total"] == 1
        assert api.get("/datasets/credit/versions/1/quarantine").json["total"] == 10
        assert api.get("/models/credit/history", query={"limit": "1"}).json["total"] == 3

    def test_of_runs_by_pipeline_and_state(self, api: Api) -> None:
        api.trained()

        def total(**query: str) -> int | None:
            found: int | None = api.get("/runs", query={"limit": "1", **query}).json["total"]
            return found

        assert (total(), total(pipeline="training"), total(state="FAILED")) == (2, 1, 0)
        # Of one dataset's runs no count is kept.
        assert total(dataset="credit") is None

    def test_of_changes_of_one_thing(self, api: Api) -> None:
        api.trained()
        api.world.configure(exclude=["remarks"])

        found = api.get("/activity", query={"subject": "dataset:credit", "limit": "1"}).json

        assert len(found["items"]) == 1
        assert found["total"] == len(list(api.world.audit.chain("dataset:credit")))
        assert api.get("/activity", query={"limit": "1"}).json["total"] is None
        assert api.get("/activity", query={"subject": "dataset:none"}).json["total"] == 0

    def test_a_page_whose_total_changed_is_not_unchanged(self, api: Api) -> None:
        for name in "abc":
            api.call("POST", "/datasets", {"name": name})
        seen = api.get("/datasets", query={"limit": "1"}).headers["ETag"]
        api.call("POST", "/datasets", {"name": "z"})

        assert api.get("/datasets", query={"limit": "1"}, headers={"if-none-match": seen}).status == 200
