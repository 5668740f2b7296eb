"""The worked examples of docs/lending.md are what the code computes, to the fen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lending_builders import BOOKED_AT, entry

from bot.lending.accrual import late_fee_fen
from bot.lending.allocation import CIVIL_CODE_561, AllocationOrder
from bot.lending.amortisation import AmortisationMethod, AmortisationRequest, amortise
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind, RateChange
from bot.lending.late_fee import MinimumPayment, charge_late_fees
from bot.lending.ledger import Entry, EntryKind
from bot.lending.money import format_yuan
from bot.lending.repayment import RepaymentCourse, RepaymentStart
from bot.lending.statement import statement
from bot.lending.unbooked import entries_until

PAGE = (Path(__file__).parents[3] / "docs" / "lending.md").read_text("utf-8")
TITLES = {
    ProductKind.CREDIT_CARD: "Credit card",
    ProductKind.CONSUMER_LOAN: "Consumer loan",
    ProductKind.ONLINE_LOAN: "Online loan",
    ProductKind.SMALL_LOAN: "Small loan",
}
MONEY = r"¥([\d,]+\.\d\d)"
LATE_FEE = re.compile(rf"late fee {MONEY} on the minimum {MONEY} of ([\d-]+), due ([\d-]+)")
SIMPLE = re.compile(rf"(drawdown|payment|other fee) {MONEY}")
WAIVER = re.compile(rf"waiver of (principal|interest|penalty|fee) {MONEY}")
RATES = re.compile(r"rates become ([\d.]+) % and ([\d.]+) %")
SEEN = "nothing; seen on this day"


@dataclass(frozen=True)
class Row:
    """A day of an example: what happens, and the figures shown for the end of it."""

    on: date
    what: str
    shown: list[str]


@dataclass(frozen=True)
class Example:
    """The terms and days of an example."""

    terms: ContractTerms
    due_on: date
    rows: list[Row]


def tables(title: str) -> Iterator[list[list[str]]]:
    """The cells of each table below a heading, without table heads."""
    section = re.split(r"\n#+ ", PAGE.split(f"\n### {title}\n", 1)[1], maxsplit=1)[0]
    for table in re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE):
        yield [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()[2:]]


def fen(yuan: str) -> int:
    return int(yuan.strip("¥").replace(",", "").replace(".", ""))


def fraction(percent: str) -> Decimal:
    return Decimal(percent.rstrip(" %")) / 100


def example_of(kind: ProductKind) -> Example:
    ((annual, penalty, day_count, grace, share, floor, order, late_order, due_on),), cells = tables(TITLES[kind])
    rows = [Row(date.fromisoformat(day), what, figures) for day, what, *figures in cells]
    changes = ((row.on, found) for row in rows if (found := RATES.fullmatch(row.what)))
    terms = ContractTerms(
        product_kind=kind,
        annual_rate=fraction(annual),
        penalty_annual_rate=fraction(penalty),
        day_count=int(day_count),
        late_fee_rate=fraction(share),
        late_fee_minimum_fen=fen(floor),
        allocation=AllocationOrder.parse("contract", order.split(", ")),
        allocation_after_90_days=AllocationOrder.parse("late", late_order.split(", ")) if late_order != "–" else None,
        grace_days=int(grace),
        rate_changes=tuple(RateChange(on, fraction(found[1]), fraction(found[2])) for on, found in changes),
    )
    return Example(terms, date.fromisoformat(due_on), rows)


def entry_of(row: Row) -> Entry | None:
    """What the row books; None if it only changes rates or looks."""
    if found := LATE_FEE.fullmatch(row.what):
        return entry(EntryKind.LATE_FEE, fen(found[1]), row.on, key=f"late_fee:{found[4]}")
    if found := WAIVER.fullmatch(row.what):
        return entry(EntryKind.WAIVER, fen(found[2]), row.on, component=Component(found[1]))
    if found := SIMPLE.fullmatch(row.what):
        return entry(EntryKind(found[1].replace(" ", "_")), fen(found[2]), row.on)
    assert row.what == SEEN or RATES.fullmatch(row.what), f"not understood: {row.what}"
    return None


def computed(example: Example, row: Row) -> list[str]:
    """The figures of a row: principal, interest, penalty interest, fees, owed in all, credit."""
    booked = [made for one in example.rows if one.on <= row.on and (made := entry_of(one))]
    entries = entries_until(example.terms, booked, example.due_on, row.on)
    owed = statement(example.terms, entries, example.due_on, row.on).balances
    figures = [*(owed.of(component) for component in Component), owed.total_fen, owed.credit_fen]
    return [format_yuan(figure) for figure in figures]


@pytest.mark.parametrize("kind", list(ProductKind))
def test_each_product_has_an_example_that_the_code_agrees_with(kind: ProductKind) -> None:
    example = example_of(kind)

    assert len(example.rows) >= 4
    for row in example.rows:
        assert row.shown == computed(example, row), f"{row.on}: {row.what}"


def test_the_late_fee_of_the_card_is_the_one_that_is_charged() -> None:
    card = example_of(ProductKind.CREDIT_CARD)
    (row, found), *_ = [(row, found) for row in card.rows if (found := LATE_FEE.fullmatch(row.what))]
    _, minimum, statement_on, due_on = found.groups()
    asked = MinimumPayment(date.fromisoformat(statement_on), date.fromisoformat(due_on), fen(minimum))
    others = [made for one in card.rows if (made := entry_of(one)) and made.kind is not EntryKind.LATE_FEE]

    (charged,) = charge_late_fees(card.terms, others, [asked], card.rows[-1].on, BOOKED_AT)

    expected = entry_of(row)
    assert expected
    assert (charged.key, charged.amount_fen, charged.effective_on) == (expected.key, expected.amount_fen, row.on)
    assert charged.amount_fen < late_fee_fen(card.terms, fen(minimum))  # a part had been paid


def test_the_schedules_shown_are_those_that_are_made() -> None:
    ((principal, rate, day_count, start_on, pay_day, count),), cells = tables("Three instalments")
    shown: dict[str, list[list[str]]] = {}
    for method, *figures in cells:
        shown.setdefault(method, []).append(figures)

    assert set(shown) == set(AmortisationMethod)
    for name, rows in shown.items():
        made = amortise(
            AmortisationRequest(
                principal_fen=fen(principal),
                start_on=date.fromisoformat(start_on),
                instalments=int(count),
                method=AmortisationMethod(name),
                annual_rate=fraction(rate),
                day_count=int(day_count),
                pay_day=int(pay_day),
            )
        )
        assert rows == [
            [
                r.due_on.isoformat(),
                *map(format_yuan, (r.principal_fen, r.interest_fen, r.amount_fen, r.principal_left_fen)),
            ]
            for r in made.rows
        ]


def test_the_plans_with_interest_shown_are_those_that_are_made() -> None:
    (facts,), cells = tables("Three instalments with interest")
    *owed, annual, penalty, day_count, due_on, offered_on, pay_day = facts
    terms = ContractTerms(
        product_kind=ProductKind.ONLINE_LOAN,
        annual_rate=fraction(annual),
        penalty_annual_rate=fraction(penalty),
        day_count=int(day_count),
        late_fee_rate=Decimal(0),
        late_fee_minimum_fen=0,
        allocation=CIVIL_CODE_561,
    )
    start = RepaymentStart(terms, date.fromisoformat(due_on), Balances(*map(fen, owed)), date.fromisoformat(offered_on))
    course = RepaymentCourse(start, [date.fromisoformat(due) for name, due, *_ in cells if name == cells[0][0]])
    made = {"equal instalments": course.equal_amounts(3), "equal principal": course.equal_principal_amounts(3)}

    assert {name for name, *_ in cells} == set(made)
    for name, amounts in made.items():
        assert amounts is not None
        rows = course.paid(amounts).rows
        assert all(row.due_on.day == int(pay_day) for row in rows)
        assert [shown for shown_name, *shown in cells if shown_name == name] == [
            [
                row.due_on.isoformat(),
                *map(
                    format_yuan, (row.principal_fen, row.amount_fen - row.principal_fen, row.amount_fen, row.left_fen)
                ),
            ]
            for row in rows
        ]
