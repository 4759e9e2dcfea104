"""What the job services remember."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.jobs.listing import list_page
from local.jobs.process import kill_orphans, process_born
from local.jobs.service_error import ServiceError
from local.jobs.store import JobStore, NameTaken


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "deep" / "jobs.sqlite")


def test_documents_survive_the_process(tmp_path: Path) -> None:
    first = JobStore(tmp_path / "jobs.sqlite")
    first.add("training-job", "a", {"Status": "InProgress"})
    first.add_tags("arn", {"k": "v"})
    first.close()

    second = JobStore(tmp_path / "jobs.sqlite")
    assert second.find("training-job", "a") == {"Status": "InProgress"}
    assert second.tags("arn") == {"k": "v"}


def test_a_name_is_taken_per_kind(store: JobStore) -> None:
    store.add("training-job", "a", {})
    store.add("processing-job", "a", {})

    with pytest.raises(NameTaken):
        store.add("training-job", "a", {})


def test_changes_are_merged(store: JobStore) -> None:
    store.add("training-job", "a", {"x": 1, "y": 1})

    assert store.update("training-job", "a", {"y": 2}) == {"x": 1, "y": 2}
    assert store.find("training-job", "a") == {"x": 1, "y": 2}
    with pytest.raises(KeyError):
        store.update("training-job", "b", {})


def test_a_change_that_expects_another_state_is_not_made(store: JobStore) -> None:
    store.add("training-job", "a", {"Status": "Completed"})

    assert store.update_when("training-job", "a", "Status", "InProgress", {"Status": "Stopping"}) is None
    assert store.find("training-job", "a") == {"Status": "Completed"}
    assert store.update_when("training-job", "a", "Status", "Completed", {"Status": "x"}) == {"Status": "x"}


def test_documents_come_in_the_order_in_which_they_were_made(store: JobStore) -> None:
    for name in ("c", "a", "b"):
        store.add("model", name, {"name": name})
    store.update("model", "c", {"late": True})

    assert [document["name"] for document in store.all("model")] == ["c", "a", "b"]
    assert store.delete("model", "a")
    assert not store.delete("model", "a")
    assert store.find("model", "a") is None


def test_an_orphan_is_killed_and_a_stranger_with_its_number_is_not(store: JobStore) -> None:
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    orphan = subprocess.Popen(sleeps, start_new_session=True)
    stranger = subprocess.Popen(sleeps, start_new_session=True)
    try:
        store.remember_process(orphan.pid, process_born(orphan.pid) or "")
        store.remember_process(stranger.pid, "another birth")

        assert kill_orphans(store) == 1

        assert orphan.wait(5) == -9
        assert stranger.poll() is None
        assert store.processes() == []
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_is_gone_was_never_born() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    assert process_born(ended.pid) is None


DOCUMENTS = [
    {"Name": name, "Status": status, "CreationTime": float(index), "LastModifiedTime": 10.0 - index}
    for index, (name, status) in enumerate([("a-1", "Failed"), ("b-1", "Completed"), ("a-2", "Completed")])
]


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({}, ["a-2", "b-1", "a-1"]),
        ({"SortOrder": "Ascending"}, ["a-1", "b-1", "a-2"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["a-1", "a-2", "b-1"]),
        ({"NameContains": "a-"}, ["a-2", "a-1"]),
        ({"StatusEquals": "Completed"}, ["a-2", "b-1"]),
        ({"CreationTimeAfter": 0.0}, ["a-2", "b-1"]),
        ({"CreationTimeBefore": 1.0}, ["a-1"]),
        ({"LastModifiedTimeAfter": 9.0}, ["a-1"]),
    ],
)
def test_lists_are_filtered_and_ordered_as_asked(request_: dict[str, object], names: list[str]) -> None:
    page, token = list_page(DOCUMENTS, request_, name_key="Name", status_key="Status")

    assert [item["Name"] for item in page] == names
    assert token == ""


def test_pages_cover_everything_once() -> None:
    seen, token = [], "0"
    while token:
        page, token = list_page(DOCUMENTS, {"MaxResults": 2, "NextToken": token}, name_key="Name")
        seen += [item["Name"] for item in page]

    assert seen == ["a-2", "b-1", "a-1"]


def test_a_token_that_was_never_given_is_refused() -> None:
    with pytest.raises(ServiceError, match="token"):
        list_page(DOCUMENTS, {"NextToken": "x"}, name_key="Name")
