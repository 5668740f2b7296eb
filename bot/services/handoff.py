"""Handing a conversation to a person and back: one step in, one step out.

Whatever a person says outside a live talk passes the contact rules first (``bot.services.contact``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from bot.care.follow_up import speaks_of_debt
from bot.desk.ownership import Act, NotAllowed, Owner, QueueReason, after, bot_may_answer, more_urgent
from bot.identity.roles import Role
from bot.outreach.gate import HoldKind, Purpose, Verdict
from bot.outreach.tone import Finding
from bot.services import audit, holds, satisfaction
from bot.services.accounts import NotVerified, RightParty, right_party
from bot.services.contact import decide_for_person
from bot.services.conversations import Author, QuickReply, Reply, locked, queue_reason_of, say, seen_before
from bot.services.deps import Deps
from bot.services.locking import locked_in_turn
from bot.services.one_by_one import attempted
from bot.services.operators import may_answer
from bot.services.reading_rights import is_readable, reader_of
from bot.store.tables import AuditEntry, Conversation, Hold, Message, Negotiation, Operator

TAKES_OVER = frozenset({Role.SUPERVISOR, Role.ADMIN})
"""Roles that may take a conversation out of another operator's hands."""

TAKINGS = ("taken", "assigned", "taken_over")
"""Events with which a conversation comes into an operator's hands."""

WITHDRAWABLE = frozenset({QueueReason.ASKED, QueueReason.NOT_UNDERSTOOD, QueueReason.NO_PLAN_FITS})
"""Reasons to wait that are the borrower's own to drop; every other one is a case that somebody has to look at."""


class Refusal(StrEnum):
    """Why an operator's act on a conversation was refused."""

    UNKNOWN = "unknown"
    NOT_ALLOWED = "not_allowed"
    NOT_YOURS = "not_yours"
    NO_SUCH_COLLEAGUE = "no_such_colleague"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTACT_RULES = "contact_rules"
    DEBT_TALK = "debt_talk"


@dataclass(frozen=True, slots=True)
class Done:
    """The act took effect; ``owner`` answers now."""

    owner: Owner


@dataclass(frozen=True, slots=True)
class Unfitting:
    """A text says what must never be said to a borrower, so it was not sent; ``findings`` is never empty."""

    findings: tuple[Finding, ...]


def ask_human(deps: Deps, conversation_id: str, reason: QueueReason) -> Done | Refusal:
    """Put a conversation into the queue. Asking again keeps the place and the more urgent reason."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return Refusal.UNKNOWN
        if conversation.owner == Owner.HUMAN:
            return Done(Owner.HUMAN)
        enqueue(session, conversation, reason, deps.now())
        return Done(Owner.QUEUED)


def enqueue(
    session: Session, conversation: Conversation, reason: QueueReason, now: datetime, answering: str | None = None
) -> None:
    """Queue a conversation inside an open transaction; no effect while a person already answers.

    Where the bot falls silent by it, what it has not answered yet is left to the person, but for the message
    ``answering``, whose turn queues the conversation.
    """
    answered_by_bot = bot_may_answer(Owner(conversation.owner), queue_reason_of(conversation))
    owner = after(Owner(conversation.owner), Act.ASK_HUMAN)
    if isinstance(owner, NotAllowed):
        return
    earlier = QueueReason(conversation.queue_reason) if conversation.queue_reason else reason
    conversation.owner = owner
    conversation.queue_reason = more_urgent(earlier, reason)
    conversation.queued_at = conversation.queued_at or now
    audit.record(session, now, audit.BOT, "queued", ("conversation", conversation.id), reason=reason.value)
    if answered_by_bot and not bot_may_answer(owner, queue_reason_of(conversation)):
        for message in _waiting(session, conversation.id):
            if message.id != answering:
                message.handling = "held"


def withdraw(deps: Deps, conversation_id: str) -> bool:
    """Leave the queue at the borrower's wish, if the reason is one of ``WITHDRAWABLE``. Returns whether it was left."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None or conversation.owner != Owner.QUEUED:
            return False
        if queue_reason_of(conversation) not in WITHDRAWABLE:
            return False
        conversation.owner = Owner.BOT
        _leave_queue(conversation)
        audit.record(session, deps.now(), audit.Actor("borrower"), "queue_left", ("conversation", conversation_id))
        return True


