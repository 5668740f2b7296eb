"""A chat with the desk without the engine's process: stored, routed and answered as the running desk does it.

What Rasa 3.6 does with rules and forms is done here in the same order (``rasa/core/policies/rule_policy.py``,
``rasa/core/actions/forms.py``), with the rules of ``data/rules`` and the actions of ``actions.server``. Only the
reading of an intent from the text is left out: whoever says something names the intent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

import yaml
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy import select

from actions.base import DeskAction, Turn
from actions.server import ACTIONS
from bot.services import inbound, turns
from bot.services.conversations import QuickReply, Reply, Stored
from bot.services.deps import Deps
from bot.services.turns import Understanding
from bot.settings import ROOT
from bot.store.tables import Button, Message

LISTEN = "action_listen"
MOST_ACTIONS = 10
"""After so many actions in a turn the engine listens."""

_BY_NAME: dict[str, type[DeskAction]] = {action.action_name: action for action in ACTIONS}
_keys = count(1)


@cache
def domain() -> dict[str, Any]:
    """Return ``domain.yml``."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
    return read


@cache
def _rules() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the action for each intent, and the one that comes after each form."""
    by_intent, after_form = {}, {}
    for path in sorted((ROOT / "data" / "rules").glob("*.yml")):
        for rule in yaml.safe_load(path.read_text("utf-8"))["rules"]:
            first, last = rule["steps"][0], rule["steps"][-1]["action"]
            if "intent" in first:
                by_intent[first["intent"]] = last
            else:
                after_form[first["action"]] = last
    return by_intent, after_form


@dataclass
class Said:
    """What was answered to one message: the names of the responses, and the words."""

    responses: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    stored: bool = True
    """False for what the desk said by itself, without the dialogue."""

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "\n".join(self.texts)


@dataclass
class Chat:
    """One conversation, with what the engine remembers of it: slots, the form that is open, the messages."""

    deps: Deps
    conversation_id: str
    slots: dict[str, Any] = field(default_factory=dict)
    form: str | None = None
    rejected: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    _latest: str = LISTEN
    _message: dict[str, Any] = field(default_factory=dict)
    _out: list[tuple[str, Reply]] = field(default_factory=list)

    def say(self, text: str, intent: str) -> Said:
        """Type something that is understood as ``intent``; returns what the borrower is answered."""
        stored = inbound.record_text(self.deps, self.conversation_id, f"chat {next(_keys)}", text)
        assert isinstance(stored, Stored), stored
        return self._answered(stored, intent)

    def press(self, title: str) -> Said:
        """Press the latest button with these words."""
        with self.deps.read() as session:
            offered = session.execute(
                select(Button.token, Button.title, Message.seq)
                .join(Message, Message.id == Button.message_id)
                .where(Button.conversation_id == self.conversation_id, Button.state == "open")
                .order_by(Message.seq.desc(), Button.position)
            ).all()
        token = next((row.token for row in offered if title in row.title), None)
        assert token is not None, f"no button {title!r} among {[row.title for row in offered]}"
        stored = inbound.record_press(self.deps, self.conversation_id, f"chat {next(_keys)}", token)
        assert isinstance(stored, Stored), stored
        return self._answered(stored, "")

    def on(self, deps: Deps) -> Chat:
        """Return this chat as it stands, on a copy of its desk."""
        return Chat(deps, self.conversation_id, dict(self.slots), self.form, self.rejected, list(self.events))

    def _answered(self, stored: Stored, intent: str) -> Said:
        claimed = turns.claim_next(self.deps, self.conversation_id, timedelta(minutes=1))
        if claimed is None or claimed.message_id != stored.message_id:
            return Said([], self._answers_to(stored.message_id), stored=False)
        self._message = _understood(claimed.message_id, claimed.text, claimed.payload, intent)
        self._out = []
        self.events.append({"event": "user", "parse_data": self._message})
        actions = self._turn()
        understanding = Understanding(self._message["intent"]["name"], 1.0, actions=tuple(actions))
        turns.record_turn(self.deps, claimed.message_id, [reply for _, reply in self._out], understanding)
        assert self._out, f"nothing was answered to {claimed.text!r} ({actions})"
        return Said([name for name, _ in self._out], [reply.text for _, reply in self._out])

    def _answers_to(self, message_id: str) -> list[str]:
        with self.deps.read() as session:
            found = select(Message.text).where(Message.in_reply_to == message_id).order_by(Message.seq)
            return list(session.scalars(found))

    def _turn(self) -> list[str]:
        by_intent, after_form = _rules()
        ruled = by_intent[self._message["intent"]["name"]]
        done: list[str] = []
        self._latest, follow = LISTEN, None
        while len(done) < MOST_ACTIONS:
            if follow is not None:
                name = follow
            elif self.form is not None and not self.rejected:
                name = LISTEN if self._latest == self.form else self.form
            elif self._latest == LISTEN:
                name = ruled
            elif done[-1:] == [ruled] and self.form is not None and done.count(ruled) == 1:
                name = self.form  # a digression has been answered: the form asks its question again
            elif self._latest in after_form and self.form is None:
                name = after_form[self._latest]
            else:
                name = LISTEN
            if name == LISTEN:
                break
            follow = self._run_form(name) if name in domain()["forms"] else self._run(name)
            if not (self.rejected and name == self.form):
                done.append(name)
                self._latest = name
        return done

    def _run_form(self, name: str) -> str | None:
        was_open, any_open, from_listen = self.form == name, self.form is not None, self._latest == LISTEN
        self.rejected = False
        self.form = name
        before = len(self._out)
        events: list[dict[str, Any]] = []
        if not was_open:
            events = self._events_of(f"validate_{name}")
        if not _is_done(events) and not events and len(self._out) == before:
            waits = self.slots.get("requested_slot")
            events = self._events_of(f"validate_{name}")
            took = any(each["event"] == "slot" and each["name"] != "requested_slot" for each in events)
            if (from_listen or not any_open) and waits and not took:
                self.rejected = True
                return None
        if not _is_done(events):
            slot = domain()["forms"][name]["required_slots"][0]
            if self.slots.get(slot) is None:
                self.slots["requested_slot"] = slot
                self._events_of(f"action_ask_{slot}")
                return None
        self.slots["requested_slot"] = None
        self.form = None
        return None

    def _run(self, name: str) -> str | None:
        if name.startswith("utter_"):
            self._utter({"response": name, "buttons": []})
            return None
        events = self._events_of(name)
        follow = [str(each["name"]) for each in events if each["event"] == "followup"]
        return follow[-1] if follow else None

    def _events_of(self, name: str) -> list[dict[str, Any]]:
        dispatcher = CollectingDispatcher()
        tracker = Tracker(self.conversation_id, dict(self.slots), self._message, self.events, False, None, {}, None)
        events: list[dict[str, Any]] = list(
            _BY_NAME[name](self.deps).handle(Turn(self.deps, dispatcher, tracker, domain()))
        )
        for message in dispatcher.messages:
            self._utter(message)
        for each in events:
            if each["event"] == "slot":
                self.slots[each["name"]] = each["value"]
            elif each["event"] == "active_loop":
                self.form = each["name"]
        return events

    def _utter(self, message: dict[str, Any]) -> None:
        if message.get("text") and not message.get("response"):  # words that domain.yml does not hold
            shown = tuple(QuickReply(each["title"], each["payload"]) for each in message.get("buttons") or [])
            self._out.append(("", Reply(message["text"], shown)))
            return
        template = domain()["responses"][message["response"]][0]
        values = {name: value for name, value in message.items() if isinstance(value, str)}
        shown = [*(template.get("buttons") or []), *(message.get("buttons") or [])]
        buttons = tuple(QuickReply(each["title"], each["payload"]) for each in shown)
        self._out.append((message["response"], Reply(template["text"].format(**values), buttons)))


def _is_done(events: list[dict[str, Any]]) -> bool:
    """Whether a validation ended the form."""
    asked = [each["value"] for each in events if each["event"] == "slot" and each["name"] == "requested_slot"]
    return bool(asked) and asked[-1] is None


def _understood(message_id: str, text: str, payload: str | None, intent: str) -> dict[str, Any]:
    values: dict[str, str] = {}
    if payload is not None:
        intent, brace, rest = payload.removeprefix("/").partition("{")
        values = json.loads(brace + rest) if brace else {}
    return {
        "text": payload or text,
        "intent": {"name": intent},
        "intent_ranking": [],
        "entities": [{"entity": name, "value": value} for name, value in values.items()],
        "metadata": {"message_id": message_id, "is_payload": payload is not None},
    }
