"""What the borrower wants about reminders: stopped, paused, at another hour, elsewhere, fewer; said back at once."""

from __future__ import annotations

from rasa_sdk.events import EventType, SlotSet

from actions.base import GOAL, DeskAction, Turn, verify_first
from actions.contact_words import say_settings, say_trouble, stop_buttons, tell_pauses, wish_button
from bot.clock import business_date
from bot.outreach.wish_change import (
    AskWhy,
    Change,
    Impossible,
    Nothing,
    Obstacle,
    Pause,
    Question,
    Reset,
    Resume,
    Show,
    Stop,
    Unclear,
    WishChange,
)
from bot.outreach.wish_reading import read_contact_wish
from bot.services import contact_wishes, identity
from bot.services.accounts import NotVerified
from bot.text.display import day_text
from bot.text.normalize import normalize_text
from bot.text.values import extract

WISH = "contact_wish"
_STOP, _SET = "action_stop_contact", "action_set_reminder"
_SPEAKING_OF_CONTACT = frozenset({"stop_contact", "set_reminder", "request_callback"})


class StopContact(DeskAction):
    """Stops or pauses reminders at once; quiet hours and fewer once identity is proved."""

    action_name = _STOP

    def handle(self, turn: Turn) -> list[EventType]:
        """Do what was asked for; what is not plainly less than a stop is a stop (F5)."""
        said, wish = _heard(turn)
        match wish:
            case Pause():
                return pause(turn, said, wish)
            case Change() if wish.quiet is not None or wish.per_seven_days is not None:
                return _change(turn, said, wish, _STOP)
            case Impossible(Obstacle.DAYS_OF_WEEK):
                say_trouble(turn, wish)
                return _done()
            case AskWhy():
                tell_pauses(turn)
                return _stop(turn)
            case _:
                return _stop(turn)


class SetReminder(DeskAction):
    """Reminders: taken up again, changed, shown; stopped or paused where that was meant."""

    action_name = _SET

    def handle(self, turn: Turn) -> list[EventType]:
        """Do what was asked for, ask where it has two readings, and say what is possible where it is not."""
        said, wish = _heard(turn)
        match wish:
            case Stop():
                return _stop(turn)
            case Pause():
                return pause(turn, said, wish)
            case Change():
                return _change(turn, said, wish, _SET)
            case Impossible() | Unclear():
                return _ask(turn, said, wish)
            case Reset():
                return _reset(turn, said)
            case AskWhy():
                tell_pauses(turn)
                return [SlotSet(GOAL, _SET), SlotSet(WISH, said)] if not _is_verified(turn) else _done()
            case Resume() | Show() | Nothing():
                return _resume_or_show(turn, said, wish)


def heard_pause(turn: Turn) -> Pause | None:
    """Return the pause that a message asks for, if it asks for one with an end."""
    wish = _heard(turn)[1]
    return wish if isinstance(wish, Pause) and not wish.is_open_end else None


def asks_why_again(turn: Turn) -> bool:
    """Whether a message asks why reminders came again after they had stopped."""
    return isinstance(_read(turn, turn.text), AskWhy)


def pause(turn: Turn, said: str, wish: Pause) -> list[EventType]:
    """Pause at once and say until when, what may still come, and how to go on."""
    paused = contact_wishes.pause(turn.deps, turn.conversation_id, wish.until)
    if paused is None:
        return _done()
    day = day_text(business_date(paused.until), business_date(turn.deps.now()))
    resume = wish_button(turn, "utter_part_wish_resume_button")
    if paused.is_stopped:
        turn.say("utter_contact_stays_stopped", [resume])
    elif paused.stood_longer:
        turn.say("utter_contact_paused_already", day=day)
    elif not paused.is_bound:
        turn.say("utter_contact_paused_here", day=day)
        return [SlotSet(GOAL, _STOP), SlotSet(WISH, said)]
    elif wish.is_open_end:
        turn.say("utter_contact_paused_open_end", [wish_button(turn, "utter_part_wish_longer_button"), resume], day=day)
    else:
        turn.say("utter_contact_paused", [resume], day=day)
    return _done()


