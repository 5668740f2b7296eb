"""A sign of danger that the classifier saw where the guard's lexicon did not."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions.base import Button, DeskAction, Turn, leave_forms
from bot.services import crisis


class Comfort(DeskAction):
    """Stops debt talk, says the fixed words and calls a person, as the guard does."""

    action_name = "action_comfort"

    def handle(self, turn: Turn) -> list[EventType]:
        """Do what the guard would have done."""
        for reply in crisis.respond(turn.deps, turn.conversation_id):
            buttons = [Button(button.title, button.payload) for button in reply.buttons]
            turn.say("utter_safety", buttons, text=reply.text)
        return leave_forms()
