"""What is owed, one day after another and in fractions: slow, plain, and independent of ``bot.lending``.

Written from rules S1 to S10 of docs/lending.md and from nothing else. It keeps running balances, walks every day from
the first to the last, and knows no ledger keys, no spans and no postings; it imports nothing from the code it checks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

ONE_DAY = timedelta(days=1)
CHARGED = {"drawdown": "principal", "other_fee": "fee"}


@dataclass(frozen=True)
class Happening:
    """Something booked: a drawdown, other_fee, payment or waiver of so many fen; ``undone_on`` if it was reversed."""

    day: date
    what: str
    fen: int
    waived: str = ""
    undone_on: date | None = None


@dataclass(frozen=True)
class Minimum:
    """A card's minimum payment, in fen."""

    statement_on: date
    due_on: date
    fen: int


@dataclass(frozen=True)
class NewRates:
    """Rates a year from a day on."""

    day: date
    annual: Fraction
    penalty: Fraction


@dataclass(frozen=True)
class Account:
    """A contract and all that happened on it; rates are fractions a year."""

    first_day: date
    due_on: date
    last_day: date
    annual: Fraction
    penalty: Fraction
    day_count: int
    grace_days: int
    order: tuple[str, ...]
    order_from_day_91: tuple[str, ...]
    late_fee_share: Fraction
    late_fee_floor: int
    new_rates: tuple[NewRates, ...]
    booking_days: tuple[date, ...]
    happenings: tuple[Happening, ...]
    minimums: tuple[Minimum, ...]


def half_up(amount: Fraction) -> int:
    return math.floor(amount + Fraction(1, 2))


def owed_on(account: Account) -> dict[str, int]:
    """Fen owed of each component, and the credit, at the end of the account's last day."""
    counted = [each for each in account.happenings if not each.undone_on or each.undone_on > account.last_day]
    penalty_starts = account.due_on + ONE_DAY * (account.grace_days + 1)
    span_ends = {penalty_starts, account.last_day, *account.booking_days}
    span_ends |= {each.day for each in account.new_rates}
    span_ends |= {each.day for each in counted if each.what != "other_fee"}

    owed = dict.fromkeys(("principal", "interest", "penalty", "fee"), 0)
    growing = {"interest": Fraction(0), "penalty": Fraction(0)}
    credit = 0
    today = account.first_day
    while today <= account.last_day:
        if today in span_ends:
            for component, unrounded in growing.items():
                owed[component] += half_up(unrounded)
                growing[component] = Fraction(0)
        happening = [each for each in counted if each.day == today]
        for each in happening:
            if each.what in CHARGED:
                owed[CHARGED[each.what]] += each.fen
        owed["fee"] += late_fees_of(account, counted, today)
        for each in happening:
            if each.what == "waiver":
                owed[each.waived] = max(0, owed[each.waived] - each.fen)
        credit += sum(each.fen for each in happening if each.what == "payment")
        late_order = account.order_from_day_91 and (today - account.due_on).days >= 91
        for component in account.order_from_day_91 if late_order else account.order:
            settled = min(credit, owed[component])
            owed[component] -= settled
            credit -= settled
        annual, penalty = rates_of(account, today)
        growing["interest"] += owed["principal"] * annual / account.day_count
        if today >= penalty_starts:
            growing["penalty"] += owed["principal"] * penalty / account.day_count
        today += ONE_DAY
    return {**owed, "credit": credit}


def rates_of(account: Account, today: date) -> tuple[Fraction, Fraction]:
    annual, penalty = account.annual, account.penalty
    for change in account.new_rates:
        if change.day <= today:
            annual, penalty = change.annual, change.penalty
    return annual, penalty


def late_fees_of(account: Account, counted: list[Happening], today: date) -> int:
    charged = 0
    for minimum in account.minimums:
        last_day_on_time = minimum.due_on + ONE_DAY * account.grace_days
        if today != last_day_on_time + ONE_DAY:
            continue
        paid = sum(
            each.fen
            for each in counted
            if each.what == "payment" and minimum.statement_on < each.day <= last_day_on_time
        )
        if paid < minimum.fen:
            charged += max(half_up((minimum.fen - paid) * account.late_fee_share), account.late_fee_floor)
    return charged
