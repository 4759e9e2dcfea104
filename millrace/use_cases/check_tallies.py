"""Check the kept counts against a count of everything there is."""

from __future__ import annotations

from collections.abc import Iterator

from millrace.domain.dataset import DatasetVersion
from millrace.domain.entity import Entity
from millrace.domain.model import ModelVersion
from millrace.domain.run import Run
from millrace.domain.tally import Tally, counted
from millrace.ports import DatasetCatalog, ModelRegistry, RunLedger, Tallies


class TallyCheck(Entity):
    """`kept` must equal `counted`; while things change they may differ by what changed meanwhile."""

    kept: Tally
    counted: Tally

    @property
    def agrees(self) -> bool:
        return self.kept == self.counted


def check_tallies(
    *, catalog: DatasetCatalog, ledger: RunLedger, registry: ModelRegistry, tallies: Tallies
) -> TallyCheck:
    """Reads everything: takes time in proportion to what there is."""
    datasets, models = catalog.list(), registry.models()
    found = counted(
        datasets=len(datasets),
        dataset_versions=_dataset_versions(catalog, [dataset.name for dataset in datasets]),
        models=len(models),
        model_versions=_model_versions(registry, [model.name for model in models]),
        runs=_runs(ledger),
    )
    return TallyCheck(kept=tallies.now(), counted=found)


def _dataset_versions(catalog: DatasetCatalog, datasets: list[str]) -> Iterator[DatasetVersion]:
    for name in datasets:
        yield from catalog.versions(name)


def _model_versions(registry: ModelRegistry, models: list[str]) -> Iterator[ModelVersion]:
    for name in models:
        yield from registry.versions(name)


def _runs(ledger: RunLedger) -> Iterator[Run]:
    position: str | None = None
    while True:
        page = ledger.page(after=position, limit=500)
        yield from page.items
        position = page.position
        if position is None:
            return
