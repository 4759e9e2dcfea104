"""Pipelines on Step Functions: an execution's name is its run id."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from millrace.adapters.execution_history import steps_of
from millrace.domain.run import RunState, Step
from millrace.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

T = TypeVar("T")


class StepFunctionsPipelines:
    """`state_machine_arns` maps a pipeline's name to its ARN; a function is given only those that it starts."""

    def __init__(self, client: SFNClient, state_machine_arns: Mapping[str, str]) -> None:
        self._client = client
        self._arns = state_machine_arns

    def start(self, pipeline: str, run_id: str, payload: Mapping[str, Any]) -> bool:
        # Sorted keys: the service compares inputs as text to tell a repeated start from another one.
        text = json.dumps(payload, sort_keys=True)
        try:
            self._client.start_execution(stateMachineArn=self._arn(pipeline), name=run_id, input=text)
        except self._client.exceptions.ExecutionAlreadyExists:
            return False
        return True

    def stop(self, pipeline: str, run_id: str, *, reason: str) -> None:
        arn = self._execution_arn(pipeline, run_id)
        self._found(run_id, lambda: self._client.stop_execution(executionArn=arn, error="Stopped", cause=reason))

    def state(self, pipeline: str, run_id: str) -> RunState:
        arn = self._execution_arn(pipeline, run_id)
        return RunState(self._found(run_id, lambda: self._client.describe_execution(executionArn=arn))["status"])

    def steps(self, pipeline: str, run_id: str) -> Sequence[Step]:
        arn = self._execution_arn(pipeline, run_id)
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=arn)
        return self._found(run_id, lambda: steps_of(event for page in pages for event in page["events"]))

    def _arn(self, pipeline: str) -> str:
        arn = self._arns.get(pipeline)
        if not arn:
            raise NotFound(f"the pipeline {pipeline!r} is not known here")
        return arn

    def _execution_arn(self, pipeline: str, run_id: str) -> str:
        return f"{self._arn(pipeline).replace(':stateMachine:', ':execution:')}:{run_id}"

    def _found(self, run_id: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except self._client.exceptions.ExecutionDoesNotExist as error:
            raise NotFound(f"there is no execution {run_id}") from error
