"""What a document consists of, before it is laid out on pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Title:
    """The document's name."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The name of a part; it never stands alone at the foot of a page."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; each line of it begins a new line. ``small`` for remarks."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; ``strong`` for sums."""

    cells: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose last column holds amounts, set to the right. ``shares`` are the columns' widths, adding up to 100.

    The head is repeated on each page; no head, no repetition. Raises ``ValueError`` for a row of another length.
    """

    shares: tuple[int, ...]
    rows: tuple[Row, ...]
    head: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(row.cells) for row in self.rows} | ({len(self.head)} if self.head else set())
        if sum(self.shares) != 100 or lengths - {len(self.shares)}:
            raise ValueError("a table's rows have as many cells as it has columns, which share 100 between them")


Block: TypeAlias = Title | Heading | Paragraph | Table


def texts_of(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield every text in the blocks."""
    for block in blocks:
        if isinstance(block, Table):
            yield from block.head
            for row in block.rows:
                yield from row.cells
        else:
            yield block.text
