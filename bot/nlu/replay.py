"""Decides recorded turns anew with the model of their day: JSON on standard input, JSON on the last output line.

The input holds ``events`` (what the engine recorded of a conversation, in order, as it stores them) and ``turns`` (the
numbers of messages to decide anew). What happened before a turn is taken from the record. The message itself is read
anew, each next action is predicted anew, and the words are made anew from the model's own templates with the values
that the actions gave at that time: figures depend on accounts that have moved on since.

The output maps each turn's number to ``intent``, ``confidence``, ``also_asked``, ``actions`` and ``messages``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected, BotUttered, Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.nlu.channel import INTERNAL_ACTIONS, GatewayChannel, about_the_other_request

_NOT_VALUES = frozenset({"utter_action", "template", "model_id", "assistant_id", "buttons"})
"""What the engine itself keeps beside the values of a template; a value called ``text`` becomes the message's text."""


async def _main(model: str) -> None:
    asked = json.load(sys.stdin)
    agent = Agent.load(model)
    recorded = [Event.from_parameters(one) for one in asked["events"]]
    turns = {number: await _turn(agent, recorded, number) for number in asked["turns"]}
    print(json.dumps({"turns": turns}, ensure_ascii=False))  # noqa: T201  # this is the command's output


async def _turn(agent: Agent, recorded: Sequence[Event | None], number: str) -> dict[str, Any] | None:
    start = _start(recorded, number)
    if start is None:
        return None
    said = recorded[start]
    before = [event for event in recorded[:start] if event is not None]
    tracker = DialogueStateTracker.from_events("replay", before, agent.domain.slots)
    message = UserMessage(said.text, sender_id="replay", input_channel=GatewayChannel.name(), metadata=said.metadata)
    read = await agent.processor.parse_message(message, tracker)
    tracker.update(
        UserUttered(said.text, read["intent"], read["entities"], read, said.timestamp, metadata=said.metadata),
        agent.domain,
    )
    actions, messages = await _decided(agent, tracker, recorded[start + 1 :])
    selected = ((read.get("response_selector") or {}).get(read["intent"]["name"]) or {}).get("response") or {}
    understanding = {
        "intent": selected.get("intent_response_key") or read["intent"]["name"],
        "confidence": read["intent"]["confidence"],
        "also_asked": read.get("also_asked"),
    }
    messages += about_the_other_request(understanding, agent.domain.responses)
    return {**understanding, "actions": actions, "messages": messages}


async def _decided(
    agent: Agent, tracker: DialogueStateTracker, following: Sequence[Event | None]
) -> tuple[list[str], list[dict[str, Any]]]:
    """Follow the record up to the next message: each action is predicted before what came of it is taken over."""
    actions: list[str] = []
    messages: list[dict[str, Any]] = []
    for event in following:
        if isinstance(event, UserUttered):
            break
        if event is None:
            continue
        if isinstance(event, ActionExecuted | ActionExecutionRejected) and event.action_name != "action_extract_slots":
            action, _ = agent.processor.predict_next_with_tracker_if_should(tracker)
            if isinstance(event, ActionExecuted) and action.name() not in INTERNAL_ACTIONS:
                actions.append(action.name())
        elif isinstance(event, BotUttered):
            messages.append(await _words(agent, tracker, event))
        tracker.update(event, agent.domain)
    return actions, messages


async def _words(agent: Agent, tracker: DialogueStateTracker, event: BotUttered) -> dict[str, Any]:
    """Fill a template of the model anew; words that were made without one stay as they were."""
    metadata: Mapping[str, Any] = event.metadata or {}
    buttons = (event.data or {}).get("buttons") or []
    name = metadata.get("utter_action")
    if not name:
        return {"text": event.text or "", "buttons": buttons, "template": None, "values": {}}
    values = {"text": event.text or "", **{key: value for key, value in metadata.items() if key not in _NOT_VALUES}}
    made = await agent.processor.nlg.generate(name, tracker, GatewayChannel.name(), **values)
    return {"text": (made or {}).get("text") or "", "buttons": buttons, "template": name, "values": values}


def _start(recorded: Sequence[Event | None], number: str) -> int | None:
    """Return where the last attempt at a message begins: one that failed may have been made before."""
    for index in range(len(recorded) - 1, -1, -1):
        event = recorded[index]
        if isinstance(event, UserUttered) and (event.metadata or {}).get("message_id") == number:
            return index
    return None


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
