"""Preparing one upload: read, judge, take repeated keys out, split, profile, and write the parts down.

The work is divided into sections of the file. An `Engine` runs them, one after the other in this process or on a
cluster: the arithmetic is the same, and so is the outcome.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from millrace.analytics.inference import Evidence, complete, infer_contract, observe
from millrace.analytics.profiling import DatasetProfile, Profiler
from millrace.analytics.records import Batch, Section, read_batches
from millrace.analytics.sections import Plan, plan_sections
from millrace.analytics.splitting import SPLITS, assign_splits, digest_rows, split_columns
from millrace.analytics.validation import (
    Judge,
    Judgement,
    QuarantinedRow,
    Warned,
    compare_columns,
    refuse_missing_columns,
)
from millrace.domain.dataset import Contract, PreparationReport, PreparationRequest, Quality
from millrace.errors import DatasetInvalid

REPLAYED_BYTES = 32 << 20
"""An upload up to this size is read once and its batches are kept, when it has to be looked at twice."""

SECTION_BYTES = 64 << 20
"""A file larger than this is divided, where its format allows, and the sections are prepared at the same time."""

_PART_ROWS = 1_000_000
_ROW_GROUP_ROWS = 1 << 16
_QUARANTINE_PART_BYTES = 64 << 20
_SPOOLED_BYTES = 8 << 20
_KEPT_VIOLATIONS = 200

T = TypeVar("T")


class Source(Protocol):
    """The upload's bytes."""

    @property
    def size_bytes(self) -> int: ...

    def open(self, start: int = 0, length: int | None = None) -> IO[bytes]:
        """A forward-only stream of `length` bytes from `start`."""


class Sink(Protocol):
    """Where the parts go. Paths are relative: `data/split=train/part-00000-000.parquet`, `quarantine/part-….jsonl`."""

    def store(self, path: str, body: IO[bytes]) -> None:
        """Write or replace."""

    def clear(self, folder: str) -> None:
        """Remove everything below `folder`."""


class Repeats(Protocol):
    """Which rows repeat the key of an earlier one."""

    def first_lines(self, keys: Sequence[bytes], lines: np.ndarray[Any, Any], /) -> dict[int, int]:
        """Position → line of the first row with the same key, for the positions whose row is not the first."""


class Engine(Protocol):
    def run(self, task: Callable[[Section], T], sections: Sequence[Section]) -> Iterable[T]:
        """The task's results, in order of the sections."""

    def repeats(
        self, keys_of: Callable[[Section], Iterator[tuple[bytes, int]]], sections: Sequence[Section], /
    ) -> Mapping[int, Repeats]:
        """By section index, what knows its repeated keys. `keys_of` yields (key, line) of a section's accepted rows."""


class KeyIndex:
    """Repeats for sections that are read one after the other."""

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}

    def first_lines(self, keys: Sequence[bytes], lines: np.ndarray[Any, Any]) -> dict[int, int]:
        repeated: dict[int, int] = {}
        for position, (key, line) in enumerate(zip(keys, lines.tolist(), strict=True)):
            first = self._first.setdefault(key, line)
            if first != line:
                repeated[position] = first
        return repeated


class KnownRepeats(NamedTuple):
    """Repeats found beforehand: `lines` (ascending) repeat the key that was on the line in `firsts`."""

    lines: np.ndarray[Any, Any]
    firsts: np.ndarray[Any, Any]

    @classmethod
    def of(cls, lines: np.ndarray[Any, Any], firsts: np.ndarray[Any, Any]) -> KnownRepeats:
        order = np.argsort(lines)
        return cls(lines[order], firsts[order])

    def first_lines(self, _: Sequence[bytes], lines: np.ndarray[Any, Any]) -> dict[int, int]:
        positions = np.flatnonzero(np.isin(lines, self.lines))
        found = self.firsts[np.searchsorted(self.lines, lines[positions])]
        return dict(zip(positions.tolist(), found.tolist(), strict=True))


