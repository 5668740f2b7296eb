from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from lending_builders import PLAIN_TERMS, drawdown

from bot.lending.accrual import accrual_spans, accrue
from bot.lending.contract import RateChange
from bot.lending.ledger import EntryKind

START = date(2026, 10, 1)
END = date(2026, 11, 1)
CHANGE_ON = date(2026, 10, 11)
LOAN = drawdown(1_000_000, START)
CHANGED = replace(PLAIN_TERMS, rate_changes=(RateChange(CHANGE_ON, Decimal("0.108"), Decimal("0.054")),))


def spans_of(kind: EntryKind, due_on: date) -> list[tuple[date, int, Decimal, int]]:
    spans = accrual_spans(CHANGED, [LOAN], START, END, due_on)
    return [(span.from_on, span.days, span.annual_rate, span.amount_fen) for span in spans if span.kind is kind]


def test_a_span_ends_where_the_rate_changes_and_the_new_rate_holds_from_that_day() -> None:
    # 10 days at 18 %: 10,000.00 x 10 x 0.18 / 360 = 50.00; 21 days at 10.8 %: 63.00
    assert spans_of(EntryKind.INTEREST, due_on=END) == [
        (START, 10, Decimal("0.18"), 5000),
        (CHANGE_ON, 21, Decimal("0.108"), 6300),
    ]


def test_the_penalty_rate_changes_on_the_same_day() -> None:
    # Overdue from 6 October: 5 days at 9 % are 12.50, 21 days at 5.4 % are 31.50
    assert spans_of(EntryKind.PENALTY_INTEREST, due_on=date(2026, 10, 5)) == [
        (date(2026, 10, 6), 5, Decimal("0.09"), 1250),
        (CHANGE_ON, 21, Decimal("0.054"), 3150),
    ]


def test_a_change_before_the_first_day_replaces_the_rates_at_signing() -> None:
    early = replace(CHANGED, rate_changes=(replace(CHANGED.rate_changes[0], from_on=START - timedelta(days=400)),))

    assert [entry.amount_fen for entry in accrue(early, [LOAN], START, END, END)] == [9300]


def test_the_rates_of_a_day_are_those_of_the_last_change() -> None:
    terms = replace(CHANGED, rate_changes=(*CHANGED.rate_changes, RateChange(END, Decimal("0.2"), Decimal(0))))

    days = (START, CHANGE_ON - timedelta(days=1), CHANGE_ON, END)
    assert [terms.annual_rate_on(day) for day in days] == [Decimal(r) for r in ("0.18", "0.18", "0.108", "0.2")]
    assert [terms.penalty_annual_rate_on(day) for day in days] == [Decimal(r) for r in ("0.09", "0.09", "0.054", "0")]


def test_the_burden_holds_the_penalty_rate_only_once_it_has_begun() -> None:
    terms = replace(PLAIN_TERMS, grace_days=3)

    assert terms.burden_on(date(2026, 10, 13), due_on=date(2026, 10, 10)) == Decimal("0.18")
    assert terms.burden_on(date(2026, 10, 14), due_on=date(2026, 10, 10)) == Decimal("0.27")


def test_booking_days_cut_spans_and_each_part_is_rounded_by_itself() -> None:
    # 33.33 at 18 %: 14 days are 23.33 fen, 17 days 28.33; in one piece 51.66
    made = accrue(PLAIN_TERMS, [drawdown(3333, START)], START, END, END, cuts=[date(2026, 10, 15)])

    assert [entry.amount_fen for entry in made] == [23, 28]


def test_changes_out_of_order_and_impossible_rates_are_refused() -> None:
    change = CHANGED.rate_changes[0]
    with pytest.raises(ValueError, match="must rise"):
        replace(CHANGED, rate_changes=(change, change))
    with pytest.raises(ValueError, match="cannot be negative"):
        replace(change, penalty_annual_rate=Decimal("-0.01"))
    with pytest.raises(TypeError, match="Decimal"):
        replace(change, annual_rate=0.1)  # type: ignore[arg-type]
