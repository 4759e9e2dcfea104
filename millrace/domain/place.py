"""Where things lie in the two buckets, and what an upload's key says."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from millrace import names
from millrace.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
GRAPH_FILE, GOLDEN_FILE, SERVING_FILE, ARCHIVE_FILE = "model.onnx", "golden.json", "serving.json", "container.tar.gz"
"""What lies under `models/{model}/v{n}/serving/`: a graph or an archive, and what vouches for it."""
ORIGIN_FOLDER = "origin"
"""Where the same files of a version that was taken over wait beside it."""
NAME_RULE = "1 to 40 lowercase letters, digits and hyphens, beginning and ending with a letter or digit"


def check_name(name: str) -> str:
    """`name`, when a dataset may be called so. Raises InvalidInput with the rule."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be a dataset's name: use {NAME_RULE}. Files belong under {names.UPLOADS_PREFIX}<dataset>/"
        )
    return name


def dataset_of(key: str) -> str:
    """The folder under `uploads/`, valid or not: `uploads/credit/may/a.csv` → `credit`, `uploads/a.csv` → ``."""
    dataset, slash, _ = key.removeprefix(names.UPLOADS_PREFIX).partition("/")
    return dataset if slash else ""


def is_settings_file(key: str) -> bool:
    return PurePosixPath(key).name == names.DATASET_SETTINGS_FILE


def sidecar_keys(key: str) -> tuple[str, ...]:
    """Where the settings of an upload may lie, nearest first: its own folder, then the dataset's."""
    beside = f"{key.rpartition('/')[0]}/{names.DATASET_SETTINGS_FILE}"
    above = f"{names.UPLOADS_PREFIX}{dataset_of(key)}/{names.DATASET_SETTINGS_FILE}"
    return (beside,) if beside == above else (beside, above)


def uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def split_uri(address: str) -> tuple[str, str]:
    """`s3://bucket/a/b` → ("bucket", "a/b"). Raises InvalidInput for anything else."""
    scheme, _, rest = address.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise InvalidInput(f"{address!r} is not an S3 address: write s3://bucket/key")
    return bucket, key


def datasets_uri(bucket: str, dataset: str) -> str:
    return uri(bucket, f"{names.DATASETS_PREFIX}{dataset}")


def quarantine_uri(bucket: str, dataset: str) -> str:
    return uri(bucket, f"{names.QUARANTINE_PREFIX}{dataset}")


def request_uri(location: str) -> str:
    return f"{location}request.json"


def report_uri(location: str) -> str:
    return f"{location}report.json"


def profile_uri(location: str) -> str:
    return f"{location}profile.json"


def all_quarantined_uri(location: str) -> str:
    """Every quarantined row of a version in one file; there where the quarantine has several parts."""
    return f"{location}quarantine.jsonl"


def row_comparison_uri(bucket: str, dataset: str, from_version: int, to_version: int, key_digest: str) -> str:
    """Another row key makes another comparison."""
    name = f"v{from_version}-v{to_version}-{key_digest}.json"
    return uri(bucket, f"{names.DATASETS_PREFIX}{dataset}/diffs/{name}")


def compared_rows_uri(result_uri: str) -> str:
    """The rows that differ, beside the result of their comparison."""
    return f"{result_uri.removesuffix('.json')}.parquet"


def split_data_uri(location: str, split: str) -> str:
    return f"{location}data/split={split}/"


def run_uri(bucket: str, run_id: str, path: str) -> str:
    return uri(bucket, f"{names.RUNS_PREFIX}{run_id}/{path}")


def baseline_uri(bucket: str, run_id: str, algorithm: str) -> str:
    """Where a candidate's baseline waits for the candidate to be registered."""
    return run_uri(bucket, run_id, f"baseline/{algorithm}.json")


def model_uri(bucket: str, model: str, number: int, file: str) -> str:
    return uri(bucket, f"{names.MODELS_PREFIX}{model}/v{number}/{file}")


def serving_uri(bucket: str, model: str, number: int, file: str) -> str:
    return model_uri(bucket, model, number, f"serving/{file}")


def rollout_observations_uri(bucket: str, model: str, run_id: str, name: str = "") -> str:
    """Where it is kept what each version did while `run_id` rolled one out; without a name, the prefix of all."""
    return uri(bucket, f"{names.INFERENCE_PREFIX}{model}/rollouts/{run_id}/{f'{name}.jsonl' if name else ''}")


def drift_uri(bucket: str, model: str, report_id: str, file: str) -> str:
    return uri(bucket, f"{names.DRIFT_PREFIX}{model}/{report_id}/{file}")


def records_uri(bucket: str, model: str) -> str:
    return uri(bucket, f"{names.INFERENCE_PREFIX}{model}/records/")


def truth_uri(bucket: str, model: str, date: str) -> str:
    """`date` is ISO 8601, in UTC."""
    return uri(bucket, f"{names.INFERENCE_PREFIX}{model}/truth/date={date}/")


def refused_truth_uri(bucket: str, model: str, file_id: str) -> str:
    """Where the rows of a file of ground truth lie that were set aside; it ends with a slash."""
    return uri(bucket, f"{names.INFERENCE_PREFIX}{model}/truth-quarantine/{file_id}/")


def inference_records_uri(bucket: str, model: str, date: str, name: str) -> str:
    """`date` is ISO 8601, in UTC."""
    return uri(bucket, f"{names.INFERENCE_PREFIX}{model}/records/date={date}/{name}.jsonl")


def batch_uri(bucket: str, model: str, job_id: str, path: str = "") -> str:
    """A batch job's folder, which ends with a slash, or what lies in it."""
    return uri(bucket, f"{names.INFERENCE_PREFIX}{model}/batches/{job_id}/{path}")


def dropped_for(key: str, prefix: str) -> str | None:
    """The model that a file dropped directly at `{prefix}{model}/{file}` is for; None for every other key."""
    model, _, file = key.removeprefix(prefix).partition("/")
    return model if key.startswith(prefix) and model and file and "/" not in file else None
