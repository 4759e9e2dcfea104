"""Credentials of a job's role, and the clients that use them: what a job may not do on AWS, it may not do here."""

import functools
import json
import secrets
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import boto3.session
from botocore.config import Config
from ministack.core import iam_evaluator
from ministack.services import iam, sts

from local.context import EmulatorContext
from local.jobs.service_error import ServiceError, invalid

CLIENT_CONFIG = Config(
    s3={"addressing_style": "path"}, retries={"max_attempts": 3, "mode": "standard"}, max_pool_connections=4
)

_client_lock = threading.Lock()


@dataclass(frozen=True)
class RoleSession:
    """Temporary credentials of an assumed role."""

    context: EmulatorContext
    access_key_id: str
    secret_access_key: str
    session_token: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to call the embedded AWS as this role."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
            "AWS_ENDPOINT_URL": self.context.endpoint_url,
        }

    @cached_property
    def s3(self) -> Any:
        return self._client("s3")

    @cached_property
    def logs(self) -> Any:
        return self._client("logs")

    def _client(self, service: Literal["s3", "logs"]) -> Any:
        with _client_lock:
            return _shared_session().client(
                service,
                region_name=self.context.region,
                endpoint_url=self.context.endpoint_url,
                aws_access_key_id=self.access_key_id,
                aws_secret_access_key=self.secret_access_key,
                aws_session_token=self.session_token,
                config=CLIENT_CONFIG,
            )


@functools.cache
def _shared_session() -> boto3.session.Session:
    """One session for all, so that the service models are read from disk once."""
    return boto3.session.Session()


def open_role_session(context: EmulatorContext, role_arn: str, session_name: str, seconds: float) -> RoleSession:
    """Credentials of `role_arn` that expire after `seconds`."""
    role_name = role_arn.rsplit("/", 1)[-1]
    account_id = role_arn.split(":")[4]
    session = RoleSession(
        context=context,
        access_key_id=f"ASIA{secrets.token_hex(8).upper()}",
        secret_access_key=secrets.token_hex(20),
        session_token=secrets.token_hex(40),
    )
    sts.register_session(
        session.access_key_id,
        {
            "Arn": f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{role_name}:{session_name}",
            "SecretAccessKey": session.secret_access_key,
            "SessionToken": session.session_token,
            "Expiration": time.time() + seconds,
            "AccountId": account_id,
            "PrincipalType": "AssumedRole",
        },
    )
    return session


def require_assumable(role_arn: str, service_principal: str) -> None:
    """Refuse a role that does not exist or whose trust policy does not name the service."""
    role = iam._roles.get_scoped(role_arn.split(":")[4], None, role_arn.rsplit("/", 1)[-1])
    trusted = role is not None and any(
        "sts:AssumeRole" in statement.get("Action", [])
        and statement.get("Effect") == "Allow"
        and service_principal in _service_principals(statement)
        for statement in _trust_statements(role)
    )
    if not trusted:
        raise invalid(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            f"'{service_principal}' to assume the role."
        )


def _trust_statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    document = role.get("AssumeRolePolicyDocument") or {}
    parsed = json.loads(document) if isinstance(document, str) else document
    statements = parsed.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _service_principals(statement: dict[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return [services] if isinstance(services, str) else list(services)


def require_pass_role(access_key_id: str, role_arn: str, region: str, service_principal: str) -> None:
    """Refuse a caller who may not hand this role to the service."""
    denied = iam_evaluator.enforce(
        access_key_id,
        "iam:PassRole",
        "iam",
        region,
        resource_arn=role_arn,
        service_context={"iam:PassedToService": service_principal},
    )
    if denied:
        caller = getattr(denied, "principal_arn", "the caller")
        raise ServiceError(
            "AccessDeniedException",
            f"User: {caller} is not authorized to perform: iam:PassRole on resource: {role_arn}",
        )
