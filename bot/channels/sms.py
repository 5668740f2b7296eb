"""Notices by text message, through an adapter that the lender runs: ``docs/sms-adapter.md`` is the contract.

One way. The text names the lender and the AI and leads to a page with the chat, a person, and a way to stop; the
notice's own words stay behind, since every seventy characters are paid for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import httpx
import structlog

from bot.channels.delivery import Lane, Later, Never, Outcome, PushChannel, Taken, Unclear
from bot.channels.letter_words import LetterWords
from bot.channels.pacing import Pace
from bot.services.deps import Deps
from bot.services.mailboxes import SMS
from bot.services.outbox import OutboxItem
from bot.services.stop_links import stop_address

LANE = Lane(SMS, batch=8, abreast=4, may_repeat=True)
SECONDS = 5.0
SINGLE, JOINED = 70, 67
"""UTF-16 units in a message of one part, and in each part of a longer one."""

_OUR_FAULT = (401, 403)
_LATER = (408, 425, 429)
_NO_SUCH_NUMBER = 410
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_ID_LENGTH = 40

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TextMessage:
    """What is sent. ``id`` is the same for every attempt: an adapter that knows it does not send again."""

    id: str
    phone: str
    text: str

    @property
    def parts(self) -> int:
        """How many parts the network cuts it into."""
        return parts_of(self.text)


class SmsSender(Protocol):
    """Sends text messages."""

    def send(self, message: TextMessage) -> Outcome:
        """Hand a message over and say what became of it. Never raises for an outage; logs neither phone nor text."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def parts_of(text: str) -> int:
    """Return how many parts a Chinese text message has: UCS-2, an emoji takes two units."""
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= SINGLE else -(-units // JOINED)


class WebhookSmsSender:
    """Posts ``{"id", "phone", "text"}`` to the lender's adapter, with a key."""

    def __init__(self, url: str, key: str, timeout_seconds: float = SECONDS) -> None:
        self._http = httpx.Client(timeout=timeout_seconds, headers={"Authorization": f"Bearer {key}"})
        self._url = url

    def send(self, message: TextMessage) -> Outcome:
        """Hand a message over."""
        body = {"id": message.id, "phone": message.phone, "text": message.text}
        try:
            response = self._http.post(self._url, json=body, headers={"Idempotency-Key": message.id})
        except _UNSENT:
            return Later("unreachable")
        except httpx.HTTPError:
            return Unclear("answer_lost")
        return _outcome(response)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


def _outcome(response: httpx.Response) -> Outcome:
    status = response.status_code
    if response.is_success:
        return Taken(_number_of(response))
    code = f"http_{status}"
    if status in _OUR_FAULT:
        log.error("sms_key_refused", status=status)
        return Later(code)
    if status in _LATER:
        return Later(code, _asked(response))
    if response.is_client_error:
        return Never(code, unreachable=status == _NO_SUCH_NUMBER, defect=status != _NO_SUCH_NUMBER)
    return Later(code)


def _number_of(response: httpx.Response) -> str:
    """The adapter's own number of the message, where it gives one."""
    try:
        answer: object = response.json()
    except ValueError:
        return ""
    number = answer.get("message_id") if isinstance(answer, dict) else None
    return number[:_ID_LENGTH] if isinstance(number, str) else ""


def _asked(response: httpx.Response) -> timedelta | None:
    asked = response.headers.get("Retry-After", "")
    return timedelta(seconds=int(asked)) if asked.isdecimal() and len(asked) < 7 else None


def sms_channel(deps: Deps, sender: SmsSender | None = None, pace: Pace | None = None) -> PushChannel:
    """Return the channel, to be started by the gateway where ``DESK_SMS_WEBHOOK_URL`` is set.

    Raises:
        bot.services.wording.WordingError: the words of text messages cannot be used.
    """
    words, settings = LetterWords.load(deps), deps.settings
    via = sender or WebhookSmsSender(settings.sms_webhook_url, settings.sms_webhook_key.get_secret_value())

    def send(item: OutboxItem) -> Outcome:
        text = words.in_script("sms_text", item.script, link=stop_address(deps, item.conversation_id))
        message = TextMessage(item.key, item.address, text)
        log.info("sms_sent_off", outbox_id=item.outbox_id, parts=message.parts)
        return via.send(message)

    return PushChannel(deps, LANE, send, via.close, pace)
