"""The registry table: datasets, runs and models in one DynamoDB table, every transition a conditional write."""

from millrace.adapters.dynamodb.alerts import DynamoAlertBook
from millrace.adapters.dynamodb.answers import DynamoGivenAnswers
from millrace.adapters.dynamodb.api_keys import DynamoApiKeys
from millrace.adapters.dynamodb.audit import DynamoAuditTrail
from millrace.adapters.dynamodb.catalog import DynamoDatasetCatalog
from millrace.adapters.dynamodb.channels import DynamoChannelBook, DynamoDeliveryBook
from millrace.adapters.dynamodb.drift import DynamoDriftReports
from millrace.adapters.dynamodb.endpoint_uses import DynamoEndpointUses
from millrace.adapters.dynamodb.ledger import DynamoRunLedger
from millrace.adapters.dynamodb.registry import DynamoModelRegistry
from millrace.adapters.dynamodb.retraining import DynamoRetrainingLog
from millrace.adapters.dynamodb.schedules import DynamoSchedules
from millrace.adapters.dynamodb.table import Table
from millrace.adapters.dynamodb.tally import DynamoTallies
from millrace.adapters.dynamodb.traffic import DynamoTraffic
from millrace.adapters.dynamodb.transfers import DynamoTransfers

__all__ = [
    "DynamoAlertBook",
    "DynamoApiKeys",
    "DynamoAuditTrail",
    "DynamoChannelBook",
    "DynamoDatasetCatalog",
    "DynamoDeliveryBook",
    "DynamoDriftReports",
    "DynamoEndpointUses",
    "DynamoGivenAnswers",
    "DynamoModelRegistry",
    "DynamoRetrainingLog",
    "DynamoRunLedger",
    "DynamoSchedules",
    "DynamoTallies",
    "DynamoTraffic",
    "DynamoTransfers",
    "Table",
]
