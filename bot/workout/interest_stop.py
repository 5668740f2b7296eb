"""Interest that stands still while a plan is in force, and runs again after a plan that was broken.

A stop is half-open: its first day bears nothing, the day it ends bears interest again. Days before it look as they did,
whatever has been booked for days inside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.lending.accrual import accrue, accrued_period, reaccrue
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind
from bot.lending.unbooked import known_on


@dataclass(frozen=True, slots=True)
class InterestStop:
    """Days without interest and penalty interest: ``from_on`` up to but not including ``until_on``, None: for good.

    Raises ``ValueError`` if it ends before it begins.
    """

    from_on: date
    until_on: date | None = None

    def __post_init__(self) -> None:
        if self.until_on is not None and self.until_on < self.from_on:
            raise ValueError(f"a stop cannot end before it begins: {self}")


def fee_is_stopped(charged_on: date, stops: Iterable[InterestStop]) -> bool:
    """Whether a fee falls into a stop by the day it is charged; on the first day it was owed when the plan was made."""
    return any(stop.from_on < charged_on and (stop.until_on is None or charged_on < stop.until_on) for stop in stops)


_Stretch = tuple[date | None, date]
"""Days that bear interest, half-open; None: from the beginning."""


def entries_with_stops(
    terms: ContractTerms, booked: Iterable[Entry], due_on: date, until: date, stops: Sequence[InterestStop] = ()
) -> tuple[Entry, ...]:
    """The booked entries that count and the interest accrued up to ``until`` but not booked, with none inside a stop.

    Without stops it is ``bot.lending.unbooked.entries_until``; ``stops`` may overlap. Raises as that does.
    """
    entries = tuple(booked)
    counted = _without_accruals(entries)
    for from_on, until_on in _stretches(stops, until):
        own = _accruals_within(entries, from_on, until_on)
        counted += own
        ends = [period[1] for entry in own if (period := accrued_period(entry)) is not None]
        since = max(ends, default=from_on or _first_drawdown(entries, until_on))
        if since < until_on:
            counted += accrue(terms, known_on(counted, until_on), since, until_on, due_on)
    return counted


def accrual_corrections(
    terms: ContractTerms,
    booked: Iterable[Entry],
    due_on: date,
    until: date,
    stops: Sequence[InterestStop],
    booked_at: datetime,
) -> tuple[Entry, ...]:
    """What must be booked so that every booked accrual outside the stops is right again, as after a late arrival.

    ``until`` is the first day not looked at. Nothing if all is right. Raises as ``bot.lending.accrual.reaccrue`` does.
    """
    entries = tuple(booked)
    counted = _without_accruals(entries)
    corrections: tuple[Entry, ...] = ()
    for from_on, until_on in _stretches(stops, until):
        own = _accruals_within(entries, from_on, until_on)
        periods = [period for entry in own if (period := accrued_period(entry)) is not None]
        counted += own
        if periods:
            ends = {period[1] for period in periods}
            since = min(period[0] for period in periods)
            made = reaccrue(terms, counted, since, max(ends), due_on, booked_at, cuts=ends)
            counted += made
            corrections += made
    return corrections


def _stretches(stops: Sequence[InterestStop], until: date) -> list[_Stretch]:
    """The days up to ``until`` that bear interest, between the stops."""
    found: list[_Stretch] = []
    since: date | None = None
    for stop in sorted(stops, key=lambda stop: stop.from_on):
        if stop.from_on >= until:
            break
        if since is None or since < stop.from_on:
            found.append((since, stop.from_on))
        if stop.until_on is None or stop.until_on >= until:
            return found
        since = max(since or stop.until_on, stop.until_on)
    return [*found, (since, until)]


def _without_accruals(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Everything but accruals and what reverses them."""
    entries = tuple(entries)
    accruals = {entry.key for entry in entries if accrued_period(entry) is not None}
    return tuple(entry for entry in entries if entry.key not in accruals and entry.reverses not in accruals)


def _accruals_within(entries: Iterable[Entry], from_on: date | None, until_on: date) -> tuple[Entry, ...]:
    """Accruals whose days all lie in a stretch, and what reverses them."""
    entries = tuple(entries)
    keys = {
        entry.key
        for entry in entries
        if (period := accrued_period(entry)) is not None
        and (from_on is None or period[0] >= from_on)
        and period[1] <= until_on
    }
    return tuple(entry for entry in entries if entry.key in keys or entry.reverses in keys)


def _first_drawdown(entries: Iterable[Entry], otherwise: date) -> date:
    starts = (entry.effective_on for entry in entries if entry.kind is EntryKind.DRAWDOWN)
    return min(starts, default=otherwise)
