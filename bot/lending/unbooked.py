"""The interest that has accrued but is not booked yet, so that any day can be looked at."""

from collections.abc import Iterable
from datetime import date

from bot.lending.accrual import accrue, accrued_period
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind


def entries_until(terms: ContractTerms, booked: Iterable[Entry], due_on: date, as_of: date) -> tuple[Entry, ...]:
    """Return the booked entries and the interest that has accrued up to ``as_of`` but is not booked by then.

    An accrual booked for days beyond ``as_of`` is set aside and its days up to ``as_of`` are accrued here, so
    that a day looks the same whether it is seen on that day or later. Other entries beyond ``as_of`` are kept, but
    accruing here knows nothing of them: a payment that bounces later still counts until it does.
    Raises as ``bot.lending.accrual.accrual_spans`` does.
    """
    entries = tuple(booked)
    beyond = {entry.key for entry in entries if (period := accrued_period(entry)) is not None and period[1] > as_of}
    entries = tuple(entry for entry in entries if entry.key not in beyond and entry.reverses not in beyond)
    ends = [period[1] for entry in entries if (period := accrued_period(entry)) is not None]
    starts = [entry.effective_on for entry in entries if entry.kind is EntryKind.DRAWDOWN]
    since = max(ends, default=min(starts, default=as_of))
    return entries + accrue(terms, known_on(entries, as_of), since, as_of, due_on) if since < as_of else entries


def known_on(entries: Iterable[Entry], day: date) -> tuple[Entry, ...]:
    """The entries that count from ``day`` or earlier, without reversals of any that do not."""
    known = tuple(entry for entry in entries if entry.effective_on <= day)
    keys = {entry.key for entry in known}
    return tuple(entry for entry in known if entry.reverses is None or entry.reverses in keys)
