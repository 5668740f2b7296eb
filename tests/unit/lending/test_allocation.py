from datetime import date

import pytest

from bot.lending.allocation import CIVIL_CODE_561, PRINCIPAL_FIRST, AllocationOrder, DatedOrder, allocate
from bot.lending.balances import Balances, Component

OWED = Balances(principal_fen=1000, interest_fen=200, penalty_fen=50, fee_fen=30)


def test_civil_code_settles_fees_then_interest_then_principal() -> None:
    made = allocate(300, OWED, CIVIL_CODE_561)

    assert [(part.component, part.amount_fen) for part in made.parts] == [
        (Component.FEE, 30),
        (Component.INTEREST, 200),
        (Component.PENALTY, 50),
        (Component.PRINCIPAL, 20),
    ]
    assert made.left_over_fen == 0


def test_principal_first_leaves_charges_for_last() -> None:
    made = allocate(1100, OWED, PRINCIPAL_FIRST)

    assert (made.of(Component.PRINCIPAL), made.of(Component.INTEREST), made.of(Component.FEE)) == (1000, 100, 0)


def test_money_beyond_the_debt_is_left_over() -> None:
    assert allocate(1500, OWED, CIVIL_CODE_561).left_over_fen == 220


def test_an_order_is_read_from_contract_data() -> None:
    order = AllocationOrder.parse("house_order", ["interest", "principal", "penalty", "fee"])

    assert order.components[1] is Component.PRINCIPAL


@pytest.mark.parametrize(
    "components",
    [["fee", "interest", "penalty"], ["fee", "fee", "interest", "penalty", "principal"], ["fee", "tip"]],
)
def test_an_order_that_misses_repeats_or_invents_a_component_is_refused(components: list[str]) -> None:
    with pytest.raises(ValueError, match=r"must name each component once|is not a valid"):
        AllocationOrder.parse("broken", components)


def test_a_dated_order_changes_on_its_day() -> None:
    order = DatedOrder(CIVIL_CODE_561, PRINCIPAL_FIRST, then_from=date(2026, 4, 1))

    assert order.on(date(2026, 3, 31)) is CIVIL_CODE_561
    assert order.on(date(2026, 4, 1)) is PRINCIPAL_FIRST


def test_a_negative_payment_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        allocate(-1, OWED, CIVIL_CODE_561)