class OneProcess:
    """The engine without a cluster."""

    def run(self, task: Callable[[Section], T], sections: Sequence[Section]) -> Iterable[T]:
        return map(task, sections)

    def repeats(
        self, _: Callable[[Section], Iterator[tuple[bytes, int]]], sections: Sequence[Section]
    ) -> Mapping[int, Repeats]:
        """One index for all: the sections are read in order, so no row has to be looked at beforehand."""
        shared = KeyIndex()
        return {section.number: shared for section in sections}


@dataclass
class Outcome:
    """What came of some sections. Merged in the sections' order; counts add up."""

    rows: int = 0
    accepted: int = 0
    names: tuple[str, ...] = ()
    violations: Counter[str] = field(default_factory=Counter)
    warnings: Counter[Warned] = field(default_factory=Counter)
    profile: DatasetProfile | None = None

    def merge(self, other: Outcome) -> Outcome:
        profiles = [profile for profile in (self.profile, other.profile) if profile is not None]
        return Outcome(
            rows=self.rows + other.rows,
            accepted=self.accepted + other.accepted,
            names=tuple(dict.fromkeys((*self.names, *other.names))),
            violations=self.violations + other.violations,
            warnings=self.warnings + other.warnings,
            profile=profiles[0].merge(profiles[1]) if len(profiles) == 2 else next(iter(profiles), None),
        )


class Prepared(NamedTuple):
    """The report, and the profile of the accepted rows (None when nothing was accepted)."""

    report: PreparationReport
    profile: DatasetProfile | None


def prepare(
    request: PreparationRequest,
    source: Source,
    sink: Sink,
    *,
    engine: Engine | None = None,
    section_bytes: int = SECTION_BYTES,
) -> Prepared:
    """Prepares one upload. An upload that is refused is an outcome (`report.rejection`), not an error.

    The parts are stored through `sink`; what an earlier attempt left there is removed first.
    """
    started = time.perf_counter()
    for folder in ("data", "quarantine"):
        sink.clear(folder)
    work = _Work(request, source, sink, engine or OneProcess(), section_bytes)
    try:
        work.run()
    except DatasetInvalid as refusal:
        work.rejection = str(refusal)
        sink.clear("data")
    report = PreparationReport(
        dataset=request.dataset,
        version=request.version,
        rejection=work.rejection,
        contract=work.contract,
        quality=work.quality,
        seconds=round(time.perf_counter() - started, 3),
    )
    return Prepared(report, work.outcome.profile)


