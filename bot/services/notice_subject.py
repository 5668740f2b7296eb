"""What a stored notice speaks of, as far as holds depend on it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.outreach.notice import Topic
from bot.services.holds import ANYTHING, About
from bot.store.tables import Agreement, Instalment, Negotiation, Promise, QuotedPayoff, Reminder

_NO_DEBT = About(frozenset())
"""Speaks of no debt at all."""

_CASE_NEWS = About(frozenset(), is_case_news=True)


def about(session: Session, reminder: Reminder) -> About:
    """Return the debts that a notice is about; where they cannot be told, every hold counts."""
    match Topic(reminder.topic or Topic.PLAN):
        case Topic.CASE:
            return _CASE_NEWS
        case Topic.RESUMED:
            return _NO_DEBT
        case Topic.OVERDUE | Topic.DUE:
            return About(frozenset({_subject(reminder)}))
        case Topic.PLAN | Topic.LATE | Topic.ENDING:
            part = session.get(Instalment, reminder.instalment_id) if reminder.instalment_id else None
            return _debts(session.get(Agreement, part.agreement_id) if part is not None else None)
        case Topic.COMPLETED:
            return _debts(session.get(Agreement, _subject(reminder)))
        case Topic.PROMISE:
            return _debts(session.get(Promise, _subject(reminder)))
        case Topic.QUOTE:
            if (quote := session.get(QuotedPayoff, _subject(reminder))) is not None:
                return About(frozenset({quote.debt_id}))
            return _debts(session.get(Negotiation, _subject(reminder)))
        case Topic.PAYMENT_FOUND | Topic.DOCUMENT | Topic.APPROVAL | Topic.CALL:
            return ANYTHING


def _debts(row: Agreement | Promise | Negotiation | None) -> About:
    return About(frozenset(row.debt_ids)) if row is not None and row.debt_ids else ANYTHING


def _subject(reminder: Reminder) -> str:
    return (reminder.subject or reminder.key).split(":")[1]
