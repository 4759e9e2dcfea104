"""Every entry point starts with what its runtime has, and with nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.packaging import REPOSITORY, sources, zip_package
from stacks.training_stack import CONTAINER_SOURCES

# Slow to import, and no function needs them: models are trained and scored in jobs.
HEAVY = ["numpy", "pandas", "sklearn", "scipy", "xgboost", "pyarrow", "pyspark", "datasketches"]
# These compute predictions: their package has numpy and the ONNX runtime, and still nothing that trains.
PREDICTING = {"lambdas.inference.predict", "lambdas.tasks.check_serving_artefact"}
# These profile rows: their package has what reads Parquet and what sketches, and still nothing that trains or predicts.
PROFILING = {
    "lambdas.tasks.profile_baseline",
    "lambdas.tasks.detect_drift",
    "lambdas.events.on_ground_truth_dropped",
}
NOT_IN_THE_IMAGE = [
    "pydantic",
    "aws_lambda_powertools",
    "charset_normalizer",
    "clevercsv",
    "datasketches",
    "yaml",
    "typer",
]
# Glue 5.1 brings pyspark, pyarrow, numpy, pandas and boto3; the job installs pydantic and datasketches.
NOT_ON_GLUE = [
    "aws_lambda_powertools",
    "charset_normalizer",
    "clevercsv",
    "yaml",
    "typer",
    "rich",
    "sklearn",
    "xgboost",
]

PROGRAM = """
import importlib, sys, traceback

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is not in this runtime", name=name)

sys.meta_path.insert(0, Blocked())
for module in MODULES:
    try:
        importlib.import_module(module)
    except ImportError:
        print(module, traceback.format_exc().splitlines()[-1])
"""


def failures(modules: list[str], *, without: list[str], path: Path) -> list[str]:
    """The modules that cannot be imported from `path` when the packages `without` are missing, each with the reason."""
    program = f"BLOCKED = {without!r}\nMODULES = {modules!r}\n{PROGRAM}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=path if path.is_dir() else path.parent,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def entry_points(*folders: str) -> list[str]:
    return [
        name.removesuffix(".py").replace("/", ".")
        for name in sources(*folders)
        if not name.rsplit("/", 1)[-1].startswith("_")
    ]


def test_no_function_imports_what_is_slow_to_import() -> None:
    modules = entry_points("lambdas")

    assert {"lambdas.tasks.plan_training", "lambdas.events.on_upload_arrived"} <= set(modules)
    assert (
        failures(sorted(set(modules) - PREDICTING - PROFILING), without=[*HEAVY, "onnxruntime"], path=REPOSITORY) == []
    )


def test_what_predicts_needs_nothing_that_trains() -> None:
    trains = [name for name in HEAVY if name != "numpy"]

    assert set(entry_points("lambdas")) >= PREDICTING
    assert failures(sorted(PREDICTING), without=[*trains, "onnx", "skl2onnx"], path=REPOSITORY) == []


def test_what_profiles_needs_nothing_that_trains_or_predicts() -> None:
    others = [name for name in HEAVY if name not in ("numpy", "pyarrow", "datasketches")]

    assert set(entry_points("lambdas")) >= PROFILING
    assert failures(sorted(PROFILING), without=[*others, "onnxruntime"], path=REPOSITORY) == []


def test_neither_do_the_adapters_that_functions_build() -> None:
    modules = entry_points("millrace/adapters", "millrace/bootstrap.py")

    assert "millrace.adapters.s3" in modules
    assert failures(modules, without=HEAVY, path=REPOSITORY) == []


def test_the_container_starts_from_its_zip_with_what_the_image_has() -> None:
    package = zip_package("container", sources(*CONTAINER_SOURCES))

    modules = ["sagemaker_scripts.train", "sagemaker_scripts.evaluate", "sagemaker_scripts.export"]
    assert failures(modules, without=NOT_IN_THE_IMAGE, path=package.path) == []


def test_the_container_imports_from_its_zip_and_not_from_here() -> None:
    package = zip_package("container", sources(*CONTAINER_SOURCES))

    assert failures(["millrace.domain"], without=[], path=package.path) == [
        "millrace.domain ModuleNotFoundError: No module named 'millrace.domain'"
    ]


def test_the_glue_job_starts_from_its_zip_with_what_glue_has() -> None:
    package = zip_package("glue", sources("millrace", "glue_jobs"))

    assert failures(["glue_jobs.prepare_dataset"], without=NOT_ON_GLUE, path=package.path) == []


@pytest.mark.parametrize("line", ["import pandas", "from pandas import DataFrame", "import xgboost.sklearn"])
def test_a_stray_import_is_noticed(line: str, tmp_path: Path) -> None:
    (tmp_path / "stray.py").write_text(f"{line}\n")

    (said,) = failures(["stray"], without=HEAVY, path=tmp_path)
    assert said.startswith("stray ModuleNotFoundError: ")
    assert said.endswith("is not in this runtime")