class _Work:
    """One preparation as it proceeds; what is known so far is reported even when the upload is refused."""

    def __init__(
        self, request: PreparationRequest, source: Source, sink: Sink, engine: Engine, section_bytes: int
    ) -> None:
        self._request = request
        self._source = source
        self._sink = sink
        self._engine = engine
        self._section_bytes = section_bytes
        self.rejection: str | None = None
        self.contract: Contract | None = request.contract
        self.quality: Quality | None = None
        self.outcome = Outcome()
        self._notes: tuple[str, ...] = ()

    def run(self) -> None:
        request, settings = self._request, self._request.settings
        plan = plan_sections(self._source, request.dialect, self._section_bytes)
        reader = Reader(self._source, request, plan, keep=self._may_keep_batches(plan))
        if self.contract is None:
            self.contract = self._infer(reader, plan)
        judge = Judge(self.contract, settings)
        if plan.header is not None:
            refuse_missing_columns(plan.header, self.contract, settings)
        task = SectionTask(reader, judge, self._sink, request)
        if settings.key:
            task = task.with_repeats(self._engine.repeats(task.keys, plan.sections))
        for outcome in self._engine.run(task, plan.sections):
            self.outcome = self.outcome.merge(outcome)
        self._conclude(judge)

    def _may_keep_batches(self, plan: Plan) -> bool:
        small = self._source.size_bytes <= REPLAYED_BYTES and self._request.dialect.compression == "none"
        return small and self._request.contract is None and len(plan.sections) == 1

    def _infer(self, reader: Reader, plan: Plan) -> Contract:
        evidence = Evidence()
        for found in self._engine.run(reader.evidence, plan.sections):
            evidence = evidence.merge(found)
        if not evidence.columns:
            raise DatasetInvalid("the file has no rows that can be read. Upload one with column names and rows.")
        contract, self._notes = infer_contract(
            evidence,
            dataset=self._request.dataset,
            version=self._request.version,
            constraints=self._request.settings.constraints,
            at=self._request.created_at,
        )
        refuse_missing_columns(tuple(evidence.columns), contract, self._request.settings)
        return contract

    def _conclude(self, judge: Judge) -> None:
        settings, outcome = self._request.settings, self.outcome
        contract, profile = judge.contract, outcome.profile
        self.quality = _quality(outcome, contract, self._warning_sentences(judge))
        if outcome.rows == 0:
            raise DatasetInvalid("the file names columns but has no rows. Upload it with its rows.")
        if outcome.names:
            refuse_missing_columns(outcome.names, contract, settings)
        _refuse_too_many_bad_rows(self.quality, settings.max_quarantined_share)
        if profile is None:
            raise AssertionError("rows were accepted but not profiled")
        if self._request.contract is None:
            self.contract = complete(contract, profile)
        self._fill_empty_splits(judge, profile)

    def _warning_sentences(self, judge: Judge) -> tuple[str, ...]:
        counted = sorted(self.outcome.warnings.items(), key=lambda item: (-item[1], item[0]))
        sentences = [f"{column}: {_values(count)} {what}" for (column, what), count in counted]
        unknown = sorted(set(self._request.settings.constraints) - {column.name for column in judge.contract.columns})
        sentences += [f"the settings have a rule for {name!r}, but there is no such column" for name in unknown]
        profile = self.outcome.profile
        if profile is not None and profile.rows:
            empty = [split for split in SPLITS if not profile.splits[split]]
            sentences += [f"no row fell into the split {split}: the dataset is too small for it" for split in empty]
        return (*self._notes, *sentences)

    def _fill_empty_splits(self, judge: Judge, profile: DatasetProfile) -> None:
        """A split without rows is an empty table, not a missing one."""
        for split in SPLITS:
            if not profile.splits[split]:
                with _PartWriter(self._sink, f"data/split={split}/part-empty", judge.schema) as writer:
                    writer.write_empty()


def _values(count: int) -> str:
    return f"{count} value" if count == 1 else f"{count} values"


def _quality(outcome: Outcome, contract: Contract, warnings: tuple[str, ...]) -> Quality:
    profile = outcome.profile
    changes = compare_columns(outcome.names, contract).sentences() if outcome.names else ()
    return Quality(
        rows_in=outcome.rows,
        accepted=outcome.accepted,
        quarantined=outcome.rows - outcome.accepted,
        null_share=round(profile.null_share, 6) if profile is not None else 0.0,
        warnings=warnings,
        schema_changes=changes,
        violations=dict(_most_frequent(outcome.violations)[:_KEPT_VIOLATIONS]),
        split_rows=dict(profile.splits) if profile is not None else {},
    )


