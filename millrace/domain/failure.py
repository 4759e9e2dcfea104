"""Failures in plain words: what services write for machines, said as one sentence that names the step."""

from __future__ import annotations

import json
import re
from typing import Any

from millrace import errors

_MAX_LENGTH = 1000
_TIMEOUTS = {"States.Timeout", "States.HeartbeatTimeout", "Sandbox.Timedout"}
_OURS = {error.__name__ for error in vars(errors).values() if isinstance(error, type)}
_TOOLKIT_NOISE = re.compile(r"^(AlgorithmError|ClientError|InternalServerError):\s*")


def explain(step: str | None, error: str | None, cause: str | None) -> str:
    """`step`: what went wrong, from the error name and the cause that Step Functions reports.

    The cause may be a SageMaker describe document (FailureReason, ExitMessage), a Glue job run (ErrorMessage), a Lambda
    error (errorMessage) or plain text.
    """
    said = _sentence(error or "", cause or "")
    return f"{step}: {said}" if step else said


def _sentence(error: str, cause: str) -> str:
    if error in _TIMEOUTS:
        return "it took longer than it is allowed to"
    said = _from_document(_parsed(cause)) or cause.strip()
    if not said:
        return error or "it ended without saying why"
    return said if len(said) <= _MAX_LENGTH else f"{said[: _MAX_LENGTH - 1]}…"


def _parsed(cause: str) -> dict[str, Any]:
    try:
        document = json.loads(cause)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _from_document(document: dict[str, Any]) -> str | None:
    job = document.get("TrainingJobName") or document.get("ProcessingJobName") or document.get("TransformJobName")
    if job:
        return _sagemaker(document, str(job))
    if "JobRunState" in document:
        return f"the Glue job run ended {document['JobRunState']}: {document.get('ErrorMessage') or 'no message'}"
    if "errorMessage" in document:
        return _lambda(document)
    if "Cause" in document:
        return _sentence(str(document.get("Error", "")), str(document["Cause"]))
    return None


def _sagemaker(document: dict[str, Any], job: str) -> str:
    status = document.get("TrainingJobStatus") or document.get("ProcessingJobStatus") or "Failed"
    said = document.get("ExitMessage") or _TOOLKIT_NOISE.sub("", str(document.get("FailureReason") or ""))
    return f"job {job} ended {status}: {said or 'no message'}"


def _lambda(document: dict[str, Any]) -> str:
    """The message alone when we raised it; an unforeseen exception keeps its class, for whoever reads the log."""
    message, kind = str(document["errorMessage"]), str(document.get("errorType", ""))
    if "Task timed out" in message or kind in _TIMEOUTS:
        return "it took longer than it is allowed to"
    return message if kind in _OURS else f"{kind}: {message}".removeprefix(": ")
