"""Synthetic data with a known truth, and the directory layout of a SageMaker container to run the scripts in."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from sagemaker_scripts.artefact import artifact_digest

REPOSITORY = Path(__file__).parents[3]
TARGET = "outcome"
FEATURES = [
    {"name": "age", "kind": "integer"},
    {"name": "income", "kind": "number"},
    {"name": "member", "kind": "boolean"},
    {"name": "home", "kind": "category"},
    {"name": "joined", "kind": "date"},
    {"name": "code", "kind": "category"},
]
SMALL_FITS: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 20, "max_depth": 6},
    "xgboost": {"n_estimators": 40, "early_stopping_rounds": 10},
    "linear": {},
}


def features_frame(rows: int, seed: int) -> pd.DataFrame:
    """Mixed types, each with missing values, some categories rare."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": pd.array(rng.integers(18, 80, rows), dtype="Int64"),
            "income": rng.lognormal(3, 0.5, rows),
            "member": pd.array(rng.random(rows) < 0.4, dtype="boolean"),
            "home": pd.array(
                rng.choice(["rent", "own", "parents", "other"], rows, p=[0.5, 0.35, 0.13, 0.02]), dtype="string"
            ),
            "joined": pd.to_datetime("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, rows), unit="D"),
            "code": pd.array(rng.integers(1, 6, rows), dtype="Int64"),
        }
    )
    for column in frame.columns:
        frame.loc[rng.random(rows) < 0.06, column] = pd.NA
    return frame


def signal(frame: pd.DataFrame) -> np.ndarray:
    """What the truth depends on, about standard normal."""
    age = frame["age"].astype("Float64").fillna(45).to_numpy(dtype=float)
    income = frame["income"].fillna(20).to_numpy(dtype=float)
    home = (frame["home"].fillna("") == "rent").to_numpy(dtype=float)
    return np.asarray((age - 49) / 18 + 0.8 * np.tanh((income - 22) / 8) + 1.2 * (home - 0.5))


def binary_frame(rows: int = 900, seed: int = 1) -> pd.DataFrame:
    frame = features_frame(rows, seed)
    noise = np.random.default_rng(seed + 1).logistic(size=rows)
    frame[TARGET] = np.where(signal(frame) * 1.6 + noise > 0, "good", "bad")
    return frame


def multiclass_frame(rows: int = 900, seed: int = 2) -> pd.DataFrame:
    frame = features_frame(rows, seed)
    noise = np.random.default_rng(seed + 1).normal(size=rows)
    frame[TARGET] = np.digitize(signal(frame) + 0.5 * noise, [-0.7, 0.7]) * 10
    return frame


def regression_frame(rows: int = 900, seed: int = 3) -> pd.DataFrame:
    frame = features_frame(rows, seed)
    frame[TARGET] = 100 + 20 * signal(frame) + np.random.default_rng(seed + 1).normal(size=rows) * 8
    return frame


FRAMES = {"binary": binary_frame, "multiclass": multiclass_frame, "regression": regression_frame}


def splits(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """60 % training, 20 % validation, 20 % test."""
    first, second = int(len(frame) * 0.6), int(len(frame) * 0.8)
    return {"train": frame[:first], "validation": frame[first:second], "test": frame[second:]}


def write_split(directory: Path, frame: pd.DataFrame, *, files: int = 2) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for number, positions in enumerate(np.array_split(np.arange(len(frame)), files)):
        frame.iloc[positions].to_parquet(directory / f"part-{number:05}.parquet", index=False)
    (directory / "_SUCCESS").write_text("")


@dataclass
class Result:
    code: int
    output: str
    base: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    @property
    def failure(self) -> str:
        path = self.base / "output" / "failure"
        return path.read_text() if path.exists() else ""

    @property
    def message(self) -> str:
        path = self.base / "output" / "message"
        return path.read_text() if path.exists() else ""

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.base / "model" / "manifest.json").read_text())

    @property
    def evaluation(self) -> dict[str, Any]:
        return json.loads((self.base / "processing" / "output" / "evaluation.json").read_text())

    @property
    def predictions(self) -> pd.DataFrame:
        return pd.read_parquet(self.base / "processing" / "output" / "predictions.parquet")