def _heard(turn: Turn) -> tuple[str, WishChange]:
    """Return what was said, and read; after a proof of identity, the wish that was kept meanwhile."""
    own = normalize_text(turn.pressed("choice") or turn.text)
    wish = _read(turn, own)
    kept = turn.slot(WISH)
    if kept and (turn.intent not in _SPEAKING_OF_CONTACT or isinstance(wish, Nothing)):
        return kept, _read(turn, kept)
    return own, wish


def _read(turn: Turn, text: str) -> WishChange:
    now = turn.deps.now()
    return read_contact_wish(extract(text, now), text, now, turn.deps.limits)


def _stop(turn: Turn) -> list[EventType]:
    contact_wishes.opt_out(turn.deps, turn.conversation_id)
    if identity.who(turn.deps, turn.conversation_id).borrower_id is None:
        turn.say("utter_contact_stopped_here")
        return [SlotSet(GOAL, _STOP), SlotSet(WISH, None)]
    turn.say("utter_contact_stopped", [wish_button(turn, "utter_part_wish_resume_button")])
    return _done()


def _change(turn: Turn, said: str, wish: Change, goal: str) -> list[EventType]:
    if wish.says_nothing:
        return _ask(turn, said, wish.beside) if wish.beside is not None else _resume_or_show(turn, said, Nothing())
    noted = contact_wishes.change(turn.deps, turn.conversation_id, wish)
    match noted:
        case NotVerified():
            return _prove_first(turn, said, goal)
        case Impossible():
            say_trouble(turn, noted)
            return _done()
    if noted.resumed:
        turn.say("utter_reminders_resumed")
    say_settings(turn, "utter_contact_wish_noted", noted.settings)
    if wish.beside is not None:
        say_trouble(turn, wish.beside)
    return _done()


def _ask(turn: Turn, said: str, trouble: Impossible | Unclear) -> list[EventType]:
    about_channel = trouble in (Impossible(Obstacle.CHANNEL_CLOSED), Unclear(Question.CHANNEL))
    if about_channel and not _is_verified(turn):
        return _prove_first(turn, said, _SET)
    say_trouble(turn, trouble)
    return _done()


def _reset(turn: Turn, said: str) -> list[EventType]:
    noted = contact_wishes.reset(turn.deps, turn.conversation_id)
    if isinstance(noted, NotVerified):
        return _prove_first(turn, said, _SET)
    say_settings(turn, "utter_contact_wish_noted", noted.settings)
    return _done()


def _resume_or_show(turn: Turn, said: str, wish: Resume | Show | Nothing) -> list[EventType]:
    if not isinstance(wish, Show):
        resumed = contact_wishes.opt_in(turn.deps, turn.conversation_id)
        if isinstance(resumed, NotVerified):
            return _prove_first(turn, said, _SET)
        if resumed:
            turn.say("utter_reminders_resumed")
            return _done()
    settings = contact_wishes.settings_of(turn.deps, turn.conversation_id)
    if isinstance(settings, NotVerified):
        if isinstance(wish, Show):
            return _prove_first(turn, said, _SET)
        turn.say("utter_reminder", stop_buttons(turn))
    elif isinstance(wish, Show) or settings.is_narrowed:
        say_settings(turn, "utter_contact_settings", settings)
    else:
        turn.say("utter_reminder", stop_buttons(turn))
    return _done()


def _is_verified(turn: Turn) -> bool:
    return not isinstance(contact_wishes.settings_of(turn.deps, turn.conversation_id), NotVerified)


def _prove_first(turn: Turn, said: str, goal: str) -> list[EventType]:
    return [*verify_first(turn, goal), SlotSet(WISH, said)]


def _done() -> list[EventType]:
    return [SlotSet(WISH, None)]
