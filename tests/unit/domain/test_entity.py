"""What is stored outlives the code that wrote it; what people send is held to its names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from millrace.domain.run import Job, Run, RunState, Step
from tests.builders import a_run

MILLRACE = Path(__file__).parents[3] / "millrace"
# An entry of the audit trail that holds more than its hash covers was altered; an export is sealed by its digest.
STRICT = {"adapters/dynamodb/audit.py", "domain/model_export.py", "domain/entity.py"}


def test_what_newer_code_wrote_is_read_by_the_code_that_a_rollback_brings_back() -> None:
    job = Job(service="glue", name="jr_1")
    run = a_run().model_copy(update={"steps": (Step(name="PrepareDataset", state=RunState.SUCCEEDED, job=job),)})
    written = json.loads(run.model_dump_json())
    written["carbon"] = 7
    written["steps"][0]["carbon"] = written["steps"][0]["job"]["carbon"] = {"grams": 7}

    assert Run.read(json.dumps(written)) == run
    with pytest.raises(ValidationError, match="carbon"):
        Run.model_validate_json(json.dumps(written))


def test_stored_documents_are_read_that_way_but_for_those_whose_bytes_are_evidence() -> None:
    strict = {
        path.relative_to(MILLRACE).as_posix()
        for path in MILLRACE.rglob("*.py")
        if ".model_validate_json(" in path.read_text()
    }

    assert strict == STRICT
