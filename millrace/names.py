"""Strings that infrastructure and code must agree on. Imports nothing."""

# Prefixes in the data bucket.
UPLOADS_PREFIX = "uploads/"
DATASETS_PREFIX = "datasets/"
QUARANTINE_PREFIX = "quarantine/"

INFERENCE_PREFIX = "inference/"
GROUND_TRUTH_PREFIX = "ground-truth/"

# Prefixes in the artifacts bucket.
RUNS_PREFIX = "runs/"
MODELS_PREFIX = "models/"
DRIFT_PREFIX = "drift/"

# A sidecar with this name beside an upload configures its dataset.
DATASET_SETTINGS_FILE = "dataset.yaml"

# Environment variables: the only way infrastructure tells code where things are.
DATA_BUCKET = "DATA_BUCKET"
ARTIFACTS_BUCKET = "ARTIFACTS_BUCKET"
REGISTRY_TABLE = "REGISTRY_TABLE"
NOTIFICATIONS_TOPIC_ARN = "NOTIFICATIONS_TOPIC_ARN"
# The parameter that has the dashboard's address.
DASHBOARD_URL_PARAMETER = "DASHBOARD_URL_PARAMETER"
EVENT_BUS_NAME = "EVENT_BUS_NAME"
INGEST_STATE_MACHINE_ARN = "INGEST_STATE_MACHINE_ARN"
TRAINING_STATE_MACHINE_ARN = "TRAINING_STATE_MACHINE_ARN"
DEPLOYMENT_STATE_MACHINE_ARN = "DEPLOYMENT_STATE_MACHINE_ARN"
BATCH_INFERENCE_STATE_MACHINE_ARN = "BATCH_INFERENCE_STATE_MACHINE_ARN"
DRIFT_STATE_MACHINE_ARN = "DRIFT_STATE_MACHINE_ARN"
COMPARISON_STATE_MACHINE_ARN = "COMPARISON_STATE_MACHINE_ARN"
INFERENCE_RECORDS_QUEUE_URL = "INFERENCE_RECORDS_QUEUE_URL"
SCHEDULE_GROUP = "SCHEDULE_GROUP"
SCHEDULE_TARGET_ARN = "SCHEDULE_TARGET_ARN"
SCHEDULE_ROLE_ARN = "SCHEDULE_ROLE_ARN"
DELIVERIES_QUEUE_URL = "DELIVERIES_QUEUE_URL"
# Where the secrets of channels lie, and whether webhooks may go to this machine ("allowed"): on a laptop only.
CHANNEL_SECRETS_PREFIX = "CHANNEL_SECRETS_PREFIX"
LOOPBACK_WEBHOOKS = "LOOPBACK_WEBHOOKS"
# What an environment decides for all its datasets: spot capacity "allowed" or "refused", approvals by "one_person" or
# "four_eyes".
SPOT_CAPACITY = "SPOT_CAPACITY"
APPROVALS = "APPROVALS"
# What realtime endpoints are made of, and up to how many where they scale.
ENDPOINT_MACHINE = "ENDPOINT_MACHINE"
ENDPOINT_MOST_MACHINES = "ENDPOINT_MOST_MACHINES"
TRAINING_IMAGE = "TRAINING_IMAGE"
CODE_DIGEST = "CODE_DIGEST"
SITE_BUCKET = "SITE_BUCKET"
DISTRIBUTION_ID = "DISTRIBUTION_ID"
SETTINGS = (
    DATA_BUCKET,
    ARTIFACTS_BUCKET,
    REGISTRY_TABLE,
    NOTIFICATIONS_TOPIC_ARN,
    DASHBOARD_URL_PARAMETER,
    EVENT_BUS_NAME,
    INGEST_STATE_MACHINE_ARN,
    TRAINING_STATE_MACHINE_ARN,
    DEPLOYMENT_STATE_MACHINE_ARN,
    BATCH_INFERENCE_STATE_MACHINE_ARN,
    DRIFT_STATE_MACHINE_ARN,
    COMPARISON_STATE_MACHINE_ARN,
    INFERENCE_RECORDS_QUEUE_URL,
    SCHEDULE_GROUP,
    SCHEDULE_TARGET_ARN,
    SCHEDULE_ROLE_ARN,
    DELIVERIES_QUEUE_URL,
    CHANNEL_SECRETS_PREFIX,
    LOOPBACK_WEBHOOKS,
    SPOT_CAPACITY,
    APPROVALS,
    ENDPOINT_MACHINE,
    ENDPOINT_MOST_MACHINES,
    TRAINING_IMAGE,
    CODE_DIGEST,
    SITE_BUCKET,
    DISTRIBUTION_ID,
)

