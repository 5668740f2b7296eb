"""A consent of its own before files about health or means are asked for or taken, and taking it back (P6).

The questions and answers are fixed words: what somebody agrees to is not left to an engine. Proof for the decision on a
plan is another purpose than a case: its consent is given for that one request, and always asked for.
"""

from __future__ import annotations

import re
from enum import StrEnum

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from bot.desk.ownership import QueueReason
from bot.identity.levels import Level
from bot.identity.roles import Permission, may
from bot.services import approval_notes, audit
from bot.services.approval_notes import NoteKind
from bot.services.approvals import ApprovalState
from bot.services.case_questions import told_here
from bot.services.case_record import empty_file
from bot.services.circumstances import pace_of
from bot.services.conversations import Author, QuickReply, Reply, locked, say
from bot.services.deps import Deps
from bot.services.evidence_place import place_of, request_in
from bot.services.locking import locked_in_turn
from bot.services.operators import OperatorView
from bot.services.proof import viewer_of
from bot.store.tables import (
    Approval,
    ApprovalNote,
    CaseFile,
    CaseNote,
    Conversation,
    EvidenceConsent,
    Message,
    Negotiation,
)
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


def is_missing(session: Session, deps: Deps, conversation: Conversation, request: Approval | None = None) -> bool:
    """Whether a file from this conversation takes a consent that was not given, or was taken back.

    ``request`` is what the file would be proof for; None, a case.
    """
    if request is None and not _is_needed(session, deps, conversation):
        return False
    return _standing(session, conversation, request.id if request is not None else None) is None


def question_in_turn(session: Session, deps: Deps, conversation_id: str, request: Approval) -> Reply | None:
    """Return the question for the consent to proof for a request, for the caller to put; None where it stands."""
    if not is_missing(session, deps, session.get_one(Conversation, conversation_id), request):
        return None
    audit.record(session, deps.now(), audit.BOT, "consent_asked", ("conversation", conversation_id))
    return _question(deps, request)


