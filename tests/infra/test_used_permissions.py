"""What is granted is used by a test, or by an AWS service, or is on the list of what no test has used yet."""

from __future__ import annotations

import json
import re
from pathlib import Path

from conftest import Platform

from scripts.used_permissions import BY_SERVICES_FOR, RECORD, by_services, granted, record

ROOT = Path(__file__).parents[2]


def test_every_granted_permission_is_used_by_a_test_or_a_service_or_is_listed_as_unexercised(local: Platform) -> None:
    """A new grant, and one that is gone, renew the record: `make e2e permissions`."""
    document = json.loads(RECORD.read_text())
    known = {
        role: set(document["used"].get(role, {})) | set(document["unexercised"].get(role, []))
        for role in document["used"].keys() | document["unexercised"].keys()
    }

    grants = granted(local.templates.values())

    assert len(grants) > 40
    assert {role: own for role, actions in grants.items() if (own := actions - by_services(role))} == {
        role: own for role, actions in known.items() if (own := actions - by_services(role))
    }


def test_what_a_service_does_with_a_role_is_granted_to_it(local: Platform) -> None:
    grants = granted(local.templates.values())

    assert BY_SERVICES_FOR
    for role, reasons in BY_SERVICES_FOR.items():
        assert reasons.keys() <= grants[role], role


def test_the_tests_that_are_named_exist() -> None:
    named = {test for actions in json.loads(RECORD.read_text())["used"].values() for test in actions.values()}

    assert named
    for test in named:
        file, _, function = test.partition("::")
        assert re.search(rf"def {function.rpartition('::')[2]}\b", (ROOT / file).read_text()), test


def test_no_unexercised_permission_is_used_by_a_test_as_well() -> None:
    document = json.loads(RECORD.read_text())

    assert not any(
        set(actions) & document["used"].get(role, {}).keys() for role, actions in document["unexercised"].items()
    )


def test_what_a_suite_saw_is_joined_with_what_is_granted() -> None:
    grants = {
        "Writer": {"s3:PutObject", "s3:GetObject", "xray:PutTraceSegments"},
        "Reader": {"s3:GetObject"},
        "Nightly": {"lambda:InvokeFunction", "sqs:SendMessage"},
    }
    seen = [{"Writer": {"s3:PutObject": "a test", "s3:DeleteObject": "another"}}, {"Reader": {"s3:GetObject": "one"}}]

    assert record(grants, seen) == {
        "used": {"Reader": {"s3:GetObject": "one"}, "Writer": {"s3:PutObject": "a test"}},
        "unexercised": {"Nightly": ["lambda:InvokeFunction"], "Writer": ["s3:GetObject"]},
    }
