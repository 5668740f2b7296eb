"""Which component of a debt a borrower names."""

import re

from bot.lending.balances import Component

# 罚息 and 违约利息 are penalty interest although they end like interest; 违约金 is a fee.
_NAMES = {
    Component.PENALTY: re.compile(r"罚息|违约利息|逾期利息|滞纳利息"),
    Component.FEE: re.compile(r"违约金|滞纳金|手续费|服务费|管理费|年费|费用"),
    Component.INTEREST: re.compile(r"(?<!违约)(?<!逾期)(?<!滞纳)利息|循环息"),
    Component.PRINCIPAL: re.compile(r"本金"),
}


def read_component(text: str) -> Component | None:
    """Return the one component that a normalised text names; None when it names none or several."""
    named = [component for component, pattern in _NAMES.items() if pattern.search(text)]
    return named[0] if len(named) == 1 else None
