"""Describe what can be asked now: the models that answer, and what a form for one of them needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from millrace.domain.model import CHAMPION, ModelVersion, RegisteredModel
from millrace.errors import NotFound
from millrace.ports import DatasetCatalog, ModelRegistry, ObjectStore
from millrace.use_cases.describe_dataset import read_profile


class Inputs(NamedTuple):
    """What a version takes. `columns` is the profile of its inputs in the training data, empty where that is gone."""

    version: ModelVersion
    columns: Mapping[str, Any]


def answering(models: Sequence[RegisteredModel]) -> Sequence[RegisteredModel]:
    return [model for model in models if CHAMPION in model.aliases]


def chosen_model(live: Sequence[RegisteredModel], name: str | None) -> RegisteredModel | None:
    """The one that is named, else the first that answers."""
    return next((model for model in live if model.name == name), live[0] if live else None)


def describe_inputs(
    *, registry: ModelRegistry, catalog: DatasetCatalog, store: ObjectStore, model: RegisteredModel
) -> Inputs:
    """Those of the version that is live."""
    version = registry.get(model.name, model.aliases[CHAMPION])
    try:
        trained_on = catalog.version(version.lineage.dataset, version.lineage.dataset_version)
        known = read_profile(store=store, version=trained_on)["columns"]
    except NotFound:
        return Inputs(version, {})
    names = {each["name"] for each in version.signature["inputs"]}
    return Inputs(version, {name: column for name, column in known.items() if name in names})
