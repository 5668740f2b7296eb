"""Rows of a CSV file as other systems write them: UTF-8, with or without a byte order mark, or GB18030; commas.

The first line names the columns, in any order.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

LARGEST_FILE_BYTES = 128 * 1024 * 1024

_DECODED_AT_ONCE = 1024 * 1024


class FileRefusal(StrEnum):
    """Why a file was not read at all; nothing was changed."""

    EMPTY = "the file is empty"
    TOO_LARGE = "the file is larger than 128 MiB; split it"
    UNREADABLE_TEXT = "the file is neither UTF-8 nor GB18030 text"
    WRONG_HEADER = "the first line must name each column that is needed once"

    def sentence(self, required: Sequence[str]) -> str:
        """Say it to whoever has to put the file right, with the columns where these are at fault."""
        return f"{self.value}: {', '.join(required)}" if self is FileRefusal.WRONG_HEADER else self.value


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file whose header holds; its rows are read while they are asked for.

    ``rows`` are the lines on which they begin, from 1, with the cells by column; None for a row that has more or fewer
    cells than the header, or cannot be read.
    """

    header: tuple[str, ...]
    rows: Iterator[tuple[int, Mapping[str, str] | None]]

    def columns_besides(self, known: Collection[str]) -> tuple[str, ...]:
        """Return the columns that are none of the known ones."""
        return tuple(name for name in self.header if name not in known)


def read_table(content: bytes, required: Collection[str]) -> CsvTable | FileRefusal:
    """Begin to read a file that must have each of these columns once."""
    if len(content) > LARGEST_FILE_BYTES:
        return FileRefusal.TOO_LARGE
    encoding = encoding_of(content)
    if encoding is None:
        return FileRefusal.UNREADABLE_TEXT
    lines = numbered_rows(content, encoding)
    first = next(lines, None)
    if first is None:
        return FileRefusal.EMPTY
    header = tuple(cell.strip() for cell in first[1] or ())
    if any(header.count(name) != 1 for name in required):
        return FileRefusal.WRONG_HEADER
    rows = (
        (line, None if cells is None or len(cells) != len(header) else dict(zip(header, cells, strict=True)))
        for line, cells in lines
    )
    return CsvTable(header, rows)


def encoding_of(content: bytes) -> str | None:
    """Return the encoding in which all of a file can be read, without holding it a second time as text."""
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for start in range(0, len(content), _DECODED_AT_ONCE):
                decoder.decode(content[start : start + _DECODED_AT_ONCE])
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def numbered_rows(content: bytes, encoding: str) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each row that is not blank with the line it begins on, from 1; None for one that cannot be read."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            continue
        if any(cell.strip() for cell in cells):
            yield line, cells
