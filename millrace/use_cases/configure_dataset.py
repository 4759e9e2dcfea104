"""Configure a dataset: by hand, or by a settings file that arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from millrace.domain.audit import acting
from millrace.domain.dataset import Contract, Dataset, DatasetSettings, Upload, UploadState
from millrace.domain.event import DatasetVersionReady
from millrace.domain.place import check_name, uri
from millrace.errors import Conflict, InvalidInput
from millrace.ports import Clock, DatasetCatalog, EventBus, ObjectStore
from millrace.use_cases.judge_settings import judge_settings

_ATTEMPTS = 10
_MAX_FILE_BYTES = 256 * 1024


def configure_dataset(
    *,
    catalog: DatasetCatalog,
    bus: EventBus,
    clock: Clock,
    dataset: str,
    changes: Mapping[str, Any],
    actor: str,
    revision: int | None = None,
) -> Dataset:
    """Change settings: what `changes` names is set, the rest stays. The dataset is created when it is new.

    `revision` is the one the person saw; without it the change applies to whatever is there. A first target starts the
    training of the version that waits for it. Raises InvalidInput with every fault, Conflict.
    """
    before = catalog.ensure(check_name(dataset), at=clock.now(), actor=actor)
    settings = judge_settings(before.settings, changes, contract=_contract(catalog, before))
    seen = before.revision if revision is None else revision
    after = before
    if settings != before.settings:
        after = catalog.configure(dataset, settings, revision=seen, actor=actor)
    _announce_waiting_version(catalog, bus, dataset, before.settings, settings)
    return after


def apply_settings_file(*, catalog: DatasetCatalog, bus: EventBus, store: ObjectStore, upload: Upload) -> Dataset:
    """Apply the settings file of `upload` (opened before), once: its own event and every file beside it lead here.

    Raises InvalidInput with every fault, also when the file was refused before.
    """
    for _ in range(_ATTEMPTS):
        stored = catalog.upload(upload.dataset, upload.upload_id)
        if stored.state == UploadState.ACCEPTED:
            return catalog.get(upload.dataset)
        if stored.state == UploadState.REJECTED:
            raise InvalidInput("; ".join(stored.reasons))
        try:
            return _apply(catalog, bus, store, stored)
        except Conflict:
            continue  # somebody else changed the settings or applied this file: look again
    raise Conflict(f"the settings of {upload.dataset} keep changing: upload {upload.key} again in a moment")


def parse_settings(text: bytes, name: str) -> dict[str, Any]:
    """The mapping in a YAML document. Raises InvalidInput with the line of a fault."""
    import yaml

    try:
        document = yaml.safe_load(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 text: save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InvalidInput(f"{name} is not YAML{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InvalidInput(f"{name} is not YAML: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise InvalidInput(f"{name} must hold settings, one `name: value` to a line, for example `target: price`")
    return document


def _apply(catalog: DatasetCatalog, bus: EventBus, store: ObjectStore, upload: Upload) -> Dataset:
    if upload.size_bytes > _MAX_FILE_BYTES:
        raise InvalidInput(f"{upload.key} has {upload.size_bytes} bytes: settings have at most {_MAX_FILE_BYTES}")
    text = store.read(uri(upload.bucket, upload.key), version_id=upload.object_version)
    before = catalog.get(upload.dataset)
    changes = parse_settings(text, upload.key)
    try:
        settings = judge_settings(before.settings, changes, contract=_contract(catalog, before))
    except InvalidInput as refusal:
        raise InvalidInput(f"{upload.key}: {refusal}") from refusal
    after = catalog.configure(
        upload.dataset, settings, revision=before.revision, actor=acting(upload.run_id), upload=upload
    )
    _announce_waiting_version(catalog, bus, upload.dataset, before.settings, settings)
    return after


def _contract(catalog: DatasetCatalog, dataset: Dataset) -> Contract | None:
    return catalog.contract(dataset.name, dataset.contract_version) if dataset.contract_version else None


def _announce_waiting_version(
    catalog: DatasetCatalog, bus: EventBus, name: str, before: DatasetSettings, after: DatasetSettings
) -> None:
    """A version that waited for a target need not wait any longer.

    The dataset is read again: a version accepted since then either is seen here or sees the new settings itself, and
    should both happen, the training run has the same name.
    """
    latest = catalog.get(name).latest_ready_version
    if after.target is not None and before.target is None and latest:
        run_id = catalog.version(name, latest).run_id
        bus.publish(DatasetVersionReady(dataset=name, version=latest, run_id=run_id))
