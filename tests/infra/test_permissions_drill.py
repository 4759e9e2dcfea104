"""What was seen when one permission at a time was withheld: `make permissions-drill` writes it, on a real platform."""

from __future__ import annotations

import json

from scripts.permissions_drill import RESULTS, drilled, judged
from scripts.used_permissions import RECORD

USED = {"Writer": {"s3:PutObject": "a test", "s3:GetObject": "another"}, "Reader": {"s3:GetObject": "a test"}}


def test_the_results_are_of_the_permissions_and_tests_of_now_and_name_what_nobody_tried() -> None:
    found = json.loads(RESULTS.read_text())
    used = json.loads(RECORD.read_text())["used"]

    assert found == drilled(found["broke"], used)


def test_a_result_counts_for_the_test_that_it_was_seen_with() -> None:
    seen = {
        "Writer": {"s3:PutObject": "a test", "s3:GetObject": "one that is gone"},
        "Gone": {"s3:GetObject": "a test"},
    }

    assert drilled(seen, USED) == {
        "broke": {"Writer": {"s3:PutObject": "a test"}},
        "not_drilled": {"Reader": ["s3:GetObject"], "Writer": ["s3:GetObject"]},
    }


def test_a_permission_is_needed_when_its_test_breaks_by_the_refusal_and_passes_with_it() -> None:
    refusals = [("Writer", "s3:PutObject")]

    assert judged("Writer", "s3:PutObject", failed=True, refusals=refusals, passes=True) == ""
    assert "never refused" in judged("Reader", "s3:GetObject", failed=True, refusals=refusals, passes=True)
    assert "in vain" in judged("Writer", "s3:PutObject", failed=False, refusals=refusals, passes=True)
    assert "with the permission too" in judged("Writer", "s3:PutObject", failed=True, refusals=refusals, passes=False)
