"""CloudFormation: the resource types that ministack lacks. What is accepted without acting on it is named here."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
from ministack.services import s3
from ministack.services.cloudformation import provisioners

from local.context import EmulatorContext

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import NotificationConfigurationTypeDef

logger = logging.getLogger("local.templates")

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, Any]]

# Types that say something only AWS can do. They deploy, nothing happens, and `python -m local status` lists them.
NO_OP_TYPES = frozenset(
    {
        "AWS::Budgets::Budget",
        "AWS::CloudTrail::Trail",
        "AWS::Cognito::ManagedLoginBranding",
        "AWS::EC2::FlowLog",
        "AWS::Logs::QueryDefinition",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::WAFv2::WebACLAssociation",
        "Custom::VpcRestrictDefaultSG",
    }
)


def install(context: EmulatorContext) -> None:
    """Register our handlers. One registered for a `Custom::` type wins over the type's function."""
    for type_name in NO_OP_TYPES:
        provisioners._RESOURCE_HANDLERS[type_name] = _no_op(type_name)
    emptied = EmptiedBuckets(context)
    provisioners._RESOURCE_HANDLERS["Custom::S3AutoDeleteObjects"] = {
        "create": emptied.create,
        "update": emptied.update,
        "delete": emptied.delete,
    }
    _require_function_code()
    notifications = BucketNotifications(context)
    provisioners._RESOURCE_HANDLERS["Custom::S3BucketNotifications"] = {
        "create": notifications.create,
        "update": notifications.update,
        "delete": notifications.delete,
    }


def _no_op(type_name: str) -> dict[str, Callable[..., Any]]:
    def create(logical_id: str, _properties: Properties, stack_name: str) -> Provisioned:
        logger.warning("%s %s in %s is accepted and does nothing here", type_name, logical_id, stack_name)
        return f"{stack_name}-{logical_id}", {"Arn": f"arn:aws:no-op:::{stack_name}/{logical_id}"}

    def update(physical_id: str, _old: Properties, _new: Properties, stack_name: str) -> Provisioned:
        logger.warning("%s %s in %s is accepted and does nothing here", type_name, physical_id, stack_name)
        return physical_id, {"Arn": f"arn:aws:no-op:::{stack_name}/{physical_id}"}

    def delete(physical_id: str, _properties: Properties) -> None:
        logger.info("%s %s is gone; it never did anything", type_name, physical_id)

    return {"create": create, "update": update, "delete": delete}


def _require_function_code() -> None:
    """Fail a function whose code is not in its bucket, as AWS does; ministack would deploy one that answers nothing."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = handler["create"], handler["update"]

    def check(properties: Properties) -> None:
        code = properties.get("Code", {})
        bucket = s3._buckets.get(code.get("S3Bucket", ""))
        if "S3Bucket" in code and (bucket is None or code["S3Key"] not in bucket["objects"]):
            raise ValueError(f"Error occurred while GetObject: NoSuchKey: {code['S3Bucket']}/{code['S3Key']}")

    def checked_create(logical_id: str, properties: Properties, *rest: Any) -> Any:
        check(properties)
        return create(logical_id, properties, *rest)

    def checked_update(physical_id: str, old: Properties, new: Properties, *rest: Any) -> Any:
        check(new)
        return update(physical_id, old, new, *rest)

    handler.update(create=checked_create, update=checked_update)


class EmptiedBuckets:
    """`Custom::S3AutoDeleteObjects`: CDK's handler is a node function that needs the node SDK."""

    def __init__(self, context: EmulatorContext) -> None:
        self._context = context

    def create(self, logical_id: str, _properties: Properties, stack_name: str) -> Provisioned:
        return f"{stack_name}-{logical_id}", {}

    def update(self, physical_id: str, old: Properties, new: Properties, _stack_name: str) -> Provisioned:
        if old.get("BucketName") != new.get("BucketName"):
            self.delete(physical_id, old)
        return physical_id, {}

    def delete(self, _physical_id: str, properties: Properties) -> None:
        """Delete every version of every object of the bucket that is about to be deleted."""
        storage = boto3.resource("s3", endpoint_url=self._context.endpoint_url, region_name=self._context.region)
        storage.Bucket(properties["BucketName"]).object_versions.delete()


class BucketNotifications:
    """`Custom::S3BucketNotifications`: CDK's handler relies on the boto3 of AWS's runtime, which no asset carries."""

    def __init__(self, context: EmulatorContext) -> None:
        self._context = context

    def create(self, logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
        self._put(properties["BucketName"], properties.get("NotificationConfiguration", {}))
        return f"{stack_name}-{logical_id}", {}

    def update(self, physical_id: str, _old: Properties, new: Properties, _stack_name: str) -> Provisioned:
        self._put(new["BucketName"], new.get("NotificationConfiguration", {}))
        return physical_id, {}

    def delete(self, _physical_id: str, properties: Properties) -> None:
        self._put(properties["BucketName"], {})

    def _put(self, bucket: str, configuration: "NotificationConfigurationTypeDef") -> None:
        storage = boto3.client("s3", endpoint_url=self._context.endpoint_url, region_name=self._context.region)
        storage.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
