"""Telling a borrower what became of an approval, or what else is asked for it, within the contact rules.

To somebody verified the words name the figures. Anybody else only reads that there is an answer, and gets the answer
itself once they have proved identity. What may not be said at the moment is said by a later ``sweep``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.identity.levels import Level
from bot.lending.money import format_yuan
from bot.outreach.gate import Decision, Purpose, Verdict
from bot.outreach.notice import Topic
from bot.services import approval_evidence, approval_notes, audit, contact
from bot.services.accounts import lock_borrower
from bot.services.approvals import BOT, ApprovalState
from bot.services.conversations import Author, QuickReply, Reply, say
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.offer_table import read_offer
from bot.services.one_by_one import attempted
from bot.services.proof import viewer_of
from bot.store import tables
from bot.text.display import day_text
from bot.workout.offer import Offer

HINT_HOLDS = timedelta(days=30)
"""How long after a hint the answer itself is still said by itself, once identity is proved."""

_SWEPT_AT_ONCE = 100

_OTHERS = "/ask_other_options" + json.dumps({"offer": "back"})
"""Goes back to the offers on the table, or to new ones where these have lapsed."""

_STANDING = "/ask_plan_status"
"""Asks how things stand, and leaves what was chosen as it is."""


class Telling(StrEnum):
    """How far the borrower has been told."""

    NONE = "none"
    DUE = "due"
    HINTED = "hinted"
    TOLD = "told"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: how many requests lapsed, and how many borrowers it wrote to."""

    expired: int = 0
    written: int = 0


def announce(session: Session, deps: Deps, approval: tables.Approval) -> str | None:
    """Tell the borrower of an outcome as soon as the contact rules allow it, inside an open transaction.

    Of a request that still waits it is told what a person asked for to decide on it.

    Returns the conversation that was written in, None if nothing could be said now. The outcome is told where the
    borrower wrote last: within ``contact.ANSWERS_WITHIN`` of that as an answer, later as a notice that the gate may put
    off or refuse.
    """
    approval.telling, approval.tell_at = Telling.DUE, deps.now()
    return _tell(session, deps, approval)


def sweep(deps: Deps, limit: int = _SWEPT_AT_ONCE) -> Swept:
    """Let requests lapse together with their offers, and tell what could not be told before; one transaction each."""
    with deps.read() as session:
        found = session.scalars(
            select(tables.Approval.id).where(_has_work(deps.now())).order_by(tables.Approval.requested_at).limit(limit)
        ).all()
    expired = written = 0
    for approval_id in found:
        done = attempted(partial(_see_to, deps, approval_id), "approval_not_seen_to", approval=approval_id)
        if done is not None:
            expired, written = expired + done.expired, written + done.written
    return Swept(expired, written)


def _see_to(deps: Deps, approval_id: str) -> Swept:
    with deps.begin() as session:
        borrower_id = session.scalar(select(tables.Approval.borrower_id).where(tables.Approval.id == approval_id))
        if borrower_id is None:
            return Swept()
        lock_borrower(session, borrower_id)
        approval = session.scalar(
            select(tables.Approval).where(tables.Approval.id == approval_id).with_for_update(skip_locked=True)
        )
        if approval is None:
            return Swept()
        has_lapsed = _lapse(session, deps, approval)
        is_owed = approval.telling in (Telling.DUE, Telling.HINTED)
        return Swept(int(has_lapsed), int(is_owed and _tell(session, deps, approval) is not None))


def _has_work(now: datetime) -> ColumnElement[bool]:
    approval = tables.Approval
    verified = (
        select(tables.Conversation.id)
        .where(
            tables.Conversation.borrower_id == approval.borrower_id,
            tables.Conversation.verified_at > approval.tell_at,
        )
        .exists()
    )
    return or_(
        and_(approval.state == ApprovalState.WAITING, approval.expires_at <= now),
        and_(approval.telling == Telling.DUE, approval.tell_at <= now),
        and_(approval.telling == Telling.HINTED, approval.tell_at > now - HINT_HOLDS, verified),
    )


def _lapse(session: Session, deps: Deps, approval: tables.Approval) -> bool:
    now = deps.now()
    if approval.state != ApprovalState.WAITING or approval.expires_at > now:
        return False
    approval.state = ApprovalState.EXPIRED
    approval.telling, approval.tell_at = Telling.DUE, now
    audit.record(session, now, audit.SYSTEM, "approval_expired", ("approval", approval.id))
    return True


def _tell(session: Session, deps: Deps, approval: tables.Approval) -> str | None:
    now, subject = deps.now(), ("approval", approval.id)
    conversation = _mailbox(session, approval.borrower_id)
    purpose, decision = _decide(session, deps, approval, conversation)
    approval.tell_rule = decision.rule
    if decision.verdict is Verdict.DEFERRED and decision.until is not None:
        approval.tell_at = decision.until
        return None
    if decision.verdict is not Verdict.ALLOWED or conversation is None:
        approval.telling, approval.tell_at = Telling.DROPPED, None
        audit.record(session, now, audit.SYSTEM, "approval_not_told", subject, rule=decision.rule)
        return None
    openly = viewer_of(session, deps, conversation.id).level is Level.VERIFIED
    if not openly and approval.telling == Telling.HINTED:
        return None
    reply = _answer(session, deps, approval) if openly else _hint(session, deps, approval, purpose)
    key = f"approval:{approval.id}:{_about(session, approval)}{'answer' if openly else 'hint'}"
    message = say(session, deps, conversation, reply, author=Author.BOT, purpose=purpose.value, key=key)
    if message is not None and purpose is Purpose.PLAN_NOTICE:
        _count_as_notice(session, approval, message, conversation.channel, decision.rule, now)
    approval.telling, approval.tell_at = (Telling.TOLD, None) if openly else (Telling.HINTED, now)
    audit.record(session, now, audit.SYSTEM, f"approval_{approval.telling}", subject, rule=decision.rule)
    return conversation.id


