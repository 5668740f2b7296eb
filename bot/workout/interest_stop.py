"""Interest that stands still while a plan is in force, and runs again after a plan that was broken.

Where the plan lets ordinary interest run, only penalty interest and fees stand still.

A stop is half-open: its first day bears nothing, the day it ends bears interest again. Days before it look as they did,
whatever has been booked for days inside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from bot.lending.accrual import accrue, accrued_period, reaccrue
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind
from bot.lending.repayment import without_penalty
from bot.lending.unbooked import known_on


@dataclass(frozen=True, slots=True)
class InterestStop:
    """Days without interest and penalty interest: ``from_on`` up to but not including ``until_on``, None: for good.

    With ``interest_runs`` they are without penalty interest only; where such days fall into another stop as well, the
    stricter one holds.

    Raises ``ValueError`` if it ends before it begins.
    """

    from_on: date
    until_on: date | None = None
    interest_runs: bool = False

    def __post_init__(self) -> None:
        if self.until_on is not None and self.until_on < self.from_on:
            raise ValueError(f"a stop cannot end before it begins: {self}")


def fee_is_stopped(charged_on: date, stops: Iterable[InterestStop]) -> bool:
    """Whether a fee falls into a stop by the day it is charged; on the first day it was owed when the plan was made."""
    return any(stop.from_on < charged_on and (stop.until_on is None or charged_on < stop.until_on) for stop in stops)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Days that bear interest, half-open, and by which terms; ``from_on`` None: from the beginning."""

    from_on: date | None
    until_on: date
    terms: ContractTerms
    is_spared: bool

    def holds(self, kind: EntryKind, period: tuple[date, date]) -> bool:
        """Whether an accrual of these days belongs into the stretch."""
        within = (self.from_on is None or period[0] >= self.from_on) and period[1] <= self.until_on
        return within and not (self.is_spared and kind is EntryKind.PENALTY_INTEREST)


def entries_with_stops(
    terms: ContractTerms, booked: Iterable[Entry], due_on: date, until: date, stops: Sequence[InterestStop] = ()
) -> tuple[Entry, ...]:
    """The booked entries that count and the interest accrued up to ``until`` but not booked, with none inside a stop.

    Without stops it is ``bot.lending.unbooked.entries_until``; ``stops`` may overlap. Raises as that does.
    """
    entries = tuple(booked)
    counted = _without_accruals(entries)
    for stretch in _stretches(terms, stops, until):
        own = _accruals_within(entries, stretch)
        counted += own
        ends = [period[1] for entry in own if (period := accrued_period(entry)) is not None]
        since = max(ends, default=stretch.from_on or _first_drawdown(entries, stretch.until_on))
        if since < stretch.until_on:
            known = known_on(counted, stretch.until_on)
            counted += accrue(stretch.terms, known, since, stretch.until_on, due_on)
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
    for stretch in _stretches(terms, stops, until):
        own = _accruals_within(entries, stretch)
        periods = [period for entry in own if (period := accrued_period(entry)) is not None]
        counted += own
        if periods:
            ends = {period[1] for period in periods}
            since = min(period[0] for period in periods)
            made = reaccrue(stretch.terms, counted, since, max(ends), due_on, booked_at, cuts=ends)
            counted += made
            corrections += made
    return corrections


def _stretches(terms: ContractTerms, stops: Sequence[InterestStop], until: date) -> list[_Stretch]:
    """The days up to ``until`` that bear interest: those outside the stops, and those that are spared the penalty."""
    days = {day for stop in stops for day in (stop.from_on, stop.until_on) if day is not None and day < until}
    spared = without_penalty(terms)
    found: list[_Stretch] = []
    for from_on, until_on in pairwise((None, *sorted(days), until)):
        if until_on is None:
            continue
        over = [stop for stop in stops if _covers(stop, from_on)]
        if all(stop.interest_runs for stop in over):
            found.append(_Stretch(from_on, until_on, spared if over else terms, bool(over)))
    return found


def _covers(stop: InterestStop, day: date | None) -> bool:
    return day is not None and stop.from_on <= day and (stop.until_on is None or day < stop.until_on)


def _without_accruals(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Everything but accruals and what reverses them."""
    entries = tuple(entries)
    accruals = {entry.key for entry in entries if accrued_period(entry) is not None}
    return tuple(entry for entry in entries if entry.key not in accruals and entry.reverses not in accruals)


def _accruals_within(entries: Iterable[Entry], stretch: _Stretch) -> tuple[Entry, ...]:
    """Accruals whose days all lie in a stretch, and what reverses them."""
    entries = tuple(entries)
    keys = {
        entry.key
        for entry in entries
        if (period := accrued_period(entry)) is not None and stretch.holds(entry.kind, period)
    }
    return tuple(entry for entry in entries if entry.key in keys or entry.reverses in keys)


def _first_drawdown(entries: Iterable[Entry], otherwise: date) -> date:
    starts = (entry.effective_on for entry in entries if entry.kind is EntryKind.DRAWDOWN)
    return min(starts, default=otherwise)
