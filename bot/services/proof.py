"""Reading and ending a conversation's proof of identity, and what opens facts about a debt.

Facts about a debt are opened by one of two things: a ``RightParty``, which a conversation has at level 2 only, or
``DeskWork``, with which the desk's own processes compute what no conversation is shown. Whatever returns facts takes
one of them; nothing takes a borrower's id.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from bot.identity.levels import Level, Proof, Viewer, viewer
from bot.services.deps import Deps
from bot.store.tables import Conversation

_SEAL: Final = object()
"""What only this module can put into a ``RightParty``."""


@dataclass(frozen=True, slots=True)
class RightParty:
    """Proof that a conversation is with a verified borrower, at the moment it was asked for.

    Only ``right_party`` makes one: the class refuses to be made, or changed into somebody else's, anywhere else. It
    is good for the transaction it was made in and is not kept.

    Raises:
        TypeError: it was made by anything else.
    """

    borrower_id: str
    conversation_id: str
    is_fresh: bool
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("only right_party makes a RightParty")


@dataclass(frozen=True, slots=True)
class NotVerified:
    """Nothing may be said before identity is proved."""


class Purpose(StrEnum):
    """What the desk itself needs facts about a debt for. None of it is shown in a conversation."""

    APPROVAL = "approval"
    CASE = "case"
    CLEARANCE = "clearance"
    NOTICE = "notice"
    PAYMENT = "payment"
    PLAN_SERVICING = "plan_servicing"
    POLICY_REVIEW = "policy_review"
    RETENTION = "retention"


@dataclass(frozen=True, slots=True)
class DeskWork:
    """Leave of the desk's own processes to compute with a borrower's debts, for a named purpose.

    Not for anything that a conversation asks for: ``tests/unit/test_firewall.py`` lists the modules that may make one.
    """

    borrower_id: str
    purpose: Purpose


Reader = RightParty | DeskWork
"""Who may open facts about the debts of ``borrower_id``."""


def proof_of(conversation: Conversation) -> Proof:
    """Return what is on record about a conversation's identity."""
    return Proof(conversation.borrower_id, conversation.verified_at, conversation.last_inbound_at)


def lapse_if_idle(conversation: Conversation, now: datetime, idle: timedelta) -> None:
    """End level 2 when the borrower comes back after too long a silence. Called before the new message counts."""
    if conversation.verified_at and viewer(proof_of(conversation), now, idle, idle).level < Level.VERIFIED:
        conversation.verified_at = None


def viewer_of(session: Session, deps: Deps, conversation_id: str) -> Viewer:
    """Return who is looking over a conversation, now. An unknown conversation is anonymous."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return Viewer(Level.ANONYMOUS, None, is_fresh=False)
    return viewer(proof_of(conversation), deps.now(), deps.idle, deps.fresh)


def right_party(session: Session, deps: Deps, conversation_id: str) -> RightParty | NotVerified:
    """Return the verified borrower of a conversation: the only way from a conversation to any fact about a debt."""
    seen = viewer_of(session, deps, conversation_id)
    if seen.level < Level.VERIFIED or seen.borrower_id is None:
        return NotVerified()
    return RightParty(seen.borrower_id, conversation_id, seen.is_fresh, seal=_SEAL)
