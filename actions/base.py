"""What every custom action shares: tracker in, service call, responses out.

Actions hold no SQL, no arithmetic and no wording. Identity comes from the sender id that the gateway gave, through
``bot.services``; never from a slot or from what was typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.desk.extras import Extras
from bot.identity.levels import Level
from bot.services import identity
from bot.services.conversations import extras_payload
from bot.services.deps import Deps
from bot.text.normalize import normalize_text
from bot.text.values import Value, extract

GOAL = "pending_goal"
VERIFY_FORM = "verify_form"
NOT_UNDERSTOOD = "nlu_fallback"


@dataclass(frozen=True, slots=True)
class Button:
    """A quick reply; the gateway swaps the payload for an opaque token."""

    title: str
    payload: str


class Turn:
    """One call of an action: what was said, by whom, and how to answer."""

    def __init__(
        self, deps: Deps, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]
    ) -> None:
        message: Mapping[str, Any] = tracker.latest_message or {}
        self.deps = deps
        self.conversation_id: str = tracker.sender_id
        self.message_id = str((message.get("metadata") or {}).get("message_id", ""))
        self.raw_text = str(message.get("text") or "")
        self.is_payload = bool((message.get("metadata") or {}).get("is_payload"))
        self.text = "" if self.is_payload else normalize_text(self.raw_text)
        self.intent = str((message.get("intent") or {}).get("name") or "")
        selected = ((message.get("response_selector") or {}).get(self.intent) or {}).get("response") or {}
        self.topic = str(selected.get("intent_response_key") or "").partition("/")[2]
        self.articles: list[str] = [str(article) for article, _ in message.get("articles") or []]
        self.ranking: list[str] = [str(entry["name"]) for entry in message.get("intent_ranking") or []]
        self._entities: list[Mapping[str, Any]] = message.get("entities") or []
        self._tracker = tracker
        self._dispatcher = dispatcher
        self._domain = domain

    def not_understood_in_a_row(self) -> int:
        """Count the messages up to this one, without any other between, that were not understood."""
        said = [event for event in self._tracker.events if event.get("event") == "user"]
        names = [str(((event.get("parse_data") or {}).get("intent") or {}).get("name")) for event in reversed(said)]
        return next((count for count, name in enumerate(names) if name != NOT_UNDERSTOOD), len(names))

    def slot(self, name: str) -> str | None:
        """Return a slot's text."""
        value = self._tracker.get_slot(name)
        return None if value is None else str(value)

    def pressed(self, entity: str) -> str | None:
        """Return what a server-issued button carried; free text can never set it."""
        if not self.is_payload:
            return None
        return next((str(e["value"]) for e in self._entities if e.get("entity") == entity), None)

    @property
    def carries_choice(self) -> bool:
        """Whether a button was pressed that chooses something, rather than opens a subject."""
        return self.is_payload and bool(self._entities)

    def values(self) -> tuple[Value, ...]:
        """Return the amounts, dates and periods in the message, read with the desk's clock."""
        return () if self.is_payload else extract(self.raw_text, self.deps.now())

    def say(self, response: str, buttons: Sequence[Button] = (), drawn: Extras | None = None, **values: str) -> None:
        """Answer with a response of ``domain.yml``; a page may draw ``drawn`` beside it."""
        shown = [{"title": button.title, "payload": button.payload} for button in buttons]
        if drawn is not None:
            shown.append({"title": "", "payload": extras_payload(drawn)})
        self._dispatcher.utter_message(response=response, buttons=shown or None, **values)

    def tell(self, text: str, buttons: Sequence[Button] = ()) -> None:
        """Answer with words that gateway and scheduler use as well (``deps.wording``), in Simplified script."""
        shown = [{"title": button.title, "payload": button.payload} for button in buttons]
        self._dispatcher.utter_message(text=text, buttons=shown or None)

    def can_say(self, response: str) -> bool:
        """Tell whether ``domain.yml`` has a response."""
        return response in self._domain["responses"]

    def phrase(self, response: str, **values: str) -> str:
        """Return a response's text, to be put into another one."""
        text: str = self._domain["responses"][response][0]["text"]
        return text.format(**values)


class DeskAction(Action):
    """Base of the actions: runs ``handle`` in a thread, because services are synchronous."""

    action_name: ClassVar[str]

    def __init__(self, deps: Deps) -> None:
        self.deps = deps

    def name(self) -> str:
        """Return the name used in ``domain.yml``."""
        return self.action_name

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        """Answer one call from Rasa."""
        return await asyncio.to_thread(self.handle, Turn(self.deps, dispatcher, tracker, domain))

    def handle(self, turn: Turn) -> list[EventType]:
        """Do the action's work and return tracker events."""
        raise AssertionError("a subclass says what to do")


class VerifiedAction(DeskAction):
    """An action that tells facts: asks for verification first, and is taken up again afterwards."""

    def handle(self, turn: Turn) -> list[EventType]:
        """Go on if identity is proved, else remember the wish and verify."""
        if identity.who(turn.deps, turn.conversation_id).level is Level.VERIFIED:
            return self.tell(turn)
        return verify_first(turn, self.action_name)

    def tell(self, turn: Turn) -> list[EventType]:
        """Do the action's work for a verified borrower."""
        raise AssertionError("a subclass says what to do")


def verify_first(turn: Turn, goal: str) -> list[EventType]:
    """Start verification and remember what for; while proving is locked only that is said."""
    if identity.progress(turn.deps, turn.conversation_id).locked_until is not None:
        return [SlotSet(GOAL, goal), FollowupAction(VERIFY_FORM)]
    asked_meanwhile = turn.slot("requested_slot") == "identity_step"
    if turn.intent == "state_hardship":
        turn.say("utter_hardship_first")
    turn.say("utter_verify_before_answer" if asked_meanwhile else "utter_verify_first")
    return [SlotSet(GOAL, goal), FollowupAction(VERIFY_FORM)]


def leave_forms() -> list[EventType]:
    """Return the events that end whatever form is active."""
    return [{"event": "active_loop", "name": None}, SlotSet("requested_slot", None)]
