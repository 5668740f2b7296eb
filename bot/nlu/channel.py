"""The only way into the Rasa process: a REST channel for the gateway.

It checks a shared secret, treats only server-issued payloads as commands, and returns what was understood together with
the answers. A message is handled to its end though the gateway may have stopped waiting, and one that comes again is
answered from what was said to it, or joins the handling that is still under way, instead of acting twice.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from json import dumps
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, json

from bot.nlu.under_way import UnderWay
from bot.text.commands import defused

logger = logging.getLogger(__name__)

INTERNAL_ACTIONS = frozenset({"action_listen", "action_extract_slots", "action_session_start"})


class GatewayChannel(InputChannel):
    """Configured in ``credentials.yml`` with ``secret``."""

    @classmethod
    def name(cls) -> str:
        """Return the channel's name, which is also its URL prefix."""
        return "gateway"

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> GatewayChannel:
        """Read the secret.

        Raises:
            ValueError: it is missing, too short, or its environment variable was not set.
        """
        secret = str((credentials or {}).get("secret") or "")
        if len(secret) < 16 or secret.startswith("$"):
            raise ValueError("credentials.yml: gateway channel: 'secret' must be set (DESK_RASA_SECRET)")
        return cls(secret)

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._under_way = UnderWay()

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes."""
        blueprint = Blueprint("gateway_channel")

        @blueprint.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            ready = bool(request.app.ctx.agent and request.app.ctx.agent.is_ready())
            return json({"ready": ready}, status=200 if ready else 503)

        @blueprint.route("/turn", methods=["POST"])
        async def turn(request: Request) -> HTTPResponse:
            if not hmac.compare_digest(request.headers.get("x-desk-secret", "").encode(), self._secret.encode()):
                return json({"error": "forbidden"}, status=403)
            body = request.json or {}
            sender, message_id = body.get("sender"), body.get("message_id")
            text, payload = body.get("text"), body.get("payload")
            if not all(isinstance(field, str) and field for field in (sender, message_id, text)):
                return json({"error": "bad_request"}, status=400)
            agent = request.app.ctx.agent

            async def handle() -> None:
                tracker = await agent.tracker_store.retrieve(sender)
                if tracker is not None and _handled(tracker, message_id):
                    return
                metadata = {"message_id": message_id, "is_payload": bool(payload)}
                words = payload if payload else defused(text)
                await on_new_message(
                    UserMessage(words, CollectingOutputChannel(), sender, input_channel=self.name(), metadata=metadata)
                )

            try:
                # The server cancels a request whose caller has gone: what was acted on would never be answered.
                await self._under_way.join(f"{sender}:{message_id}", handle)
                tracker = await agent.tracker_store.retrieve(sender)
            except Exception as error:  # noqa: BLE001  # an error body without data, whatever went wrong
                logger.error("turn_failed kind=%s", type(error).__name__)
                return json({"error": "turn_failed"}, status=500)
            answer = _answer(tracker, message_id, agent.model_id)
            if not answer["messages"]:
                logger.error("turn_without_words")
                return json({"error": "turn_failed"}, status=502)
            answer["messages"] += about_the_other_request(answer["understanding"], agent.domain.responses)
            return json(answer)

        return blueprint


def about_the_other_request(
    understanding: Mapping[str, Any], responses: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Offer to go on with the second request of the message, if there was one that has a name to be offered by."""
    also = understanding["also_asked"]
    meaning = responses.get(f"utter_part_meaning_{str(also).replace('/', '_')}")
    if not also or not meaning or understanding["intent"] == "express_distress":
        return []
    intent, _, topic = also.partition("/")
    payload = f"/{intent}" + (dumps({"topic": topic}) if topic else "")
    said = responses["utter_also_asked"][0]["text"]
    return [{"text": said, "buttons": [{"title": meaning[0]["text"], "payload": payload}]}]


def _position(tracker: DialogueStateTracker, message_id: str) -> int | None:
    events = list(tracker.events)
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if isinstance(event, UserUttered) and (event.metadata or {}).get("message_id") == message_id:
            return index
    return None


def _handled(tracker: DialogueStateTracker, message_id: str) -> bool:
    """Whether a message was answered. One that got no word, because the action server was away, may be tried again."""
    return bool(_answer(tracker, message_id, None)["messages"])


def _answer(tracker: DialogueStateTracker | None, message_id: str, model_id: str | None) -> dict[str, Any]:
    """Read a turn back out of the tracker: everything from its user message to the next one."""
    start = _position(tracker, message_id) if tracker else None
    if tracker is None or start is None:
        return {"messages": [], "understanding": {"also_asked": None, "intent": None}}
    events = list(tracker.events)
    user = events[start]
    messages: list[dict[str, Any]] = []
    actions: list[str] = []
    for event in events[start + 1 :]:
        if isinstance(event, UserUttered):
            break
        if isinstance(event, BotUttered):
            data = event.data or {}
            messages.append({"text": event.text or "", "buttons": data.get("buttons") or []})
        elif isinstance(event, ActionExecuted) and event.action_name not in INTERNAL_ACTIONS:
            actions.append(event.action_name)
    parsed = user.parse_data or {}
    selector = parsed.get("response_selector") or {}
    intent = parsed.get("intent") or {}
    selected = (selector.get(intent.get("name")) or {}).get("response") or {}
    return {
        "messages": messages,
        "understanding": {
            "intent": selected.get("intent_response_key") or intent.get("name"),
            "confidence": intent.get("confidence"),
            "entities": [
                {"entity": str(entity.get("entity")), "value": str(entity.get("value"))}
                for entity in parsed.get("entities") or []
            ],
            "ranking": [[entry["name"], entry["confidence"]] for entry in (parsed.get("intent_ranking") or [])[:5]],
            "actions": actions,
            "also_asked": parsed.get("also_asked"),
            "model": model_id,
        },
    }
