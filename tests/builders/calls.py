"""Calls that borrowers ask for, as tests of them arrange, settle and read them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from bot.clock import SHANGHAI
from bot.desk.calls import CallOutcome, CallState
from bot.services import call_backs
from bot.services.call_backs import CallMade, NotArranged
from bot.services.deps import Deps
from bot.services.operators import OperatorView
from bot.store import tables

TODAY = datetime(2026, 11, 21, tzinfo=SHANGHAI)
"""The day of the tests' clock, which shows noon."""


def at(hour: int, minute: int = 0, days: int = 0) -> datetime:
    """Return a time of that day, or so many days after it."""
    return TODAY.replace(hour=hour, minute=minute) + timedelta(days=days)


def settle(deps: Deps, chen: OperatorView, chat: str, outcome: CallOutcome) -> CallState | NotArranged:
    """Settle the call as it stands."""
    row = row_of(deps, chat)
    return call_backs.settle(deps, chen, chat, CallMade(row.id, row.attempts), outcome)


def contacts(deps: Deps) -> list[tables.Reminder]:
    """What stands in the history of contacts about calls."""
    with deps.read() as session:
        found = select(tables.Reminder).where(tables.Reminder.key.like("call%"))
        return list(session.scalars(found.order_by(tables.Reminder.created_at)))


def row_of(deps: Deps, chat: str) -> tables.CallBack:
    """Return the last call that was asked for in a conversation."""
    with deps.read() as session:
        found = select(tables.CallBack).where(tables.CallBack.conversation_id == chat)
        return session.scalars(found.order_by(tables.CallBack.asked_at.desc())).first() or pytest.fail("no call")


def told(deps: Deps, chat: str) -> list[tables.Message]:
    """Return what was said of calls that operators arranged or settled."""
    with deps.read() as session:
        found = select(tables.Message).where(
            tables.Message.conversation_id == chat, tables.Message.client_key.like("call:%")
        )
        return list(session.scalars(found.order_by(tables.Message.seq)))
