"""Replace a dataset's contract: a new version of it, which the next upload is held against."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.domain.dataset import ColumnContract, Contract
from millrace.errors import ChangedMeanwhile, InvalidInput
from millrace.ports import Clock, DatasetCatalog


def replace_contract(
    *,
    catalog: DatasetCatalog,
    clock: Clock,
    dataset: str,
    columns: Sequence[ColumnContract],
    missing_values: Sequence[str] | None,
    actor: str,
    seen: int | None = None,
) -> Contract:
    """The contract in force afterwards. `seen` is the version the person looked at; None applies to any.

    Raises NotFound, InvalidInput with every fault, ChangedMeanwhile, Conflict.
    """
    known = catalog.get(dataset)
    if seen is not None and seen != known.contract_version:
        raise ChangedMeanwhile(
            f"contract {known.contract_version} of {dataset} is in force now, not {seen}: look at it first"
        )
    faults = [*_column_faults(columns), *_missing_columns(columns, known.settings.target, known.settings.key)]
    if faults:
        raise InvalidInput("; ".join(faults))
    given = {} if missing_values is None else {"missing_values": tuple(missing_values)}
    contract = Contract(
        dataset=dataset,
        version=known.contract_version + 1,
        columns=tuple(columns),
        created_at=clock.now(),
        created_by=actor,
        **given,
    )
    catalog.put_contract(contract)
    return contract


def _column_faults(columns: Sequence[ColumnContract]) -> list[str]:
    names = [column.name for column in columns]
    faults = [
        f"columns: {name!r} is there {names.count(name)} times" for name in sorted({*names}) if names.count(name) > 1
    ]
    for column in columns:
        if column.minimum is not None and column.maximum is not None and column.minimum > column.maximum:
            faults.append(f"columns.{column.name}: minimum {column.minimum} is above maximum {column.maximum}")
    return faults


def _missing_columns(columns: Sequence[ColumnContract], target: str | None, key: Sequence[str]) -> list[str]:
    names = {column.name for column in columns}
    wanted = [("target", target), *(("key", name) for name in key)]
    return [
        f"columns: there is no {name!r}, which the settings name as {role}"
        for role, name in wanted
        if name is not None and name not in names
    ]
