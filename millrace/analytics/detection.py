"""What kind of file this is and how to read it, from its first bytes. Runs in Lambda: no numpy, pandas or pyarrow."""

from __future__ import annotations

import codecs
import csv
import json
import re
import zlib
from collections.abc import Sequence

from millrace.domain.dataset import Dialect, Format
from millrace.errors import DatasetInvalid

SAMPLE_BYTES = 1 << 20
"""How much of an object's beginning is worth fetching for `detect_dialect`."""

_SNIFFED_CHARACTERS = 1 << 16
_SNIFFED_LINES = 200
_SNIFFED_LINE_CHARACTERS = 4_000
_DELIMITERS = (",", ";", "\t", "|")
_GZIP = b"\x1f\x8b"
_OTHER_SCRIPTS = ("Cyrillic", "Greek", "CJK", "Hiragana", "Katakana", "Hangul")
_PARQUET = b"PAR1"
_READABLE = "Upload CSV, TSV, JSON Lines or Parquet, plain or compressed with gzip."

# Magic bytes at the start of files that people do upload by mistake, or under a wrong name.
_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office document", "Save the sheet as CSV UTF-8 and upload that."),
    (b"%PDF", "a PDF document", _READABLE),
    (b"\x89PNG", "a PNG image", _READABLE),
    (b"\xff\xd8\xff", "a JPEG image", _READABLE),
    (b"GIF8", "a GIF image", _READABLE),
    (b"BZh", "compressed with bzip2", "Compress it with gzip, or upload it as it is."),
    (b"\xfd7zXZ", "compressed with xz", "Compress it with gzip, or upload it as it is."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Compress it with gzip, or upload it as it is."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and upload the table in it."),
    (b"Rar!", "a RAR archive", "Unpack it and upload the table in it."),
    (b"Obj\x01", "an Avro file", "Convert it to Parquet and upload that."),
    (b"ORC", "an ORC file", "Convert it to Parquet and upload that."),
    (b"ARROW1", "an Arrow file", "Convert it to Parquet and upload that."),
    (b"FEA1", "a Feather file", "Convert it to Parquet and upload that."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV and upload that."),
    (b"\x89HDF", "an HDF5 file", "Export the table as CSV or Parquet and upload that."),
    (b"\x93NUMPY", "a NumPy array", "Export it as CSV or Parquet with column names and upload that."),
    (b"\x7fELF", "a program", _READABLE),
    (b"MZ\x90", "a program", _READABLE),
)
_BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def detect_dialect(head: bytes, name: str, size: int) -> Dialect:
    """How to read an object whose first bytes are `head` (up to SAMPLE_BYTES), file name `name`, length `size`.

    Raises DatasetInvalid, saying what the file is and what to do, when it is not a table that we read.
    """
    if size == 0 or not head:
        raise DatasetInvalid(f"{name} is empty. Upload a file with a header line and at least one row.")
    compression = "none"
    if head.startswith(_GZIP):
        head, compression = _decompressed(head, name), "gzip"
    _refuse_what_is_no_table(head, name)
    if head.startswith(_PARQUET):
        if compression == "gzip":
            raise DatasetInvalid(f"{name} is Parquet inside gzip. Upload the Parquet file itself: it is compressed.")
        return Dialect(format=Format.PARQUET)
    encoding, mark = _encoding(head, name)
    text = _decoded(head, encoding).removeprefix("\ufeff")
    if not text.strip():
        raise DatasetInvalid(f"{name} holds only blanks. Upload a file with a header line and at least one row.")
    found: dict[str, str] = {"compression": compression, "encoding": encoding}
    if _is_json_lines(text, name):
        return Dialect(format=Format.JSON_LINES, byte_order_mark=mark, **found)
    delimiter, quote, escape = _delimiters(text)
    return Dialect(format=Format.CSV, byte_order_mark=mark, delimiter=delimiter, quote=quote, escape=escape, **found)


def _decompressed(head: bytes, name: str) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        text = unzip.decompress(head, 4 * SAMPLE_BYTES)
    except zlib.error as error:
        raise DatasetInvalid(f"{name} says it is gzip but cannot be decompressed ({error}). Upload it again.") from None
    if not text:
        raise DatasetInvalid(f"{name} is an empty gzip file. Upload a file with a header line and at least one row.")
    if text.startswith(_GZIP):
        raise DatasetInvalid(f"{name} is compressed twice. Compress it once with gzip and upload that.")
    return text


def _refuse_what_is_no_table(head: bytes, name: str) -> None:
    if head.startswith(b"PK\x03\x04"):
        if b"xl/" in head or b"[Content_Types].xml" in head:
            raise DatasetInvalid(f"{name} is an Excel workbook. Save the sheet as CSV UTF-8 and upload that.")
        raise DatasetInvalid(f"{name} is a ZIP archive. Unpack it and upload the table in it, or use gzip.")
    for magic, what, remedy in _REFUSED:
        if head.startswith(magic):
            raise DatasetInvalid(f"{name} is {what}, not a table. {remedy}")
    if b"ustar" in head[257:263]:
        raise DatasetInvalid(f"{name} is a tar archive. Unpack it and upload the table in it.")