def keeps_waiting(deps: Deps, conversation_id: str) -> bool:
    """Tell whether a conversation waits for a person for a reason that a cancellation does not end."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None or conversation.owner != Owner.QUEUED:
            return False
        return queue_reason_of(conversation) not in WITHDRAWABLE


def take(deps: Deps, conversation_id: str, operator_id: str, *, over: bool = False) -> Done | Refusal:
    """Give a conversation to an operator. Of two who press at once, one wins and the other is refused.

    ``over`` says that the operator means to take it from a colleague, which only ``TAKES_OVER`` may: without it, a page
    that still showed the queue would snatch it by accident. The borrower is told who speaks now unless the contact
    rules forbid it; then it happens silently.
    """
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        operator = session.get(Operator, operator_id)
        if conversation is None or operator is None:
            return Refusal.UNKNOWN
        if not is_readable(session, reader_of(operator), conversation_id):
            return Refusal.UNKNOWN
        actor, subject, now = audit.Actor("operator", operator_id), ("conversation", conversation_id), deps.now()
        if conversation.owner == Owner.HUMAN:
            if conversation.owner_operator_id == operator_id:
                return Done(Owner.HUMAN)
            if not over or Role(operator.role) not in TAKES_OVER:
                return Refusal.NOT_ALLOWED
            audit.record(session, now, actor, "taken_over", subject, taken_from=conversation.owner_operator_id)
        else:
            owner = after(Owner(conversation.owner), Act.TAKE)
            if isinstance(owner, NotAllowed):
                return Refusal.NOT_ALLOWED
            conversation.owner = owner
            audit.record(session, now, actor, "taken", subject)
        put_into_hands(session, deps, conversation, operator)
        return Done(Owner.HUMAN)


def put_into_hands(session: Session, deps: Deps, conversation: Conversation, operator: Operator) -> None:
    """Make an operator the one who answers a locked conversation, and tell the borrower if that is allowed.

    It belongs to the operator's team from then on; to the same team as before where the operator is in none.
    """
    conversation.owner_operator_id = operator.id
    conversation.team = operator.team or conversation.team
    for message in _waiting(session, conversation.id):
        message.handling = "held"
    text = deps.wording.one("in_human_hands", operator=operator.display_name)
    _tell_if_allowed(session, deps, conversation, Reply(text))


def reply(deps: Deps, conversation_id: str, operator_id: str, text: str, key: str) -> Done | Refusal | Unfitting:
    """Send an operator's words into the borrower's channel, once per key. Only the owner may speak.

    ``Unfitting`` when the tone gate finds in them what must never be said; which rules is audited, the text is not.

    Refused with ``DEBT_TALK`` when it would begin to speak of debt to somebody in danger (H2), with ``CONTACT_RULES``
    when the borrower has not written for ``contact.ANSWERS_WITHIN`` and the gate does not allow to begin a contact now.
    """
    text = text.strip()
    if not text:
        return Refusal.EMPTY
    if len(text) > deps.settings.message_max_characters:
        return Refusal.TOO_LONG
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return Refusal.UNKNOWN
        if conversation.owner != Owner.HUMAN or conversation.owner_operator_id != operator_id:
            return Refusal.NOT_YOURS
        key = f"operator:{key}"
        if seen_before(session, conversation_id, key):
            return Done(Owner.HUMAN)
        actor, subject, now = audit.Actor("operator", operator_id), ("conversation", conversation_id), deps.now()
        if findings := unfitting(deps, text):
            broken = ",".join(finding.rule for finding in findings)
            audit.record(session, now, actor, "reply_unfitting", subject, rules=broken)
            return Unfitting(findings)
        purpose, decision = decide_for_person(session, deps, conversation)
        if decision.verdict is not Verdict.ALLOWED:
            audit.record(session, now, actor, "reply_refused", subject, rule=decision.rule)
            return Refusal.CONTACT_RULES
        if purpose is Purpose.SAFETY and speaks_of_debt(text):
            audit.record(session, now, actor, "reply_refused", subject, rule="H2")
            return Refusal.DEBT_TALK
        say(
            session,
            deps,
            conversation,
            Reply(text),
            author=Author.OPERATOR,
            operator_id=operator_id,
            purpose=purpose.value,
            key=key,
        )
        return Done(Owner.HUMAN)


def unfitting(deps: Deps, text: str) -> tuple[Finding, ...]:
    """Return what an operator's words must not say, whoever reads them; nothing is stored."""
    return deps.tone_gate.check(text, by_person=True)


