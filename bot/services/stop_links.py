"""Links in one-way notices with which whoever reads them can stop notices without proving who they are.

A token is the conversation and a keyed code over it. It opens nothing: it says who writes, and it stops (F5).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from bot.services import contact_wishes
from bot.services.deps import Deps
from bot.store.tables import Conversation
from bot.text.scripts import Script

PATH = "/n"
"""Where on the gateway the links lead."""

_PURPOSE = "stop"
_ID_BYTES, _CODE_BYTES = 16, 14
"""Together they fill whole letters: no two tokens mean the same."""


@dataclass(frozen=True, slots=True)
class StopLink:
    """A link that leads somewhere: the conversation whose borrower is meant, and the script they read."""

    conversation_id: str
    script: Script


def stop_address(deps: Deps, conversation_id: str) -> str:
    """Return the whole address for a conversation."""
    raw = bytes.fromhex(conversation_id) + _code(deps, conversation_id)
    return f"{deps.settings.origin}{PATH}/{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def read(deps: Deps, token: str) -> StopLink | None:
    """Return what a token stands for; None for one that the desk never made."""
    conversation_id = _conversation_id(deps, token)
    if conversation_id is None:
        return None
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        return StopLink(conversation.id, Script(conversation.script)) if conversation is not None else None


def stop(deps: Deps, token: str) -> StopLink | None:
    """Stop every notice to the borrower a token stands for, over all channels; doing it again changes nothing."""
    link = read(deps, token)
    if link is not None:
        contact_wishes.opt_out(deps, link.conversation_id)
    return link


def _conversation_id(deps: Deps, token: str) -> str | None:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    conversation_id = raw[:_ID_BYTES].hex()
    genuine = hmac.compare_digest(raw[_ID_BYTES:], _code(deps, conversation_id))
    return conversation_id if genuine else None


def _code(deps: Deps, conversation_id: str) -> bytes:
    return bytes.fromhex(deps.vault.lookup(_PURPOSE, conversation_id))[:_CODE_BYTES]
