"""The letter that says that debts are paid off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.documents.blocks import Heading, Paragraph, Row, Table, Title
from bot.documents.imprint import Imprint
from bot.documents.pdf import pdf_of
from bot.documents.words import Speech
from bot.lending.money import format_yuan


@dataclass(frozen=True, slots=True)
class ClearedDebt:
    """One debt on which nothing is owed any more; ``reference`` is masked."""

    product: str
    reference: str


@dataclass(frozen=True, slots=True)
class ClearancePaper:
    """Debts at zero, under a completed agreement or without any. The letter is shown to others: ``person`` in full.

    With an agreement ``number`` is its number, ``accepted_on`` its day, and ``paid_fen`` what was paid by it; without
    one ``accepted_on`` is None and ``paid_fen`` all that was ever paid. Amounts in fen, ``made_at`` is aware.
    Raises ``ValueError`` if there is no debt.
    """

    number: str
    producer: str
    creditor: str
    complaint_phone: str
    person: str
    accepted_on: date | None
    cleared_on: date
    paid_fen: int
    waived_fen: int
    debts: tuple[ClearedDebt, ...]
    made_at: datetime

    def __post_init__(self) -> None:
        if not self.debts:
            raise ValueError("a clearance letter is about at least one debt")


def clearance_letter_pdf(paper: ClearancePaper, speech: Speech) -> bytes:
    """Return the letter as a PDF in the reader's script.

    Raises:
        OSError: the font files are not installed.
        bot.documents.words.DocumentWordsError: a word is missing.
    """
    imprint = Imprint(
        script=speech.script,
        title=speech.say("clearance_title"),
        number=paper.number,
        made_at=paper.made_at,
        producer=speech.keep(paper.producer),
        label=speech.say("label", producer=paper.producer),
    )
    creditor, cleared_on = speech.convert(paper.creditor), speech.day(paper.cleared_on)
    waived = ((speech.say("clearance_waived"), format_yuan(paper.waived_fen)),) if paper.waived_fen else ()
    facts = (
        (speech.say("fact_person"), speech.keep(paper.person)),
        *_agreed(paper, speech),
        (speech.say("clearance_cleared"), cleared_on),
        (_paid_words(paper, speech), format_yuan(paper.paid_fen)),
        *waived,
    )
    body = speech.say("clearance_body", creditor=creditor, day=cleared_on, name=speech.keep(paper.person))
    blocks = (
        Title(imprint.title),
        Paragraph(body),
        Heading(speech.say("clearance_debts")),
        Table(
            (70, 30),
            tuple(Row((_label(debt, creditor, speech), format_yuan(0))) for debt in paper.debts),
            (speech.say("column_item"), speech.say("column_balance")),
        ),
        Table((40, 60), tuple(Row(fact) for fact in facts)),
        Paragraph(speech.say("clearance_effect")),
        Paragraph(speech.say("clearance_credit")),
        Paragraph(speech.say("clearance_contact", creditor=creditor, phone=paper.complaint_phone)),
    )
    return pdf_of(imprint, blocks, speech)


def _paid_words(paper: ClearancePaper, speech: Speech) -> str:
    return speech.say("clearance_paid_in_all") if paper.accepted_on is None else speech.say("clearance_paid")


def _agreed(paper: ClearancePaper, speech: Speech) -> tuple[tuple[str, str], ...]:
    if paper.accepted_on is None:
        return ()
    return (
        (speech.say("clearance_agreement"), paper.number),
        (speech.say("clearance_accepted"), speech.day(paper.accepted_on)),
    )


def _label(debt: ClearedDebt, creditor: str, speech: Speech) -> str:
    product = speech.convert(debt.product)
    return speech.say("statement_label", creditor=creditor, product=product, reference=debt.reference)
