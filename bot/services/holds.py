"""Which holds are open on a borrower."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.outreach.gate import HoldKind
from bot.store.tables import Borrower, Conversation, Hold


@dataclass(frozen=True, slots=True)
class OpenHolds:
    """The kinds of holds that stand, over all of a borrower's conversations and debts."""

    kinds: frozenset[HoldKind]

    @property
    def silencing(self) -> frozenset[HoldKind]:
        """Holds under which no plan is talked about with the bot: distress and death."""
        return self.kinds & {HoldKind.DISTRESS, HoldKind.DECEASED}


def open_holds(session: Session, borrower_id: str) -> OpenHolds:
    """Return every open hold that concerns a borrower, death on record included."""
    own_conversations = select(Conversation.id).where(Conversation.borrower_id == borrower_id)
    rows = session.scalars(
        select(Hold.kind).where(
            or_(Hold.borrower_id == borrower_id, Hold.conversation_id.in_(own_conversations)), Hold.lifted_at.is_(None)
        )
    )
    kinds = {HoldKind(kind) for kind in rows}
    borrower = session.get(Borrower, borrower_id)
    if borrower is None or borrower.deceased:
        kinds.add(HoldKind.DECEASED)
    return OpenHolds(frozenset(kinds))