def ask(deps: Deps, conversation_id: str, key: str) -> bool:
    """Ask for the consent in the chat, once per ``key``; returns whether it was asked now."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return False
        place = place_of(session, deps, conversation_id)
        request = place if isinstance(place, Approval) else None
        question = _question(deps, request)
        # Of a plan the bot speaks itself: what it says to somebody verified, nobody else reads later.
        author = Author.NOTICE if request is None else Author.BOT
        said = say(session, deps, conversation, question, author=author, key=f"consent:{key}")
        if said is not None:
            audit.record(session, deps.now(), audit.BOT, "consent_asked", ("conversation", conversation_id))
        return said is not None


def note(deps: Deps, operator: OperatorView, conversation_id: str) -> bool:
    """Put on record that somebody gave the consent to an operator; False where that may not be, or it stands."""
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None or not may(operator.role, Permission.REPLY):
            return False
        return _give_for_all(session, deps, conversation, audit.Actor("operator", operator.id))


def guard(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    """Take what a message that is being stored says about the consent, and answer it; every other is left alone.

    Taking it back deletes at once the files that were sent from the chat for the cases that may be told of here.
    """
    said = answer_in(message)
    if said is None or message.handling not in ("pending", "held") or conversation.queue_reason == QueueReason.DISTRESS:
        return
    actor = audit.Actor("borrower", conversation.borrower_id)
    if said is Answer.GIVE:
        _give_for_all(session, deps, conversation, actor)
        back = QuickReply(deps.wording.one("consent_withdraw"), Answer.WITHDRAW.value)
        reply = Reply(deps.wording.one("consent_given"), (back,))
    elif said is Answer.REFUSE:
        if isinstance(request := request_in(session, deps, conversation.id), Approval):
            approval_notes.add_lacking(session, deps, request, message.text)
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


def _question(deps: Deps, request: Approval | None) -> Reply:
    buttons = (
        QuickReply(deps.wording.one("consent_give"), Answer.GIVE.value),
        QuickReply(deps.wording.one("consent_refuse"), Answer.REFUSE.value),
    )
    days = str(deps.retention.evidence_days)
    return Reply(deps.wording.one("consent_asked" if request is None else "consent_asked_plan", days=days), buttons)


def _standing(session: Session, conversation: Conversation, approval_id: str | None) -> EvidenceConsent | None:
    consent = EvidenceConsent
    purpose = consent.approval_id == approval_id if approval_id is not None else consent.approval_id.is_(None)
    return session.scalars(_stand(conversation).where(purpose).limit(1)).first()


def _stand(conversation: Conversation) -> Select[EvidenceConsent]:
    """The consents that whoever writes here has given, for whatever purpose, and not taken back."""
    here = (EvidenceConsent.conversation_id == conversation.id) & or_(
        EvidenceConsent.borrower_id.is_(None), EvidenceConsent.borrower_id == conversation.borrower_id
    )
    if conversation.borrower_id is not None:
        here = here | (EvidenceConsent.borrower_id == conversation.borrower_id)
    return select(EvidenceConsent).where(here, EvidenceConsent.withdrawn_at.is_(None))


def _give_for_all(session: Session, deps: Deps, conversation: Conversation, actor: audit.Actor) -> bool:
    """Put a yes on record for what waits for files here: the request, the case, or both; False where all stand."""
    request = request_in(session, deps, conversation.id)
    if not isinstance(request, Approval):
        return give(session, deps, conversation, actor)
    given = give(session, deps, conversation, actor, request)
    for_a_case = isinstance(place_of(session, deps, conversation.id), CaseFile)
    return (for_a_case and give(session, deps, conversation, actor)) or given


def give(
    session: Session, deps: Deps, conversation: Conversation, actor: audit.Actor, request: Approval | None = None
) -> bool:
    """Put a consent on record inside an open transaction; False where one stands. ``actor`` gave it, or noted it.

    It is for proof for ``request``; None, for files for cases.
    """
    approval_id = request.id if request is not None else None
    if _standing(session, conversation, approval_id) is not None:
        return False
    session.add(
        EvidenceConsent(
            conversation_id=conversation.id,
            borrower_id=conversation.borrower_id,
            approval_id=approval_id,
            given_at=deps.now(),
            noted_by=actor.id if actor.kind == "operator" else None,
        )
    )
    subject = ("conversation", conversation.id)
    audit.record(session, deps.now(), actor, "consent_given", subject, approval=approval_id)
    return True


def _withdraw(session: Session, deps: Deps, conversation: Conversation, actor: audit.Actor) -> int:
    for consent in session.scalars(_stand(conversation)).all():
        consent.withdrawn_at = deps.now()
    case_ids = [case.id for case in told_here(session, deps, conversation.id)]
    files = session.scalars(
        select(CaseNote).where(
            CaseNote.case_id.in_(case_ids), CaseNote.content_sealed.is_not(None), CaseNote.operator_id.is_(None)
        )
    ).all()
    for file in files:
        empty_file(session, deps, file, actor)
    gone = len(files) + _delete_proof(session, deps, conversation, actor)
    audit.record(session, deps.now(), actor, "consent_withdrawn", ("conversation", conversation.id), files=gone)
    return gone


def _delete_proof(session: Session, deps: Deps, conversation: Conversation, actor: audit.Actor) -> int:
    """Delete what was brought as proof for requests; on one that waits it is noted that the consent was taken back.

    To the right party of all their requests, to anybody else of those that were made in this very conversation.
    """
    if conversation.borrower_id is None:
        return 0
    mine = Approval.borrower_id == conversation.borrower_id
    if viewer_of(session, deps, conversation.id).level is not Level.VERIFIED:
        mine = mine & (Approval.conversation_id == conversation.id)
    holding = select(ApprovalNote.approval_id).where(ApprovalNote.media_type.is_not(None))
    gone = 0
    for request in session.scalars(select(Approval).where(mine, Approval.id.in_(holding))).all():
        for file in approval_notes.files_of(session, request.id):
            approval_notes.delete_file(session, deps, file, actor)
            gone += 1
        if request.state == ApprovalState.WAITING:
            approval_notes.add(session, deps, request.id, NoteKind.WITHDRAWN)
    return gone
