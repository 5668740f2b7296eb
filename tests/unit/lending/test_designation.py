from datetime import date
from decimal import Decimal

import pytest

from bot.lending.designation import (
    Designation,
    DesignationRefusal,
    DividedPayment,
    PayableDebt,
    PaymentPart,
    divide_payment,
)

PAID_ON = date(2026, 11, 21)
CARD = PayableDebt("card", "bank", 50_000, date(2026, 9, 10), Decimal("0.18"))
LOAN = PayableDebt("loan", "bank", 80_000, date(2026, 6, 1), Decimal("0.12"))
LATER = PayableDebt("not due yet", "bank", 90_000, date(2026, 12, 1), Decimal("0.24"))


def parts(
    payment_fen: int, *designated: Designation, debts: tuple[PayableDebt, ...] = (LOAN, LATER, CARD)
) -> list[PaymentPart]:
    made = divide_payment(payment_fen, PAID_ON, debts, designated)
    assert isinstance(made, DividedPayment)
    return list(made.parts)


def test_without_a_word_due_debts_come_first_and_of_these_the_heavier() -> None:
    assert parts(60_000) == [PaymentPart("card", 0, 50_000), PaymentPart("loan", 0, 10_000)]
    assert parts(140_000)[-1] == PaymentPart("not due yet", 0, 10_000)


def test_of_equal_burden_the_earlier_due_date_comes_first() -> None:
    card = PayableDebt("card", "bank", 50_000, CARD.due_on, LOAN.burden)

    assert parts(60_000, debts=(card, LOAN)) == [PaymentPart("loan", 0, 60_000)]


def test_a_debt_is_due_on_its_due_date() -> None:
    today = PayableDebt("today", "bank", 90_000, PAID_ON, Decimal("0.24"))

    assert parts(60_000, debts=(CARD, today)) == [PaymentPart("today", 0, 60_000)]


def test_what_the_law_does_not_tell_apart_shares_in_proportion() -> None:
    twins = tuple(
        PayableDebt(name, "bank", owed, CARD.due_on, CARD.burden) for name, owed in (("b", 100), ("a", 100), ("c", 1))
    )

    # 100 / 201 of each: 49.75, 49.75 and 0.4975; the two fen left over go to the largest fractions
    assert parts(100, debts=twins) == [PaymentPart("a", 0, 50), PaymentPart("b", 0, 50)]


def test_the_borrowers_word_comes_before_the_law() -> None:
    assert parts(60_000, Designation("not due yet")) == [PaymentPart("not due yet", 60_000, 0)]


def test_what_the_word_leaves_follows_the_law() -> None:
    assert parts(60_000, Designation("loan", 20_000)) == [
        PaymentPart("loan", 20_000, 0),
        PaymentPart("card", 0, 40_000),
    ]
    assert parts(90_000, Designation("loan", 20_000)) == [
        PaymentPart("loan", 20_000, 20_000),
        PaymentPart("card", 0, 50_000),
    ]


def test_a_debt_named_without_an_amount_takes_what_amounts_leave_and_no_more_than_is_owed() -> None:
    assert parts(60_000, Designation("card"), Designation("loan", 30_000)) == [
        PaymentPart("loan", 30_000, 0),
        PaymentPart("card", 30_000, 0),
    ]


def test_a_word_beyond_what_is_owed_is_not_lost() -> None:
    assert parts(60_000, Designation("card", 60_000)) == [
        PaymentPart("card", 50_000, 0),
        PaymentPart("loan", 0, 10_000),
    ]


def test_what_exceeds_all_debts_is_left_over() -> None:
    made = divide_payment(300_000, PAID_ON, [CARD, LOAN, LATER])

    assert isinstance(made, DividedPayment)
    assert made.left_over_fen == 80_000


@pytest.mark.parametrize(
    ("designated", "refusal"),
    [
        ([Designation("mortgage")], DesignationRefusal.UNKNOWN_DEBT),
        ([Designation("card", 1), Designation("card")], DesignationRefusal.DEBT_NAMED_TWICE),
        ([Designation("card", 40_000), Designation("loan", 20_001)], DesignationRefusal.MORE_THAN_PAID),
    ],
)
def test_a_word_that_cannot_be_followed_is_refused(designated: list[Designation], refusal: DesignationRefusal) -> None:
    assert divide_payment(60_000, PAID_ON, [CARD, LOAN], designated) is refusal


def test_one_payment_is_not_divided_between_creditors() -> None:
    other = PayableDebt("other", "another bank", 1, PAID_ON, Decimal(0))

    assert divide_payment(100, PAID_ON, [CARD, other]) is DesignationRefusal.SEVERAL_CREDITORS


def test_impossible_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Designation("card", 0)
    with pytest.raises(ValueError, match="must be positive"):
        divide_payment(0, PAID_ON, [CARD])
    with pytest.raises(ValueError, match="same id"):
        divide_payment(1, PAID_ON, [CARD, CARD])
    with pytest.raises(ValueError, match="can be negative"):
        PayableDebt("card", "bank", -1, PAID_ON, Decimal(0))
