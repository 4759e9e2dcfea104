"""Whoever can write a pickle runs code where it is loaded: none is loaded from where a user can write."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict

import pytest
from conftest import Platform

from stacks.packaging import REPOSITORY

SOURCES = ("millrace", "lambdas", "glue_jobs", "sagemaker_scripts", "local", "stacks", "scripts")
UNPICKLING_MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "torch"}
LOADS = {"load", "loads", "open", "Unpickler"}
# Whose permission makes addresses that users write to.
SIGNING = "App"
# All that writes below the artifacts bucket: jobs of ours, functions that take no bytes from a user there, operators.
ARTIFACT_WRITERS = {
    "PlanTraining": {"runs/"},
    "SageMaker": {"runs/"},
    "CollectCandidates": {"runs/"},
    "ProfileBaseline": {"runs/"},
    "RegisterCandidates": {"models/"},
    "Export": {"runs/"},
    "CheckServingArtefact": {"models/"},
    "DeployEndpoint": {"models/"},
    "PrepareBatch": {"runs/"},
    "DetectDrift": {"drift/"},
    # Roles of operators, which no part of the platform can assume.
    "ExportVersion": {"models/*/export-*.json"},
    "ImportVersion": {"models/"},
}
# Which roles run the program that unpickles.
UNPICKLING_ROLES = {"SageMaker", "Export", "Endpoint", "Score"}


def unpicklings(source: str) -> list[str]:
    """Every call that may unpickle, as it is written."""
    tree = ast.parse(source)
    imported = {
        (name.asname or name.name): name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
        if isinstance(node, ast.Import) or (node.module or "").split(".")[0] in UNPICKLING_MODULES
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        module, _, name = called.rpartition(".")
        loads = imported.get(module, module).split(".")[0] in UNPICKLING_MODULES and name in LOADS
        if loads or (not module and imported.get(called) in LOADS) or name == "read_pickle":
            found.append(called)
        if any(word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords):
            found.append(called)
    return found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import joblib\njoblib.load(path)", ["joblib.load"]),
        ("import pickle as p\np.loads(body)", ["p.loads"]),
        ("from joblib import load\nload(path)", ["load"]),
        ("import pandas as pd\npd.read_pickle(path)", ["pd.read_pickle"]),
        ("import numpy as np\nnp.load(path, allow_pickle=True)", ["np.load"]),
        ("import json\njson.loads(body)", []),
    ],
)
def test_a_call_that_unpickles_is_found(source: str, found: list[str]) -> None:
    assert unpicklings(source) == found


def test_the_one_place_that_unpickles_proves_the_digest_before() -> None:
    places = {
        path.relative_to(REPOSITORY).as_posix(): found
        for folder in SOURCES
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        if (found := unpicklings(path.read_text()))
    }

    assert places == {"sagemaker_scripts/artefact.py": ["joblib.load"]}
    tree = ast.parse((REPOSITORY / "sagemaker_scripts/artefact.py").read_text())
    (function,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and "joblib.load(" in ast.unparse(node)
    ]
    assert function.name == "open_artefact"
    lines = ast.unparse(function).splitlines()
    (loading,) = [number for number, line in enumerate(lines) if "joblib.load(" in line]
    assert any("= _proven_manifest(directory, expected_digest)" in line for line in lines[1:loading])


def written(platform: Platform, bucket: str) -> dict[str, set[str]]:
    """Role → the prefixes of the bucket below which it may write."""
    found: dict[str, set[str]] = defaultdict(set)
    for id, policy in platform.resources("AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "s3:PutObject" not in json.dumps(statement["Action"]):
                continue
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                text = json.dumps(resource)
                if bucket in text:
                    (prefix,) = re.findall(r'"/([\w-]+/(?:\*/export-\*\.json)?)\*?"', text)
                    found[id.partition("Role")[0]].add(prefix)
    return found


def test_nothing_that_a_user_can_write_lies_where_models_do(prod: Platform) -> None:
    assert written(prod, "Artifacts") == ARTIFACT_WRITERS
    assert SIGNING not in written(prod, "Artifacts")
    assert written(prod, "Data")[SIGNING] == {"uploads/", "inference/"}
    machine_access = [
        id for id, policy in prod.resources("AWS::S3::BucketPolicy").items() if "Artifacts" in id
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]  # fmt: skip
    assert machine_access == []


def test_the_model_of_every_job_that_unpickles_comes_from_the_artifacts_bucket(prod: Platform) -> None:
    """The definitions name no other place: each address is made by a function of ours, below `runs/` or `models/`."""
    reads: dict[str, set[str]] = defaultdict(set)
    for id, policy in prod.resources("AWS::IAM::Policy").items():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "s3:GetObject" in json.dumps(statement["Action"]):
                reads[id.partition("Role")[0]].add(json.dumps(statement["Resource"]))

    for role in UNPICKLING_ROLES:
        of_models = [text for text in reads[role] if "Artifacts" in text]
        assert of_models, role
        assert all(re.search(r'"/(runs|models)/\*"', text) for text in of_models), role
