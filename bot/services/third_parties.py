"""What the desk does when somebody other than the borrower writes: sort who it is, let go, hold, call a person.

The same is said whether or not the desk knows the person spoken of; only records and notices differ.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.desk.ownership import QueueReason
from bot.identity.levels import Level
from bot.identity.third_party import (
    TREATMENTS,
    Speaker,
    introduces_self,
    read_third_party,
    read_wrong_person,
)
from bot.outreach.gate import HoldKind
from bot.services import audit, holds, identity
from bot.services.accounts import lock_borrower
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue
from bot.services.mailboxes import SMS
from bot.services.notices_due import touch
from bot.services.proof import viewer_of
from bot.store.tables import Conversation


def meet_stranger(deps: Deps, conversation_id: str, said: str) -> Speaker:
    """Let go of whoever says they are not the person: the binding ends, and nothing is sent to this address any more.

    Where the number has changed hands, text messages to the number on record stop as well: it is somebody else's.
    ``said`` is normalised.
    """
    speaker = read_wrong_person(said)
    with deps.begin() as session:
        borrower_id = session.scalar(select(Conversation.borrower_id).where(Conversation.id == conversation_id))
        if borrower_id is not None:
            lock_borrower(session, borrower_id)  # before the conversation, as whoever decides a notice does
        identity.release(session, deps, conversation_id, speaker.value)
        if borrower_id is not None and speaker is Speaker.NUMBER_CHANGED_HANDS:
            session.execute(
                update(Conversation)
                .where(Conversation.borrower_id == borrower_id, Conversation.channel == SMS)
                .values(unreachable_at=deps.now())
            )
            touch(session, borrower_id, deps.now())
            audit.record(session, deps.now(), audit.BOT, "number_changed_hands", ("borrower", borrower_id))
    return speaker


def meet_third_party(deps: Deps, conversation_id: str, said: str) -> Speaker:
    """Take down who speaks for or about somebody else. ``said`` is normalised.

    Whoever says that they are somebody else ends the proof of identity that this conversation had. A death that is
    reported where a borrower has written before stops every notice to them until a person has looked into it; in a
    conversation that is proved to be the borrower's at this moment it is somebody else's death.
    """
    speaker = read_third_party(said)
    treatment = TREATMENTS[speaker]
    with deps.begin() as session:
        borrower_id = session.scalar(select(Conversation.borrower_id).where(Conversation.id == conversation_id))
        if borrower_id is not None:
            lock_borrower(session, borrower_id)  # before the conversation, as whoever decides a notice does
        conversation = locked(session, conversation_id)
        if conversation is None:
            return speaker
        now, is_other = deps.now(), introduces_self(said)
        is_proved = viewer_of(session, deps, conversation_id).level is Level.VERIFIED and not is_other
        if is_other:
            conversation.verified_at = None
        if treatment.holds and not is_proved:
            _hold(session, deps, conversation)
        audit.record(
            session, now, audit.BOT, "third_party_met", ("conversation", conversation_id), speaker=speaker.value
        )
        if treatment.calls_person:
            enqueue(session, conversation, QueueReason.THIRD_PARTY, now)
    return speaker


def _hold(session: Session, deps: Deps, conversation: Conversation) -> None:
    holds.place(
        session,
        deps.now(),
        HoldKind.DECEASED,
        borrower_id=conversation.borrower_id,
        conversation_id=conversation.id,
    )
    if conversation.borrower_id is not None:
        touch(session, conversation.borrower_id, deps.now())
