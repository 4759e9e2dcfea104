"""Names that are computed, never drawn: the same cause gets the same id, so repeating it is harmless."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime

from millrace import names


def _digest(*parts: str, length: int) -> str:
    """Hexadecimal SHA-256 of the parts, kept apart by a byte that none of them can hold."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:length]


def upload_id(bucket: str, key: str, object_version: str) -> str:
    """One object version is one upload, however often and in whatever order it is announced."""
    return _digest(bucket, key, object_version, length=20)


def transfer_id(bucket: str, key: str, multipart_id: str) -> str:
    return _digest(bucket, key, multipart_id, length=20)


def ingest_run_id(bucket: str, key: str, object_version: str) -> str:
    return f"{names.INGEST_PIPELINE}-{upload_id(bucket, key, object_version)}"


def automatic_training_run_id(dataset: str, version: int) -> str:
    """A version is trained on automatically once; everything after that is a person's decision."""
    return f"{names.TRAINING_PIPELINE}-{_digest(dataset, str(version), length=12)}"


def requested_training_run_id(dataset: str, version: int, actor: str, at: datetime) -> str:
    return f"{names.TRAINING_PIPELINE}-{_digest(dataset, str(version), actor, at.isoformat(), length=12)}"


def automatic_deployment_run_id(model: str, number: int) -> str:
    """A version is approved once, and that deploys it once; deploying it again is a person's decision."""
    return f"{names.DEPLOYMENT_PIPELINE}-{_digest(model, str(number), length=12)}"


def deployment_run_id(model: str, number: int, attempt: int) -> str:
    """Attempt 0 is that of the approval. Two who ask for the next attempt at once ask for one run."""
    if attempt == 0:
        return automatic_deployment_run_id(model, number)
    return f"{names.DEPLOYMENT_PIPELINE}-{_digest(model, str(number), str(attempt), length=12)}"


def import_run_id(environment: str, version_id: str, artifact_digest: str) -> str:
    """A version is taken over from another environment once."""
    return f"import-{_digest(environment, version_id, artifact_digest, length=12)}"


def dropped_batch_id(bucket: str, key: str, object_version: str) -> str:
    """A batch run's id. One object version is predicted once by itself, however often it is announced."""
    return f"batch-{upload_id(bucket, key, object_version)}"


def requested_batch_id(model: str, number: int, source: str, actor: str, at: datetime) -> str:
    return f"batch-{_digest(model, str(number), source, actor, at.isoformat(), length=20)}"


def drift_run_id(*cause: str) -> str:
    """The same check is one run. What makes it the same is up to who asks."""
    return f"{names.DRIFT_PIPELINE}-{_digest(*cause, length=16)}"


def schedule_id(name: str, actor: str, at: datetime) -> str:
    return _digest(name, actor, at.isoformat(), length=16)


def scheduled_training_run_id(schedule_id: str, due_at: datetime) -> str:
    """A schedule is due once at one time, however often that is announced."""
    return f"{names.TRAINING_PIPELINE}-{_digest(schedule_id, due_at.isoformat(), length=12)}"


def row_key_digest(key: Sequence[str]) -> str:
    """Columns in another order are the same key."""
    return _digest(*sorted(key), length=8)


def comparison_run_id(dataset: str, from_version: int, to_version: int, key: Sequence[str], attempt: int) -> str:
    """Two versions are compared once; one that failed may be tried again, under another name."""
    parts = (dataset, str(from_version), str(to_version), row_key_digest(key), str(attempt))
    return f"{names.COMPARISON_PIPELINE}-{_digest(*parts, length=12)}"


def endpoint_name(prefix: str, model: str, number: int) -> str:
    """A SageMaker endpoint's name, at most 63 characters; `prefix` keeps environments of one account apart."""
    return f"{endpoint_prefix(prefix, model)}{number}"


def endpoint_prefix(prefix: str, model: str) -> str:
    """How the names of all endpoints of a model begin. A number follows, so `a` is not taken for `a-v1`."""
    return f"{prefix}-{model}-v"


def version_of_endpoint(prefix: str, name: str) -> tuple[str, int] | None:
    """The model and number that `endpoint_name` made the name of; None for a name that it did not make."""
    found = re.fullmatch(rf"{re.escape(prefix)}-(.+)-v([1-9][0-9]*)", name)
    return (found[1], int(found[2])) if found else None


def job_name(run_id: str, part: str) -> str:
    """A SageMaker job's name: at most 63 of [a-zA-Z0-9-]. `part` is an algorithm, or what the job does."""
    return f"{run_id}-{part.replace('_', '-')}"


def governed_training_run_id(dataset: str, version: int) -> str:
    """The governor trains on a version once: two reports of one drift ask for one run."""
    return f"{names.TRAINING_PIPELINE}-{_digest('governor', dataset, str(version), length=12)}"


def alert_id(cause: str, signal_id: str) -> str:
    """The first notice of a cause names the alert, so delivered twice it opens one."""
    return _digest(cause, signal_id, length=20)


def channel_id(name: str, actor: str, at: datetime) -> str:
    return _digest(name, actor, at.isoformat(), length=12)


def delivery_id(channel_id: str, *cause: str) -> str:
    return _digest(channel_id, *cause, length=24)
