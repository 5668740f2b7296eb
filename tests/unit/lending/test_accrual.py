from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from lending_builders import BOOKED_AT, PLAIN_TERMS, drawdown, late_fee, payment

from bot.lending.accrual import accrual_spans, accrue, accrued_period, late_fee_fen, reaccrue
from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.ledger import Entry, EntryKind, replay

START = date(2026, 10, 1)
END = date(2026, 11, 1)
NOT_YET_DUE = date(2026, 12, 1)
LOAN = drawdown(1_000_000, START)

NO_PENALTY = replace(PLAIN_TERMS, penalty_annual_rate=Decimal(0))


def figures(entries: tuple[Entry, ...]) -> list[tuple[str, int, date]]:
    return [(entry.key, entry.amount_fen, entry.effective_on) for entry in entries]


def test_interest_is_principal_times_days_times_rate_over_day_count() -> None:
    # 10,000.00 x 31 days x 18 % / 360 = 155.00
    made = accrue(PLAIN_TERMS, [LOAN], START, END, NOT_YET_DUE)

    assert figures(made) == [("interest:2026-10-01:2026-11-01", 15500, END)]


def test_a_365_day_year_is_used_where_the_contract_says_so() -> None:
    # 1,000,000 fen x 31 x 0.18 / 365 = 15287.67 fen
    made = accrue(replace(PLAIN_TERMS, day_count=365), [LOAN], START, END, NOT_YET_DUE)

    assert [entry.amount_fen for entry in made] == [15288]


def test_a_payment_ends_a_span_and_its_day_bears_no_interest_on_what_it_settled() -> None:
    # 14 days on 10,000.00 = 70.00; 570.00 paid settles it and 500.00 principal; 17 days on 9,500.00 = 80.75
    made = accrue(PLAIN_TERMS, [LOAN, payment(57_000, date(2026, 10, 15))], START, END, NOT_YET_DUE)

    assert figures(made) == [
        ("interest:2026-10-01:2026-10-15", 7000, date(2026, 10, 15)),
        ("interest:2026-10-15:2026-11-01", 8075, END),
    ]


def test_penalty_interest_begins_the_day_after_the_due_date() -> None:
    # 1 to 10 October ordinary; from 11 October 21 days of penalty at 9 %: 52.50
    spans = accrual_spans(PLAIN_TERMS, [LOAN], START, END, due_on=date(2026, 10, 10))

    penalty = [span for span in spans if span.kind is EntryKind.PENALTY_INTEREST]
    assert [(span.from_on, span.days, span.amount_fen) for span in penalty] == [(date(2026, 10, 11), 21, 5250)]
    assert sum(span.days for span in spans if span.kind is EntryKind.INTEREST) == 31


def test_grace_days_bear_no_penalty_interest() -> None:
    spans = accrual_spans(replace(PLAIN_TERMS, grace_days=3), [LOAN], START, END, due_on=date(2026, 10, 10))

    assert next(span for span in spans if span.kind is EntryKind.PENALTY_INTEREST).from_on == date(2026, 10, 14)


@pytest.mark.parametrize("product_kind", list(ProductKind))
def test_fees_and_interest_never_bear_interest(product_kind: ProductKind) -> None:
    terms = replace(PLAIN_TERMS, product_kind=product_kind)
    owed = [LOAN, replace(late_fee(50_000, START), key="fee")]
    october = accrue(terms, owed, START, END, NOT_YET_DUE)

    november = accrue(terms, [*owed, *october], END, date(2026, 12, 1), NOT_YET_DUE)

    # 30 days on the principal alone
    assert [entry.amount_fen for entry in november] == [15000]


def test_booking_the_same_days_twice_is_the_same_entries() -> None:
    ledger = [LOAN, payment(57_000, date(2026, 10, 15))]
    once = accrue(PLAIN_TERMS, ledger, START, END, NOT_YET_DUE)

    assert accrue(PLAIN_TERMS, [*ledger, *once], START, END, NOT_YET_DUE) == once


def test_each_span_is_rounded_once() -> None:
    # 33.33 x 31 x 18 % / 360 = 51.6615 fen; rounding every day would give 31 x 2 = 62
    span = accrual_spans(PLAIN_TERMS, [drawdown(3333, START)], START, END, NOT_YET_DUE)[0]

    assert (span.raw_fen, span.amount_fen) == (Decimal("51.6615"), 52)


