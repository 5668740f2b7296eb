"""Proving who writes: a code that the borrower can check on the desk's own page."""

from __future__ import annotations

from rasa_sdk.events import EventType

from actions.base import DeskAction, Turn
from bot.services import sender_codes


class ProveSender(DeskAction):
    """Gives whoever doubts the desk something to check."""

    action_name = "action_prove_sender"

    def handle(self, turn: Turn) -> list[EventType]:
        """Give a code and the page where it is checked."""
        turn.say("utter_legitimacy")
        code = sender_codes.issue(turn.deps, turn.conversation_id)
        if code is not None:
            turn.say("utter_sender_code", code=code, address=turn.deps.settings.origin + sender_codes.PATH)
        return []
