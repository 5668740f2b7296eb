"""Cases that were raised before anybody had proved who they are, joined to the borrower who proves it afterwards."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cases.course import OPEN
from bot.services import audit
from bot.services.deps import Deps
from bot.services.notices_due import touch
from bot.store.tables import CaseFile, ChannelBinding, Hold

_STILL_OPEN = tuple(state.value for state in OPEN)


def join(session: Session, deps: Deps, conversation_id: str, borrower_id: str) -> int:
    """Make a conversation's open cases of nobody in particular, and what they hold, this borrower's; return how many.

    For whoever is just being bound to it; borrower and conversation are locked. Cases from before the conversation was
    anybody else's, or was released from anybody, are theirs and stay so: a number may have changed hands.
    """
    now = deps.now()
    released = session.scalars(
        select(ChannelBinding.released_at).where(
            ChannelBinding.conversation_id == conversation_id, ChannelBinding.released_at.is_not(None)
        )
    )
    since = max((at for at in released if at is not None), default=None)
    nobodys = select(CaseFile).where(
        CaseFile.conversation_id == conversation_id,
        CaseFile.borrower_id.is_(None),
        CaseFile.state.in_(_STILL_OPEN),
    )
    if since is not None:
        nobodys = nobodys.where(CaseFile.created_at > since)
    found = session.scalars(nobodys.with_for_update()).all()
    for case in found:
        case.borrower_id = borrower_id
        for hold in session.scalars(select(Hold).where(Hold.id.in_(case.hold_ids), Hold.borrower_id.is_(None))):
            hold.borrower_id = borrower_id
        audit.record(session, now, audit.BOT, "case_joined", ("case", case.id), borrower=borrower_id)
    if found:
        touch(session, borrower_id, now)
    return len(found)
