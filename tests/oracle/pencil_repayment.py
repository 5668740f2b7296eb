"""Instalments during which interest runs, worked out with pencil and calendar, independent of ``bot.lending``.

Written from rules R1 to R5 of docs/lending.md and from nothing else: interest is gathered a day at a time in fractions,
an equal instalment is found by trying its digits. It imports nothing from the code it checks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cache

ONE_DAY = timedelta(days=1)
CHARGES = ("interest", "penalty", "fee")


@dataclass(frozen=True)
class Debt:
    """What is owed after the waivers, of each component in fen, and by what it goes on."""

    owed: tuple[tuple[str, int], ...]
    offered_on: date
    contract_due_on: date
    annual: Fraction
    new_rates: tuple[tuple[date, Fraction], ...]
    day_count: int
    grace_days: int
    order: tuple[str, ...]
    order_from_day_91: tuple[str, ...]
    down_fen: int
    down_on: date
    due_dates: tuple[date, ...]


def half_up(amount: Fraction) -> int:
    return math.floor(amount + Fraction(1, 2))


@cache
def rates_of_spans(debt: Debt, since: date, until: date) -> list[Fraction]:
    """What a fen of principal bears from one day to another, in the spans that are rounded; a day at a time."""
    cuts = {until, debt.contract_due_on + ONE_DAY * (debt.grace_days + 1)}
    cuts |= {changed_on for changed_on, _ in debt.new_rates}
    spans, growing, today = [], Fraction(0), since
    while today < until:
        annual = debt.annual
        for changed_on, rate in debt.new_rates:
            annual = rate if changed_on <= today else annual
        growing += annual / debt.day_count
        today += ONE_DAY
        if today in cuts:
            spans.append(growing)
            growing = Fraction(0)
    return spans


class Slate:
    """What is owed, day after day."""

    def __init__(self, debt: Debt) -> None:
        self.debt, self.today, self.overpaid = debt, debt.offered_on, 0
        self.owed = dict(debt.owed)
        if debt.down_fen:
            self.wait_until(debt.down_on)
            self.pay(debt.down_fen)

    def wait_until(self, day: date) -> None:
        for factor in rates_of_spans(self.debt, self.today, day):
            self.owed["interest"] += half_up(self.owed["principal"] * factor)
        self.today = day

    def pay(self, fen: int) -> None:
        late = self.debt.order_from_day_91 and (self.today - self.debt.contract_due_on).days >= 91
        for component in self.debt.order_from_day_91 if late else self.debt.order:
            settled = min(fen, self.owed[component])
            self.owed[component] -= settled
            fen -= settled
        self.overpaid += fen

    def left(self) -> int:
        return sum(self.owed.values()) - self.overpaid


def last_after(debt: Debt, amount: int) -> int:
    """What the last date asks for if this much is paid on each of the others; below 0 if that is too much."""
    slate = Slate(debt)
    for day in debt.due_dates[:-1]:
        slate.wait_until(day)
        slate.pay(amount)
    slate.wait_until(debt.due_dates[-1])
    return slate.left()


def equal_instalments(debt: Debt) -> list[int] | None:
    too_small = 0
    if last_after(debt, 0) <= 0:
        return None
    for digit in range(len(str(last_after(debt, 0))), -1, -1):
        while last_after(debt, too_small + 10**digit) > too_small + 10**digit:
            too_small += 10**digit
    amount = too_small + 1
    last = last_after(debt, amount)
    return [amount] * (len(debt.due_dates) - 1) + [last] if last > 0 else None


def equal_principal(debt: Debt) -> list[int] | None:
    slate = Slate(debt)
    each = slate.left() // len(debt.due_dates)
    if not each:
        return None
    paid = []
    for day in debt.due_dates[:-1]:
        before = slate.left()
        slate.wait_until(day)
        paid.append(each + slate.left() - before)
        slate.pay(paid[-1])
    slate.wait_until(debt.due_dates[-1])
    return [*paid, slate.left()]
