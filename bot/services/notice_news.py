"""Borrowers whose facts changed where nobody could hold their row: who wrote, and on whom a hold was placed.

Both happen with the conversation locked, when it is too late to take the borrower's row (``notices_due.touch_all``). So
each round of the scheduler looks at what is new since the last one, and touches whom it concerns.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from bot.services import heartbeats
from bot.services.deps import Deps
from bot.services.notices_due import touch_all
from bot.store.tables import Borrower, Conversation, Hold

NEWS = "notice_news"
"""The heartbeat that says up to when the news has been taken in."""

PAGE = 500


def take_in(deps: Deps) -> int:
    """Have everybody planned again who wrote, or got a hold, since this was last done; returns how many.

    Done for the first time it looks back a few minutes only: by then nobody was planned, or everybody is looked at in
    the next small hours anyway.
    """
    now = deps.now()
    with deps.read() as session:
        since = heartbeats.since(session, NEWS, now) or now - heartbeats.OVERLAP
        news = _concerned(session, since, now)
    for first in range(0, len(news), PAGE):
        _touch(deps, news[first : first + PAGE], now)
    heartbeats.beat_at(deps, NEWS, now)
    return len(news)


def _concerned(session: Session, since: datetime, until: datetime) -> list[str]:
    """The borrowers with something new, in the order in which their rows are taken."""
    wrote = select(Conversation.borrower_id.label("id")).where(
        Conversation.last_inbound_at > since, Conversation.last_inbound_at <= until
    )
    held = (
        select(func.coalesce(Hold.borrower_id, Conversation.borrower_id).label("id"))
        .outerjoin(Conversation, Conversation.id == Hold.conversation_id)
        .where(Hold.placed_at > since, Hold.placed_at <= until)
    )
    return sorted(borrower_id for borrower_id in session.scalars(union(wrote, held)) if borrower_id is not None)


def _touch(deps: Deps, borrower_ids: list[str], now: datetime) -> None:
    with deps.begin() as session:
        session.execute(
            select(Borrower.id)
            .where(Borrower.id.in_(borrower_ids))
            .order_by(Borrower.id)
            .with_for_update(key_share=True)
        ).all()
        touch_all(session, borrower_ids, now)
