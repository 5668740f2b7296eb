"""Proof for an offer that a person decides on: what is asked of the borrower, what they bring, or that they have none.

It is asked for only where the policy says so, looked at only for that decision, and deleted some days after it (P6).
The request goes on whatever is brought: deciding without proof is a person's own decision
(``bot.services.approval_decisions``).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.ownership import QueueReason
from bot.desk.uploads import Brought, UploadKind
from bot.services import approval_notes, audit, consents, sealed_files
from bot.services.approval_notes import EvidenceStanding, NoteKind
from bot.services.approvals import ApprovalState
from bot.services.conversations import Author, QuickReply, Reply, say
from bot.services.deps import Deps
from bot.services.evidence_place import request_in
from bot.services.operators import OperatorView
from bot.services.sealed_files import MOST_FILES
from bot.store.tables import Approval, ApprovalNote, Button, Conversation, Message, Negotiation
from bot.text.normalize import normalize_text
from bot.workout.evidence import Coverable, HardshipEvidence, coverable_in, evidence_of
from bot.workout.evidence_reading import says_none
from bot.workout.policy_sections import HardshipKind

HAS_NONE = "/evidence_lacking"
"""The order of the button that says that there is no proof to give."""


@dataclass(frozen=True, slots=True)
class EvidenceAsked:
    """What is asked for a request, as the borrower may be told of it.

    Any one of ``helps`` will do. ``consent`` is the question for the consent, None where it stands or is not to be put.
    """

    helps: tuple[HardshipEvidence, ...]
    coverable: tuple[Coverable, ...]
    standing: EvidenceStanding
    consent: Reply | None


def asked_in(deps: Deps, conversation_id: str, *, for_consent: bool) -> EvidenceAsked | None:
    """Return what is asked for the borrower's request that waits; None where none does, or no proof is needed.

    ``for_consent``: the caller puts the question for the consent that comes with it; it is on record as asked.
    """
    with deps.begin() as session:
        request = request_in(session, deps, conversation_id)
        if not isinstance(request, Approval):
            return None
        told = session.get_one(Negotiation, request.negotiation_id).hardship
        hardship = HardshipKind(told) if told else None
        return EvidenceAsked(
            helps=evidence_of(hardship),
            coverable=coverable_in(hardship),
            standing=approval_notes.standing_of(session, request.id, needed=True),
            consent=consents.question_in_turn(session, deps, conversation_id, request) if for_consent else None,
        )


def bring(
    session: Session, deps: Deps, conversation_id: str, approval_id: str, file: tuple[str, UploadKind, bytes]
) -> Brought:
    """Keep a borrower's file (name, kind, content) with a request that waits; the same file once for each.

    Inside an open transaction.
    """
    name, kind, content = file
    # The same strength as a decision's lock, so that no file slips in behind one.
    request = session.get_one(Approval, approval_id, with_for_update={"key_share": True}, populate_existing=True)
    if request.state != ApprovalState.WAITING:
        return Brought.NO_CASE
    if consents.is_missing(session, deps, session.get_one(Conversation, conversation_id), request):
        return Brought.NO_CONSENT
    kept = approval_notes.files_of(session, approval_id)
    if sealed_files.digest(content) in {note.sha256 for note in kept}:
        return Brought.KEPT_FOR_PLAN
    if len(kept) >= MOST_FILES:
        return Brought.ENOUGH
    note = approval_notes.add(session, deps, approval_id, NoteKind.FILE, sealed_files.name_of(name, kind))
    sealed_files.fill(deps, note, approval_notes.seal_for(approval_id), kind, content)
    actor = audit.Actor("borrower", request.borrower_id)
    audit.record(session, deps.now(), actor, "approval_file_kept", ("approval", approval_id), sha256=note.sha256)
    return Brought.KEPT_FOR_PLAN


def still_missing(deps: Deps, conversation_id: str) -> str:
    """Return the words for what is still missing: what a person asked for last, else nothing, for one paper will do."""
    with deps.read() as session:
        request = request_in(session, deps, conversation_id)
        wanted = approval_notes.last_asked(session, deps, request.id) if isinstance(request, Approval) else None
    if wanted is None:
        return deps.wording.one("evidence_one_will_do")
    return deps.wording.one("evidence_wanted", wanted=wanted)


def file_of(deps: Deps, operator: OperatorView, approval_id: str, note_id: str) -> tuple[str, bytes] | None:
    """Return media type and content of a request's file, and put on record who had it; None where there is none."""
    with deps.begin() as session:
        found = session.get(ApprovalNote, note_id)
        if found is None or found.approval_id != approval_id:
            return None
        file = sealed_files.content_of(deps, found, approval_notes.seal_for(approval_id))
        if file is not None:
            reader = audit.Actor("operator", operator.id)
            audit.record(session, deps.now(), reader, "approval_file_read", ("approval", approval_id), note=note_id)
        return file


def guard(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    """Take a message that is being stored as word that there is no proof to give, and answer it; leave others alone."""
    if message.handling not in ("pending", "held") or conversation.queue_reason == QueueReason.DISTRESS:
        return
    pressed = message.payload == HAS_NONE
    if not pressed and (message.payload is not None or not _may_say_none(session, message)):
        return
    request = request_in(session, deps, conversation.id)
    if isinstance(request, Approval):
        approval_notes.add_lacking(session, deps, request, message.text)
        reply = Reply(deps.wording.one("evidence_lacking_noted"))
    elif not pressed:
        return
    else:
        reply = Reply(deps.wording.one("evidence_nothing_awaited" if request is None else "evidence_prove_first"))
    if message.handling == "held":  # a person answers; that it was taken is said all the same
        say(session, deps, conversation, reply, author=Author.NOTICE)
        return
    message.handling, message.confidence = "handled", 1.0
    message.understanding = {"entities": [], "actions": ["evidence_guard"], "ranking": [], "model": "guard:evidence"}
    say(session, deps, conversation, reply, author=Author.BOT, in_reply_to=message.id)


def none_button(deps: Deps) -> QuickReply:
    """Return the button that says that there is no proof to give."""
    return QuickReply(deps.wording.one("evidence_button_none"), HAS_NONE)


def _may_say_none(session: Session, message: Message) -> bool:
    text = normalize_text(message.text)
    if says_none(text, just_asked=False):
        return True
    return says_none(text, just_asked=True) and _was_just_asked(session, message)


def _was_just_asked(session: Session, message: Message) -> bool:
    """Whether what the desk said last before a message, in one or several, offered to say that there is none."""
    before = (
        select(Message.id, Message.in_reply_to)
        .where(
            Message.conversation_id == message.conversation_id,
            Message.author != Author.BORROWER,
            Message.seq < message.seq,
        )
        .order_by(Message.seq.desc())
        .limit(1)
    )
    last = session.execute(before).one_or_none()
    if last is None:
        return False
    same = (Message.id == last.id) | (Message.in_reply_to.is_not(None) & (Message.in_reply_to == last.in_reply_to))
    said = select(Message.id).where(Message.conversation_id == message.conversation_id, same)
    offered = select(Button.token).where(Button.payload == HAS_NONE, Button.message_id.in_(said))
    return session.scalar(offered.limit(1)) is not None
