"""Asking the dialogue engine for one turn, over loopback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import httpx
from pydantic import BaseModel, ValidationError

from bot.services.conversations import QuickReply, Reply
from bot.services.turns import Claimed, Understanding


class Trouble(StrEnum):
    """Why there is no answer: nobody was there to ask, it takes longer than one waits, or it went wrong.

    That nobody was there says nothing about the message. An engine that ends while it has the message may have ended by
    it: that counts as gone wrong.
    """

    ABSENT = "absent"
    LATE = "late"
    FAILED = "failed"


class EngineDown(Exception):
    """The engine did not answer, or not as agreed. The turn may be tried again; one that is late goes on meanwhile."""

    def __init__(self, kind: str, trouble: Trouble) -> None:
        super().__init__(kind)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class EngineTurn:
    """What the engine answered, and what it made of the message."""

    replies: tuple[Reply, ...]
    understanding: Understanding


class _Button(BaseModel):
    title: str
    payload: str


class _Message(BaseModel):
    text: str = ""
    buttons: list[_Button] = []


class _Entity(BaseModel):
    entity: str
    value: str


class _Understanding(BaseModel):
    intent: str | None = None
    confidence: float | None = None
    entities: list[_Entity] = []
    actions: list[str] = []
    ranking: list[tuple[str, float]] = []
    model: str | None = None
    also_asked: str | None = None


class _Answer(BaseModel):
    messages: list[_Message]
    understanding: _Understanding


class RasaClient:
    """Talks to ``bot.nlu.channel`` with the shared secret."""

    def __init__(self, base_url: str, secret: str, timeout_seconds: float) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers={"x-desk-secret": secret}, timeout=httpx.Timeout(timeout_seconds, connect=2.0)
        )

    async def turn(self, claimed: Claimed) -> EngineTurn:
        """Have one message understood and answered. Repeating a message does not act twice.

        Raises:
            EngineDown: no answer, an error, or an answer that cannot be read.
        """
        body = {
            "sender": claimed.conversation_id,
            "message_id": claimed.message_id,
            "text": claimed.text,
            "payload": claimed.payload,
        }
        try:
            response = await self._http.post("/webhooks/gateway/turn", json=body)
            response.raise_for_status()
            answer = _Answer.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise EngineDown(type(error).__name__, _trouble(error)) from error
        replies = tuple(
            Reply(message.text, tuple(QuickReply(b.title, b.payload) for b in message.buttons))
            for message in _once(answer.messages)
            if message.text
        )
        seen = answer.understanding
        return EngineTurn(
            replies,
            Understanding(
                intent=seen.intent,
                confidence=seen.confidence,
                entities=tuple({"entity": e.entity, "value": e.value} for e in seen.entities),
                actions=tuple(seen.actions),
                ranking=tuple(seen.ranking),
                model=seen.model,
                also_asked=seen.also_asked,
            ),
        )

    async def is_ready(self) -> bool:
        """Tell whether the engine has a model loaded."""
        try:
            response = await self._http.get("/webhooks/gateway/", timeout=3.0)
        except httpx.HTTPError:
            return False
        return response.status_code == httpx.codes.OK

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _once(messages: Sequence[_Message]) -> list[_Message]:
    """Leave out what stands there twice: two engines have answered the same message, one of them thought to be dead."""
    kept: list[_Message] = []
    for message in messages:
        if message not in kept:
            kept.append(message)
    return kept


def _trouble(error: httpx.HTTPError | ValidationError) -> Trouble:
    if isinstance(error, httpx.ReadTimeout):
        return Trouble.LATE
    if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError):
        return Trouble.FAILED
    return Trouble.ABSENT if isinstance(error, httpx.TransportError) else Trouble.FAILED
