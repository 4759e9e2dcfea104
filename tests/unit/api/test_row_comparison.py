"""Two versions row by row: asked for, waited for, read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glue_jobs import compare_rows as job
from millrace import bootstrap
from millrace.domain.run import RunState
from millrace.errors import DatasetInvalid
from millrace.use_cases.start_comparison import ATTEMPTS
from tests.builders import later
from tests.unit.api.conftest import Answer, Api

HERE = "/datasets/credit/diff/rows"
ASKED = {"from_version": 1, "to_version": 2}
QUERY = {"from": "1", "to": "2"}


def two_versions(api: Api, **settings: Any) -> None:
    api.world.configure(**{"key": ["id"], **settings})
    for number, rows in ((1, {"id": [1, 2], "age": [30, 41]}), (2, {"id": [2, 3], "age": [42, 50]})):
        version = api.world.ready(f"uploads/credit/{number}.csv", str(number).encode())
        stream = pa.BufferOutputStream()
        pq.write_table(pa.table(rows), stream)
        api.world.store.write(f"{version.location}data/split=train/part-0.parquet", stream.getvalue().to_pybytes())


def ask(api: Api) -> Answer:
    return api.call("POST", HERE, ASKED)


def ends(api: Api, run_id: str, state: RunState = RunState.SUCCEEDED, reason: str | None = None) -> None:
    api.world.ledger.close(run_id, state=state, reason=reason, steps=[], at=later(1))


def works(api: Api, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job, with what the state machine hands it."""
    monkeypatch.setattr(bootstrap, "object_store", lambda: api.world.store)
    (payload,) = [each.payload for each in api.world.pipelines.started if each.run_id == run_id]
    job.main(["--JOB_NAME", "CompareRows", "--request", payload["request"], "--enable-metrics", "true"])


def test_it_is_202_until_the_result_is_there_and_then_says_what_came_and_went(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_versions(api)
    assert api.get(HERE, query=QUERY).status == 404

    asked = ask(api)
    waiting = api.get(HERE, query=QUERY)
    works(api, asked.json["run_id"], monkeypatch)
    ends(api, asked.json["run_id"])
    done = api.get(HERE, query=QUERY)

    assert (asked.status, asked.headers["Location"]) == (202, f"{HERE}?from=1&to=2")
    assert (waiting.status, waiting.json["result"], waiting.headers["X-Poll-After"]) == (202, None, "5")
    assert done.status == 200
    found = done.json["result"]
    assert (found["added"], found["removed"], found["changed"], found["unchanged"]) == (1, 1, 1, 0)
    assert found["changed_by_column"] == {"age": 1}
    (changed,) = [example for example in found["examples"] if example["change"] == "CHANGED"]
    assert (changed["key"], changed["before"], changed["after"]) == ({"id": "2"}, {"age": 41}, {"age": 42})
    assert api.get(HERE, query=QUERY, headers={"if-none-match": done.headers["ETag"]}).status == 304


def test_all_rows_that_differ_can_be_downloaded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    two_versions(api)
    run_id = ask(api).json["run_id"]
    assert api.get(f"{HERE}/file", query=QUERY).status == 404
    works(api, run_id, monkeypatch)
    ends(api, run_id)

    offer = api.get(f"{HERE}/file", query=QUERY).json

    assert offer["file_name"] == "credit-v1-v2-rows.parquet"
    stored = api.world.store.read("s3://" + offer["address"][8:].partition("?")[0])
    assert len(stored) == offer["size_bytes"]
    assert stored.startswith(b"PAR1")


def test_asking_twice_compares_once_and_a_failure_may_be_tried_again(api: Api) -> None:
    two_versions(api)
    first = ask(api).json["run_id"]
    assert ask(api).json["run_id"] == first
    ends(api, first, RunState.FAILED, "out of memory")

    assert "out of memory" in api.get(HERE, query=QUERY).json["detail"]
    second = ask(api).json["run_id"]

    assert second != first
    assert api.get(HERE, query=QUERY).status == 202
    started = [each.run_id for each in api.world.pipelines.started if each.pipeline == "comparison"]
    assert started == [first, second]


def test_what_failed_too_often_is_not_tried_for_ever(api: Api) -> None:
    two_versions(api)
    for _ in range(ATTEMPTS):
        ends(api, ask(api).json["run_id"], RunState.FAILED, "no")

    assert ask(api).status == 409


def test_another_key_makes_another_comparison(api: Api) -> None:
    two_versions(api)
    first = ask(api).json["run_id"]
    api.world.configure(key=["age"])

    assert ask(api).json["run_id"] != first


def test_without_a_key_rows_cannot_be_told_apart(api: Api) -> None:
    two_versions(api, key=None)

    refused = ask(api)

    assert refused.status == 422
    assert "has no row key" in refused.json["detail"]


def test_a_version_is_not_compared_with_itself_nor_with_one_that_is_not_ready(api: Api) -> None:
    two_versions(api)
    api.world.register(api.world.dropped("uploads/credit/3.csv", b"3"))

    assert api.call("POST", HERE, {"from_version": 1, "to_version": 1}).status == 422
    assert api.call("POST", HERE, {"from_version": 1, "to_version": 3}).status == 404
    assert api.call("POST", HERE, {"from_version": 1, "to_version": 9}).status == 404


def test_a_version_without_a_column_of_the_key_says_which(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    two_versions(api)
    api.world.configure(key=["home"])
    run_id = ask(api).json["run_id"]

    with pytest.raises(DatasetInvalid, match="credit v1 has no column home"):
        works(api, run_id, monkeypatch)


def test_the_run_is_among_the_runs_with_what_it_was_told(api: Api) -> None:
    two_versions(api)
    run_id = ask(api).json["run_id"]

    run = api.get(f"/runs/{run_id}").json

    assert (run["pipeline"], run["dataset"], run["started_by"]) == ("comparison", "credit", "user:ada")
    assert run["input"]["key"] == ["id"]
    assert [each["run_id"] for each in api.get("/runs", query={"pipeline": "comparison"}).json["items"]] == [run_id]
