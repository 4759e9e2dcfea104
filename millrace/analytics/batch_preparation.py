"""Preparing the input of a batch inference: read and judged like an upload, cut into shards that a model is sent.

Every row of the input ends on one side: accepted rows in shards, in order, with their numbers and record ids; the
others in quarantine with every reason. The model's signature is the contract: a category that was not learnt is a
notice, a column that is missing refuses the input, a value of another kind sets its row aside.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from millrace.analytics.detection import SAMPLE_BYTES, detect_dialect
from millrace.analytics.preparation import (
    SECTION_BYTES,
    Engine,
    OneProcess,
    QuarantineWriter,
    Repeats,
    Sink,
    Source,
    without_repeated_keys,
)
from millrace.analytics.records import Batch, Section, read_batches
from millrace.analytics.sections import plan_sections
from millrace.analytics.splitting import digest_rows
from millrace.analytics.validation import Judge, Judgement, Warned
from millrace.domain.batch import RECORD_ID, ROW_NUMBER, BatchReport, BatchRequest
from millrace.domain.dataset import (
    ColumnContract,
    ColumnKind,
    Contract,
    DatasetSettings,
    Dialect,
    Format,
    Severity,
)
from millrace.errors import DatasetInvalid

SHARD_BYTES = 4 << 20
"""Arrow bytes of one shard: a shard is one request to the model, and 6 MB is what a request holds by default."""

_KEPT_SENTENCES = 200
_TAIL_BYTES = 64 << 10


@dataclass
class _Outcome:
    rows: int = 0
    accepted: int = 0
    names: tuple[str, ...] = ()
    violations: Counter[str] = field(default_factory=Counter)
    warnings: Counter[Warned] = field(default_factory=Counter)
    shards: int = 0

    def merge(self, other: _Outcome) -> _Outcome:
        return _Outcome(
            self.rows + other.rows,
            self.accepted + other.accepted,
            tuple(dict.fromkeys((*self.names, *other.names))),
            self.violations + other.violations,
            self.warnings + other.warnings,
            self.shards + other.shards,
        )


class _Part(NamedTuple):
    """One section of one source. `first_row` is added to the numbers of its rows."""

    source: Source
    dialect: Dialect
    header: tuple[str, ...] | None
    first_row: int


def batch_contract(trained: Contract, features: Sequence[Mapping[str, Any]], record_id_column: str) -> Contract:
    """The contract of what a model reads: its features as in the manifest, written as in the dataset that it learnt.

    Nothing is required: a missing value is one, as in training. Ranges are not judged; unknown categories only warn.
    """
    columns = []
    for feature in features:
        known = trained.column(feature["name"]) or ColumnContract(name=feature["name"], kind=feature["kind"])
        is_category = feature["kind"] == ColumnKind.CATEGORY
        columns.append(
            known.model_copy(
                update={
                    "kind": ColumnKind(feature["kind"]),
                    "nullable": True,
                    "minimum": None,
                    "maximum": None,
                    "categories": tuple(feature["categories"]) if is_category else None,
                    "categories_severity": Severity.WARNING,
                }
            )
        )
    identity = ColumnContract(name=record_id_column, kind=ColumnKind.CATEGORY)
    return trained.model_copy(update={"columns": (identity, *columns)})


def prepare_batch_rows(
    request: BatchRequest,
    contract: Contract,
    sources: Sequence[tuple[str, Source]],
    sink: Sink,
    *,
    engine: Engine | None = None,
    section_bytes: int = SECTION_BYTES,
    shard_bytes: int = SHARD_BYTES,
) -> BatchReport:
    """`sources`: file name and bytes, in order. An input that is refused is an outcome, not an error."""
    started = time.perf_counter()
    for folder in ("rows", "quarantine"):
        sink.clear(folder)
    outcome, dialect, rejection = _Outcome(), None, None
    try:
        sections, parts = _plan(sources, section_bytes)
        dialect = parts[0].dialect
        task = _SectionTask(request, Judge(contract, DatasetSettings()), parts, sink, shard_bytes)
        chosen = engine or OneProcess()
        if task.may_name_rows(sections[0]):
            task = replace(task, repeats=chosen.repeats(task.keys, sections))
        for found in chosen.run(task, sections):
            outcome = outcome.merge(found)
        _refuse(outcome, contract, request.record_id_column)
    except DatasetInvalid as refusal:
        rejection = str(refusal)
        sink.clear("rows")
    names = {column.name for column in contract.columns}
    return BatchReport(
        job_id=request.job_id,
        rejection=rejection,
        dialect=dialect,
        rows_in=outcome.rows,
        accepted=outcome.accepted,
        quarantined=outcome.rows - outcome.accepted,
        record_ids="given" if request.record_id_column in outcome.names else "generated",
        violations=dict(outcome.violations.most_common(_KEPT_SENTENCES)),
        notices={f"{column}: {what}": n for (column, what), n in outcome.warnings.most_common(_KEPT_SENTENCES)},
        ignored_columns=tuple(name for name in outcome.names if name not in names),
        shards=0 if rejection else outcome.shards,
        seconds=round(time.perf_counter() - started, 3),
    )


def _plan(sources: Sequence[tuple[str, Source]], section_bytes: int) -> tuple[list[Section], list[_Part]]:
    """Sections with running numbers, and what each is a part of."""
    sections: list[Section] = []
    parts: list[_Part] = []
    first_row = 0
    for name, source in sources:
        with source.open(0, min(SAMPLE_BYTES, source.size_bytes)) as stream:
            dialect = detect_dialect(stream.read(), name, source.size_bytes)
        plan = plan_sections(source, dialect, section_bytes)
        for section in plan.sections:
            sections.append(section._replace(number=len(sections)))
            parts.append(_Part(source, dialect, plan.header, first_row))
        if len(sources) > 1:
            first_row += _row_count(source, name, dialect)
    return sections, parts


def _row_count(source: Source, name: str, dialect: Dialect) -> int:
    """Rows of a Parquet file, from its footer."""
    if dialect.format is not Format.PARQUET:
        raise DatasetInvalid(f"{name} is one of several files of a batch, and only Parquet can be read so")
    tail = min(_TAIL_BYTES, source.size_bytes)
    footer = _tail_of(source, tail)
    needed = int.from_bytes(footer[-8:-4], "little") + 8
    if needed > tail:
        footer = _tail_of(source, min(needed, source.size_bytes))
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(footer)
        file.flush()
        return int(pq.read_metadata(file.name).num_rows)


def _tail_of(source: Source, length: int) -> bytes:
    with source.open(source.size_bytes - length, length) as stream:
        return stream.read()


def _refuse(outcome: _Outcome, contract: Contract, record_id_column: str) -> None:
    present = set(outcome.names)
    lacking = [column.name for column in contract.columns if column.name not in present | {record_id_column}]
    if outcome.rows and lacking and outcome.names:
        raise DatasetInvalid(
            f"the input lacks {', '.join(lacking[:20])}, which the model reads; it has "
            f"{', '.join(outcome.names[:20])}. Send all columns; a value that is not known may be empty."
        )
    if not outcome.rows:
        raise DatasetInvalid("the input names columns but has no rows")
    if not outcome.accepted:
        reasons = "; ".join(f"{label} ({count})" for label, count in outcome.violations.most_common(3))
        raise DatasetInvalid(f"none of the {outcome.rows} rows can be predicted. Most frequent reasons: {reasons}.")


@dataclass(frozen=True)
class _SectionTask:
    """Prepares one section: a value that can travel to another machine."""

    request: BatchRequest
    judge: Judge
    parts: Sequence[_Part]
    sink: Sink
    shard_bytes: int
    repeats: Mapping[int, Repeats] = field(default_factory=dict)

    def may_name_rows(self, first: Section) -> bool:
        """Whether the input has record ids, which may repeat; JSON Lines may bring the column late."""
        if self.parts[first.number].dialect.format is Format.JSON_LINES:
            return True
        return any(self.request.record_id_column in batch.columns for batch in islice(self._batches(first), 1))

    def keys(self, section: Section) -> Iterator[tuple[bytes, int]]:
        """Digest of the record id and line of each row of the section that would be accepted."""
        for batch in self._batches(section):
            judgement = self._judged(batch)
            yield from zip(self._digests(judgement), judgement.lines.tolist(), strict=True)

    def __call__(self, section: Section) -> _Outcome:
        outcome = _Outcome()
        shards = _ShardWriter(self.sink, f"rows/part-{section.number:05}", self.shard_bytes)
        quarantine = QuarantineWriter(self.sink, f"quarantine/part-{section.number:05}")
        for batch in self._batches(section):
            judgement = self._once(self._judged(batch), batch, section)
            shards.write(self._rows(judgement))
            quarantine.write(judgement.quarantined)
            outcome = outcome.merge(
                _Outcome(
                    judgement.rows,
                    len(judgement.lines),
                    tuple(batch.columns),
                    judgement.violations,
                    judgement.warnings,
                )
            )
        shards.close()
        quarantine.__exit__(None)
        outcome.shards = shards.count
        return outcome

    def _batches(self, section: Section) -> Iterable[Batch]:
        part = self.parts[section.number]
        length = None if section.end is None else section.end - section.start
        stream = part.source.open(section.start, length)
        header = None if section.start == 0 else part.header
        for batch in read_batches(stream, part.dialect, section=section, header=header):
            if part.first_row:
                batch = _moved(batch, part.first_row)
            yield batch

    def _judged(self, batch: Batch) -> Judgement:
        """Judged, and every row with a record id: the one given, or one made of the job's and the row's number."""
        judgement = self.judge.judge(batch)
        generated = pa.array([f"{self.request.job_id}-{line}" for line in judgement.lines.tolist()], pa.string())
        given = judgement.accepted.column(self.request.record_id_column).combine_chunks()
        index = judgement.accepted.schema.get_field_index(self.request.record_id_column)
        named = judgement.accepted.set_column(index, self.request.record_id_column, pc.coalesce(given, generated))
        return replace(judgement, accepted=named)

    def _once(self, judgement: Judgement, batch: Batch, section: Section) -> Judgement:
        repeats = self.repeats.get(section.number)
        if repeats is None:
            return judgement
        repeated = repeats.first_lines(self._digests(judgement), judgement.lines)
        return without_repeated_keys(judgement, repeated, batch, (self.request.record_id_column,))

    def _digests(self, judgement: Judgement) -> list[bytes]:
        return digest_rows(judgement.accepted, (self.request.record_id_column,), size=16, purpose=b"millrace batch 1")

    def _rows(self, judgement: Judgement) -> pa.Table:
        """`record_id`, `row_number`, then what the model reads."""
        rows = judgement.accepted.rename_columns(
            [RECORD_ID if n == self.request.record_id_column else n for n in judgement.accepted.column_names]
        )
        return rows.add_column(1, ROW_NUMBER, pa.array(judgement.lines.astype(np.int64)))


def _moved(batch: Batch, rows: int) -> Batch:
    unreadable = tuple(record._replace(line=record.line + rows) for record in batch.unreadable)
    return replace(batch, lines=batch.lines + rows, unreadable=unreadable)


class _ShardWriter:
    """Tables of at most `largest` bytes each, one object per shard, as a stream of Arrow batches."""

    def __init__(self, sink: Sink, path: str, largest: int) -> None:
        self._sink, self._path, self._largest = sink, path, largest
        self._waiting: list[pa.Table] = []
        self._bytes = 0
        self.count = 0

    def write(self, rows: pa.Table) -> None:
        for piece in _pieces(rows, self._largest):
            if self._waiting and self._bytes + piece.nbytes > self._largest:
                self._flush()
            self._waiting.append(piece)
            self._bytes += piece.nbytes

    def close(self) -> None:
        if self._waiting:
            self._flush()

    def _flush(self) -> None:
        table = pa.concat_tables(self._waiting).combine_chunks()
        with tempfile.TemporaryFile() as file:
            _write_stream(file, table)
            file.seek(0)
            self._sink.store(f"{self._path}-{self.count:05}.arrow", file)
        self._waiting, self._bytes = [], 0
        self.count += 1


def _pieces(rows: pa.Table, largest: int) -> Iterator[pa.Table]:
    """`rows` cut so that each piece has at most `largest` bytes, or is a single row."""
    if rows.num_rows <= 1 or rows.nbytes <= largest:
        if rows.num_rows:
            yield rows
        return
    half = rows.num_rows // 2
    yield from _pieces(rows.slice(0, half), largest)
    yield from _pieces(rows.slice(half), largest)


def _write_stream(file: IO[bytes], table: pa.Table) -> None:
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
