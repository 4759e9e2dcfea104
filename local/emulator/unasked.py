"""What AWS asks IAM about and ministack does not: objects that are not there, and roles of timers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import s3, scheduler

from local.context import EmulatorContext
from local.emulator import permissions
from local.emulator.permissions import Needed

Schedule = dict[str, Any]

SCHEDULER = "scheduler.amazonaws.com"
OBJECTS = "arn:aws:s3:::"


def install(_context: EmulatorContext) -> None:
    """S3 answers 403 for an object that is missing to who may not list the bucket; a timer's role has to be passed."""
    enforce = iam_evaluator.enforce

    def enforce_listing(access_key_id: str, action: str, service: str, region: str, **named: Any) -> Any:
        refused = enforce(access_key_id, action, service, region, **named)
        resource = str(named.get("resource_arn", ""))
        if refused or action != "s3:GetObject" or not missing(resource):
            return refused
        return enforce(access_key_id, "s3:ListBucket", service, region, resource_arn=resource.partition("/")[0])

    iam_evaluator.enforce = enforce_listing
    scheduler._create_schedule = _passing_role(scheduler._create_schedule)
    scheduler._update_schedule = _passing_role(scheduler._update_schedule)


def _passing_role(keep: Callable[[str, Schedule], Any]) -> Callable[[str, Schedule], Any]:
    def keep_with_role(name: str, schedule: Schedule) -> Any:
        role_arn = (schedule.get("Target") or {}).get("RoleArn")
        refused = refused_role(role_arn) if role_arn else None
        return refused or keep(name, schedule)

    return keep_with_role


def missing(object_arn: str) -> bool:
    """Whether the ARN is of an object that its bucket, which exists, does not hold."""
    bucket, _, key = object_arn.removeprefix(OBJECTS).partition("/")
    known = s3._buckets.get(bucket) if key else None
    return known is not None and key not in known["objects"] and unquote(key) not in known["objects"]


def refused_role(role_arn: str) -> Any:
    """The answer to a caller who may not hand this role to the service; None to everybody else."""
    caller = iam_evaluator.caller_arn()
    if ":assumed-role/" not in caller:
        return None
    role_name, _, session = caller.partition(":assumed-role/")[2].partition("/")
    needed = Needed("iam:PassRole", role_arn, passed_to=SCHEDULER)
    if permissions.allows(role_name, get_account_id(), session, needed):
        return None
    return scheduler._error(
        403,
        "AccessDeniedException",
        f"User: {caller} is not authorized to perform: iam:PassRole on resource: {role_arn}",
    )
