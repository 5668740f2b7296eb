"""The agreement as a paper to keep: the exact text that was agreed to, its check code, and the dates and amounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.clock import local
from bot.documents.blocks import Block, Heading, Paragraph, Row, Table, Title
from bot.documents.imprint import Imprint
from bot.documents.pdf import pdf_of
from bot.documents.schedule import PaymentSchedule, schedule_rows
from bot.documents.words import Speech
from bot.lending.money import format_yuan
from bot.text.scripts import Script


@dataclass(frozen=True, slots=True)
class AgreementPaper:
    """An accepted agreement.

    ``text`` is what was read back, in the script in which it is stored, ``text_hash`` its SHA-256. ``person`` is the
    borrower's masked name. ``accepted_at`` is aware.
    """

    number: str
    producer: str
    person: str
    text: str
    text_hash: str
    accepted_at: datetime
    schedule: PaymentSchedule


def agreement_pdf(paper: AgreementPaper, speech: Speech) -> bytes:
    """Return the agreement as a PDF in the reader's script. Made at ``accepted_at``, so it is the same each time.

    Raises:
        OSError: the font files are not installed.
        bot.documents.words.DocumentWordsError: a word is missing.
    """
    imprint = Imprint(
        script=speech.script,
        title=speech.say("agreement_title"),
        number=paper.number,
        made_at=paper.accepted_at,
        producer=speech.keep(paper.producer),
        label=speech.say("label", producer=paper.producer),
        foot=(speech.say("check_code", code=paper.text_hash),),
    )
    return pdf_of(imprint, _blocks(paper, imprint.title, speech), speech)


def _blocks(paper: AgreementPaper, title: str, speech: Speech) -> tuple[Block, ...]:
    accepted, months = local(paper.accepted_at), str(len(paper.schedule.instalments))
    facts = (
        (speech.say("fact_number"), paper.number),
        (speech.say("fact_person"), speech.keep(paper.person)),
        (speech.say("agreement_accepted"), _moment(accepted, speech)),
        (
            speech.say("agreement_months"),
            speech.say("agreement_months_value", months=months),
        ),
        (speech.say("agreement_to_pay"), format_yuan(paper.schedule.total_fen)),
    )
    converted = (Paragraph(speech.say("agreement_converted"), small=True),) if speech.script is Script.HANT else ()
    return (
        Title(title),
        Table((40, 60), tuple(Row(fact) for fact in facts)),
        Paragraph(speech.say("agreement_in_force"), small=True),
        *converted,
        *(Paragraph(line) for line in speech.convert(paper.text).strip().split("\n")),
        Heading(speech.say("agreement_schedule")),
        _schedule_table(paper.schedule, speech),
        Paragraph(speech.say("schedule_next_step")),
    )


def _schedule_table(schedule: PaymentSchedule, speech: Speech) -> Table:
    rows = tuple(Row(cells) for cells in schedule_rows(schedule, speech))
    total = Row((speech.say("schedule_total"), "", format_yuan(schedule.total_fen)), strong=True)
    head = (speech.say("column_instalment"), speech.say("column_due"), speech.say("column_amount"))
    return Table((28, 42, 30), (*rows, total), head)


def _moment(instant: datetime, speech: Speech) -> str:
    return speech.say("moment", day=speech.day(instant.date()), time=f"{instant:%H:%M}")
