"""What the forms share whose questions the services keep: one answer is taken from a message, and once."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from rasa_sdk.events import EventType, SlotSet

from actions.base import GOAL, DeskAction, Turn
from bot.services.accounts import NotVerified
from bot.text.assent import wants_time

Current = TypeVar("Current")

SEEN = "form_seen"
"""The slot that names the form and the message that was used last."""
_THINKS = "thinks"


def seen(form: str, turn: Turn) -> EventType:
    """Note that a form has used this message: one message may end one form and open the other."""
    event: EventType = SlotSet(SEEN, f"{form}:{turn.message_id}")
    return event


def was_seen_by(form: str, turn: Turn) -> bool:
    """Whether this very form has used this message already."""
    return turn.slot(SEEN) == f"{form}:{turn.message_id}"


def was_seen(turn: Turn) -> bool:
    """Whether any form has used this message already, the last proof of identity among them."""
    return (turn.slot(SEEN) or "").endswith(f":{turn.message_id}")


def gives_time(turn: Turn) -> bool:
    """Whether a message only asks for time to think: then the open question waits, and is not put once more."""
    return not turn.is_payload and wants_time(turn.text)


def is_left_to_think(turn: Turn) -> bool:
    """Whether this message was answered with all the time there is."""
    return was_seen_by(_THINKS, turn)


def leave_to_think(turn: Turn) -> list[EventType]:
    """Return the events that keep the question open without putting it again."""
    return [seen(_THINKS, turn)]


def end_form() -> EventType:
    """Return the event that ends the form that is asking."""
    event: EventType = SlotSet("requested_slot", None)
    return event


def verify_again(goal: str) -> list[EventType]:
    """Return the events that end a form for a new proof of identity, after which ``goal`` is taken up."""
    return [SlotSet(GOAL, goal), end_form()]


class AskStep(DeskAction):
    """Puts the question of the moment, unless somebody was just left to think about it."""

    def handle(self, turn: Turn) -> list[EventType]:
        """Ask, or be quiet."""
        if not is_left_to_think(turn):
            self.ask(turn)
        return []

    def ask(self, turn: Turn) -> None:
        """Put the question that is open; say nothing where none is."""
        raise AssertionError("a subclass says what to do")


class ValidateStepForm(DeskAction, Generic[Current]):
    """Takes one answer to the question of the moment; leaves any other message alone.

    ``form`` names it in ``SEEN``; ``goal`` is the action that goes on after a new proof of identity.
    """

    form: ClassVar[str]
    goal: ClassVar[str]

    def handle(self, turn: Turn) -> list[EventType]:
        """End the form where nothing is asked any more, else read the message for an answer."""
        if was_seen(turn):
            return []
        current = self.current(turn)
        if isinstance(current, NotVerified):
            return [seen(self.form, turn), *verify_again(self.goal)]
        if current is None:
            return [seen(self.form, turn), end_form()]
        if gives_time(turn):
            self.wait(turn, current)
            return leave_to_think(turn)
        taken = self.take(turn, current)
        return [] if taken is None else [seen(self.form, turn), *taken]

    def current(self, turn: Turn) -> Current | NotVerified | None:
        """Return what is asked at the moment; None if nothing is."""
        raise AssertionError("a subclass says what to do")

    def wait(self, turn: Turn, current: Current) -> None:  # a subclass may say how long there is
        """Say that there is no hurry."""
        turn.say("utter_take_your_time")

    def take(self, turn: Turn, current: Current) -> list[EventType] | None:
        """Take the message as an answer; None where it is none."""
        raise AssertionError("a subclass says what to do")
