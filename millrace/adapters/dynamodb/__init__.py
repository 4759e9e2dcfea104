"""The registry table: datasets, runs and models in one DynamoDB table, every transition a conditional write."""

from millrace.adapters.dynamodb.catalog import DynamoDatasetCatalog
from millrace.adapters.dynamodb.ledger import DynamoRunLedger
from millrace.adapters.dynamodb.registry import DynamoModelRegistry
from millrace.adapters.dynamodb.table import Table

__all__ = ["DynamoDatasetCatalog", "DynamoModelRegistry", "DynamoRunLedger", "Table"]
