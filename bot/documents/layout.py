"""Putting blocks onto pages: where every line of text and every rule stands.

Pages are A5, which a phone shows in letters big enough to read and a printer enlarges onto A4. Units are points; y
counts from the top and means a text's baseline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from bot.documents.blocks import Block, Heading, Paragraph, Row, Table, Title
from bot.documents.fonts import CutFont, FontPair
from bot.documents.lines import wrap

PAGE_WIDTH, PAGE_HEIGHT = 419.53, 595.28
MARGIN = 34.0
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN
_TOP, _BOTTOM = 52.0, 546.0
_LEADING, _ROW_LEADING = 1.55, 1.35
_TITLE, _HEADING, _BODY, _SMALL = 16.0, 11.5, 10.5, 8.5
_PADDING = 3.5
_GAP = 7.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A thin line over the whole width of the text."""

    y: float


@dataclass(slots=True)
class Page:
    """What stands on one page, in reading order."""

    lines: list[Line] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)


def lay_out(blocks: Iterable[Block], fonts: FontPair) -> list[Page]:
    """Distribute the blocks over pages; there is at least one."""
    flow = _Flow(fonts)
    for block in blocks:
        flow.add(block)
    return flow.pages


class _Flow:
    """Fills pages from the top; ``_y`` is where the next thing may begin."""

    def __init__(self, fonts: FontPair) -> None:
        self.pages = [Page()]
        self._fonts = fonts
        self._y = _TOP

    def add(self, block: Block) -> None:
        match block:
            case Title():
                self._paragraph(block.text, _TITLE, bold=True, after=_GAP)
            case Heading():
                self._y += _GAP if self._y > _TOP else 0.0
                self._need((_HEADING + 2 * _BODY) * _LEADING)
                self._paragraph(block.text, _HEADING, bold=True, after=2.0)
            case Paragraph():
                self._paragraph(block.text, _SMALL if block.small else _BODY, bold=False, after=_GAP / 2)
            case Table():
                self._table(block)
            case _:
                assert_never(block)

    def _font(self, bold: bool) -> CutFont:
        return self._fonts.bold if bold else self._fonts.regular

    def _wrap(self, text: str, size: float, bold: bool, width: float) -> list[str]:
        font = self._font(bold)
        return wrap(text, width * 1000 / size, font.width)

    def _need(self, height: float) -> bool:
        """Begin a new page unless so much still fits; tell whether one was begun."""
        if self._y + height <= _BOTTOM:
            return False
        self.pages.append(Page())
        self._y = _TOP
        return True

    def _paragraph(self, text: str, size: float, *, bold: bool, after: float) -> None:
        for line in self._wrap(text, size, bold, TEXT_WIDTH):
            if not line:  # a gap between parts of a text, which nobody needs at the top of a page
                self._y += size / 2 if self._y > _TOP else 0.0
                continue
            self._need(size * _LEADING)
            self.pages[-1].lines.append(Line(MARGIN, self._y + size, size, line, bold))
            self._y += size * _LEADING
        self._y += after

    def _table(self, table: Table) -> None:
        self._y += _PADDING
        head = Row(table.head, strong=True) if table.head else None
        if head is not None:
            self._need(4 * _BODY * _LEADING)
            self._row(head, table.shares)
        for row in table.rows:
            if self._need(self._height(row, table.shares)) and head is not None:
                self._row(head, table.shares)
            self._row(row, table.shares)
        self._y += _GAP

    def _cells(self, row: Row, shares: tuple[int, ...]) -> list[list[str]]:
        widths = [TEXT_WIDTH * share / 100 - _PADDING for share in shares]
        return [self._wrap(cell, _BODY, row.strong, width) for cell, width in zip(row.cells, widths, strict=True)]

    def _height(self, row: Row, shares: tuple[int, ...]) -> float:
        return max(len(lines) for lines in self._cells(row, shares)) * _BODY * _ROW_LEADING + _PADDING

    def _row(self, row: Row, shares: tuple[int, ...]) -> None:
        x, page, font = MARGIN, self.pages[-1], self._font(row.strong)
        for index, (lines, share) in enumerate(zip(self._cells(row, shares), shares, strict=True)):
            is_amount = index == len(shares) - 1
            for number, text in enumerate(lines):
                left = MARGIN + TEXT_WIDTH - font.width(text) * _BODY / 1000 if is_amount else x
                page.lines.append(Line(left, self._y + _BODY + number * _BODY * _ROW_LEADING, _BODY, text, row.strong))
            x += TEXT_WIDTH * share / 100
        self._y += self._height(row, shares)
        page.rules.append(Rule(self._y - _PADDING / 2))
