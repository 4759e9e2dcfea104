"""Every state machine keeps to the rules, and breaking any rule is noticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asl_rules import violations

from millrace import names
from stacks.constructs.asl_state_machine import DEFINITIONS

PIPELINES = [
    names.BATCH_INFERENCE_PIPELINE,
    names.COMPARISON_PIPELINE,
    names.DEPLOYMENT_PIPELINE,
    names.DRIFT_PIPELINE,
    names.INGEST_PIPELINE,
    names.TRAINING_PIPELINE,
]


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEFINITIONS / f"{name}.asl.json").read_text())
    return loaded


def test_there_is_one_file_per_pipeline() -> None:
    assert sorted(Path(path).name for path in DEFINITIONS.iterdir()) == [f"{name}.asl.json" for name in PIPELINES]


@pytest.mark.parametrize("name", PIPELINES)
def test_every_state_machine_keeps_to_the_rules(name: str) -> None:
    assert violations(load(name)) == []


Seed = Callable[[dict[str, Any]], object]
EACH = "TrainCandidates"

SEEDS: list[tuple[str, Seed, str]] = [
    ("ingest", lambda asl: asl.pop("TimeoutSeconds"), "the execution has no TimeoutSeconds"),
    ("ingest", lambda asl: asl.update(QueryLanguage="JSONata"), "JSONata is used"),
    (
        "ingest",
        lambda asl: asl["States"]["PrepareDataset"].pop("TimeoutSeconds"),
        "PrepareDataset has no TimeoutSeconds",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["PrepareDataset"].pop("Retry"),
        "PrepareDataset does not retry Glue.ConcurrentRunsExceededException",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["RegisterUpload"].pop("Retry"),
        "RegisterUpload does not retry Lambda.TooManyRequestsException",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["RecordDatasetVersion"]["Catch"].pop(),
        "RecordDatasetVersion does not catch States.ALL",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["RecordDatasetVersion"]["Catch"][0].update(ErrorEquals=["ContractMovd"]),
        "RecordDatasetVersion catches ContractMovd, which is no such error",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["RegisterUpload"]["Retry"][0]["ErrorEquals"].append("NotFound"),
        "RegisterUpload retries NotFound, which is no such error",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["RegisterUpload"]["Retry"][0]["ErrorEquals"].append("States.ALL"),
        "RegisterUpload retries States.ALL, which is no such error",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["RegisterUpload"]["Catch"][0].pop("ResultPath"),
        "RegisterUpload throws its input away when it catches",
    ),
    ("ingest", lambda asl: asl["States"]["WhatArrived"].pop("Default"), "NothingToPrepare is never reached"),
    ("ingest", lambda asl: asl["States"]["WhatArrived"].pop("Default"), "WhatArrived has no Default"),
    ("ingest", lambda asl: asl["States"]["RejectUpload"].update(Next="Nowhere"), "Nowhere is not a state"),
    (
        "ingest",
        lambda asl: asl["States"]["RejectUpload"].pop("Next"),
        "RejectUpload leads nowhere and does not end",
    ),
    (
        "ingest",
        lambda asl: asl["States"]["UploadRejected"].pop("CausePath"),
        "UploadRejected does not pass the error and its cause on",
    ),
    ("training", lambda asl: asl["States"][EACH].pop("Catch"), f"{EACH} does not catch States.ALL"),
    (
        "training",
        lambda asl: asl["States"][EACH]["ItemProcessor"]["States"]["TrainOnSpot"].pop("TimeoutSeconds"),
        "TrainOnSpot has no TimeoutSeconds",
    ),
    (
        "training",
        lambda asl: asl["States"]["EvaluateCandidates"]["Retry"].pop(0),
        "EvaluateCandidates does not retry SageMaker.ResourceLimitExceededException",
    ),
]


@pytest.mark.parametrize(("name", "seed", "said"), SEEDS, ids=[said for _, _, said in SEEDS])
def test_a_broken_rule_is_noticed(name: str, seed: Seed, said: str) -> None:
    broken = copy.deepcopy(load(name))
    seed(broken)

    assert said in violations(broken)
