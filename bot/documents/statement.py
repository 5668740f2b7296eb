"""The statement as a paper: every debt with the lines behind each figure, its rates and what happens to a payment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bot.documents.blocks import Block, Heading, Paragraph, Row, Table, Title
from bot.documents.imprint import Imprint
from bot.documents.pdf import pdf_of
from bot.documents.words import Speech
from bot.lending.allocation import AllocationOrder
from bot.lending.balances import Component
from bot.lending.money import format_yuan
from bot.lending.statement import DebtStatement, StatementLine


@dataclass(frozen=True, slots=True)
class StatementDebt:
    """One debt. Rates are decimal fractions a year, ``allocation`` is the order in force on the statement's day.

    ``plan_number`` names the agreement in force that covers it: then nothing runs on. ``waived_on_completion_fen`` is
    what that agreement waives in the end. An ``old`` debt may be time-barred: nothing on the paper asks for it (N8).
    Raises ``ValueError`` if the lines do not add up to the balances, to the fen.
    """

    creditor: str
    product: str
    reference: str
    statement: DebtStatement
    annual_rate: Decimal
    penalty_annual_rate: Decimal
    allocation: AllocationOrder
    complaint_phone: str
    payment_channel: str
    plan_number: str | None = None
    waived_on_completion_fen: int = 0
    plan_interest_runs: bool = False
    disputed: bool = False
    old: bool = False

    def __post_init__(self) -> None:
        for component in Component:
            added_fen = sum(line.amount_fen for line in self.lines(component))
            if added_fen != self.statement.balances.of(component):
                raise ValueError(f"the lines of {component.value} add up to {added_fen} fen, which is not its balance")

    def lines(self, component: Component) -> tuple[StatementLine, ...]:
        """The lines that make up one component's balance."""
        return tuple(line for line in self.statement.lines if line.component is component)


@dataclass(frozen=True, slots=True)
class StatementPaper:
    """A statement of one borrower's debts; ``person`` is the masked name, ``made_at`` aware.

    All debts are stated as of the same day. Raises ``ValueError`` if they are not, or if there are none.
    """

    number: str
    producer: str
    person: str
    made_at: datetime
    debts: tuple[StatementDebt, ...]

    def __post_init__(self) -> None:
        if len({debt.statement.as_of for debt in self.debts}) != 1:
            raise ValueError("a statement is of one day and at least one debt")

    @property
    def total_fen(self) -> int:
        """What is owed in all, in fen."""
        return sum(debt.statement.balances.total_fen for debt in self.debts)


def statement_pdf(paper: StatementPaper, speech: Speech) -> bytes:
    """Return the statement as a PDF in the reader's script.

    Raises:
        OSError: the font files are not installed.
        bot.documents.words.DocumentWordsError: a word is missing.
    """
    imprint = Imprint(
        script=speech.script,
        title=speech.say("statement_title"),
        number=paper.number,
        made_at=paper.made_at,
        producer=speech.keep(paper.producer),
        label=speech.say("label", producer=paper.producer),
    )
    facts = (
        (speech.say("fact_number"), paper.number),
        (speech.say("fact_person"), speech.keep(paper.person)),
        (speech.say("fact_as_of"), speech.day(paper.debts[0].statement.as_of)),
        (speech.say("fact_total"), format_yuan(paper.total_fen)),
    )
    blocks: list[Block] = [Title(imprint.title), Table((40, 60), tuple(Row(fact) for fact in facts))]
    for debt in paper.debts:
        blocks += _debt(debt, speech)
    return pdf_of(imprint, blocks, speech)


def _debt(debt: StatementDebt, speech: Speech) -> Iterator[Block]:
    balances = debt.statement.balances
    yield Heading(_label(debt, speech))
    overview = (
        (speech.say("statement_past_due"), speech.say("statement_days", days=str(debt.statement.days_past_due))),
        *((speech.say(f"component_{c.value}"), format_yuan(balances.of(c))) for c in Component),
    )
    owed = Row((speech.say("statement_owed"), format_yuan(balances.total_fen)), strong=True)
    yield Table((60, 40), (*(Row(pair) for pair in overview), owed))
    head = (speech.say("column_item"), speech.say("column_days"), speech.say("column_amount"))
    total = Row((speech.say("statement_total"), "", format_yuan(balances.total_fen)), strong=True)
    yield Table((34, 38, 28), (*_rows(debt, speech), total), head)
    yield from (Paragraph(text, small=True) for text in _remarks(debt, speech))


def _rows(debt: StatementDebt, speech: Speech) -> Iterator[Row]:
    for component in Component:
        lines = debt.lines(component)
        name = speech.say(f"component_{component.value}")
        for line in lines:
            item = speech.say("line", component=name, kind=speech.say(f"kind_{line.kind.value}"))
            yield Row((item, _days(line, speech), format_yuan(line.amount_fen)))
        if len(lines) > 1:
            subtotal = format_yuan(debt.statement.balances.of(component))
            yield Row((speech.say("subtotal", component=name), "", subtotal), strong=True)


def _remarks(debt: StatementDebt, speech: Speech) -> Iterator[str]:
    yield speech.say("statement_day_rule")
    if debt.penalty_annual_rate:
        rates = {"rate": _percent(debt.annual_rate), "penalty_rate": _percent(debt.penalty_annual_rate)}
        yield speech.say("statement_rates", **rates)
    else:
        yield speech.say("statement_rates_no_penalty", rate=_percent(debt.annual_rate))
    steps = (speech.say(f"component_{component.value}") for component in debt.allocation.components)
    yield speech.say("statement_order", order=speech.say("statement_order_step").join(steps))
    if debt.plan_number is not None:
        if debt.plan_interest_runs:
            yield speech.say("statement_plan_interest", number=debt.plan_number)
        else:
            yield speech.say("statement_plan", number=debt.plan_number)
    if debt.waived_on_completion_fen:
        yield speech.say("statement_waiver_later", amount=format_yuan(debt.waived_on_completion_fen))
    if debt.statement.balances.credit_fen:
        yield speech.say("statement_credit", amount=format_yuan(debt.statement.balances.credit_fen))
    if debt.disputed:
        yield speech.say("statement_disputed")
    if debt.old:
        yield speech.say("statement_old")
    if not debt.old and not debt.disputed:
        yield speech.say("statement_channel", channel=speech.convert(debt.payment_channel))
    yield speech.say("statement_question", creditor=speech.convert(debt.creditor), phone=debt.complaint_phone)


def _label(debt: StatementDebt, speech: Speech) -> str:
    creditor, product = speech.convert(debt.creditor), speech.convert(debt.product)
    return speech.say("statement_label", creditor=creditor, product=product, reference=debt.reference)


def _days(line: StatementLine, speech: Speech) -> str:
    start, end = speech.day(line.from_on), speech.day(line.until_on)
    return start if start == end else speech.say("days", start=start, end=end)


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f}%"
