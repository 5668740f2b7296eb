"""Which component a borrower names."""

import pytest

from bot.lending.balances import Component
from bot.lending.naming import read_component


@pytest.mark.parametrize(
    ("text", "component"),
    [
        ("利息怎么这么多", Component.INTEREST),
        ("罚息是怎么算的", Component.PENALTY),
        ("逾期利息怎么来的", Component.PENALTY),
        ("违约金凭什么收", Component.FEE),
        ("手续费哪来的", Component.FEE),
        ("本金到底多少", Component.PRINCIPAL),
        ("利息和罚息怎么算的", None),
        ("怎么算出来的", None),
        ("", None),
    ],
)
def test_only_a_component_named_alone_is_read(text: str, component: Component | None) -> None:
    assert read_component(text) is component