# Pipelines: the file in state_machines/, the word in a run, the prefix of its run ids.
INGEST_PIPELINE = "ingest"
TRAINING_PIPELINE = "training"
DEPLOYMENT_PIPELINE = "deployment"
BATCH_INFERENCE_PIPELINE = "batch_inference"
DRIFT_PIPELINE = "drift"
COMPARISON_PIPELINE = "comparison"
# Taking a model version over: no state machine, an operator's command does it.
IMPORT_PIPELINE = "import"

# Events on the platform's bus.
EVENT_SOURCE = "millrace"
DATASET_VERSION_READY = "DatasetVersionReady"
MODEL_VERSION_APPROVED = "ModelVersionApproved"
BATCH_INFERENCE_COMPLETED = "BatchInferenceCompleted"
GROUND_TRUTH_ARRIVED = "GroundTruthArrived"
DRIFT_DETECTED = "DriftDetected"

# Registry table.
PARTITION_KEY = "pk"
SORT_KEY = "sk"
LISTING_INDEX = "listing"
LISTING_PARTITION_KEY = "listing"
LISTING_SORT_KEY = "listed_at"
# The same order, of runs in one state and of runs of one dataset.
STATE_INDEX = "by_state"
STATE_PARTITION_KEY = "listing_state"
DATASET_INDEX = "by_dataset"
DATASET_PARTITION_KEY = "listing_dataset"
# The same order, of what one person, machine or run did.
ACTOR_INDEX = "by_actor"
ACTOR_PARTITION_KEY = "listing_actor"
INDEXES = {
    LISTING_INDEX: LISTING_PARTITION_KEY,
    STATE_INDEX: STATE_PARTITION_KEY,
    DATASET_INDEX: DATASET_PARTITION_KEY,
    ACTOR_INDEX: ACTOR_PARTITION_KEY,
}
# The partition keys of API keys begin so: who only checks keys may change nothing else.
API_KEY_ITEMS = "API_KEY#"
# What models were asked, by the hour: who writes records may change nothing else.
TRAFFIC_ITEMS = "TRAFFIC#"
# How long which endpoint was in service: who deploys and retires endpoints may change nothing else.
ENDPOINT_USE_ITEMS = "ENDPOINT_USES"
# Seconds since 1970 after which DynamoDB may remove the item.
EXPIRY_ATTRIBUTE = "expires_at"

# CloudWatch. Metrics that alarms watch are of the whole environment: an alarm names its dimensions one by one.
METRIC_NAMESPACE = "Millrace"
QUARANTINED_SHARE = "quarantined_share"
# Drift reports with verdict DRIFT, by Kind: data, prediction, performance.
DRIFT_REPORTS = "drift_reports"
DRIFT_KIND = "kind"
# What a run's jobs cost and which of them failed, by Service: glue, sagemaker.
RUN_COST = "run_cost_usd"
FAILED_JOBS = "failed_jobs"
JOB_SERVICE = "service"
# Of one model version, by Model: how many features drifted, whether predictions did, how much the primary metric lost.
DRIFTED_FEATURES = "DriftedFeatures"
PREDICTION_DRIFT = "PredictionDrift"
PERFORMANCE_DECAY = "PerformanceDecay"
MODEL_DIMENSION = "Model"
# Of the worst features of a model, by Model and Feature: the score over its threshold.
FEATURE_DRIFT = "FeatureDrift"
FEATURE_DIMENSION = "Feature"

# Roles: groups of the user pool, and scopes `millrace/<role>` of its resource server.
VIEWER_ROLE = "viewer"
SCIENTIST_ROLE = "scientist"
APPROVER_ROLE = "approver"
ADMIN_ROLE = "admin"
ROLES = (VIEWER_ROLE, SCIENTIST_ROLE, APPROVER_ROLE, ADMIN_ROLE)
SCOPE_PREFIX = "millrace"

# The API again, below this path, for requests with an API key. Paths without it want a token of the user pool.
KEYED_PATH = "/by-key"

# Where the user pool sends back people who sign in from a terminal: `millrace login` listens there meanwhile.
SIGN_IN_CALLBACK = "http://localhost:4719/auth/callback"

# Outputs for clients of the API, beside those that feed settings.
CLIENT_OUTPUTS = ("ApiUrl", "DashboardUrl", "UserPoolId", "SpaClientId", "MachineClientId", "SignInUrl")
