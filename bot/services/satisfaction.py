"""Asking borrowers how it went, once something has come to its end, and keeping what they answer.

The dialogue engine has no part in it: a tap and the sentence after it are settled in the transaction that stores them,
after the guards have looked at them. A sign of danger in that sentence is never taken for an opinion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from bot.cases.kinds import Family
from bot.desk.ownership import SILENT, Owner
from bot.desk.satisfaction import SCORES, Moment, Situation, Tally, may_ask, tally
from bot.outreach.gate import HoldKind, Purpose, Verdict
from bot.services.case_record import open_cases
from bot.services.contact import decide_for_person
from bot.services.conversations import Author, QuickReply, Reply, queue_reason_of, say
from bot.services.deps import Deps
from bot.services.holds import holds_on
from bot.services.shown_text import shown_text
from bot.store.tables import Agreement, Conversation, Message, Negotiation, Satisfaction

LOOKED_BACK = timedelta(weeks=8)
"""How far the figures look back, as those of the reviews do."""

COMMENT_WITHIN = timedelta(minutes=10)
MOST_SHOWN = 20

_SCORE = "rate:"
_COMMENT = "rate-in-words"
"""Payloads of buttons that this module answers; no command of the dialogue engine, and nothing anybody can type."""

_FAREWELL = ("goodbye", ("utter_goodbye",))
"""Intent and actions of a goodbye with which no question was left open."""

_POOR = 2
"""Whoever gives no more than this is shown the ways to a person and to a complaint."""

_LEAST_SAID = 3
"""Messages of the borrower's before a goodbye: after fewer there is nothing to judge."""

_OF_NO_WEIGHT = frozenset({HoldKind.PLAN})
"""Good news that holds back notices: a plan runs."""


def ask_after_turn(
    session: Session,
    deps: Deps,
    conversation: Conversation,
    message: Message,
    intent: str | None,
    actions: Sequence[str],
) -> None:
    """Ask after a turn of the bot's that was the end of something: an agreement, or a goodbye after some talk."""
    if (intent, tuple(actions)) == _FAREWELL and _has_talked(session, conversation, message):
        _ask(session, deps, conversation, Moment.GOODBYE, None)
    elif _has_agreed(session, conversation, message):
        _ask(session, deps, conversation, Moment.AGREED, None)


def ask_after_person(
    session: Session, deps: Deps, conversation: Conversation, operator_id: str, since: datetime
) -> None:
    """Ask about a person's work, if they wrote to the borrower after ``since``, when they took the conversation."""
    wrote = exists().where(
        Message.conversation_id == conversation.id,
        Message.author == Author.OPERATOR,
        Message.operator_id == operator_id,
        Message.created_at >= since,
    )
    if session.scalar(select(wrote)):
        _ask(session, deps, conversation, Moment.HANDED_BACK, operator_id)


