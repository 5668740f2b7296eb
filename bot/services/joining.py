"""What was said before anybody had proved who they are, joined to the borrower who proves it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from bot.cases.course import OPEN
from bot.services import audit, holds
from bot.services.deps import Deps
from bot.services.notices_due import touch
from bot.store.tables import CaseFile, ChannelBinding, Circumstance, EvidenceConsent, Hold

CASE_JOINED = "case_joined"
"""What is on record of a case that was opened before its borrower had proved who they are, once they have."""

_STILL_OPEN = tuple(state.value for state in OPEN)
_EVER = datetime.min.replace(tzinfo=UTC)


def join(session: Session, deps: Deps, conversation_id: str, borrower_id: str) -> int:
    """Make a conversation's open cases of nobody in particular this borrower's; return how many.

    Holds that stand there, circumstances and consents that were told there come with them. For whoever is just being
    bound to it; borrower and conversation are locked. What is from before the conversation was released from anybody is
    theirs and stays so: a number may have changed hands.
    """
    now, since = deps.now(), _last_release(session, conversation_id)
    found = session.scalars(
        select(CaseFile)
        .where(
            CaseFile.conversation_id == conversation_id,
            CaseFile.borrower_id.is_(None),
            CaseFile.state.in_(_STILL_OPEN),
            CaseFile.created_at > since,
        )
        .with_for_update()
    ).all()
    for case in found:
        case.borrower_id = borrower_id
        audit.record(session, now, audit.BOT, CASE_JOINED, ("case", case.id), borrower=borrower_id)
    of_cases = [hold_id for case in found for hold_id in case.hold_ids]
    of_nobody = select(Hold).where(
        Hold.borrower_id.is_(None),
        Hold.conversation_id == conversation_id,
        or_(Hold.placed_at > since, Hold.id.in_(of_cases)),
        holds.standing(now),
    )
    for hold in session.scalars(of_nobody.order_by(Hold.placed_at, Hold.id)):
        holds.join(session, now, hold, borrower_id)
    for table, told_at in ((Circumstance, Circumstance.named_at), (EvidenceConsent, EvidenceConsent.given_at)):
        session.execute(
            update(table)
            .where(table.conversation_id == conversation_id, table.borrower_id.is_(None), told_at > since)
            .values(borrower_id=borrower_id)
        )
    if found:
        touch(session, borrower_id, now)
    return len(found)


def _last_release(session: Session, conversation_id: str) -> datetime:
    released = session.scalars(
        select(ChannelBinding.released_at).where(
            ChannelBinding.conversation_id == conversation_id, ChannelBinding.released_at.is_not(None)
        )
    )
    return max((at for at in released if at is not None), default=_EVER)
