"""Messages lead to pages that there are."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from millrace.domain import page
from tests.screens import is_a_screen


@pytest.mark.parametrize(
    "path",
    [
        page.ALERTS,
        page.SETTINGS,
        page.alert_page("alert-1"),
        page.run_page("training-1"),
        page.job_page("batch-1"),
        page.model_page("churn"),
        page.version_page("churn", 7),
        page.monitoring_page("churn"),
        page.monitoring_page("churn", "data"),
    ],
)
def test_a_page_is_a_screen_of_the_dashboard(path: str) -> None:
    assert is_a_screen(path)


def test_what_is_no_screen_is_none() -> None:
    assert not is_a_screen("/nowhere/at/all")


def test_a_name_stays_one_part_of_the_path() -> None:
    assert page.version_page("a/b?c", 1) == "/models/a%2Fb%3Fc/1"
    assert urlsplit(page.monitoring_page("a&kind=x")).query == "model=a%26kind%3Dx"