def take(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    """Settle a message that is being stored, after the guards, if it answers the question; else leave it alone."""
    payload = message.payload or ""
    if payload.startswith(_SCORE) or payload == _COMMENT:
        asked = _latest(session, conversation)
        if asked is not None:
            _take_press(session, deps, conversation, message, asked)
    elif not payload and message.handling != "handled":
        _take_words(session, deps, conversation, message)


def _take_press(
    session: Session, deps: Deps, conversation: Conversation, message: Message, asked: Satisfaction
) -> None:
    now = deps.now()
    if message.payload == _COMMENT:
        asked.comment_until = now + COMMENT_WITHIN
        _answer(session, deps, conversation, message, "satisfaction_say", ())
        return
    asked.score, asked.answered_at = int((message.payload or "").removeprefix(_SCORE)), now
    is_poor = asked.score <= _POOR
    name = "satisfaction_poor" if is_poor else "satisfaction_thanks"
    _answer(session, deps, conversation, message, name, (_button(deps, _COMMENT), *(_ways_on(deps) if is_poor else ())))


def _take_words(session: Session, deps: Deps, conversation: Conversation, message: Message) -> None:
    now = deps.now()
    asked = session.scalar(
        select(Satisfaction).where(Satisfaction.conversation_id == conversation.id, Satisfaction.comment_until > now)
    )
    if asked is None:
        return
    asked.comment_until = None
    if conversation.owner != Owner.BOT or holds_on(session, conversation, now).kinds - _OF_NO_WEIGHT:
        return  # something weightier has come in between: these are words for whoever answers now
    asked.comment_seq = message.seq
    _answer(session, deps, conversation, message, "satisfaction_noted", _ways_on(deps))


def _answer(
    session: Session,
    deps: Deps,
    conversation: Conversation,
    message: Message,
    name: str,
    buttons: tuple[QuickReply, ...],
) -> None:
    message.handling = "handled"
    if queue_reason_of(conversation) in SILENT:
        return  # somebody in danger waits for a person: no small talk beside that
    reply = Reply(deps.wording.one(name), buttons)
    say(session, deps, conversation, reply, author=Author.NOTICE, in_reply_to=message.id)


def _ask(session: Session, deps: Deps, conversation: Conversation, moment: Moment, operator_id: str | None) -> None:
    now = deps.now()
    if not may_ask(_situation(session, conversation, now), now):
        return
    purpose, decision = decide_for_person(session, deps, conversation)
    if purpose is not Purpose.REPLY or decision.verdict is not Verdict.ALLOWED:
        return
    session.add(
        Satisfaction(
            conversation_id=conversation.id,
            borrower_id=conversation.borrower_id,
            operator_id=operator_id,
            moment=moment.value,
            asked_at=now,
        )
    )
    buttons = tuple(QuickReply(deps.wording.one(f"satisfaction_{score}"), f"{_SCORE}{score}") for score in SCORES)
    reply = Reply(deps.wording.one("satisfaction_ask"), buttons)
    say(session, deps, conversation, reply, author=Author.NOTICE)


def _situation(session: Session, conversation: Conversation, now: datetime) -> Situation:
    mine = Satisfaction.conversation_id == conversation.id
    if conversation.borrower_id is not None:
        mine = or_(mine, Satisfaction.borrower_id == conversation.borrower_id)
    return Situation(
        is_held=bool(holds_on(session, conversation, now).kinds - _OF_NO_WEIGHT),
        has_open_case=any(open_cases(session, family, conversation.id, conversation.borrower_id) for family in Family),
        is_waiting=conversation.owner != Owner.BOT,
        weighs_offer=_weighs_offer(session, conversation.borrower_id),
        last_asked_at=session.scalar(select(func.max(Satisfaction.asked_at)).where(mine)),
        last_inbound_at=conversation.last_inbound_at,
    )


def _weighs_offer(session: Session, borrower_id: str | None) -> bool:
    chosen = exists().where(Negotiation.active_key == borrower_id, Negotiation.chosen_offer_id.is_not(None))
    return borrower_id is not None and bool(session.scalar(select(chosen)))


def _has_talked(session: Session, conversation: Conversation, message: Message) -> bool:
    said = session.scalar(
        select(func.count())
        .select_from(Message)
        .where(
            Message.conversation_id == conversation.id,
            Message.author == Author.BORROWER,
            Message.seq < message.seq,
        )
    )
    return (said or 0) >= _LEAST_SAID


def _has_agreed(session: Session, conversation: Conversation, message: Message) -> bool:
    agreed = exists().where(
        Agreement.accepted_conversation_id == conversation.id, Agreement.accepted_at >= message.created_at
    )
    return bool(session.scalar(select(agreed)))


def _latest(session: Session, conversation: Conversation) -> Satisfaction | None:
    return session.scalars(
        select(Satisfaction)
        .where(Satisfaction.conversation_id == conversation.id)
        .order_by(Satisfaction.asked_at.desc())
        .limit(1)
    ).first()


def _button(deps: Deps, payload: str) -> QuickReply:
    return QuickReply(deps.wording.one("satisfaction_in_words"), payload)


def _ways_on(deps: Deps) -> tuple[QuickReply, ...]:
    return (
        QuickReply(deps.wording.one("satisfaction_to_person"), "/request_human"),
        QuickReply(deps.wording.one("satisfaction_to_complaint"), "/complain_service"),
    )


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said with their score, masked as operators read it, and where it stands."""

    conversation_id: str
    seq: int
    score: int | None
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SatisfactionView:
    """What borrowers thought in the last eight weeks: of the bot's work, of persons' work, in all; the latest words."""

    by_bot: Tally
    by_person: Tally
    in_all: Tally
    comments: tuple[Comment, ...]


def overview(deps: Deps) -> SatisfactionView:
    """Return the figures since ``LOOKED_BACK`` and the latest comments."""
    since = deps.now() - LOOKED_BACK
    with deps.read() as session:
        rows = session.execute(
            select(Satisfaction.score, Satisfaction.operator_id).where(Satisfaction.asked_at >= since)
        ).all()
        said = session.execute(
            select(Satisfaction.score, Message)
            .join(
                Message,
                (Message.conversation_id == Satisfaction.conversation_id) & (Message.seq == Satisfaction.comment_seq),
            )
            .where(Satisfaction.asked_at >= since)
            .order_by(Message.created_at.desc())
            .limit(MOST_SHOWN)
        ).all()
        return SatisfactionView(
            by_bot=tally(row.score for row in rows if row.operator_id is None),
            by_person=tally(row.score for row in rows if row.operator_id is not None),
            in_all=tally(row.score for row in rows),
            comments=tuple(
                Comment(message.conversation_id, message.seq, score, shown_text(message), message.created_at)
                for score, message in said
            ),
        )
