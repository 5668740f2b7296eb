"""A conversation on paper, as a reviewer may read it: who said what and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.clock import local
from bot.documents.blocks import Block, Paragraph, Title
from bot.documents.imprint import Imprint
from bot.documents.pdf import pdf_of
from bot.documents.words import Speech


@dataclass(frozen=True, slots=True)
class TalkLine:
    """One message; ``at`` is aware, ``by`` who said it, in words."""

    at: datetime
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class TalkPaper:
    """A conversation to be put on paper; ``number`` is how the desk names it. Its texts have been masked before."""

    number: str
    producer: str
    made_at: datetime
    lines: tuple[TalkLine, ...]


def talk_pdf(paper: TalkPaper, speech: Speech) -> bytes:
    """Return a conversation as a PDF, times in Asia/Shanghai.

    Raises:
        OSError: the font files are not installed.
        bot.documents.words.DocumentWordsError: a word is missing.
    """
    imprint = Imprint(
        script=speech.script,
        title=speech.say("talk_title"),
        number=paper.number,
        made_at=paper.made_at,
        producer=speech.keep(paper.producer),
        label=speech.say("talk_label", producer=paper.producer),
    )
    blocks: list[Block] = [Title(imprint.title), Paragraph(speech.say("talk_remark"), small=True)]
    for line in paper.lines:
        blocks.append(Paragraph(f"{local(line.at):%Y-%m-%d %H:%M} {speech.keep(line.by)}", small=True))
        blocks.append(Paragraph(speech.keep(line.text)))
    return pdf_of(imprint, blocks, speech)
