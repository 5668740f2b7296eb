"""Payoff quotes that borrowers were told: kept as they were said, and whether one still says what ends its debt."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from bot.lending.limitation import LimitationStatus
from bot.lending.payoff import PayoffQuote
from bot.services import audit
from bot.services.accounts import DebtView, counted_ledger, lock_borrower
from bot.services.deps import Deps
from bot.services.notices_due import touch
from bot.store.tables import QuotedPayoff

SUBJECT = "payoff"
"""The kind in the subject of a notice that is about such a quote: ``payoff:<id>``."""

_Later = aliased(QuotedPayoff)


def keep(deps: Deps, borrower_id: str, conversation_id: str, quotes: Collection[PayoffQuote]) -> None:
    """Write quotes down before they are told, each once, and have their end recalled (``docs/reminders.md``)."""
    if not quotes:
        return
    with deps.begin() as session:
        lock_borrower(session, borrower_id)
        hashes = [quote.quote_id for quote in quotes]
        known = set(session.scalars(select(QuotedPayoff.content_hash).where(QuotedPayoff.content_hash.in_(hashes))))
        for quote in quotes:
            if quote.quote_id not in known:
                session.add(_row(deps, borrower_id, conversation_id, quote))
                audit.record(session, deps.now(), audit.BOT, "payoff_quoted", ("debt", quote.debt_id))
        session.flush()
        touch(session, borrower_id, deps.now())


def may_be_pressed(debt: DebtView) -> bool:
    """Whether paying a debt may be spoken of at all: not while it is disputed or possibly too old (rule N8)."""
    return not debt.disputed and (debt.limitation is LimitationStatus.RUNNING or debt.plan_number is not None)


def is_the_last() -> ColumnElement[bool]:
    """Whether no later quote was told of the same debt; equal ones are one row."""
    told_later = _Later.told_at > QuotedPayoff.told_at
    return ~exists().where(_Later.debt_id == QuotedPayoff.debt_id, told_later).correlate(QuotedPayoff)


def last_quotes(session: Session, quote_ids: Iterable[str]) -> dict[str, QuotedPayoff]:
    """Return those of some quotes that are the last of their debts, by id, inside an open transaction."""
    wanted = list(quote_ids)
    if not wanted:
        return {}
    rows = session.scalars(select(QuotedPayoff).where(QuotedPayoff.id.in_(wanted), is_the_last()))
    return {row.id: row for row in rows}


def still_holds(session: Session, quote: QuotedPayoff, debt: DebtView | None, today: date) -> bool:
    """Whether paying the quoted amount still ends the debt: nothing was booked since that changes it.

    ``debt`` is its view of ``today`` (Asia/Shanghai).
    """
    if debt is None or quote.good_through < today or not may_be_pressed(debt):
        return False
    if not debt.statement.balances.total_fen:
        return False
    return counted_ledger(session, debt).owed_on(quote.good_through).total_fen == quote.total_fen


def _row(deps: Deps, borrower_id: str, conversation_id: str, quote: PayoffQuote) -> QuotedPayoff:
    owed = quote.owed
    return QuotedPayoff(
        content_hash=quote.quote_id,
        borrower_id=borrower_id,
        debt_id=quote.debt_id,
        told_in=conversation_id,
        as_of=quote.as_of,
        good_through=quote.good_through,
        principal_fen=owed.principal_fen,
        interest_fen=owed.interest_fen,
        penalty_fen=owed.penalty_fen,
        fee_fen=owed.fee_fen,
        told_at=deps.now(),
    )
