"""Hostile files, generated, each with what must come of it: the rows that must survive, or words of the refusal.

Used by the unit gauntlet and by the end-to-end test, which drops the same files on the platform.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

GOOD_ROWS = 40


@dataclass(frozen=True)
class HostileFile:
    """`kept` are the values of the first column of the rows that must be accepted.

    `refusal` holds words that the refusal must contain (it is refused as a whole then); `cells` are single values that
    must come out as stated: {(that value, column): value as JSON would show it}.
    """

    name: str
    body: Callable[[], bytes]
    kept: Sequence[Any] = ()
    quarantined: int = 0
    refusal: tuple[str, ...] = ()
    cells: dict[tuple[Any, str], Any] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        return bool(self.refusal)


IDS = tuple(range(1, GOOD_ROWS + 1))


def table(
    *extra: str,
    delimiter: str = ",",
    end: str = "\n",
    names: Sequence[str] = ("id", "name", "amount"),
    rows: int = GOOD_ROWS,
) -> str:
    """A clean table of `rows` rows, then the `extra` lines as they are."""
    lines = [delimiter.join(names)]
    lines += [delimiter.join((str(i), ("ann", "bob", "cy")[i % 3], f"{i}.5")) for i in range(1, rows + 1)]
    return end.join((*lines, *extra)) + end


def _text(text: str, encoding: str = "utf-8") -> Callable[[], bytes]:
    return lambda: text.encode(encoding)


def _accented(encoding: str, mark: bytes = b"") -> Callable[[], bytes]:
    rows = "".join(f"{i},{('José', 'Zoë', 'Müller')[i % 3]},{i}.5\n" for i in IDS)
    return lambda: mark + f"id,name,amount\n{rows}".encode(encoding)


def _dates(column: Callable[[int], str]) -> str:
    return "id,when\n" + "".join(f"{i},{column(i)}\n" for i in IDS)


def _truncated_gzip() -> bytes:
    rng = random.Random(7)
    text = "id,noise\n" + "".join(f"{i},{rng.random()}\n" for i in range(20_000))
    return gzip.compress(text.encode(), mtime=0)[:-5_000]


def _workbook() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return body.getvalue()


def _archive() -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("table.csv", table())
    return body.getvalue()


def _parquet(columns: dict[str, list[Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    body = io.BytesIO()
    pq.write_table(pa.table(columns), body)
    return body.getvalue()


def _fifty_megabytes() -> bytes:
    rng = random.Random(7)
    pad = "".join(rng.choice("abcdefgh ") for _ in range(200))
    rows = "".join(f"{i},{pad[i % 100 :]},{i}.25\n" for i in range(1, BIG_ROWS + 1))
    return f"id,note,amount\n{rows}".encode()


def _late_bad_byte() -> bytes:
    """UTF-8 as far as anybody looks at the beginning, then one row in another encoding."""
    rows = "".join(f"{i},{'é' * 30},{i}.5\n" for i in range(1, LATE_ROWS + 1))
    return f"id,name,amount\n{rows}".encode() + b"999999,caf\xe9,1.5\n"


LATE_ROWS = 20_000
BIG_ROWS = 320_000
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
_NOISE = random.Random(3).randbytes(20_000)

GAUNTLET: tuple[HostileFile, ...] = (
    HostileFile("byte-order-mark.csv", _accented("utf-8", b"\xef\xbb\xbf"), IDS, cells={(1, "name"): "Zoë"}),
    HostileFile("latin-1.csv", _accented("latin-1"), IDS, cells={(2, "name"): "Müller"}),
    HostileFile("utf-16-le-mark.csv", _accented("utf-16-le", b"\xff\xfe"), IDS, cells={(3, "name"): "José"}),
    HostileFile("utf-16-be-mark.csv", _accented("utf-16-be", b"\xfe\xff"), IDS, cells={(3, "name"): "José"}),
    HostileFile("utf-16-no-mark.csv", _accented("utf-16-le"), IDS, cells={(3, "name"): "José"}),
    HostileFile("semicolons.csv", _text(table(delimiter=";").replace(".5", ",5")), IDS, cells={(7, "amount"): 7.5}),
    HostileFile("tabs.tsv", _text(table(delimiter="\t")), IDS, cells={(7, "amount"): 7.5}),
    HostileFile("pipes.txt", _text(table(delimiter="|")), IDS, cells={(7, "amount"): 7.5}),
    HostileFile("ragged.csv", _text(table("41,x,1.5,too,many")), IDS, quarantined=1),
    HostileFile("short-rows.csv", _text(table("41", "42,x")), IDS, quarantined=2),
    HostileFile(
        "quoted-newlines.csv",
        _text(table('41,"two\nlines, and ""quotes""",1.5')),
        (*IDS, 41),
        cells={(41, "name"): 'two\nlines, and "quotes"'},
    ),
    HostileFile("quote-never-closes.csv", _text(table('41,"open,1.5', "42,ann,2.5", "43,bob,3.5")), (*IDS, 42, 43), 1),
    HostileFile("quote-in-the-middle.csv", _text(table('41,5" pipe,1.5')), (*IDS, 41), cells={(41, "name"): '5" pipe'}),
    HostileFile(
        "duplicate-headers.csv", _text(table(names=("id", "name", "name"))), refusal=("'name' twice", "upload")
    ),
    HostileFile("blank-header.csv", _text(table(names=("", "name", "amount"))), IDS),
    HostileFile("no-header.csv", _text("".join(f"{i},{i * 2}\n" for i in IDS)), refusal=("column names", "first line")),
    HostileFile("empty.csv", bytes, refusal=("is empty", "Upload")),
    HostileFile("only-blanks.csv", _text(" \n\n \n"), refusal=("only blanks", "Upload")),
    HostileFile("header-only.csv", _text("id,name,amount\n"), refusal=("no rows", "Upload")),
    HostileFile(
        "nan-and-infinity.csv",
        _text(table("41,ann,NaN", "42,bob,inf", "43,cy,-Infinity", "44,ann,1e999")),
        (*IDS, 41),
        3,
    ),
    HostileFile("one-column.csv", _text("id\n" + "".join(f"{i}\n" for i in IDS)), IDS),
    HostileFile("one-column-with-commas.csv", _text("note\n" + "well, yes\nno\n" * 15), ("well, yes", "no") * 15),
    HostileFile("picture.csv", lambda: _PNG, refusal=("PNG image", "Upload")),
    HostileFile("noise.csv", lambda: _NOISE, refusal=("binary file", "Upload")),
    HostileFile("mixed-line-ends.csv", _text("id,name\r\n1,ann\n2,bob\r\n3,cy\r4,ann\n"), (1, 2, 3, 4)),
    HostileFile(
        "unicode-headers.csv", _text(table(names=("id", " prénom ", "金額"))), IDS, cells={(1, "prénom"): "bob"}
    ),
    HostileFile(
        "thousands-separators.csv",
        _text("id,amount\n" + "".join(f'{i},"{i},234,567.5"\n' for i in IDS)),
        IDS,
        cells={(2, "amount"): 2_234_567.5},
    ),
    HostileFile(
        "thousands-with-points.csv",
        _text("id;amount\n" + "".join(f"{i};{i}.234.567,5\n" for i in IDS)),
        IDS,
        cells={(2, "amount"): 2_234_567.5},
    ),
    HostileFile(
        "dates-iso.csv", _text(_dates(lambda i: f"2024-01-{i % 28 + 1:02}")), IDS, cells={(1, "when"): "2024-01-02"}
    ),
    HostileFile(
        "dates-day-first.csv",
        _text(_dates(lambda i: f"{i % 28 + 1:02}/03/2024")),
        IDS,
        cells={(1, "when"): "2024-03-02"},
    ),
    HostileFile(
        "dates-month-first.csv",
        _text(_dates(lambda i: f"03/{i % 28 + 1:02}/2024")),
        IDS,
        cells={(1, "when"): "2024-03-02"},
    ),
    HostileFile(
        "dates-mixed.csv",
        _text(
            _dates(
                lambda i: (f"2024-01-{i % 28 + 1:02}", f"{i % 28 + 1:02}.01.2024", f"{i % 28 + 1:02}/01/2024")[i % 3]
            )
        ),
        IDS,
        cells={(1, "when"): "2024-01-02", (2, "when"): "2024-01-03", (3, "when"): "2024-01-04"},
    ),
    HostileFile("impossible-date.csv", _text(_dates(lambda i: f"2024-02-{i % 28 + 1:02}") + "41,2024-02-30\n"), IDS, 1),
    HostileFile("truncated.csv.gz", _truncated_gzip, refusal=("damaged", "upload it again")),
    HostileFile("damaged.csv.gz", lambda: b"\x1f\x8b" + _NOISE, refusal=("cannot be decompressed", "Upload")),
    HostileFile("gzip.csv.gz", lambda: gzip.compress(table().encode(), mtime=0), IDS),
    HostileFile(
        "nested.parquet", lambda: _parquet({"id": [1, 2], "tags": [["a"], ["b", "c"]]}), refusal=("tags", "Flatten")
    ),
    HostileFile(
        "typed.parquet", lambda: _parquet({"id": list(IDS), "x": [i / 3 for i in IDS]}), IDS, cells={(1, "x"): 1 / 3}
    ),
    HostileFile("cut-off.parquet", lambda: _parquet({"id": list(IDS)})[:-20], refusal=("Parquet", "upload")),
    HostileFile("workbook.csv", _workbook, refusal=("Excel", "Save the sheet as CSV")),
    HostileFile("archive.zip", _archive, refusal=("ZIP", "Unpack")),
    HostileFile("nul-bytes.csv", _text(table("41,a\0b,1.5")), IDS, 1),
    HostileFile("late-bad-byte.csv", _late_bad_byte, range(1, LATE_ROWS + 1), 1),
    HostileFile("very-long-field.csv", _text(table(f"41,{'x' * 2_000_000},1.5")), IDS, 1),
    HostileFile(
        "json-array.json", _text(json.dumps([{"id": i} for i in IDS])), refusal=("JSON array", "one object per line")
    ),
    HostileFile(
        "lines.jsonl",
        _text(
            "".join(f'{{"id": {i}, "x": {i}.5}}\n' for i in IDS) + '{"id": 41, "x": \n{"id": 42, "x": {"deep": 1}}\n'
        ),
        IDS,
        2,
    ),
    HostileFile("page.csv", _text("<!DOCTYPE html><html><body>404</body></html>"), refusal=("HTML", "Upload")),
    HostileFile("fifty-megabytes.csv", _fifty_megabytes, range(1, BIG_ROWS + 1)),
)
