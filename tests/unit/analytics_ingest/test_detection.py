from __future__ import annotations

import gzip
import subprocess
import sys

import pytest

from millrace.analytics.detection import detect_dialect
from millrace.domain.dataset import Dialect, Format
from millrace.errors import DatasetInvalid


def detect(text: str | bytes, *, name: str = "table.csv", encoding: str = "utf-8") -> Dialect:
    body = text if isinstance(text, bytes) else text.encode(encoding)
    return detect_dialect(body, name, len(body))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = [("id", "name", "note")] + [(str(i), "ann", "a, b; c") for i in range(20)]
    quoted = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)

    assert detect(quoted).delimiter == delimiter


def test_decimal_commas_do_not_hide_the_semicolons() -> None:
    assert detect("a;b;c\n" + "1,5;2,5;3,5\n" * 10).delimiter == ";"


def test_an_apostrophe_is_no_quote() -> None:
    assert detect("name,x\no'neil,1\nit's,2\n").quote == '"'


def test_a_single_column_gets_a_delimiter_that_does_not_divide_its_values() -> None:
    assert detect("note\nwell, yes\nno\n").delimiter not in "note well, yes no"


@pytest.mark.parametrize(
    ("encoding", "recorded", "mark"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", True),
        ("utf-16-le", "utf-16-le", False),
        ("utf-16-be", "utf-16-be", False),
        ("utf-16", "utf-16-le", True),
        ("latin-1", "cp1252", False),
        ("cp1252", "cp1252", False),
    ],
)
def test_the_encoding_is_found_and_recorded(encoding: str, recorded: str, mark: bool) -> None:
    found = detect("name,city\nJosé,Málaga\nJürgen,Köln\n", encoding=encoding)

    assert (found.encoding, found.byte_order_mark) == (recorded, mark)


def test_bytes_that_windows_does_not_know_are_latin_1() -> None:
    assert detect(b"name\ncaf\xe9 \x81\x8d\n").encoding == "latin-1"


def test_a_character_cut_in_two_at_the_end_of_the_sample_is_still_utf_8() -> None:
    body = "name\nJosé".encode()[:-1]

    assert detect_dialect(body, "table.csv", 10_000).encoding == "utf-8"


def test_objects_line_by_line_are_json_lines_even_when_the_first_line_is_broken() -> None:
    assert detect('{"a": \n{"a": 1}\n{"a": 2}\n', name="rows.jsonl").format is Format.JSON_LINES


def test_gzip_is_looked_into() -> None:
    found = detect(gzip.compress(b"a;b\n1;2\n"), name="table.csv.gz")

    assert (found.compression, found.format, found.delimiter) == ("gzip", Format.CSV, ";")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b"  \n", "only blanks"),
        (b"PK\x03\x04...xl/workbook.xml", "Save the sheet as CSV"),
        (b"PK\x03\x04...table.csv", "Unpack it"),
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\0", "Export the table as CSV"),
        (bytes(range(32)) * 50, "binary file"),
        (b'[{"a": 1}]', "one object per line"),
        (b'{\n "a": 1,\n "b": 2\n}', "one object per line"),
        (b"<?xml version='1.0'?><a/>", "XML"),
        (gzip.compress(b""), "empty gzip"),
        (gzip.compress(gzip.compress(b"a\n1\n")), "compressed twice"),
        (gzip.compress(b"PAR1...."), "Parquet inside gzip"),
        (b"\x1f\x8bnot gzip at all", "cannot be decompressed"),
    ],
)
def test_what_is_no_table_is_refused_with_what_it_is_and_what_to_do(body: bytes, words: str) -> None:
    with pytest.raises(DatasetInvalid, match=words):
        detect(body)


def test_detection_is_deterministic() -> None:
    body = "a;b,c\n" * 3 + "1;2,3\n" * 200

    assert len({detect(body).model_dump_json() for _ in range(5)}) == 1


def test_detection_imports_no_heavy_library() -> None:
    script = (
        "import sys; from millrace.analytics.detection import detect_dialect as d; d(b'a,b\\n1,\\xe9\\n', 'x.csv', 8);"
        "print([name for name in ('numpy', 'pandas', 'pyarrow') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("имя,город\nИван,Москва\nОльга,Тверь\n", "cp1251"),  # noqa: RUF001
        ("όνομα,πόλη\nΓιώργος,Αθήνα\nΜαρία,Θεσσαλονίκη\n", "cp1253"),  # noqa: RUF001
        ("名前,都市\n田中さん,東京です\nすずき,おおさか\n", "cp932"),
    ],
)
def test_another_script_is_recognised(text: str, encoding: str) -> None:
    assert detect(text * 5, encoding=encoding).encoding == encoding


@pytest.mark.parametrize(
    "text", ["name\nJosé\n", "naïve café,1\n", "prénom;âge\nZoé;3\n", "Ångström,5\nÆrø,6\n", "5 £,é\n"]
)
def test_a_few_western_letters_are_western(text: str) -> None:
    assert detect(text, encoding="latin-1").encoding == "cp1252"
