"""How far outbound messages got, and the borrower's other conversations, as operators are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bot.services.conversations import Author
from bot.services.lost_history import RULE as RESTORED
from bot.store.tables import Conversation, Message, Outbox


class DeliveryState(StrEnum):
    """How far a message got; the first four are those of the outbox. ``UNSEEN`` is of the web page only."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"
    UNKNOWN = "unknown"
    UNSEEN = "unseen"


class Why(StrEnum):
    """Why a message waits, did not arrive, or may not have arrived."""

    RULE = "rule"
    ONE_WAY = "one_way"
    REFUSED = "refused"
    NO_ADDRESS = "no_address"
    GAVE_UP = "gave_up"
    INTERRUPTED = "interrupted"
    TROUBLE = "trouble"
    DEFECT = "defect"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """How far a message got, why no further, and by which contact rule if one stopped it."""

    state: DeliveryState
    why: Why | None = None
    rule: str | None = None

    @property
    def may_change(self) -> bool:
        """Whether there is still something to come."""
        return self.state in (DeliveryState.PENDING, DeliveryState.UNSEEN)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another conversation of the same borrower."""

    conversation_id: str
    channel: str
    unreachable: bool


_BY_CODE = {
    "forbidden": Why.REFUSED,
    "blocked": Why.REFUSED,
    "chat_not_found": Why.NO_ADDRESS,
    "bad_address": Why.NO_ADDRESS,
    "moved": Why.NO_ADDRESS,
    "http_410": Why.NO_ADDRESS,
    "bad_request": Why.DEFECT,
    "defect": Why.DEFECT,
    "interrupted": Why.INTERRUPTED,
    "answer_lost": Why.INTERRUPTED,
}


def deliveries_of(session: Session, conversation: Conversation, messages: Sequence[Message]) -> dict[str, DeliveryView]:
    """Return by message how far each outbound one got; a message that a web page has shown is not in it."""
    outbound = [message for message in messages if message.author != Author.BORROWER]
    if conversation.channel == "web":
        unseen = DeliveryView(DeliveryState.UNSEEN)
        return {message.id: unseen for message in outbound if message.seq > conversation.last_seen_seq}
    rows = session.scalars(select(Outbox).where(Outbox.message_id.in_([message.id for message in outbound])))
    return {row.message_id: _view(row) for row in rows}


def elsewhere(
    session: Session, borrower_id: str, conversation_id: str, readable: ColumnElement[bool]
) -> tuple[Elsewhere, ...]:
    """Return a borrower's readable conversations but one, oldest first, if anything was said in them."""
    rows = session.scalars(
        select(Conversation)
        .where(Conversation.borrower_id == borrower_id, Conversation.id != conversation_id, Conversation.last_seq > 0)
        .where(readable)
        .order_by(Conversation.created_at, Conversation.id)
    )
    return tuple(Elsewhere(row.id, row.channel, row.unreachable_at is not None) for row in rows)


def _view(row: Outbox) -> DeliveryView:
    state = DeliveryState(row.state)
    if state is DeliveryState.SENT or row.last_error is None:
        return DeliveryView(state)
    kind, _, detail = row.last_error.partition(":")
    if kind == "gate" and detail == "one_way":
        return DeliveryView(state, Why.ONE_WAY)
    if kind == "gate":
        return DeliveryView(state, Why.RULE, detail)
    if kind == "gave_up":
        return DeliveryView(state, Why.GAVE_UP)
    if state is DeliveryState.UNKNOWN:
        return DeliveryView(state, Why.RESTORED if kind == RESTORED else Why.INTERRUPTED)
    refused = Why.REFUSED if state is DeliveryState.DEAD else Why.TROUBLE
    return DeliveryView(state, _BY_CODE.get(kind, refused))