def _most_frequent(violations: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(violations.items(), key=lambda item: (-item[1], item[0]))


def _refuse_too_many_bad_rows(quality: Quality, limit: float) -> None:
    if quality.accepted and quality.quarantined_share <= limit:
        return
    reasons = "; ".join(f"{label} ({count})" for label, count in _most_frequent(quality.violations)[:3])
    where = "Every row set aside is kept with its reasons and its line in the version's quarantine."
    if not quality.accepted:
        raise DatasetInvalid(
            f"none of the {quality.rows_in} rows can be used. Most frequent reasons: {reasons}. {where} "
            "Correct the file and upload it again."
        )
    raise DatasetInvalid(
        f"{quality.quarantined} of {quality.rows_in} rows ({quality.quarantined_share:.1%}) cannot be used, and the "
        f"dataset allows {limit:.1%}. Most frequent reasons: {reasons}. {where} "
        "Correct the file, or raise max_quarantined_share in the dataset's settings."
    )


class Reader:
    """Reads sections of one upload; small uploads are read once and kept."""

    def __init__(self, source: Source, request: PreparationRequest, plan: Plan, *, keep: bool) -> None:
        self._source = source
        self._dialect = request.dialect
        self._header = plan.header
        self._kept: dict[int, list[Batch]] | None = {} if keep else None

    def batches(self, section: Section) -> Iterable[Batch]:
        if self._kept is not None and section.number in self._kept:
            return self._kept[section.number]
        length = None if section.end is None else section.end - section.start
        stream = self._source.open(section.start, length)
        header = None if section.start == 0 else self._header
        batches = read_batches(stream, self._dialect, section=section, header=header)
        if self._kept is None:
            return batches
        return self._kept.setdefault(section.number, list(batches))

    def evidence(self, section: Section) -> Evidence:
        evidence = Evidence()
        for batch in self.batches(section):
            evidence = evidence.merge(observe(batch))
        return evidence


@dataclass(frozen=True)
class SectionTask:
    """Prepares one section: a value that can travel to another machine."""

    reader: Reader
    judge: Judge
    sink: Sink
    request: PreparationRequest
    repeats: Mapping[int, Repeats] = field(default_factory=dict)

    def with_repeats(self, repeats: Mapping[int, Repeats]) -> SectionTask:
        return SectionTask(self.reader, self.judge, self.sink, self.request, repeats)

    def keys(self, section: Section) -> Iterator[tuple[bytes, int]]:
        """Digest of the key and line of each row of the section that would be accepted."""
        for batch in self.reader.batches(section):
            judgement = self.judge.judge(batch)
            yield from zip(self._digests(judgement), judgement.lines.tolist(), strict=True)

    def _digests(self, judgement: Judgement) -> list[bytes]:
        return digest_rows(judgement.accepted, self.request.settings.key, size=16, purpose=b"millrace key 1")

    def __call__(self, section: Section) -> Outcome:
        settings = self.request.settings
        kinds = {column.name: str(column.kind) for column in self.judge.columns}
        by = split_columns(settings, tuple(kinds))
        profiler = Profiler(kinds, settings.target)
        outcome = Outcome()
        with _SectionWriter(self.sink, section, self.judge.schema) as writer:
            for batch in self.reader.batches(section):
                judgement = self._without_repeats(self.judge.judge(batch), batch, section)
                splits = assign_splits(judgement.accepted, by, settings.split)
                writer.write(judgement, splits)
                profiler.add(judgement.accepted, splits)
                outcome = outcome.merge(_outcome_of(judgement, batch))
        outcome.profile = profiler.profile
        return outcome

    def _without_repeats(self, judgement: Judgement, batch: Batch, section: Section) -> Judgement:
        repeats = self.repeats.get(section.number)
        if repeats is None:
            return judgement
        repeated = repeats.first_lines(self._digests(judgement), judgement.lines)
        return without_repeated_keys(judgement, repeated, batch, self.request.settings.key)


def _outcome_of(judgement: Judgement, batch: Batch) -> Outcome:
    return Outcome(
        rows=judgement.rows,
        accepted=len(judgement.lines),
        names=tuple(batch.columns),
        violations=judgement.violations,
        warnings=judgement.warnings,
    )


def without_repeated_keys(
    judgement: Judgement, repeated: Mapping[int, int], batch: Batch, key: Sequence[str]
) -> Judgement:
    """`judgement` with the rows at the `repeated` positions set aside, naming the line that came first."""
    if not repeated:
        return judgement
    keep = np.ones(len(judgement.lines), dtype=bool)
    keep[list(repeated)] = False
    where = np.searchsorted(batch.lines, judgement.lines)
    label = f"key {', '.join(key)} repeats"
    rows = [
        QuarantinedRow(
            int(judgement.lines[position]),
            batch.text_of(int(where[position])),
            (f"the key ({_key_text(judgement.accepted, key, position)}) was on line {first} already",),
        )
        for position, first in sorted(repeated.items())
    ]
    return Judgement(
        accepted=judgement.accepted.filter(pa.array(keep)),
        lines=judgement.lines[keep],
        quarantined=tuple(sorted((*judgement.quarantined, *rows), key=lambda row: row.line)),
        violations=judgement.violations + Counter({label: len(rows)}),
        warnings=judgement.warnings,
    )


def _key_text(rows: pa.Table, key: Sequence[str], position: int) -> str:
    return ", ".join(f"{name} = {rows.column(name)[position].as_py()}" for name in key)


class _SectionWriter:
    """The parts of one section: per split Parquet, and the rows set aside as JSON Lines."""

    def __init__(self, sink: Sink, section: Section, schema: pa.Schema) -> None:
        name = f"part-{section.number:05}"
        self._data = [_PartWriter(sink, f"data/split={split}/{name}", schema) for split in SPLITS]
        self._quarantine = QuarantineWriter(sink, f"quarantine/{name}")

    def __enter__(self) -> _SectionWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for writer in self._data:
            writer.__exit__(kind)
        self._quarantine.__exit__(kind)

    def write(self, judgement: Judgement, splits: np.ndarray[Any, Any]) -> None:
        for index, writer in enumerate(self._data):
            mask = splits == index
            if mask.any():
                writer.write(judgement.accepted.filter(pa.array(mask)))
        self._quarantine.write(judgement.quarantined)


class _PartWriter:
    """Parquet parts of at most _PART_ROWS rows, in row groups worth reading."""

    def __init__(self, sink: Sink, path: str, schema: pa.Schema) -> None:
        self._sink, self._path, self._schema = sink, path, schema
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._part = 0
        self._rows = 0
        self._file: IO[bytes] | None = None
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _PartWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
            self._finish_part()
        elif self._file is not None:
            self._file.close()

    def write(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        if self._waiting_rows >= _ROW_GROUP_ROWS:
            self._flush()
            if self._rows >= _PART_ROWS:
                self._finish_part()

    def write_empty(self) -> None:
        self._open()

    def _open(self) -> pq.ParquetWriter:
        if self._writer is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed with the part
            self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")
        return self._writer

    def _flush(self) -> None:
        if self._waiting:
            self._open().write_table(pa.concat_tables(self._waiting).combine_chunks())
            self._rows += self._waiting_rows
            self._waiting, self._waiting_rows = [], 0

    def _finish_part(self) -> None:
        if self._writer is None or self._file is None:
            return
        self._writer.close()
        self._file.seek(0)
        self._sink.store(f"{self._path}-{self._part:03}.parquet", self._file)
        self._file.close()
        self._file = self._writer = None
        self._part, self._rows = self._part + 1, 0


class QuarantineWriter:
    """Rows set aside, in file order: `{"line": 17, "text": "…", "reasons": ["…"]}`."""

    def __init__(self, sink: Sink, path: str) -> None:
        self._sink, self._path = sink, path
        self._file: Any = None
        self._part = 0

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._finish_part()
        elif self._file is not None:
            self._file.close()

    def write(self, rows: Iterable[QuarantinedRow]) -> None:
        for row in rows:
            if self._file is None:
                self._file = tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115  closed with the part
            self._file.write(json.dumps(row._asdict(), ensure_ascii=False).encode() + b"\n")
        if self._file is not None and self._file.tell() >= _QUARANTINE_PART_BYTES:
            self._finish_part()

    def _finish_part(self) -> None:
        if self._file is None:
            return
        self._file.seek(0)
        self._sink.store(f"{self._path}-{self._part:03}.jsonl", self._file)
        self._file.close()
        self._file = None
        self._part += 1