@dataclass
class Experiment:
    """One run: its plan and its data, from which containers are laid out below `root`."""

    root: Path
    task: str
    data: dict[str, pd.DataFrame]
    seed: int = 7
    trials: int = 1
    metric: str | None = None
    hyperparameters: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(SMALL_FITS))
    features: list[dict[str, str]] = field(default_factory=lambda: list(FEATURES))
    python_path: str = str(REPOSITORY)
    threads: int = 1

    @property
    def plan(self) -> dict[str, Any]:
        return {
            "run_id": "training-1", "model": "credit", "dataset": "credit", "dataset_version": 1,
            "task": self.task, "target": TARGET, "features": self.features, "primary_metric": self.metric,
            "seed": self.seed, "trials": self.trials,
            "candidates": [
                {"algorithm": name, "job_name": f"training-1-{name.replace('_', '-')}", "hyperparameters": params}
                for name, params in self.hyperparameters.items()
            ],
        }  # fmt: skip

    def training_container(self, algorithm: str, name: str = "") -> Path:
        base = self.root / (name or f"train-{algorithm}")
        for directory in ("input/config", "input/data/plan", "model", "output"):
            (base / directory).mkdir(parents=True, exist_ok=True)
        (base / "input/config/hyperparameters.json").write_text(json.dumps({"algorithm": algorithm}))
        (base / "input/data/plan/plan.json").write_text(json.dumps(self.plan))
        for split in ("train", "validation"):
            write_split(base / "input/data" / split, self.data[split])
        return base

    def environment(self, base: Path, threads: int | None = None) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "SAGEMAKER_BASE_DIR": str(base),
            "PYTHONPATH": self.python_path,
            "OMP_NUM_THREADS": str(threads or self.threads),
            "OMP_WAIT_POLICY": "PASSIVE",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def start(self, module: str, base: Path, threads: int | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", f"sagemaker_scripts.{module}"],
            env=self.environment(base, threads), cwd=base, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str], base: Path) -> Result:
        output, _ = process.communicate(timeout=240)
        return Result(process.returncode, output, base)

    def run_process(self, module: str, base: Path, threads: int | None = None) -> Result:
        """As the service does it: a process of its own."""
        return self.finish(self.start(module, base, threads), base)

    def run(self, module: str, base: Path, threads: int | None = None) -> Result:
        """The same in this process: a second faster, since the libraries are loaded."""
        main = importlib.import_module(f"sagemaker_scripts.{module}").main
        output = io.StringIO()
        before = os.environ.get("SAGEMAKER_BASE_DIR")
        os.environ["SAGEMAKER_BASE_DIR"] = str(base)
        try:
            with (
                threadpool_limits(limits=threads or self.threads, user_api="openmp"),
                contextlib.redirect_stdout(output),
                contextlib.redirect_stderr(output),
            ):
                code = main()
        finally:
            del os.environ["SAGEMAKER_BASE_DIR"]
            if before is not None:
                os.environ["SAGEMAKER_BASE_DIR"] = before
        return Result(code, output.getvalue(), base)

    def train(self, algorithm: str, name: str = "", threads: int | None = None) -> Result:
        return self.run("train", self.training_container(algorithm, name), threads)

    def evaluation_container(
        self, trained: dict[str, Path], *, champion: dict[str, Any] | None = None, champion_model: Path | None = None,
        name: str = "evaluate",
    ) -> Path:  # fmt: skip
        """`trained` maps an algorithm to the container it was trained in."""
        base = self.root / name
        given = base / "processing" / "input"
        (base / "processing" / "output").mkdir(parents=True)
        for directory in ("plan", "champion", "candidates"):
            (given / directory).mkdir(parents=True)
        (given / "plan/plan.json").write_text(json.dumps(self.plan))
        (given / "champion/champion.json").write_text(json.dumps({"champion": champion}))
        if champion_model is not None:
            pack(champion_model / "model", given / "champion/model.tar.gz")
        for candidate in self.plan["candidates"]:
            if candidate["algorithm"] in trained:
                archive = given / "candidates" / candidate["job_name"] / "output" / "model.tar.gz"
                pack(trained[candidate["algorithm"]] / "model", archive)
        write_split(given / "test", self.data["test"])
        return base


def pack(model: Path, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for file in sorted(model.iterdir()):
            tar.add(file, file.name)


class TrainedExperiment:
    """One task's experiment with its training results by algorithm."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.results: dict[str, Result] = {name: experiment.train(name) for name in SMALL_FITS}

    @property
    def containers(self) -> dict[str, Path]:
        return {name: result.base for name, result in self.results.items()}


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, crater: Path) -> None:
        self.crater = crater

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.crater,)


def manifest_of(model: Path) -> dict[str, Any]:
    return json.loads((model / "manifest.json").read_text())


def vouch(model: Path, **changes: Any) -> None:
    """Write a manifest that is true of the files as they are now."""
    manifest = {**manifest_of(model), **changes}
    manifest["files"] = {name: hashlib.sha256((model / name).read_bytes()).hexdigest() for name in manifest["files"]}
    manifest["artifact_digest"] = artifact_digest(manifest)
    (model / "manifest.json").write_text(json.dumps(manifest))
