"""Strings that infrastructure and code must agree on. Imports nothing."""

# Prefixes in the data bucket.
UPLOADS_PREFIX = "uploads/"
DATASETS_PREFIX = "datasets/"
QUARANTINE_PREFIX = "quarantine/"

INFERENCE_PREFIX = "inference/"

# Prefixes in the artifacts bucket.
RUNS_PREFIX = "runs/"
MODELS_PREFIX = "models/"

# A sidecar with this name beside an upload configures its dataset.
DATASET_SETTINGS_FILE = "dataset.yaml"

# Environment variables: the only way infrastructure tells code where things are.
DATA_BUCKET = "DATA_BUCKET"
ARTIFACTS_BUCKET = "ARTIFACTS_BUCKET"
REGISTRY_TABLE = "REGISTRY_TABLE"
NOTIFICATIONS_TOPIC_ARN = "NOTIFICATIONS_TOPIC_ARN"
EVENT_BUS_NAME = "EVENT_BUS_NAME"
INGEST_STATE_MACHINE_ARN = "INGEST_STATE_MACHINE_ARN"
TRAINING_STATE_MACHINE_ARN = "TRAINING_STATE_MACHINE_ARN"
DEPLOYMENT_STATE_MACHINE_ARN = "DEPLOYMENT_STATE_MACHINE_ARN"
INFERENCE_RECORDS_QUEUE_URL = "INFERENCE_RECORDS_QUEUE_URL"
TRAINING_IMAGE = "TRAINING_IMAGE"
CODE_DIGEST = "CODE_DIGEST"
SETTINGS = (
    DATA_BUCKET,
    ARTIFACTS_BUCKET,
    REGISTRY_TABLE,
    NOTIFICATIONS_TOPIC_ARN,
    EVENT_BUS_NAME,
    INGEST_STATE_MACHINE_ARN,
    TRAINING_STATE_MACHINE_ARN,
    DEPLOYMENT_STATE_MACHINE_ARN,
    INFERENCE_RECORDS_QUEUE_URL,
    TRAINING_IMAGE,
    CODE_DIGEST,
)

# Pipelines: the file in state_machines/, the word in a run, the prefix of its run ids.
INGEST_PIPELINE = "ingest"
TRAINING_PIPELINE = "training"
DEPLOYMENT_PIPELINE = "deployment"

# Events on the platform's bus.
EVENT_SOURCE = "millrace"
DATASET_VERSION_READY = "DatasetVersionReady"
MODEL_VERSION_APPROVED = "ModelVersionApproved"
