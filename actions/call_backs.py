"""A call that somebody asks for: a time at once, another one by a tap or in words, and calling it off."""

from __future__ import annotations

from datetime import datetime

from rasa_sdk.events import EventType

from actions.base import Button, Turn
from bot.desk.ownership import QueueReason
from bot.outreach.call_asking import CallAsked, read_call_asked
from bot.services import call_backs, call_news, handoff
from bot.services.call_backs import Arranged, Forbidden, NotArranged
from bot.services.conversations import QuickReply
from bot.text.normalize import normalize_text
from bot.text.values import extract

_AT, _MOVE, _STOP = "at:", "move", "stop"


def answer_call_wish(turn: Turn) -> list[EventType]:
    """Arrange, move or call off a call, and say so; somebody unknown has to prove who they are before one is made.

    Whoever asks for a call wants a person: one is queued for who is at the desk, as before.
    """
    pressed = turn.pressed("choice")
    asked = _asked(turn, pressed)
    if asked.is_refused:
        stopped = call_backs.withdraw(turn.deps, turn.conversation_id)
        turn.tell(turn.deps.wording.one("call_back_withdrawn" if stopped else "call_back_none"))
        return []
    if pressed == _MOVE:
        times = call_backs.times_for(turn.deps, turn.conversation_id)
        _offer_times(turn, "call_back_when" if times else "call_back_no_time", times)
        return []
    done = call_backs.arrange(turn.deps, turn.conversation_id, at=asked.at, on=asked.on)
    if pressed is None:
        handoff.ask_human(turn.deps, turn.conversation_id, QueueReason.ASKED)
    match done:
        case Arranged():
            _tell_time(turn, "call_back_moved" if done.is_moved else "call_back_set", done.call_at)
        case Forbidden():
            _offer_times(turn, f"call_back_not_{done.rule.value}" if done.times else "call_back_no_time", done.times)
        case NotArranged():
            verify = Button(turn.deps.wording.one("call_back_verify"), "/verify_identity")
            turn.tell(turn.deps.wording.one("call_back_unproved"), [verify])
    return []


def call_off(turn: Turn) -> bool:
    """Call off the call that is arranged, where nothing nearer was cancelled; returns whether there was one."""
    if not call_backs.withdraw(turn.deps, turn.conversation_id):
        return False
    turn.tell(turn.deps.wording.one("call_back_withdrawn"))
    return True


def tell_after_hours(turn: Turn) -> None:
    """Say when somebody who asked for a person at night will be called, if nobody is there now and they are known."""
    at = call_backs.arrange_after_hours(turn.deps, turn.conversation_id)
    if at is not None:
        _tell_time(turn, "call_back_after_hours", at)


def offer_after_hours(turn: Turn) -> None:
    """Offer times for a call to somebody known who could not be helped while nobody is there; none is arranged."""
    times = call_backs.after_hours_times(turn.deps, turn.conversation_id)
    if times:
        _offer_times(turn, "call_back_offer", times)


def names_a_call(turn: Turn) -> bool:
    """Whether a message names a time at which to call: 现在别打,今晚七点再打 asks for no pause."""
    asked = _asked(turn, None)
    return asked.at is not None and not asked.is_refused


def _asked(turn: Turn, pressed: str | None) -> CallAsked:
    if pressed == _STOP:
        return CallAsked(is_refused=True)
    if pressed is not None and pressed.startswith(_AT):
        return CallAsked(at=datetime.fromisoformat(pressed.removeprefix(_AT)))
    text, now = normalize_text(turn.text), turn.deps.now()
    return read_call_asked(extract(text, now), text, now)


def _tell_time(turn: Turn, name: str, at: datetime) -> None:
    turn.tell(call_news.time_words(turn.deps, name, at), _buttons(call_news.change_buttons(turn.deps)))


def _offer_times(turn: Turn, name: str, times: tuple[datetime, ...]) -> None:
    turn.tell(turn.deps.wording.one(name), _buttons(call_news.time_buttons(turn.deps, times)))


def _buttons(replies: tuple[QuickReply, ...]) -> list[Button]:
    return [Button(reply.title, reply.payload) for reply in replies]
