"""Check whether a dataset version can be trained on at all, before anything costs time."""

from __future__ import annotations

from difflib import get_close_matches

from millrace.domain.dataset import ColumnContract, ColumnKind, Contract, Dataset, DatasetVersion, VersionState
from millrace.errors import TrainingImpossible
from millrace.ports import DatasetCatalog

MINIMUM_ROWS = 50


def check_trainable(catalog: DatasetCatalog, dataset: Dataset, version: DatasetVersion) -> Contract:
    """The contract of `version`. Raises TrainingImpossible: not ready, no target, no feature, too few rows."""
    name = f"{dataset.name} v{version.version}"
    if version.state is not VersionState.READY or version.contract_version is None:
        raise TrainingImpossible(f"{name} is {version.state}: only a version that is READY can be trained on")
    contract = catalog.contract(dataset.name, version.contract_version)
    _check_target(dataset, contract)
    if not feature_columns(dataset, contract):
        raise TrainingImpossible(
            f"{name} has no column left to learn from: all others are the key, the group, excluded or free text"
        )
    rows = version.quality.accepted if version.quality else 0
    if rows < MINIMUM_ROWS:
        raise TrainingImpossible(f"{name} has {rows} accepted rows: upload at least {MINIMUM_ROWS} to train on")
    return contract


def feature_columns(dataset: Dataset, contract: Contract) -> tuple[ColumnContract, ...]:
    """The contract's columns without target, key, group, excluded ones and free text."""
    settings = dataset.settings
    left_out = {settings.target, settings.group, *settings.key, *settings.exclude}
    return tuple(
        column for column in contract.columns if column.name not in left_out and column.kind is not ColumnKind.TEXT
    )


def _check_target(dataset: Dataset, contract: Contract) -> None:
    target, columns = dataset.settings.target, [column.name for column in contract.columns]
    if target is None:
        guess = contract.target_suggestion
        hint = f" It might be {guess!r}." if guess else ""
        raise TrainingImpossible(
            f"{dataset.name} has no target: name the column to predict in its settings, one of "
            f"{', '.join(columns)}.{hint}"
        )
    if contract.column(target) is None:
        close = get_close_matches(target, columns, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(columns)}"
        raise TrainingImpossible(f"{dataset.name} has no column {target!r} to predict: {hint}")