def _encoding(head: bytes, name: str) -> tuple[str, bool]:
    """The encoding's name for Python's codecs, and whether a byte order mark comes first."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding, True
    wide = _utf_16_without_mark(head)
    if wide:
        return wide, False
    _refuse_binary(head, name)
    if _is_utf_8(head):
        return "utf-8", False
    return _single_byte_encoding(head), False


def _is_utf_8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end == len(head) and len(head) - error.start < 4 and "unexpected end" in error.reason
    return True


def _utf_16_without_mark(head: bytes) -> str | None:
    """Tables are mostly ASCII, and ASCII in UTF-16 has a zero in every second byte."""
    even, odd = head[0:4096:2], head[1:4096:2]
    if len(odd) < 2:
        return None
    zero_share_even, zero_share_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if zero_share_odd > 0.4 and zero_share_even < 0.05:
        return "utf-16-le"
    if zero_share_even > 0.4 and zero_share_odd < 0.05:
        return "utf-16-be"
    return None


def _refuse_binary(head: bytes, name: str) -> None:
    """Text has hardly any control characters; a stray NUL is a bad row, one byte in fifty is no text."""
    sample = head[:65536]
    control = sum(sample.count(byte) for byte in range(32) if byte not in (9, 10, 12, 13))
    if control > max(2, len(sample) // 50):
        raise DatasetInvalid(f"{name} is a binary file, not a table, whatever its name says. {_READABLE}")


def _single_byte_encoding(head: bytes) -> str:
    """Western European, unless the text is plainly in another script. Which Latin alphabet it is, nobody can tell."""
    from charset_normalizer import from_bytes

    scripts = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "big5", "euc_kr"]
    best = from_bytes(head[:_SNIFFED_CHARACTERS], cp_isolation=scripts, preemptive_behaviour=False).best()
    western = "cp1252" if _decodes(head, "cp1252") else "latin-1"
    other_script = best is not None and any(name.split()[0] in _OTHER_SCRIPTS for name in best.alphabets)
    if best is None or not other_script or best.percent_chaos > 5 or not _decodes(head, best.encoding):
        return western
    if _mixes_alphabets(_decoded(head, best.encoding)):
        return western
    return str(best.encoding)


def _mixes_alphabets(text: str) -> bool:
    """Whether letters of other scripts stand inside Latin words, as they do when `café` is read in the wrong script."""
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    return sum(re.search("[A-Za-z]", word) is not None for word in words) > len(words) // 5


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(head: bytes, encoding: str) -> str:
    return head.decode(encoding, errors="replace")


def _is_json_lines(text: str, name: str) -> bool:
    """Whether the lines are JSON objects. Raises DatasetInvalid for JSON and markup of another shape."""
    start = text.lstrip()
    lines = [line.strip() for line in start.splitlines()[:_SNIFFED_LINES] if line.strip()]
    if start.startswith("["):
        if _opens_a_json_array(start):
            raise DatasetInvalid(
                f"{name} is one JSON array. Write one object per line (JSON Lines, for example with `jq -c '.[]'`) "
                "and upload that."
            )
        return False
    if re.match(r"<(\?xml|!doctype|html|\w+[\s>])", start, re.IGNORECASE):
        raise DatasetInvalid(f"{name} is XML or HTML, not a table. {_READABLE}")
    if not start.startswith("{"):
        return name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")) and any(map(_is_object, lines))
    if any(map(_is_object, lines)) or (len(lines) == 1 and lines[0].startswith('{"')):
        return True
    if re.match(r'\{\s*("|\})', start):
        raise DatasetInvalid(
            f"{name} is one JSON document over many lines. Write one object per line (JSON Lines) and upload that."
        )
    return False


def _opens_a_json_array(start: str) -> bool:
    return re.match(r'\[\s*([{\["\d\]]|-\d|true|false|null)', start) is not None


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _delimiters(text: str) -> tuple[str, str, str]:
    """Delimiter, quote and escape. A delimiter that does not divide the header line divides nothing."""
    from clevercsv.detect import Detector

    sample = _sample(text)
    try:
        found = Detector().detect(sample, delimiters=list(_DELIMITERS))
    except Exception:  # whatever it trips over in a hostile file, the header line below still tells a delimiter
        found = None
    header = sample.partition("\n")[0]
    quote = '"' if found is None or found.quotechar not in ('"', "'") else str(found.quotechar)
    escape = "" if found is None or found.escapechar != "\\" else "\\"
    delimiter = "" if found is None else str(found.delimiter)
    if delimiter not in _DELIMITERS or len(_fields(header, delimiter, quote)) < 2:
        delimiter = _steadiest_delimiter(sample, quote)
    return delimiter, quote, escape


def _sample(text: str) -> str:
    """Whole lines from the beginning, bounded in number and length, with one kind of line end."""
    lines = text[:_SNIFFED_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(text) > _SNIFFED_CHARACTERS and len(lines) > 2:
        lines.pop()
    kept = [line[:_SNIFFED_LINE_CHARACTERS] for line in lines if line.strip()]
    return "\n".join(kept[:_SNIFFED_LINES])


def _fields(line: str, delimiter: str, quote: str) -> Sequence[str]:
    return next(csv.reader([line], delimiter=delimiter, quotechar=quote), [])


def _steadiest_delimiter(sample: str, quote: str) -> str:
    """The delimiter that divides most lines as it divides the header; for one column, one that occurs nowhere."""
    lines = sample.split("\n")

    def agreement(delimiter: str) -> int:
        width = len(_fields(lines[0], delimiter, quote))
        return 0 if width < 2 else sum(len(_fields(line, delimiter, quote)) == width for line in lines)

    best = max(_DELIMITERS, key=agreement)
    if agreement(best) > 0:
        return best
    return next((delimiter for delimiter in _DELIMITERS if delimiter not in sample), ",")
