"""Secrets as encrypted parameters of Systems Manager: they cost nothing while they lie there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millrace.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ParameterSecrets:
    """`prefix` begins and ends with a slash, and is this environment's alone."""

    def __init__(self, client: SSMClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def put(self, name: str, value: str) -> None:
        self._client.put_parameter(Name=self._prefix + name, Value=value, Type="SecureString", Overwrite=True)

    def get(self, name: str) -> str:
        try:
            found = self._client.get_parameter(Name=self._prefix + name, WithDecryption=True)
        except self._client.exceptions.ParameterNotFound as error:
            raise NotFound(f"there is no secret {name}") from error
        return found["Parameter"]["Value"]

    def delete(self, name: str) -> None:
        try:
            self._client.delete_parameter(Name=self._prefix + name)
        except self._client.exceptions.ParameterNotFound:
            return  # it is gone
