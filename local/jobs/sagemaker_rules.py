"""Rules of SageMaker between fields of a request, beyond what its model says, and what this platform cannot do."""

import itertools
import re
from collections.abc import Sequence

from local.jobs.batches import supports
from local.jobs.documents import Document
from local.jobs.service_error import ServiceError, invalid

PROCESSING_BASE = "/opt/ml/processing"
CHECKPOINT_BASE = "/opt/ml/"
RESERVED_CHECKPOINTS = ("/opt/ml/input", "/opt/ml/model", "/opt/ml/output")
LONGEST_TRAINING_SECONDS = 28 * 86_400
MOST_CONCURRENT_MEGABYTES = 100
DEFAULT_PAYLOAD_MEGABYTES = 6


def not_emulated(what: str) -> ServiceError:
    return invalid(f"{what}: valid on AWS, but the local platform does not emulate it")


def check_training_job(request: Document) -> None:
    """Raises the service's ValidationException."""
    _check_spot(request)
    algorithm = request["AlgorithmSpecification"]
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise invalid("You must specify exactly one of AlgorithmName and TrainingImage in AlgorithmSpecification")
    if "AlgorithmName" in algorithm:
        raise not_emulated("AlgorithmSpecification.AlgorithmName")
    _check_metrics(algorithm.get("MetricDefinitions", []))
    resources = request.get("ResourceConfig", {})
    if "InstanceGroups" in resources:
        raise not_emulated("ResourceConfig.InstanceGroups")
    for field in ("InstanceType", "InstanceCount", "VolumeSizeInGB"):
        if field not in resources:
            raise invalid(f"{field} must be specified in ResourceConfig")
    if resources["InstanceCount"] < 1:
        raise invalid("InstanceCount in ResourceConfig must be at least 1")
    if request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 0) > LONGEST_TRAINING_SECONDS:
        raise invalid(f"MaxRuntimeInSeconds must not exceed {LONGEST_TRAINING_SECONDS} (28 days)")
    channels = request.get("InputDataConfig", [])
    _check_unique("channel names", [channel["ChannelName"] for channel in channels])
    for channel in channels:
        _check_channel(channel, algorithm["TrainingInputMode"])
    checkpoints = request.get("CheckpointConfig", {}).get("LocalPath", "/opt/ml/checkpoints")
    if not checkpoints.startswith(CHECKPOINT_BASE):
        raise not_emulated("A CheckpointConfig.LocalPath outside /opt/ml")
    if checkpoints.startswith(RESERVED_CHECKPOINTS):
        raise invalid(f"CheckpointConfig.LocalPath {checkpoints} is reserved by SageMaker")


def _check_spot(request: Document) -> None:
    condition = request.get("StoppingCondition", {})
    longest_wait = condition.get("MaxWaitTimeInSeconds")
    if not request.get("EnableManagedSpotTraining"):
        if longest_wait is not None:
            raise invalid("Invalid MaxWaitTimeInSeconds. It is supported only when EnableManagedSpotTraining is true")
    elif longest_wait is None or longest_wait < condition.get("MaxRuntimeInSeconds", 0):
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
        )


def _check_metrics(definitions: Sequence[Document]) -> None:
    for definition in definitions:
        try:
            groups = re.compile(definition["Regex"]).groups
        except re.error as error:
            raise invalid(f"Invalid regex in MetricDefinition {definition['Name']}: {error}") from error
        if groups < 1:
            raise invalid(f"The regex of MetricDefinition {definition['Name']} must have a capture group")
    _check_unique("metric names", [definition["Name"] for definition in definitions])


def _check_channel(channel: Document, mode: str) -> None:
    if channel.get("InputMode", mode) == "Pipe":
        raise not_emulated("Input mode Pipe")
    source = channel["DataSource"]
    if "S3DataSource" not in source:
        raise not_emulated("A channel that is not an S3DataSource")
    _check_s3_source(source["S3DataSource"])


def _check_s3_source(source: Document) -> None:
    if source["S3DataType"] != "S3Prefix":
        raise not_emulated(f"S3DataType {source['S3DataType']}")


def check_processing_job(request: Document) -> None:
    """Raises the service's ValidationException."""
    inputs = request.get("ProcessingInputs", [])
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    _check_unique("input names", [item["InputName"] for item in inputs])
    _check_unique("output names", [item["OutputName"] for item in outputs])
    for item in inputs:
        if item.get("AppManaged") or "S3Input" not in item:
            raise not_emulated("An input that is not an S3Input")
        _check_processing_input(item["S3Input"])
    for item in outputs:
        if item.get("AppManaged") or "S3Output" not in item:
            raise not_emulated("An output that is not an S3Output")
        _check_processing_path(item["S3Output"].get("LocalPath"))
        if item["S3Output"]["S3UploadMode"] != "EndOfJob":
            raise not_emulated("S3UploadMode Continuous")
    paths = [item["S3Input"]["LocalPath"] for item in inputs]
    _check_unique("local paths of inputs", paths)


def _check_processing_input(source: Document) -> None:
    if source.get("S3InputMode", "File") != "File":
        raise not_emulated("S3InputMode Pipe")
    _check_s3_source(source)
    _check_processing_path(source.get("LocalPath"))


def _check_processing_path(path: str | None) -> None:
    if not path or not (path == PROCESSING_BASE or path.startswith(f"{PROCESSING_BASE}/")):
        raise invalid(f"LocalPath {path} must be an absolute path below {PROCESSING_BASE}")


def check_transform_job(request: Document) -> None:
    """Raises the service's ValidationException."""
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    _check_s3_source(source)
    megabytes = request.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MEGABYTES) * request.get("MaxConcurrentTransforms", 1)
    if megabytes > MOST_CONCURRENT_MEGABYTES:
        raise invalid("MaxConcurrentTransforms * MaxPayloadInMB must not exceed 100 MB")
    split = request["TransformInput"].get("SplitType", "None")
    if split not in {"None", "Line"} or request["TransformInput"].get("CompressionType", "None") != "None":
        raise not_emulated("A transform input that is compressed, or split other than by Line")
    processing = request.get("DataProcessing", {})
    for name in ("InputFilter", "OutputFilter"):
        if not supports(processing.get(name, "$")):
            raise not_emulated(f"DataProcessing.{name} {processing[name]}")
    if processing.get("JoinSource", "None") == "Input" and split != "Line":
        raise invalid("JoinSource Input needs SplitType Line")
    if request.get("BatchStrategy") == "MultiRecord" and split == "None":
        raise invalid("BatchStrategy MultiRecord needs a SplitType other than None")


def _check_unique(what: str, names: Sequence[str]) -> None:
    for first, second in itertools.pairwise(sorted(names)):
        if first == second:
            raise invalid(f"Duplicate {what}: {first}")