def give_back(deps: Deps, conversation_id: str, operator_id: str) -> Done | Refusal:
    """Hand the conversation back to the bot, which answers what the borrower wrote after the operator's last word.

    Holds stay as they are: lifting one is an act of its own. The borrower is told unless the contact rules forbid it.
    """
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        if conversation is None:
            return Refusal.UNKNOWN
        if conversation.owner != Owner.HUMAN or conversation.owner_operator_id != operator_id:
            return Refusal.NOT_YOURS
        now, taken_at = deps.now(), _taken_at(session, conversation)
        conversation.owner = Owner.BOT
        conversation.owner_operator_id = None
        _leave_queue(conversation)
        audit.record(
            session, now, audit.Actor("operator", operator_id), "given_back", ("conversation", conversation_id)
        )
        party = right_party(session, deps, conversation_id)
        go_on = QuickReply(deps.wording.one("handed_back_go_on"), "/request_installment")
        buttons = () if isinstance(party, NotVerified) or not _is_negotiating(session, party) else (go_on,)
        _tell_if_allowed(session, deps, conversation, Reply(deps.wording.one("handed_back"), buttons))
        if not _leave_to_bot(session, conversation_id):
            satisfaction.ask_after_person(session, deps, conversation, operator_id, taken_at)
        return Done(Owner.BOT)


def _is_negotiating(session: Session, party: RightParty) -> bool:
    unfinished = select(Negotiation.id).where(Negotiation.active_key == party.borrower_id)
    return session.scalar(unfinished) is not None


def requeue_abandoned(deps: Deps) -> int:
    """Queue anew every conversation whose operator has left the borrower without an answer; returns how many.

    The borrower must have waited for ``human_idle_minutes``, or the operator may not answer any more. They are told
    once, unless the contact rules forbid it, and the bot answers what they wrote meanwhile, except where a sign of
    danger calls for a person.
    """
    with deps.read() as session:
        in_hand = session.scalars(select(Conversation).where(Conversation.owner == Owner.HUMAN)).all()
        abandoned = [conversation.id for conversation in in_hand if _is_abandoned(session, deps, conversation)]
    return sum(
        attempted(partial(_requeue, deps, each), "conversation_not_requeued", conversation=each) or False
        for each in abandoned
    )


def lift_hold(deps: Deps, hold_id: str, operator_id: str) -> bool:
    """Lift a hold by a person's decision; False if it is unknown or already lifted."""
    with deps.begin() as session:
        return holds.lift(session, deps, hold_id, lifted_by=operator_id)


def place_hold(
    session: Session, kind: HoldKind, now: datetime, conversation: Conversation, debt_id: str | None = None
) -> None:
    """Place a hold on a conversation and its borrower, once while one of the kind stands."""
    holds.place(
        session,
        now,
        kind,
        borrower_id=conversation.borrower_id,
        conversation_id=conversation.id,
        debt_id=debt_id,
    )


def _leave_queue(conversation: Conversation) -> None:
    conversation.queue_reason = None
    conversation.queued_at = None


def _waiting(session: Session, conversation_id: str) -> list[Message]:
    return list(
        session.scalars(
            select(Message).where(Message.conversation_id == conversation_id, Message.handling == "pending")
        )
    )


def _tell_if_allowed(session: Session, deps: Deps, conversation: Conversation, reply: Reply) -> None:
    purpose, decision = decide_for_person(session, deps, conversation)
    if decision.verdict is Verdict.ALLOWED:
        say(session, deps, conversation, reply, author=Author.NOTICE, purpose=purpose.value)


