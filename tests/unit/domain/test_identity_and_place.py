"""Names that are computed, and what a key says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.domain import identity, place
from millrace.domain.dataset import Dataset
from millrace.errors import InvalidInput
from tests.builders import NOON, later

texts = st.text(min_size=1, max_size=20)


@given(texts, texts, texts)
def test_an_object_version_always_has_the_same_run(bucket: str, key: str, version: str) -> None:
    assert identity.ingest_run_id(bucket, key, version) == identity.ingest_run_id(bucket, key, version)
    assert re.fullmatch(r"ingest-[0-9a-f]{20}", identity.ingest_run_id(bucket, key, version))


def test_parts_that_run_together_are_not_confused() -> None:
    ids = {
        identity.upload_id("b", "a", "12"),
        identity.upload_id("b", "a1", "2"),
        identity.upload_id("ba", "1", "2"),
    }

    assert len(ids) == 3


def test_a_version_is_trained_on_automatically_under_one_name() -> None:
    assert identity.automatic_training_run_id("credit", 1) == identity.automatic_training_run_id("credit", 1)
    others = {identity.automatic_training_run_id(name, n) for name, n in (("credit", 1), ("credit", 2), ("c", 1))}
    assert len(others) == 3


def test_a_person_may_train_as_often_as_wanted() -> None:
    ids = {
        identity.automatic_training_run_id("credit", 1),
        identity.requested_training_run_id("credit", 1, "ada", NOON),
        identity.requested_training_run_id("credit", 1, "ada", later(1)),
        identity.requested_training_run_id("credit", 1, "bob", NOON),
    }

    assert len(ids) == 4


@pytest.mark.parametrize("part", ["random_forest", "xgboost", "linear", "evaluation"])
def test_a_job_name_is_one_that_sagemaker_takes(part: str) -> None:
    name = identity.job_name(identity.automatic_training_run_id("x" * 40, 99999), part)

    assert len(name) <= 63
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", name)


@pytest.mark.parametrize(
    ("key", "dataset"),
    [
        ("uploads/credit/may.csv", "credit"),
        ("uploads/credit/2026/05/may.csv", "credit"),
        ("uploads/may.csv", ""),
        ("uploads/", ""),
        ("uploads//may.csv", ""),
        ("uploads/My Data/a.csv", "My Data"),
    ],
)
def test_the_folder_under_uploads_is_the_dataset(key: str, dataset: str) -> None:
    assert place.dataset_of(key) == dataset


@pytest.mark.parametrize("name", ["a", "credit", "credit-2026", "0", "a" * 40])
def test_a_name_of_the_right_form_is_taken_here_and_by_the_entity(name: str) -> None:
    assert place.check_name(name) == name
    assert Dataset(name=name, created_at=NOON, created_by="a").name == name


@pytest.mark.parametrize("name", ["", "Credit", "my data", "-a", "a-", "a_b", "größe", "a" * 41, "a/b", "a\n"])
def test_a_name_of_another_form_is_refused_with_the_rule_here_and_by_the_entity(name: str) -> None:
    with pytest.raises(InvalidInput, match="lowercase letters, digits and hyphens"):
        place.check_name(name)
    with pytest.raises(ValueError, match="pattern"):
        Dataset(name=name, created_at=NOON, created_by="a")


def test_settings_lie_beside_a_file_or_at_the_top_of_its_dataset() -> None:
    assert place.sidecar_keys("uploads/credit/may.csv") == ("uploads/credit/dataset.yaml",)
    assert place.sidecar_keys("uploads/credit/x/may.csv") == (
        "uploads/credit/x/dataset.yaml",
        "uploads/credit/dataset.yaml",
    )


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("uploads/credit/dataset.yaml", True),
        ("uploads/credit/x/dataset.yaml", True),
        ("uploads/credit/my-dataset.yaml", False),
        ("uploads/credit/dataset.yaml.csv", False),
    ],
)
def test_a_settings_file_is_known_by_its_name(key: str, expected: bool) -> None:
    assert place.is_settings_file(key) is expected


@given(st.from_regex(r"[a-z]{3,10}", fullmatch=True), st.text(max_size=30))
def test_an_address_is_taken_apart_as_it_was_put_together(bucket: str, key: str) -> None:
    assert place.split_uri(place.uri(bucket, key)) == (bucket, key)
