"""What a role must allow that a service acts with: a state machine's, a timer's. ministack does not look at them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

Input = dict[str, Any]


@dataclass(frozen=True)
class Needed:
    """One action that the role must allow. `resource` is None when it is not known from the task's input."""

    action: str
    resource: str | None
    passed_to: str = ""


# The error that a denied integration ends with, by its service.
DENIED_ERRORS = {
    "dynamodb": "DynamoDB.AccessDeniedException",
    "events": "EventBridge.AccessDeniedException",
    "glue": "Glue.AccessDeniedException",
    "lambda": "Lambda.AWSLambdaException",
    "sagemaker": "SageMaker.AmazonSageMakerException",
    "sns": "SNS.AuthorizationErrorException",
    "sqs": "SQS.AmazonSQSException",
    "states": "StepFunctions.AccessDeniedException",
}


def require(role_arn: str, execution_name: str, resource: str, task_input: Any) -> None:
    """Raise the execution error AWS reports unless the role allows everything the task's integration does."""
    role_name, account_id = role_arn.rsplit("/", 1)[-1], role_arn.split(":")[4]
    policies = iam_evaluator._gather_role_policies(role_name, account_id)
    for needed in needed_permissions(resource, task_input if isinstance(task_input, dict) else {}):
        if not _allows_needed(policies, role_name, account_id, execution_name, needed):
            principal = f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{execution_name}"
            service = needed.action.split(":")[0] if needed.action != "iam:PassRole" else service_of(resource)
            raise stepfunctions._ExecutionError(
                DENIED_ERRORS.get(service, f"{service.capitalize()}.AccessDeniedException"),
                f"User: {principal} is not authorized to perform: {needed.action} on resource: "
                f"{needed.resource or '*'} because no identity-based policy allows the {needed.action} action",
            )


def service_of(resource: str) -> str:
    """The service of an integration: `sagemaker` in `arn:aws:states:::sagemaker:createTrainingJob.sync`."""
    if ":::" not in resource:
        return "lambda"
    service = resource.split(":::")[1].removeprefix("aws-sdk:").split(":")[0]
    return {"sfn": "states", "eventbridge": "events"}.get(service, service)


def needed_permissions(resource: str, task_input: Input) -> list[Needed]:
    """Return the actions an integration performs, with their resources, as AWS documents them per integration."""
    service = service_of(resource)
    if ":::" not in resource:
        return [Needed("lambda:InvokeFunction", resource)] if ":function:" in resource else []
    operation = resource.split(":")[-1].split(".")[0]
    action = f"{service}:{operation[0].upper()}{operation[1:]}"
    if "aws-sdk:" in resource:
        return [Needed(action, None)]
    wait = ".sync" in resource
    return {
        "dynamodb": lambda: [Needed(action, _arn("dynamodb", f"table/{task_input.get('TableName')}"))],
        "events": lambda: [Needed(action, _bus_arn(entry)) for entry in task_input.get("Entries", [])],
        "glue": lambda: _glue(task_input, wait),
        "lambda": lambda: [Needed("lambda:InvokeFunction", _function_arn(str(task_input.get("FunctionName"))))],
        "sagemaker": lambda: _sagemaker(operation, task_input, wait),
        "sns": lambda: [Needed(action, task_input.get("TopicArn"))],
        "sqs": lambda: [Needed(action, _arn("sqs", str(task_input.get("QueueUrl")).rsplit("/", 1)[-1]))],
        "states": lambda: [Needed(action, task_input.get("StateMachineArn"))],
    }.get(service, lambda: [Needed(action, None)])()


def _glue(task_input: Input, wait: bool) -> list[Needed]:
    job = _arn("glue", f"job/{task_input.get('JobName')}")
    actions = ["StartJobRun", *(["GetJobRun", "GetJobRuns", "BatchStopJobRun"] if wait else [])]
    return [Needed(f"glue:{action}", job) for action in actions]


def _sagemaker(operation: str, task_input: Input, wait: bool) -> list[Needed]:
    kind = operation.removeprefix("create")  # TrainingJob, ProcessingJob, TransformJob
    dashed = {"TrainingJob": "training-job", "ProcessingJob": "processing-job", "TransformJob": "transform-job"}.get(
        kind
    )
    job = _arn("sagemaker", f"{dashed}/{str(task_input.get(f'{kind}Name')).lower()}") if dashed else None
    actions = [f"Create{kind}", *([f"Describe{kind}", f"Stop{kind}"] if wait else [])]
    needed = [Needed(f"sagemaker:{action}", job) for action in actions]
    if task_input.get("Tags"):
        needed.append(Needed("sagemaker:AddTags", job))
    if "RoleArn" in task_input:
        needed.append(Needed("iam:PassRole", task_input["RoleArn"], passed_to="sagemaker.amazonaws.com"))
    return needed


def allows(role_name: str, account_id: str, session: str, needed: Needed) -> bool:
    """Whether the role's own policies allow it."""
    policies = iam_evaluator._gather_role_policies(role_name, account_id)
    return _allows_needed(policies, role_name, account_id, session, needed)


def _allows_needed(policies: list[list[Any]], role_name: str, account_id: str, session: str, needed: Needed) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account_id}:assumed-role/{role_name}/{session}",
        principal_type="AssumedRole",
        principal_account=account_id,
        action=needed.action,
        resource_arn=needed.resource or "*",
        region=get_region(),
        service_context={"iam:passedtoservice": needed.passed_to} if needed.passed_to else {},
    )
    if needed.resource is None:
        # Which one it will be is not known: asked for the action alone, on what the role's own statements name.
        return any(
            iam_evaluator.evaluate(replace(context, resource_arn=resource), policies).decision == "Allow"
            for statement in _allows(policies)
            if _names_action(statement, needed.action)
            for resource in statement.resources
        )
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def _allows(policies: list[list[Any]]) -> Iterable[Any]:
    return (statement for policy in policies for statement in policy if statement.effect == "Allow")


def _names_action(statement: Any, action: str) -> bool:
    return bool(iam_evaluator._action_matches(action, statement.actions, statement.not_actions))


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def _function_arn(reference: str) -> str:
    return reference if reference.startswith("arn:") else _arn("lambda", f"function:{reference}")


def _bus_arn(entry: Input) -> str:
    name = str(entry.get("EventBusName", "default"))
    return name if name.startswith("arn:") else _arn("events", f"event-bus/{name}")