def _requeue(deps: Deps, conversation_id: str) -> bool:
    with deps.begin() as session:
        conversation = locked_in_turn(session, conversation_id)
        # Looked at again under the lock: the operator may have spoken since, or another scheduler been here.
        if conversation is None or not _is_abandoned(session, deps, conversation):
            return False
        now = deps.now()
        left_by = conversation.owner_operator_id
        reason = queue_reason_of(conversation) or QueueReason.ASKED
        if _in_danger(session, conversation):  # a sign that came while a person answered is not in the reason
            reason = QueueReason.DISTRESS
        audit.record(session, now, audit.SYSTEM, "abandoned", ("conversation", conversation_id), left_by=left_by)
        conversation.owner = Owner.BOT
        conversation.owner_operator_id = None
        conversation.team = None  # whoever is there may help
        conversation.queued_at = None
        enqueue(session, conversation, reason, now)
        if reason is QueueReason.DISTRESS:
            _tell_if_allowed(session, deps, conversation, Reply(deps.wording.one("requeued_distress")))
        else:
            _tell_if_allowed(session, deps, conversation, Reply(deps.wording.one("requeued")))
            _leave_to_bot(session, conversation_id)
        return True


def _is_abandoned(session: Session, deps: Deps, conversation: Conversation) -> bool:
    if conversation.owner != Owner.HUMAN:
        return False
    operator = session.get(Operator, conversation.owner_operator_id or "")
    if operator is not None and not may_answer(operator):
        return True
    since = _waiting_since(session, conversation)
    return since is not None and deps.now() - since >= timedelta(minutes=deps.settings.human_idle_minutes)


def _waiting_since(session: Session, conversation: Conversation) -> datetime | None:
    """Since when the borrower has waited for a word of the operator who has them; None if nothing is unanswered.

    It counts from the taking at the earliest. Whoever waited in the queue is owed a word even without writing again.
    """
    taken_at = _taken_at(session, conversation)
    last_seq, last_said_at = session.execute(
        select(func.max(Message.seq), func.max(Message.created_at)).where(
            Message.conversation_id == conversation.id, Message.author == Author.OPERATOR
        )
    ).one()
    if conversation.queue_reason is not None and (last_said_at is None or last_said_at < taken_at):
        return taken_at
    # A sign of danger is never ``held``: it counts by when it was written.
    first = session.scalar(
        select(func.min(Message.created_at)).where(
            Message.conversation_id == conversation.id,
            Message.author == Author.BORROWER,
            Message.seq > (last_seq or 0),
            or_(Message.handling == "held", Message.created_at > taken_at),
        )
    )
    return None if first is None else max(first, taken_at)


def _taken_at(session: Session, conversation: Conversation) -> datetime:
    taken_at = session.scalar(
        select(func.max(AuditEntry.at)).where(
            AuditEntry.subject_kind == "conversation",
            AuditEntry.subject_id == conversation.id,
            AuditEntry.event.in_(TAKINGS),
        )
    )
    return taken_at or conversation.queued_at or conversation.created_at


def _in_danger(session: Session, conversation: Conversation) -> bool:
    concerned = Hold.conversation_id == conversation.id
    if conversation.borrower_id is not None:
        concerned = concerned | (Hold.borrower_id == conversation.borrower_id)
    open_one = select(Hold.id).where(concerned, Hold.kind == HoldKind.DISTRESS, Hold.lifted_at.is_(None)).limit(1)
    return session.scalar(open_one) is not None


def _leave_to_bot(session: Session, conversation_id: str) -> bool:
    """Have the bot answer what the borrower wrote after the last word of any operator and nobody has answered.

    Returns whether there is something to answer.
    """
    last_said = (
        select(func.coalesce(func.max(Message.seq), 0))
        .where(Message.conversation_id == conversation_id, Message.author == Author.OPERATOR)
        .scalar_subquery()
    )
    left = session.execute(
        update(Message)
        .where(Message.conversation_id == conversation_id, Message.handling == "held", Message.seq > last_said)
        .values(handling="pending", claimed_until=None, attempts=0)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return bool(left.all())
