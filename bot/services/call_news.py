"""Telling borrowers when they will be called: the words with their buttons, and the gate before what they did not ask.

What may not be said at the moment is said by a later ``sweep`` of ``bot.services.call_backs``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot.clock import business_date, local
from bot.desk.calls import CallState, CallTelling
from bot.outreach.call_times import SLOT, is_late
from bot.outreach.gate import Decision, Purpose, Verdict
from bot.outreach.notice import Topic
from bot.services import contact
from bot.services.conversations import Author, QuickReply, Reply, say
from bot.services.deps import Deps
from bot.services.notices_due import touch
from bot.store.tables import CallBack, Conversation, Reminder
from bot.text.display import day_text


def time_words(deps: Deps, name: str, at: datetime) -> str:
    """Return words about a call with its day and the hour in which it begins; ``at`` is aware."""
    begins, ends = local(at), local(at + SLOT)
    day = day_text(begins.date(), business_date(deps.now()))
    return deps.wording.one(name, day=day, **{"from": f"{begins:%H:%M}", "to": f"{ends:%H:%M}"})


def change_buttons(deps: Deps) -> tuple[QuickReply, QuickReply]:
    """Return the ways to another time and to no call at all."""
    move, stop = deps.wording.one("call_back_button_move"), deps.wording.one("call_back_button_stop")
    return QuickReply(move, _payload("move")), QuickReply(stop, _payload("stop"))


def time_buttons(deps: Deps, times: Sequence[datetime]) -> tuple[QuickReply, ...]:
    """Return a button for each time."""
    today = business_date(deps.now())
    return tuple(
        QuickReply(f"{day_text(local(at).date(), today)} {local(at):%H:%M}", _payload(f"at:{at.isoformat()}"))
        for at in times
    )


def owe_word(deps: Deps, row: CallBack, word: CallTelling = CallTelling.DUE) -> None:
    """Note that the borrower has to be told what an operator arranged, or that nobody answered (``MISSED``)."""
    row.telling, row.tell_at = word.value, deps.now()


def told_of_miss_at(session: Session, deps: Deps, conversation: Conversation) -> datetime:
    """Return when the borrower may be told that nobody answered: now, or the next hour at which it may be said."""
    return _decide(session, deps, conversation, CallTelling.MISSED)[1].until or deps.now()


def tell(session: Session, deps: Deps, conversation: Conversation, row: CallBack) -> None:
    """Tell the borrower what is owed to them, as soon as the contact rules allow it.

    Within ``contact.ANSWERS_WITHIN`` of their last words it is an answer, later something they asked to be told. What
    could only be told after the call is not told. That a call was missed is part of that call, and counts with it.
    """
    word = CallTelling(row.telling)
    reply = _reply(deps, row)
    purpose, decision = _decide(session, deps, conversation, word)
    until = decision.until if decision.verdict is Verdict.DEFERRED else None
    if reply is not None and until is not None and (row.state != CallState.OPEN or until < row.call_at):
        row.tell_at = until
        return
    row.tell_at = None
    if reply is None or decision.verdict is not Verdict.ALLOWED:
        row.telling = CallTelling.DROPPED.value
        return
    row.telling = CallTelling.TOLD.value
    key = f"call:{row.id}:{row.attempts}:{row.state}:{row.call_at.isoformat()}"
    message = say(session, deps, conversation, reply, author=Author.BOT, purpose=purpose.value, key=key)
    if message is not None and purpose is Purpose.PLAN_NOTICE and word is not CallTelling.MISSED:
        key = f"call-news:{message.id}"
        count(session, deps, row, key, decision.rule, channel=conversation.channel, message_id=message.id)


def count(
    session: Session,
    deps: Deps,
    row: CallBack,
    key: str,
    rule: str,
    *,
    channel: str,
    message_id: str | None = None,
) -> None:
    """Put a call, or the word of one, into the history that the gate looks at before the next notice (F1).

    It holds the borrower's row: their notices are planned anew, around this contact.
    """
    now = deps.now()
    touch(session, row.borrower_id, now)
    session.add(
        Reminder(
            key=key,
            borrower_id=row.borrower_id,
            purpose=Purpose.PLAN_NOTICE.value,
            topic=Topic.CALL.value,
            subject=f"call:{row.id}",
            channel=channel,
            send_at=now,
            state="sent",
            rule=rule,
            message_id=message_id,
            created_at=now,
            decided_at=now,
        )
    )


def _reply(deps: Deps, row: CallBack) -> Reply | None:
    if row.state == CallState.UNREACHED:
        return Reply(deps.wording.one("call_back_given_up"))
    if row.state != CallState.OPEN or is_late(row.call_at, deps.now()):
        return None
    is_missed = row.telling == CallTelling.MISSED
    text = time_words(deps, "call_back_unreached" if is_missed else "call_back_by_operator", row.call_at)
    return Reply(text, change_buttons(deps))


def _decide(session: Session, deps: Deps, conversation: Conversation, word: CallTelling) -> tuple[Purpose, Decision]:
    now, last, is_missed = deps.now(), conversation.last_inbound_at, word is CallTelling.MISSED
    # Who is told at night that a call was missed is woken by what happened hours ago: that is no answer.
    waits = is_missed and not deps.limits.hard_end <= local(now).time() < deps.limits.hard_start
    answers = last is not None and now - last < contact.ANSWERS_WITHIN and not waits
    purpose = Purpose.REPLY if answers else Purpose.PLAN_NOTICE
    borrower_id = conversation.borrower_id
    return purpose, contact.decide(session, deps, borrower_id, conversation, purpose, None, is_counted=is_missed)


def _payload(choice: str) -> str:
    return "/request_callback" + json.dumps({"choice": choice})
