"""Record a file of ground truth that was dropped: a table of any dialect with `record_id`, `truth`, perhaps `at`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from millrace import names
from millrace.analytics.preparation import QuarantineWriter
from millrace.analytics.truth_records import TruthRow, read_truth
from millrace.analytics.validation import QuarantinedRow
from millrace.domain import identity, place
from millrace.domain.page import monitoring_page
from millrace.domain.truth import TruthFile
from millrace.errors import DatasetInvalid, NotFound
from millrace.ports import Clock, EventBus, ModelRegistry, Notifier, ObjectStore
from millrace.use_cases.prepare_dataset import StoredUpload, StoreFactory, VersionFolders
from millrace.use_cases.record_ground_truth import Label, predicts_numbers, record_ground_truth

# Labels in memory at a time, and in one file.
CHUNK = 20_000
NAMED_FAULTS = 10

Keep = Callable[[list[Label]], int]


def record_ground_truth_file(
    *,
    registry: ModelRegistry,
    store: ObjectStore,
    store_factory: StoreFactory,
    bus: EventBus,
    notifier: Notifier,
    clock: Clock,
    data_bucket: str,
    key: str,
    object_version: str,
    at: datetime,
) -> TruthFile | None:
    """What became of a file at `ground-truth/{model}/{file}`; None for every other key.

    Read like an upload: every row is kept, or repeated by a later one, or set aside with its reasons. A label without a
    time is of `at`, when the file arrived, so that a repeated delivery changes nothing. A file that cannot be read to
    its end is refused as a whole. What is not kept is told by notification.
    """
    model = place.dropped_for(key, names.GROUND_TRUTH_PREFIX)
    if model is None:
        return None
    address = place.uri(data_bucket, key)
    file_id = identity.upload_id(data_bucket, key, object_version)
    found = TruthFile(
        file_id=file_id,
        model=model,
        key=key,
        object_version=object_version,
        quarantine=place.refused_truth_uri(data_bucket, model, file_id),
        at=at,
    )

    def keep(labels: list[Label]) -> int:
        return record_ground_truth(
            registry=registry,
            store=store,
            bus=bus,
            clock=clock,
            data_bucket=data_bucket,
            model=model,
            labels=labels,
            actor="upload",
        )

    try:
        numbers = predicts_numbers(registry, model)
    except NotFound as unknown:
        # There is no history that it could be noted in.
        found = found.model_copy(update={"rejection": str(unknown)})
        _tell(notifier, found)
        return found
    source = StoredUpload(store_factory, address, object_version)
    try:
        for _ in read_truth(source, key, numbers=numbers):
            continue
        rows = read_truth(source, key, numbers=numbers)
        found = _recorded(found, rows, VersionFolders(store_factory, found.quarantine, found.quarantine), keep, at)
    except DatasetInvalid as refusal:
        found = found.model_copy(update={"rejection": str(refusal)})
    if registry.note_truth_file(found) and (found.refused or found.rejection):
        _tell(notifier, found)
    return found


def _recorded(
    file: TruthFile, rows: Iterator[TruthRow | QuarantinedRow], folders: VersionFolders, keep: Keep, at: datetime
) -> TruthFile:
    """Write labels and quarantine, a chunk of labels in memory at a time."""
    folders.clear("rows")
    quarantine, chunk, counted = QuarantineWriter(folders, "rows/part"), _Chunk(at), _Counted()
    for row in rows:
        refused = chunk.refusal(row) if isinstance(row, TruthRow) else row
        counted.add(refused)
        if refused is not None:
            quarantine.write([refused])
        if len(chunk.labels) >= CHUNK:
            counted.kept += keep(chunk.taken())
    if chunk.labels:
        counted.kept += keep(chunk.taken())
    quarantine.__exit__(None)
    return file.model_copy(
        update={
            "rows": counted.rows,
            "kept": counted.kept,
            "repeated": counted.rows - counted.refused - counted.kept,
            "refused": counted.refused,
            "reasons": tuple(counted.reasons),
        }
    )


@dataclass
class _Counted:
    rows: int = 0
    kept: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)

    def add(self, refused: QuarantinedRow | None) -> None:
        self.rows += 1
        if refused is not None:
            self.refused += 1
            if len(self.reasons) < NAMED_FAULTS:
                self.reasons.append(f"line {refused.line}: {'; '.join(refused.reasons)}")


class _Chunk:
    """Labels that are written together. Two truths of one record at one time contradict: the second is set aside."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self.labels: list[Label] = []
        self._told: dict[tuple[str, datetime], tuple[str, int]] = {}

    def refusal(self, row: TruthRow) -> QuarantinedRow | None:
        """Take the row, or say why not."""
        at = row.at or self._at
        truth, line = self._told.setdefault((row.record_id, at), (row.truth, row.line))
        if truth != row.truth:
            return QuarantinedRow(row.line, row.text, (f"line {line} has another truth of its record at that time",))
        self.labels.append(Label(row.record_id, row.truth, at))
        return None

    def taken(self) -> list[Label]:
        labels, self.labels, self._told = self.labels, [], {}
        return labels


def _tell(notifier: Notifier, file: TruthFile) -> None:
    lines = [f"{file.key}: {file.kept} labels kept, {file.refused} rows refused.", ""]
    lines += [f"The file was refused as a whole: {file.rejection}"] if file.rejection else [*file.reasons]
    if file.refused:
        lines.append(f"All of them lie at {file.quarantine}rows/")
    notifier.notify(
        subject=f"Millrace: ground truth of {file.model}",
        message="\n".join(lines) + "\n",
        path=monitoring_page(file.model),
        attributes={"kind": "ground_truth", "model": file.model},
    )
