"""Marking a borrower whose notices have to be planned again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from bot.store.many import among
from bot.store.tables import Borrower


def touch(session: Session, borrower_id: str, now: datetime) -> None:
    """Have a borrower's notices planned anew: ``touch_all`` for one."""
    touch_all(session, [borrower_id], now)


def touch_all(session: Session, borrower_ids: Collection[str], now: datetime) -> None:
    """Have borrowers' notices planned anew from ``now`` (aware) on, inside the transaction that changed something.

    It takes the borrowers' rows. Whoever decides a notice holds that row and then takes the notice and the
    conversation: a transaction that has changed one of those must have taken the borrower's row before, or both wait
    for ever.
    """
    session.execute(
        update(Borrower)
        .where(
            among(session, Borrower.id, borrower_ids),
            or_(Borrower.notices_due_at.is_(None), Borrower.notices_due_at > now),
        )
        .values(notices_due_at=now)
        .execution_options(synchronize_session=False)
    )
