"""A consent of its own before files about health or means are asked for or taken, and taking it back (P6).

The questions and answers are fixed words: what somebody agrees to is not left to an engine.
"""

from __future__ import annotations

import re
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot.desk.ownership import QueueReason
from bot.identity.roles import Permission, may
from bot.services import audit
from bot.services.case_questions import told_here
from bot.services.case_record import empty_file
from bot.services.circumstances import pace_of
from bot.services.conversations import Author, QuickReply, Reply, locked, say
from bot.services.deps import Deps
from bot.services.locking import locked_in_turn
from bot.services.operators import OperatorView
from bot.store.tables import CaseNote, Conversation, EvidenceConsent, Message, Negotiation
from bot.text.normalize import normalize_text
from bot.workout.policy_sections import HardshipKind

_TOLD_OF_HEALTH_OR_MEANS = (HardshipKind.ILLNESS.value, HardshipKind.JOB_LOSS.value)


class Answer(StrEnum):
    """What somebody says about their consent; the values are the buttons' orders."""

    GIVE = "/evidence_consent_give"
    REFUSE = "/evidence_consent_refuse"
    WITHDRAW = "/evidence_consent_withdraw"


_SAID = {
    Answer.WITHDRAW: re.compile(
        r"(?:我要|我想)?(?:撤回|收回|取消)(?:我|我的|对)?(?:提供|交|发)?(?:材料|证明)?的?同意(?:提供材料)?"
    ),
    Answer.REFUSE: re.compile(r"我?不同意(?:提供|交|发)(?:材料|证明)"),
    Answer.GIVE: re.compile(r"我?同意(?:提供|交|发)(?:材料|证明)"),
}


def is_missing(session: Session, deps: Deps, conversation: Conversation) -> bool:
    """Whether a file from this conversation takes a consent that was not given, or was taken back."""
    return _is_needed(session, deps, conversation) and _standing(session, conversation) is None


def is_missing_in(deps: Deps, conversation_id: str) -> bool:
    """Tell the same by the conversation's id; False where it is unknown."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        return conversation is not None and is_missing(session, deps, conversation)


def ask(deps: Deps, conversation_id: str, key: str) -> bool:
    """Ask for the consent in the chat, once per ``key``; returns whether it was asked now."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return False
        days = str(deps.retention.evidence_days)
        buttons = (
            QuickReply(deps.wording.one("consent_give"), Answer.GIVE.value),
            QuickReply(deps.wording.one("consent_refuse"), Answer.REFUSE.value),
        )
        reply = Reply(deps.wording.one("consent_asked", days=days), buttons)
        said = say(session, deps, conversation, reply, author=Author.NOTICE, key=f"consent:{key}")
        if said is not None:
            audit.record(session, deps.now(), audit.BOT, "consent_asked", ("conversation", conversation_id))
        return said is not None


def note(deps: Deps, operator: OperatorView, conversation_id: str) -> bool:
    """Put on record that somebody gave the consent to an operator; False where that may not be, or it stands."""
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None or not may(operator.role, Permission.REPLY):
            return False
        return give(session, deps, conversation, audit.Actor("operator", operator.id))


def guard(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    """Take what a message that is being stored says about the consent, and answer it; every other is left alone.

    Taking it back deletes at once the files that were sent from the chat for the cases that may be told of here.
    """
    said = answer_in(message)
    if said is None or message.handling not in ("pending", "held") or conversation.queue_reason == QueueReason.DISTRESS:
        return
    actor = audit.Actor("borrower", conversation.borrower_id)
    if said is Answer.GIVE:
        give(session, deps, conversation, actor)
        back = QuickReply(deps.wording.one("consent_withdraw"), Answer.WITHDRAW.value)
        reply = Reply(deps.wording.one("consent_given"), (back,))
    elif said is Answer.REFUSE:
        reply = Reply(deps.wording.one("consent_refused"))
    else:
        gone = _withdraw(session, deps, conversation, actor)
        reply = Reply(deps.wording.one("consent_withdrawn", count=str(gone)))
    if message.handling == "held":  # a person answers; that it was taken is said all the same
        say(session, deps, conversation, reply, author=Author.NOTICE)
        return
    message.handling, message.confidence = "handled", 1.0
    message.understanding = {"entities": [], "actions": ["consent_guard"], "ranking": [], "model": "guard:consent"}
    say(session, deps, conversation, reply, author=Author.BOT, in_reply_to=message.id)


def answer_in(message: Message) -> Answer | None:
    """Return what a message says about the consent, by its button or in whole by its words; None for anything else."""
    if message.payload is not None:
        return Answer(message.payload) if message.payload in tuple(Answer) else None
    text = normalize_text(message.text).strip("。.!,， ")
    return next((answer for answer, words in _SAID.items() if words.fullmatch(text)), None)


def _is_needed(session: Session, deps: Deps, conversation: Conversation) -> bool:
    if pace_of(session, deps, conversation).is_sensitive:
        return True
    if conversation.borrower_id is None:
        return False
    told = select(Negotiation.id).where(
        Negotiation.active_key == conversation.borrower_id, Negotiation.hardship.in_(_TOLD_OF_HEALTH_OR_MEANS)
    )
    return session.scalar(told) is not None


def _standing(session: Session, conversation: Conversation) -> EvidenceConsent | None:
    here = (EvidenceConsent.conversation_id == conversation.id) & or_(
        EvidenceConsent.borrower_id.is_(None), EvidenceConsent.borrower_id == conversation.borrower_id
    )
    if conversation.borrower_id is not None:
        here = here | (EvidenceConsent.borrower_id == conversation.borrower_id)
    return session.scalars(select(EvidenceConsent).where(here, EvidenceConsent.withdrawn_at.is_(None)).limit(1)).first()


def give(session: Session, deps: Deps, conversation: Conversation, actor: audit.Actor) -> bool:
    """Put a consent on record inside an open transaction; False where one stands. ``actor`` gave it, or noted it."""
    if _standing(session, conversation) is not None:
        return False
    session.add(
        EvidenceConsent(
            conversation_id=conversation.id,
            borrower_id=conversation.borrower_id,
            given_at=deps.now(),
            noted_by=actor.id if actor.kind == "operator" else None,
        )
    )
    audit.record(session, deps.now(), actor, "consent_given", ("conversation", conversation.id))
    return True


def _withdraw(session: Session, deps: Deps, conversation: Conversation, actor: audit.Actor) -> int:
    while (consent := _standing(session, conversation)) is not None:
        consent.withdrawn_at = deps.now()
        session.flush()
    case_ids = [case.id for case in told_here(session, deps, conversation.id)]
    files = session.scalars(
        select(CaseNote).where(
            CaseNote.case_id.in_(case_ids), CaseNote.content_sealed.is_not(None), CaseNote.operator_id.is_(None)
        )
    ).all()
    for file in files:
        empty_file(session, deps, file, actor)
    audit.record(session, deps.now(), actor, "consent_withdrawn", ("conversation", conversation.id), files=len(files))
    return len(files)
