from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from lending_builders import BOOKED_AT, drawdown, entry, late_fee, payment, reversal, waiver

from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.ledger import (
    Balances,
    Component,
    Entry,
    EntryKind,
    LedgerError,
    LedgerFault,
    replay,
    same_body,
)

DAY = date(2026, 10, 1)
LATER = date(2026, 10, 20)
END = date(2026, 11, 1)


def balances(*entries: Entry, as_of: date = END) -> Balances:
    return replay(entries, CIVIL_CODE_561, as_of)


def test_nothing_booked_means_nothing_owed() -> None:
    assert balances() == Balances()


def test_charges_raise_their_component_and_payments_settle_in_order() -> None:
    assert balances(drawdown(10000, DAY), late_fee(500, DAY), payment(700, LATER)) == Balances(principal_fen=9800)


def test_entries_after_the_day_do_not_count() -> None:
    assert balances(drawdown(10000, DAY), payment(700, LATER), as_of=LATER - timedelta(days=1)).total_fen == 10000


def test_a_back_dated_payment_re_allocates_what_came_after_it() -> None:
    fee = late_fee(500, date(2026, 10, 10))
    late = payment(400, date(2026, 10, 5), key="arrived late")

    assert balances(drawdown(1000, DAY), fee, payment(600, LATER)).fee_fen == 0
    assert balances(drawdown(1000, DAY), fee, payment(600, LATER), late) == Balances(principal_fen=500)


def test_an_overpayment_is_kept_as_credit_and_settles_the_next_charge() -> None:
    owed = [drawdown(1000, DAY), payment(1300, DAY)]

    assert balances(*owed) == Balances(credit_fen=300)
    assert balances(*owed, late_fee(500, LATER)) == Balances(fee_fen=200)


def test_a_waiver_forgives_at_most_what_is_owed_and_never_makes_credit() -> None:
    owed = [drawdown(1000, DAY), late_fee(300, DAY), waiver(500, LATER, Component.FEE)]

    assert balances(*owed) == Balances(principal_fen=1000)


def test_on_one_day_charges_come_first_then_waivers_then_payments() -> None:
    owed = [payment(300, DAY), waiver(200, DAY, Component.FEE), late_fee(300, DAY), drawdown(1000, DAY)]

    assert balances(*owed) == Balances(principal_fen=800)


def test_a_reversal_undoes_its_entry_from_the_beginning() -> None:
    paid = payment(700, date(2026, 10, 5))
    fee = late_fee(500, date(2026, 10, 10))

    assert balances(drawdown(1000, DAY), paid, fee, reversal(paid, LATER)) == Balances(principal_fen=1000, fee_fen=500)


def test_a_reversal_does_not_count_before_its_day() -> None:
    paid = payment(700, DAY)
    entries = (drawdown(1000, DAY), paid, reversal(paid, LATER))

    assert balances(*entries, as_of=LATER - timedelta(days=1)).total_fen == 300


def test_the_same_entry_delivered_twice_counts_once() -> None:
    paid = payment(700, LATER)

    assert balances(drawdown(1000, DAY), paid, replace(paid, booked_at=BOOKED_AT + timedelta(hours=1))).total_fen == 300


def test_a_retry_has_the_same_body_whenever_it_was_booked() -> None:
    paid = payment(700, LATER)

    assert same_body(paid, replace(paid, booked_at=BOOKED_AT + timedelta(days=1)))
    assert not same_body(paid, replace(paid, amount_fen=701))
    assert not same_body(paid, replace(paid, effective_on=DAY))


PAID = payment(700, LATER)


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ([PAID, replace(PAID, amount_fen=1)], LedgerFault.KEY_REUSED),
        ([reversal(PAID, LATER)], LedgerFault.REVERSES_UNKNOWN),
        ([PAID, reversal(PAID, LATER), reversal(PAID, LATER, key="again")], LedgerFault.REVERSED_TWICE),
        ([PAID, replace(reversal(PAID, LATER), amount_fen=1)], LedgerFault.REVERSAL_DIFFERS),
        (
            [PAID, reversal(PAID, LATER), reversal(reversal(PAID, LATER), LATER, key="back")],
            LedgerFault.REVERSES_REVERSAL,
        ),
    ],
)
def test_a_contradictory_ledger_yields_no_balance(entries: list[Entry], fault: LedgerFault) -> None:
    with pytest.raises(LedgerError) as caught:
        balances(drawdown(1000, DAY), *entries)

    assert caught.value.fault is fault


@pytest.mark.parametrize("amount_fen", [0, -1])
def test_an_amount_that_is_not_positive_is_refused(amount_fen: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        payment(amount_fen, DAY)


def test_a_naive_booking_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        replace(PAID, booked_at=datetime(2026, 11, 1))  # noqa: DTZ001  # naive on purpose


def test_an_instant_is_not_an_effective_date() -> None:
    with pytest.raises(TypeError, match="not an instant"):
        replace(PAID, effective_on=BOOKED_AT)


def test_a_float_amount_is_refused() -> None:
    with pytest.raises(TypeError, match="whole fen"):
        replace(PAID, amount_fen=7.0)  # type: ignore[arg-type]


def test_a_waiver_must_name_its_component() -> None:
    with pytest.raises(ValueError, match="names the component"):
        entry(EntryKind.WAIVER, 100, DAY)


@pytest.mark.parametrize(
    ("kind", "component"), [(EntryKind.PAYMENT, Component.FEE), (EntryKind.INTEREST, Component.PRINCIPAL)]
)
def test_an_entry_cannot_name_a_component_its_kind_does_not_touch(kind: EntryKind, component: Component) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        entry(kind, 100, DAY, component=component)


def test_only_a_reversal_names_what_it_undoes() -> None:
    with pytest.raises(ValueError, match="only a reversal"):
        replace(PAID, reverses="something")


def test_a_balance_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Balances(principal_fen=-1)