def _about(session: Session, approval: tables.Approval) -> str:
    """Which of several things that are told of one request: each is told once."""
    if approval.state != ApprovalState.WAITING:
        return ""
    return f"more{approval_notes.times_asked(session, approval.id)}:"


def _mailbox(session: Session, borrower_id: str) -> tables.Conversation | None:
    """The conversation the borrower wrote in last."""
    return session.scalar(
        select(tables.Conversation)
        .where(tables.Conversation.borrower_id == borrower_id, tables.Conversation.last_inbound_at.is_not(None))
        .order_by(tables.Conversation.last_inbound_at.desc())
        .limit(1)
    )


def _decide(
    session: Session, deps: Deps, approval: tables.Approval, conversation: tables.Conversation | None
) -> tuple[Purpose, Decision]:
    negotiation = session.get_one(tables.Negotiation, approval.negotiation_id)
    last = conversation.last_inbound_at if conversation is not None else None
    answers = last is not None and deps.now() - last < contact.ANSWERS_WITHIN
    purpose = Purpose.REPLY if answers else Purpose.PLAN_NOTICE
    if negotiation.active_key is None:  # ended, or agreed to something else: nobody waits for an answer any more
        return purpose, Decision(Verdict.REFUSED, "nothing_open")
    # As with every notice: two to one person are decided in turn, or each would overlook the other in the history.
    lock_borrower(session, approval.borrower_id)
    if open_holds(session, approval.borrower_id, deps.now()).silencing:
        return purpose, Decision(Verdict.REFUSED, "F6")
    return purpose, contact.decide(session, deps, approval.borrower_id, conversation, purpose, None)


def _count_as_notice(
    session: Session, approval: tables.Approval, message: tables.Message, channel: str, rule: str, now: datetime
) -> None:
    """Put a notice into the history that the gate looks at before the next one (F1)."""
    session.add(
        tables.Reminder(
            key=f"approval:{approval.id}:{message.id}",
            borrower_id=approval.borrower_id,
            purpose=Purpose.PLAN_NOTICE.value,
            topic=Topic.APPROVAL.value,
            subject=f"approval:{approval.id}",
            channel=channel,
            send_at=now,
            state="sent",
            rule=rule,
            message_id=message.id,
            created_at=now,
            decided_at=now,
        )
    )


def _answer(session: Session, deps: Deps, approval: tables.Approval) -> Reply:
    """The outcome with its figures, or what else is asked for; for somebody verified only."""
    wording = deps.wording
    if approval.state == ApprovalState.WAITING:
        wanted = approval_notes.last_asked(session, deps, approval.id) or ""
        return Reply(wording.one("approval_more", wanted=wanted), (approval_evidence.none_button(deps),))
    granted = _granted(session, deps, approval)
    person = QuickReply(wording.one("approval_button_person"), "/request_human")
    chosen = "approval" if approval.requester == BOT else "proposed"  # what a colleague put forward, nobody has chosen
    if granted is not None:
        as_asked = approval.granted_offer_id == approval.offer_id
        look = QuickReply(wording.one("approval_button_confirm"), _choosing(granted))
        text = wording.one(f"{chosen}_approved" if as_asked else f"{chosen}_changed", **_figures(granted, deps))
        return Reply(text, (look, person))
    if approval.state == ApprovalState.REJECTED:
        others = QuickReply(wording.one("approval_button_others"), _OTHERS)
        return Reply(wording.one(f"{chosen}_rejected"), (others, person))
    afresh = QuickReply(wording.one("approval_button_afresh"), _OTHERS)
    return Reply(wording.one(f"{chosen}_expired"), (afresh, person))


def _hint(session: Session, deps: Deps, approval: tables.Approval, purpose: Purpose) -> Reply:
    """That there is an answer, or a question, for whoever holds the phone."""
    granted, waits = _granted(session, deps, approval), approval.state == ApprovalState.WAITING
    if purpose is not Purpose.REPLY:
        stage, key = "more" if waits else None, f"{approval.id}{_about(session, approval)}"
        text = deps.notice_words.text(Topic.APPROVAL, stage, key, deps.settings.lender_name)
    else:
        text = deps.wording.one("approval_hint_more" if waits else "approval_hint")
    if waits:
        return Reply(text, (QuickReply(deps.wording.one("approval_button_look"), _STANDING),))
    payload = _choosing(granted) if granted is not None else _OTHERS
    look = QuickReply(deps.wording.one("approval_button_look"), payload)
    return Reply(text, (look,))


def _granted(session: Session, deps: Deps, approval: tables.Approval) -> Offer | None:
    """The offer that was granted, as long as it can still be agreed to."""
    if approval.state != ApprovalState.APPROVED or approval.granted_offer_id is None:
        return None
    row = session.get_one(tables.Offer, approval.granted_offer_id)
    return read_offer(row) if row.expires_at > deps.now() else None


def _choosing(offer: Offer) -> str:
    return "/accept_offer" + json.dumps({"offer": offer.offer_id})


def _figures(offer: Offer, deps: Deps) -> dict[str, str]:
    today = business_date(deps.now())
    down = offer.down_payment_fen
    first_on, first_fen = (offer.expires_on, down) if down else (offer.schedule[0].due_on, offer.schedule[0].amount_fen)
    return {
        "total": format_yuan(offer.total_fen),
        "payments": str(len(offer.schedule) + bool(down)),
        "first_day": day_text(first_on, today),
        "first": format_yuan(first_fen),
        "until": day_text(offer.expires_on, today),
    }
