"""The SageMaker control plane: jobs, models, endpoints and tags, and InvokeEndpoint, answered on the AWS port."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core import concurrency, iam_evaluator
from ministack.core.responses import error_response_json, json_response
from ministack.core.router import extract_access_key_id

from local.jobs import endpoints, sagemaker_rules
from local.jobs.control import JobControl
from local.jobs.documents import Document
from local.jobs.endpoints import ENDPOINT
from local.jobs.listing import list_page
from local.jobs.platform import JobPlatform
from local.jobs.processing import run_processing_job
from local.jobs.role_session import require_assumable, require_pass_role
from local.jobs.sagemaker_job import (
    FAILED,
    FINAL_STATUSES,
    IN_PROGRESS,
    JOB_KINDS,
    PROCESSING,
    TRAINING,
    TRANSFORM,
    JobKind,
)
from local.jobs.service_error import ServiceError, invalid
from local.jobs.service_model import check_request, members_of, operation
from local.jobs.store import NameTaken
from local.jobs.training import run_training_job
from local.jobs.transform import MODEL, run_transform_job

SERVICE = "sagemaker"
# Of an answer that is no prediction; any other is 400.
STATUSES = {"ModelError": endpoints.MODEL_ERROR_STATUS, "AccessDeniedException": 403}
PRINCIPAL = "sagemaker.amazonaws.com"
DAY_SECONDS = 86_400
ENDPOINT_CONFIG = "endpoint-config"
INVOCATION = re.compile(r"/endpoints/(?P<name>[A-Za-z0-9-]+)/invocations")
RESTARTED = "InternalServerError: the local platform was restarted while the job ran"

Run = Callable[[JobPlatform, str, JobControl], None]
Operation = Callable[[Document, str | None], Document]

RUNNERS: dict[str, Run] = {
    TRAINING.resource: run_training_job,
    PROCESSING.resource: run_processing_job,
    TRANSFORM.resource: run_transform_job,
}
RULES: dict[str, Callable[[Document], None]] = {
    TRAINING.resource: sagemaker_rules.check_training_job,
    PROCESSING.resource: sagemaker_rules.check_processing_job,
    TRANSFORM.resource: sagemaker_rules.check_transform_job,
}


class SageMaker:
    """The operations by name. Callers are the AWS port and Step Functions."""

    def __init__(self, platform: JobPlatform, *, enforce_iam: bool) -> None:
        self._platform = platform
        self._enforce_iam = enforce_iam
        self._operations: dict[str, Operation] = {
            "CreateModel": self._create_model,
            "DescribeModel": self._describe_model,
            "DeleteModel": self._delete_model,
            "ListModels": self._list_models,
            "AddTags": self._add_tags,
            "ListTags": self._list_tags,
            "CreateEndpointConfig": self._create_endpoint_config,
            "DescribeEndpointConfig": self._describe_endpoint_config,
            "DeleteEndpointConfig": self._delete_endpoint_config,
            "CreateEndpoint": self._create_endpoint,
            "DescribeEndpoint": self._describe_endpoint,
            "DeleteEndpoint": self._delete_endpoint,
            "ListEndpoints": self._list_endpoints,
            "ListEndpointConfigs": self._list_endpoint_configs,
        }
        for kind in JOB_KINDS:
            self._operations |= self._job_operations(kind)

    @property
    def operation_names(self) -> frozenset[str]:
        return frozenset(self._operations)

    async def handle_request(
        self, _method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        """The signature of a ministack service handler."""
        if invoked := INVOCATION.fullmatch(path):
            return await concurrency.run_reentrant(self._invoke, invoked["name"], headers, body)
        return await concurrency.run_reentrant(self._answer, headers, body, query)

    def _answer(self, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        name = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            request = json.loads(body or b"{}")
            caller = extract_access_key_id(headers, query) or "test"
            return json_response(self.call(name, request, caller=caller))
        except ServiceError as error:
            return error_response_json(error.code, error.message, content_type="application/x-amz-json-1.1")

    def _invoke(self, name: str, headers: dict[str, str], body: bytes) -> Any:
        content_type = headers.get("content-type", "application/octet-stream")
        try:
            self._check_invocation(name, extract_access_key_id(headers, {}) or "test")
            content, kind = endpoints.invoke(
                self._platform, name, body, content_type, headers.get("accept", content_type)
            )
        except ServiceError as error:
            status = STATUSES.get(error.code, 400)
            answered = {"x-amzn-ErrorType": error.code, "Content-Type": "application/json"}
            return status, answered, json.dumps({"Message": error.message, "message": error.message}).encode()
        return 200, {"Content-Type": kind, "x-Amzn-Invoked-Production-Variant": "AllTraffic"}, content

    def call(self, name: str, request: Document, *, caller: str | None = None) -> Document:
        """Perform an operation; `caller` is the access key that must be allowed to pass the role, None for no check."""
        perform = self._operations.get(name)
        if perform is None:
            raise ServiceError("UnknownOperationException", f"{name} is not emulated by the local platform")
        check_request(SERVICE, name, request)
        return perform(request, caller)

    def arn(self, resource: str, name: str) -> str:
        return arn_of(resource, name, self._platform.context.region, self._platform.context.account_id)

    def wait(self, kind: JobKind, name: str, seconds: float) -> bool:
        """Whether the job ended within so many seconds."""
        control = self._platform.control(kind.resource, name)
        return control is None or control.finished.wait(seconds)

    def fail_interrupted_jobs(self) -> None:
        """Close what an earlier launcher left open. Its processes are gone."""
        for kind in JOB_KINDS:
            for document in self._platform.store.all(kind.resource):
                if document[kind.status_key] not in FINAL_STATUSES:
                    self._fail_interrupted(kind, document)

    def _fail_interrupted(self, kind: JobKind, document: Document) -> None:
        now = time.time()
        changes = {
            kind.status_key: FAILED,
            kind.time_key("End"): now,
            "LastModifiedTime": now,
            "FailureReason": RESTARTED,
        }
        if kind is TRAINING:
            changes["SecondaryStatus"] = FAILED
            changes["SecondaryStatusTransitions"] = [
                {"EndTime": now, **transition} for transition in document.get("SecondaryStatusTransitions", [])
            ]
        self._platform.store.update(kind.resource, document[kind.name_key], changes)

    def _job_operations(self, kind: JobKind) -> dict[str, Operation]:
        return {
            f"Create{kind.noun}": lambda request, caller: self._create_job(kind, request, caller),
            f"Describe{kind.noun}": lambda request, _: self._describe_job(kind, request[kind.name_key]),
            f"List{kind.noun}s": lambda request, _: self._list_jobs(kind, request),
            f"Stop{kind.noun}": lambda request, _: self._stop_job(kind, request[kind.name_key]),
        }

    def _create_job(self, kind: JobKind, request: Document, caller: str | None) -> Document:
        RULES[kind.resource](request)
        if kind is TRANSFORM:
            self._describe_model({"ModelName": request["ModelName"]}, None)
        else:
            self._check_role(request["RoleArn"], caller)
        name = request[kind.name_key]
        arn = self.arn(kind.resource, name)
        now = time.time()
        document = {
            **_defaults(kind),
            **{field: value for field, value in request.items() if field != "Tags"},
            kind.arn_key: arn,
            kind.status_key: IN_PROGRESS,
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        try:
            self._platform.store.add(kind.resource, name, document)
        except NameTaken as error:
            message = f"Job name must be unique within an AWS account and region: {arn} already exists"
            raise ServiceError("ResourceInUse", message, modeled=True) from error
        self._tag(arn, request.get("Tags", []))
        run = RUNNERS[kind.resource]
        self._platform.launch(kind.resource, name, lambda control: run(self._platform, name, control))
        return {kind.arn_key: arn}

    def _check_role(self, role_arn: str, caller: str | None) -> None:
        if not self._enforce_iam:
            return
        if caller is not None:
            require_pass_role(caller, role_arn, self._platform.context.region, PRINCIPAL)
        require_assumable(role_arn, PRINCIPAL)

    def _check_invocation(self, endpoint: str, caller: str) -> None:
        """ministack knows no action in the path of a request to an endpoint, so it asks IAM about none."""
        if not self._enforce_iam:
            return
        arn, region = self.arn(ENDPOINT.resource, endpoint), self._platform.context.region
        denied = iam_evaluator.enforce(caller, "sagemaker:InvokeEndpoint", SERVICE, region, resource_arn=arn)
        if denied:
            who = getattr(denied, "principal_arn", "the caller")
            told = f"User: {who} is not authorized to perform: sagemaker:InvokeEndpoint on resource: {arn}"
            raise ServiceError("AccessDeniedException", told)

    def _describe_job(self, kind: JobKind, name: str) -> Document:
        document = self._find_job(kind, name)
        shown = operation(SERVICE, f"Describe{kind.noun}").output_shape
        return {field: value for field, value in document.items() if shown is None or field in shown.members}

    def _find_job(self, kind: JobKind, name: str) -> Document:
        document = self._platform.store.find(kind.resource, name)
        if document is None:
            if kind is TRAINING:
                raise invalid("Requested resource not found.")
            raise ServiceError("ResourceNotFound", f"Could not find requested job with name: {name}", modeled=True)
        return document

    def _list_jobs(self, kind: JobKind, request: Document) -> Document:
        shown = members_of(SERVICE, f"{kind.noun}Summary")
        page, token = list_page(
            self._platform.store.all(kind.resource), request, name_key=kind.name_key, status_key=kind.status_key
        )
        summaries = [{field: value for field, value in item.items() if field in shown} for item in page]
        return {f"{kind.noun}Summaries": summaries, **({"NextToken": token} if token else {})}

    def _stop_job(self, kind: JobKind, name: str) -> Document:
        document = self._find_job(kind, name)
        changes = {kind.status_key: "Stopping", "LastModifiedTime": time.time()}
        if not self._platform.store.update_when(kind.resource, name, kind.status_key, IN_PROGRESS, changes):
            raise invalid(
                f"The request was rejected because the {kind.resource} is in status {document[kind.status_key]}."
            )
        self._platform.stop(kind.resource, name)
        return {}

    def interrupt_training_job(self, name: str) -> None:
        """Local only: reclaim the spot instance of a running job. Refused for a job that asked for no spot."""
        document = self._find_job(TRAINING, name)
        control = self._platform.control(TRAINING.resource, name)
        if control is None or document.get("SecondaryStatus") != "Training":
            raise invalid(f"{name} is not training now")
        if not document.get("EnableManagedSpotTraining"):
            raise invalid(f"{name} does not run on spot instances")
        control.interrupt.set()

    def _create_endpoint_config(self, request: Document, _caller: str | None) -> Document:
        variant = endpoints.variant_of(request)
        self._describe_model({"ModelName": variant["ModelName"]}, None)
        name = request["EndpointConfigName"]
        arn = self.arn(ENDPOINT_CONFIG, name)
        fields = {field: value for field, value in request.items() if field != "Tags"}
        document = {**fields, "EndpointConfigArn": arn, "CreationTime": time.time()}
        self._add(ENDPOINT_CONFIG, name, arn, document)
        return {"EndpointConfigArn": arn}

    def _describe_endpoint_config(self, request: Document, _caller: str | None) -> Document:
        return self._find(ENDPOINT_CONFIG, request["EndpointConfigName"])

    def _delete_endpoint_config(self, request: Document, _caller: str | None) -> Document:
        self._find(ENDPOINT_CONFIG, request["EndpointConfigName"])
        self._platform.store.delete(ENDPOINT_CONFIG, request["EndpointConfigName"])
        return {}

    def _create_endpoint(self, request: Document, _caller: str | None) -> Document:
        variant = endpoints.variant_of(self._find(ENDPOINT_CONFIG, request["EndpointConfigName"]))
        name = request["EndpointName"]
        arn, now = self.arn(ENDPOINT.resource, name), time.time()
        document = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": request["EndpointConfigName"],
            "EndpointStatus": endpoints.CREATING,
            "CreationTime": now,
            "LastModifiedTime": now,
            "ModelName": variant["ModelName"],
            "Serverless": "ServerlessConfig" in variant,
        }
        self._add(ENDPOINT.resource, name, arn, document)
        self._platform.launch(
            ENDPOINT.resource, name, lambda control: endpoints.run_endpoint(self._platform, name, control)
        )
        return {"EndpointArn": arn}

    def _describe_endpoint(self, request: Document, _caller: str | None) -> Document:
        shown = members_of(SERVICE, "DescribeEndpointOutput")
        found = self._find(ENDPOINT.resource, request["EndpointName"])
        return {field: value for field, value in found.items() if field in shown}

    def _delete_endpoint(self, request: Document, _caller: str | None) -> Document:
        name = request["EndpointName"]
        self._find(ENDPOINT.resource, name)
        self._platform.store.delete(ENDPOINT.resource, name)
        self._platform.stop(ENDPOINT.resource, name)
        return {}

    def _list_endpoints(self, request: Document, _caller: str | None) -> Document:
        page, token = list_page(
            self._platform.store.all(ENDPOINT.resource),
            request,
            name_key="EndpointName",
            status_key="EndpointStatus",
        )
        shown = members_of(SERVICE, "EndpointSummary")
        found = [{field: value for field, value in item.items() if field in shown} for item in page]
        return {"Endpoints": found, **({"NextToken": token} if token else {})}

    def _list_endpoint_configs(self, request: Document, _caller: str | None) -> Document:
        page, token = list_page(self._platform.store.all(ENDPOINT_CONFIG), request, name_key="EndpointConfigName")
        shown = members_of(SERVICE, "EndpointConfigSummary")
        found = [{field: value for field, value in item.items() if field in shown} for item in page]
        return {"EndpointConfigs": found, **({"NextToken": token} if token else {})}

    def _add(self, kind: str, name: str, arn: str, document: Document) -> None:
        try:
            self._platform.store.add(kind, name, document)
        except NameTaken as error:
            raise invalid(f'Cannot create already existing {kind} "{arn}".') from error

    def _find(self, kind: str, name: str) -> Document:
        document = self._platform.store.find(kind, name)
        if document is None:
            raise invalid(f'Could not find {kind} "{self.arn(kind, name)}".')
        return document

    def _create_model(self, request: Document, caller: str | None) -> Document:
        if ("PrimaryContainer" in request) == ("Containers" in request):
            raise invalid("You must provide exactly one of PrimaryContainer and Containers")
        if "ExecutionRoleArn" not in request:
            raise invalid("ExecutionRoleArn must be specified")
        self._check_role(request["ExecutionRoleArn"], caller)
        name = request["ModelName"]
        arn = self.arn(MODEL, name)
        fields = {field: value for field, value in request.items() if field != "Tags"}
        try:
            self._platform.store.add(MODEL, name, {**fields, "ModelArn": arn, "CreationTime": time.time()})
        except NameTaken as error:
            raise invalid(f'Cannot create already existing model "{arn}".') from error
        self._tag(arn, request.get("Tags", []))
        return {"ModelArn": arn}

    def _describe_model(self, request: Document, _caller: str | None) -> Document:
        document = self._platform.store.find(MODEL, request["ModelName"])
        if document is None:
            raise invalid(f'Could not find model "{self.arn(MODEL, request["ModelName"])}".')
        return document

    def _delete_model(self, request: Document, _caller: str | None) -> Document:
        if not self._platform.store.delete(MODEL, request["ModelName"]):
            raise invalid(f'Could not find model "{self.arn(MODEL, request["ModelName"])}".')
        return {}

    def _list_models(self, request: Document, _caller: str | None) -> Document:
        page, token = list_page(self._platform.store.all(MODEL), request, name_key="ModelName")
        shown = members_of(SERVICE, "ModelSummary")
        models = [{field: value for field, value in item.items() if field in shown} for item in page]
        return {"Models": models, **({"NextToken": token} if token else {})}

    def _add_tags(self, request: Document, _caller: str | None) -> Document:
        return {"Tags": _tag_list(self._tag(request["ResourceArn"], request["Tags"]))}

    def _list_tags(self, request: Document, _caller: str | None) -> Document:
        return {"Tags": _tag_list(self._platform.store.tags(request["ResourceArn"]))}

    def _tag(self, arn: str, tags: list[dict[str, str]]) -> dict[str, str]:
        return self._platform.store.add_tags(arn, {tag["Key"]: tag["Value"] for tag in tags})


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _defaults(kind: JobKind) -> Document:
    """What the service fills in."""
    if kind is TRAINING:
        return {
            "SecondaryStatus": "Starting",
            "StoppingCondition": {"MaxRuntimeInSeconds": DAY_SECONDS},
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
            "EnableManagedSpotTraining": False,
        }
    if kind is PROCESSING:
        return {"StoppingCondition": {"MaxRuntimeInSeconds": DAY_SECONDS}}
    return {}


def arn_of(resource: str, name: str, region: str, account_id: str) -> str:
    """SageMaker's ARNs are in lower case, whatever the name's case is."""
    return f"arn:aws:sagemaker:{region}:{account_id}:{resource}/{name.lower()}"


def resource_arn(target: str, request: Document, region: str, account_id: str) -> str:
    """The ARN that IAM judges a request by: the job or model that it names, or `*` for listings."""
    if "ResourceArn" in request:
        return str(request["ResourceArn"])
    for kind in JOB_KINDS:
        if kind.noun in target and kind.name_key in request:
            return arn_of(kind.resource, request[kind.name_key], region, account_id)
    for resource, field in (("endpoint-config", "EndpointConfigName"), ("endpoint", "EndpointName")):
        if field in request and (resource == "endpoint" or "EndpointConfig" in target):
            return arn_of(resource, request[field], region, account_id)
    if "ModelName" in request and target.endswith("Model"):
        return arn_of(MODEL, request["ModelName"], region, account_id)
    return "*"
