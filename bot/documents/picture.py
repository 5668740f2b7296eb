"""The schedule as a picture, for whoever keeps screenshots rather than files: readable on a phone 360 pixels wide."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from bot.documents.fonts import CutFont, FontPair, cut
from bot.documents.imprint import Imprint
from bot.documents.label import xmp
from bot.documents.lines import wrap
from bot.documents.schedule import PaymentSchedule, schedule_rows
from bot.documents.words import Speech
from bot.lending.money import format_yuan

WIDTH = 720
"""Twice a small phone's width, so that its sharp screen has two dots for each of ours."""

_MARGIN, _ROW, _GAP = 40, 68, 24
_TITLE, _BODY, _SMALL = 44, 34, 26
_PAPER, _SHADE, _INK, _SOFT, _ACCENT = "#fffdf8", "#f1ece0", "#2c2924", "#675f53", "#2c6a5d"
_DATE_X = 178


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG and its size in pixels."""

    png: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SchedulePicture:
    """The dates and amounts of an agreement; ``made_at`` is aware."""

    number: str
    producer: str
    made_at: datetime
    schedule: PaymentSchedule


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    number: str
    rows: tuple[tuple[str, str, str], ...]
    total: tuple[str, str]
    next_step: str
    label: str

    def characters(self) -> str:
        rows = "".join("".join(row) for row in self.rows)
        return "".join((self.title, self.number, rows, *self.total, self.next_step, self.label))


def schedule_png(paper: SchedulePicture, speech: Speech) -> Picture:
    """Return the schedule as a PNG in the reader's script. Equal arguments give equal bytes.

    Raises:
        OSError: the font files are not installed.
        bot.documents.words.DocumentWordsError: a word is missing.
    """
    words = _words(paper, speech)
    imprint = Imprint(
        script=speech.script,
        title=words.title,
        number=paper.number,
        made_at=paper.made_at,
        producer=speech.keep(paper.producer),
        label=words.label,
    )
    fonts = cut(speech.script, speech.characters.union(words.characters()))
    canvas = _Canvas(fonts, height=_height(words, fonts.regular))
    canvas.text(words.title, _TITLE, _INK, bold=True)
    canvas.text(words.number, _SMALL, _SOFT)
    canvas.skip(_GAP)
    for index, row in enumerate(words.rows):
        canvas.row(row, _INK, shaded=index % 2 == 0)
    canvas.rule()
    canvas.row((words.total[0], "", words.total[1]), _ACCENT, bold=True)
    canvas.skip(_GAP)
    for line in _wrap(words.next_step, fonts.regular, _BODY):
        canvas.text(line, _BODY, _INK)
    canvas.skip(_GAP)
    for line in _wrap(words.label, fonts.regular, _SMALL):
        canvas.text(line, _SMALL, _SOFT)
    return Picture(_png(canvas.image, imprint), canvas.image.width, canvas.image.height)


class _Canvas:
    """Draws from the top; ``_y`` is where the next thing begins."""

    def __init__(self, fonts: FontPair, height: int) -> None:
        self.image = Image.new("RGB", (WIDTH, height), _PAPER)
        self._draw = ImageDraw.Draw(self.image)
        self._fonts = fonts
        self._y = _MARGIN

    def skip(self, height: int) -> None:
        self._y += height

    def text(self, text: str, size: int, colour: str, *, bold: bool = False) -> None:
        self._write(_MARGIN, self._y, text, size, colour, bold=bold)
        self._y += _line_height(size)

    def row(self, cells: tuple[str, str, str], colour: str, *, shaded: bool = False, bold: bool = False) -> None:
        if shaded:
            self._draw.rectangle((_MARGIN // 2, self._y, WIDTH - _MARGIN // 2, self._y + _ROW), fill=_SHADE)
        top = self._y + (_ROW - _BODY) // 2 - _BODY // 8
        font = self._fonts.bold if bold else self._fonts.regular
        amount_x = WIDTH - _MARGIN - font.width(cells[2]) * _BODY // 1000
        for x, cell in zip((_MARGIN, _DATE_X, amount_x), cells, strict=True):
            self._write(x, top, cell, _BODY, colour, bold=bold)
        self._y += _ROW

    def rule(self) -> None:
        self._draw.line((_MARGIN, self._y, WIDTH - _MARGIN, self._y), fill=_ACCENT, width=3)

    def _write(self, x: int, y: int, text: str, size: int, colour: str, *, bold: bool) -> None:
        data = (self._fonts.bold if bold else self._fonts.regular).data
        # The basic engine: without it the result would depend on which text shaper the machine has.
        font = ImageFont.truetype(io.BytesIO(data), size, layout_engine=ImageFont.Layout.BASIC)
        self._draw.text((x, y), text, font=font, fill=colour)


def _words(paper: SchedulePicture, speech: Speech) -> _Words:
    return _Words(
        title=speech.say("agreement_schedule"),
        number=speech.say("number", number=paper.number),
        rows=schedule_rows(paper.schedule, speech),
        total=(speech.say("schedule_total"), format_yuan(paper.schedule.total_fen)),
        next_step=speech.say("schedule_next_step"),
        label=speech.say("label", producer=paper.producer),
    )


def _height(words: _Words, font: CutFont) -> int:
    foot = len(_wrap(words.next_step, font, _BODY)) * _line_height(_BODY)
    label = len(_wrap(words.label, font, _SMALL)) * _line_height(_SMALL)
    table = (len(words.rows) + 1) * _ROW
    return 2 * _MARGIN + _line_height(_TITLE) + _line_height(_SMALL) + 3 * _GAP + table + foot + label


def _line_height(size: int) -> int:
    return size * 3 // 2


def _wrap(text: str, font: CutFont, size: int) -> list[str]:
    return wrap(text, (WIDTH - 2 * _MARGIN) * 1000 / size, font.width)


def _png(image: Image.Image, imprint: Imprint) -> bytes:
    metadata = PngInfo()
    metadata.add_itxt("XML:com.adobe.xmp", xmp(imprint))
    buffer = io.BytesIO()
    image.quantize(colors=64, dither=Image.Dither.NONE).save(buffer, "PNG", pnginfo=metadata, optimize=True)
    return buffer.getvalue()
