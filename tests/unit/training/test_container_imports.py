"""The scripts run from a zip with nothing but what the SageMaker image holds."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

from training_containers import REPOSITORY, Experiment, Result, binary_frame, splits

ABSENT = ("pydantic", "boto3", "botocore", "aws_lambda_powertools", "pyspark", "awsglue", "typer")
PARTS = (
    "sagemaker_scripts", "millrace/algorithms", "millrace/analytics",
    "millrace/__init__.py", "millrace/settings.py", "millrace/errors.py", "millrace/names.py",
)  # fmt: skip


def code_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for part in PARTS:
            root = REPOSITORY / part
            for file in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
                archive.write(file, str(file.relative_to(REPOSITORY)))
    return path


def test_training_and_evaluation_run_from_a_zip_without_pydantic(tmp_path: Path) -> None:
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    # Python imports sitecustomize before anything else.
    (blocker / "sitecustomize.py").write_text(
        f"import sys\nfor name in {ABSENT!r}:\n    sys.modules[name] = None\n", "utf-8"
    )
    python_path = f"{code_zip(tmp_path / 'code.zip')}:{blocker}"
    plain = Experiment(tmp_path / "plain", "binary", splits(binary_frame(500)), hyperparameters={"linear": {}})
    zipped = replace(plain, root=tmp_path / "zipped", python_path=python_path)

    trained = zipped.run_process("train", zipped.training_container("linear"))
    assert trained.code == 0, trained.output
    assert trained.manifest == plain.train("linear").manifest

    judged: Result = zipped.run_process("evaluate", zipped.evaluation_container({"linear": trained.base}))
    assert judged.code == 0, judged.output
    assert judged.evaluation["candidates"][0]["recommended"] is True
