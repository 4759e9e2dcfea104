"""One name, three casings: a state, its placeholder and construct, and the module that does its work."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from millrace import names
from millrace.domain import event
from stacks.constructs.asl_state_machine import DEFINITIONS, placeholders_in, tasks_in
from stacks.constructs.platform_function import module_name
from stacks.packaging import REPOSITORY

PIPELINES = [
    names.INGEST_PIPELINE,
    names.TRAINING_PIPELINE,
    names.DEPLOYMENT_PIPELINE,
    names.BATCH_INFERENCE_PIPELINE,
    names.DRIFT_PIPELINE,
    names.COMPARISON_PIPELINE,
]


def text_of(pipeline: str) -> str:
    return (DEFINITIONS / f"{pipeline}.asl.json").read_text()


def tasks() -> dict[str, Mapping[str, Any]]:
    return {name: task for pipeline in PIPELINES for name, task in tasks_in(json.loads(text_of(pipeline))["States"])}


def modules_in(folder: str) -> set[str]:
    return {path.stem for path in (REPOSITORY / folder).glob("*.py") if not path.stem.startswith("_")}


def names_of(kind: str) -> set[str]:
    """Tasks by what runs them: a placeholder alone is a function, the others call a service."""
    wanted = {"function": r"\$\{(\w+)\}", "glue": r".*:glue:startJobRun\.sync"}[kind]
    return {name for name, task in tasks().items() if re.fullmatch(wanted, task["Resource"])}


def test_every_function_task_calls_the_function_of_its_own_name() -> None:
    called = {name: task["Resource"] for name, task in tasks().items() if task["Resource"].startswith("${")}

    assert called
    assert called == {name: f"${{{name}}}" for name in called}


def test_every_task_module_is_a_state_and_every_function_state_has_its_module() -> None:
    assert {module_name(name) for name in names_of("function")} == modules_in("lambdas/tasks")


def test_every_glue_job_is_a_state_and_every_glue_state_has_its_script() -> None:
    assert {module_name(name) for name in names_of("glue")} == modules_in("glue_jobs")
    for name in names_of("glue"):
        assert tasks()[name]["Parameters"]["JobName"] == f"${{{name}}}"


def test_every_entry_point_in_a_container_exists() -> None:
    modules = {
        entrypoint
        for task in tasks().values()
        for entrypoint in re.findall(r'"-m", "(sagemaker_scripts\.\w+)"', json.dumps(task.get("Parameters", {})))
    }

    assert modules == {f"sagemaker_scripts.{name}" for name in ("train", "evaluate", "export", "join_results")}
    for module in modules:
        source = (REPOSITORY / f"{module.replace('.', '/')}.py").read_text()
        assert 'if __name__ == "__main__":' in source


def test_every_use_case_of_a_task_has_the_tasks_name() -> None:
    assert modules_in("lambdas/tasks") | modules_in("glue_jobs") <= modules_in("millrace/use_cases")


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_no_state_is_named_twice_in_one_state_machine(pipeline: str) -> None:
    def refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [name for name, _ in pairs]
        assert len(keys) == len(set(keys)), keys
        return dict(pairs)

    json.loads(text_of(pipeline), object_pairs_hook=refuse_repeats)
    assert placeholders_in(text_of(pipeline))


def test_an_events_detail_type_is_its_class() -> None:
    assert event.DatasetVersionReady.__name__ == names.DATASET_VERSION_READY
    assert event.ModelVersionApproved.__name__ == names.MODEL_VERSION_APPROVED
    assert event.BatchInferenceCompleted.__name__ == names.BATCH_INFERENCE_COMPLETED
    assert event.GroundTruthArrived.__name__ == names.GROUND_TRUTH_ARRIVED
    assert event.DriftDetected.__name__ == names.DRIFT_DETECTED
    assert event.DriftDetected.__name__ == names.DRIFT_DETECTED


@pytest.mark.parametrize(
    ("construct", "module"),
    [("RegisterUpload", "register_upload"), ("OnDatasetVersionReady", "on_dataset_version_ready"), ("Plan", "plan")],
)
def test_a_constructs_id_in_snake_case_is_its_module(construct: str, module: str) -> None:
    assert module_name(construct) == module