def test_what_rounds_to_nothing_is_not_booked() -> None:
    assert accrue(PLAIN_TERMS, [drawdown(1, START)], START, END, NOT_YET_DUE) == ()


def test_nothing_accrues_before_the_drawdown_or_over_no_days() -> None:
    assert accrue(PLAIN_TERMS, [drawdown(1000, END)], START, END, NOT_YET_DUE) == ()
    assert accrue(PLAIN_TERMS, [LOAN], START, START, NOT_YET_DUE) == ()


def test_days_already_accrued_are_not_charged_a_second_time() -> None:
    booked = accrue(PLAIN_TERMS, [LOAN], START, END, NOT_YET_DUE)

    with pytest.raises(ValueError, match="already accrued"):
        accrue(PLAIN_TERMS, [LOAN, *booked], date(2026, 10, 15), END, NOT_YET_DUE)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="cannot accrue"):
        accrue(PLAIN_TERMS, [LOAN], END, START, NOT_YET_DUE)


def test_a_back_dated_payment_corrects_interest_already_booked() -> None:
    late = payment(57_000, date(2026, 10, 15), key="arrived late")
    booked = [LOAN, *accrue(NO_PENALTY, [LOAN], START, END, NOT_YET_DUE), late]

    corrections = reaccrue(NO_PENALTY, booked, START, END, NOT_YET_DUE, BOOKED_AT)

    in_order = [LOAN, late, *accrue(NO_PENALTY, [LOAN, late], START, END, NOT_YET_DUE)]
    assert [entry.key for entry in corrections] == [
        "reversal:interest:2026-10-01:2026-11-01",
        "interest:2026-10-01:2026-10-15",
        "interest:2026-10-15:2026-11-01",
    ]
    assert replay([*booked, *corrections], CIVIL_CODE_561, END) == replay(in_order, CIVIL_CODE_561, END)
    assert reaccrue(NO_PENALTY, [*booked, *corrections], START, END, NOT_YET_DUE, BOOKED_AT) == ()


def test_an_accrual_that_becomes_right_again_is_booked_under_a_new_revision() -> None:
    late = payment(57_000, date(2026, 10, 15), key="bounces")
    first = [LOAN, *accrue(PLAIN_TERMS, [LOAN], START, END, NOT_YET_DUE)]
    second = [*first, late, *reaccrue(PLAIN_TERMS, [*first, late], START, END, NOT_YET_DUE, BOOKED_AT)]
    bounced = Entry("bounce", EntryKind.REVERSAL, 57_000, END, BOOKED_AT, "bank", reverses="bounces")

    corrections = reaccrue(PLAIN_TERMS, [*second, bounced], START, END, NOT_YET_DUE, BOOKED_AT)

    revised = next(entry for entry in corrections if entry.kind is EntryKind.INTEREST)
    assert revised.key == "interest:2026-10-01:2026-11-01:r2"
    assert accrued_period(revised) == (START, END)
    assert replay([*second, bounced, *corrections], CIVIL_CODE_561, END) == replay(first, CIVIL_CODE_561, END)


def test_an_entry_that_is_no_accrual_has_no_period() -> None:
    assert accrued_period(LOAN) is None
    assert accrued_period(replace(LOAN, kind=EntryKind.INTEREST, key="opening balance")) is None
    assert accrued_period(replace(LOAN, kind=EntryKind.INTEREST, key="interest:then:now")) is None


@pytest.mark.parametrize(("unpaid_fen", "fee_fen"), [(0, 0), (-1, 0), (10_000, 1000), (100_010, 5001)])
def test_the_late_fee_is_a_share_of_the_missed_minimum_but_not_below_its_floor(unpaid_fen: int, fee_fen: int) -> None:
    assert late_fee_fen(PLAIN_TERMS, unpaid_fen) == fee_fen


@pytest.mark.parametrize(
    "change",
    [{"annual_rate": Decimal("-0.01")}, {"day_count": 366}, {"grace_days": -1}, {"annual_rate": Decimal("NaN")}],
)
def test_impossible_terms_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"cannot be negative|360 or 365"):
        replace(PLAIN_TERMS, **change)  # type: ignore[arg-type]


def test_a_float_rate_is_refused() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        ContractTerms(ProductKind.SMALL_LOAN, 0.18, Decimal(0), 360, Decimal(0), 0, CIVIL_CODE_561)  # type: ignore[arg-type]
