"""Rows of a CSV file as other systems write them: UTF-8, with or without a byte order mark, or GB18030; commas."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator

_DECODED_AT_ONCE = 1024 * 1024


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
