"""Painting laid-out pages into a PDF: embedded font, label and number on every page, metadata, stable bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from fpdf import FPDF

from bot.documents.blocks import Block, texts_of
from bot.documents.fonts import FontPair, cut
from bot.documents.imprint import Imprint
from bot.documents.label import ai_label, xmp
from bot.documents.layout import MARGIN, PAGE_HEIGHT, PAGE_WIDTH, TEXT_WIDTH, Line, Page, Rule, lay_out
from bot.documents.words import Speech

_FAMILY = "desk"
_INK, _GREY, _LINE_GREY = 25, 110, 200
_LABEL, _FOOT, _FOOT_STEP = 9.0, 7.0, 10.5
_LABEL_Y, _FOOT_Y = 34.0, 556.0


def pdf_of(imprint: Imprint, blocks: Sequence[Block], speech: Speech) -> bytes:
    """Return the PDF of a document. Equal arguments give equal bytes.

    Raises:
        ValueError: a text holds a character that the font lacks.
        OSError: the font files are not installed.
    """
    frame = (imprint.label, *_foot(imprint, speech), speech.say("page", page="0123456789", pages=""))
    fonts = cut(imprint.script, speech.characters.union(*texts_of(blocks), *frame))
    return _painted(imprint, lay_out(blocks, fonts), fonts, speech)


def _painted(imprint: Imprint, pages: Sequence[Page], fonts: FontPair, speech: Speech) -> bytes:
    pdf = FPDF(unit="pt", format=(PAGE_WIDTH, PAGE_HEIGHT))
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(imprint.made_at)
    pdf.set_lang(imprint.language)
    pdf.set_title(imprint.title)
    pdf.set_author(imprint.producer)
    pdf.set_creator(imprint.producer)
    pdf.set_subject(imprint.label)
    pdf.set_keywords(f"AIGC:{ai_label(imprint)}")
    pdf.set_xmp_metadata(xmp(imprint))
    with tempfile.TemporaryDirectory(prefix="desk-fonts-") as folder:  # the library reads fonts from files only
        for style, font in (("", fonts.regular), ("B", fonts.bold)):
            file = Path(folder) / f"desk{style or 'R'}.ttf"
            file.write_bytes(font.data)
            pdf.add_font(_FAMILY, style, file)
        for number, page in enumerate(pages, start=1):
            pdf.add_page()
            _frame(pdf, imprint, fonts, _foot(imprint, speech), _page_words(speech, number, len(pages)))
            for rule in page.rules:
                _rule(pdf, rule)
            for line in page.lines:
                _line(pdf, line, _INK)
        return bytes(pdf.output())


def _foot(imprint: Imprint, speech: Speech) -> tuple[str, ...]:
    return (speech.say("number", number=imprint.number), *imprint.foot)


def _page_words(speech: Speech, page: int, pages: int) -> str:
    return speech.say("page", page=str(page), pages=str(pages))


def _frame(pdf: FPDF, imprint: Imprint, fonts: FontPair, foot: tuple[str, ...], page: str) -> None:
    """Draw what every page carries: above who made it, below number, check code and which page it is."""
    _line(pdf, Line(MARGIN, _LABEL_Y, _LABEL, imprint.label), _GREY)
    _rule(pdf, Rule(_LABEL_Y + 6))
    for index, text in enumerate(foot):
        _line(pdf, Line(MARGIN, _FOOT_Y + index * _FOOT_STEP, _FOOT, text), _GREY)
    left = MARGIN + TEXT_WIDTH - fonts.regular.width(page) * _FOOT / 1000
    _line(pdf, Line(left, _FOOT_Y, _FOOT, page), _GREY)


def _line(pdf: FPDF, line: Line, grey: int) -> None:
    if not line.text:
        return
    pdf.set_font(_FAMILY, "B" if line.bold else "", line.size)
    pdf.set_text_color(grey)
    pdf.text(line.x, line.y, line.text)


def _rule(pdf: FPDF, rule: Rule) -> None:
    pdf.set_draw_color(_LINE_GREY)
    pdf.set_line_width(0.5)
    pdf.line(MARGIN, rule.y, MARGIN + TEXT_WIDTH, rule.y)
