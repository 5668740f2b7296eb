"""What waits to be pushed to a channel: claiming it in order, and recording how delivery went.

Delivery is at-least-once. A claim is a lease: a process that dies in the middle leaves its rows to the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session, aliased

from bot.outreach.gate import HoldKind, Limits, Purpose, Recipient, Verdict, may_send
from bot.services.conversations import FACT
from bot.services.deps import Deps
from bot.services.history import ButtonView, views
from bot.store.tables import Conversation, Hold, Message, Outbox


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A message this process may now deliver, until its lease ends. ``attempts`` counts this one too."""

    outbox_id: str
    key: str
    conversation_id: str
    address: str
    author: str
    text: str
    buttons: tuple[ButtonView, ...]
    attempts: int


def claim_due(deps: Deps, channel: str, limit: int, lease: timedelta) -> list[OutboxItem]:
    """Claim up to ``limit`` messages of a channel that are due, longest due first.

    A message is claimed only when none of the same conversation before it is unsent, so there is never more than one
    of a conversation in the result and a conversation's order is kept. The claim itself is a conditional update: of
    several processes one gets the row. Notices that the contact rules no longer allow at this moment die here.
    """
    now = deps.now()
    with deps.begin() as session:
        due = session.execute(
            select(Outbox, Message, Conversation)
            .join(Message, Message.id == Outbox.message_id)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .where(Outbox.channel == channel, _claimable(now), ~_earlier_unsent())
            .order_by(Outbox.next_attempt_at, Message.created_at, Message.seq)
            .limit(limit)
        ).all()
        # In the order of their ids: two processes that claim the same rows never wait for each other in a circle.
        mine = {row.id for row, _, _ in sorted(due, key=lambda each: each[0].id) if _take(session, row.id, now, lease)}
        claimed = []
        for row, message, conversation in due:
            if row.id not in mine:
                continue
            if rule := _refused(session, message, conversation, now):
                _settle(session, row.id, state="dead", last_error=f"gate:{rule}")
            else:
                claimed.append(_item(session, deps, row, message, conversation))
        return claimed


def mark_sent(deps: Deps, outbox_id: str, channel_message_id: str) -> None:
    """Record that the channel took a message, with the id it gave it."""
    with deps.begin() as session:
        _settle(
            session, outbox_id, state="sent", sent_at=deps.now(), channel_message_id=channel_message_id, last_error=None
        )


def mark_failed(deps: Deps, outbox_id: str, retry_at: datetime, error_code: str) -> None:
    """Give a message back to be tried again at ``retry_at`` (aware)."""
    with deps.begin() as session:
        _settle(session, outbox_id, next_attempt_at=retry_at, last_error=error_code[:120])


def mark_dead(deps: Deps, outbox_id: str, error_code: str) -> None:
    """Give a message up: trying again cannot help. What comes after it in its conversation is not held back."""
    with deps.begin() as session:
        _settle(session, outbox_id, state="dead", last_error=error_code[:120])


def _claimable(now: datetime) -> ColumnElement[bool]:
    return and_(
        Outbox.state == "pending",
        Outbox.next_attempt_at <= now,
        or_(Outbox.claimed_until.is_(None), Outbox.claimed_until <= now),
    )


def _earlier_unsent() -> ColumnElement[bool]:
    other, other_message = aliased(Outbox), aliased(Message)
    return (
        select(other.id)
        .join(other_message, other_message.id == other.message_id)
        .where(
            other.state == "pending",
            other_message.conversation_id == Message.conversation_id,
            other_message.seq < Message.seq,
        )
        .correlate(Message)
        .exists()
    )


def _take(session: Session, outbox_id: str, now: datetime, lease: timedelta) -> bool:
    taken = session.execute(
        update(Outbox)
        .where(Outbox.id == outbox_id, _claimable(now))
        .values(claimed_until=now + lease, attempts=Outbox.attempts + 1)
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    )
    return taken.scalar_one_or_none() is not None


def _settle(session: Session, outbox_id: str, **columns: object) -> None:
    session.execute(
        update(Outbox)
        .where(Outbox.id == outbox_id, Outbox.state == "pending")
        .values(claimed_until=None, **columns)
        .execution_options(synchronize_session=False)
    )


def _refused(session: Session, message: Message, conversation: Conversation, now: datetime) -> str | None:
    """Ask the gate again: a notice that was allowed when it was written may have met the night or a hold since.

    History and right party were judged when it was written, and counting it against itself would refuse it. It is
    given up rather than put off: a notice that waited would hold back the answers written after it.
    """
    if message.purpose == FACT:
        return None
    purpose = Purpose(message.purpose) if message.purpose in tuple(Purpose) else Purpose.COLLECTION
    if purpose in (Purpose.REPLY, Purpose.SAFETY):
        return None
    concerned = Hold.conversation_id == conversation.id
    if conversation.borrower_id is not None:
        concerned = or_(concerned, Hold.borrower_id == conversation.borrower_id)
    kinds = session.scalars(select(Hold.kind).where(Hold.lifted_at.is_(None), concerned))
    recipient = Recipient(
        is_right_party=True,
        history=(),
        holds=frozenset(HoldKind(kind) for kind in kinds),
        last_inbound_at=conversation.last_inbound_at,
    )
    decision = may_send(purpose, None, recipient, now, Limits())
    return None if decision.verdict is Verdict.ALLOWED else decision.rule


def _item(session: Session, deps: Deps, row: Outbox, message: Message, conversation: Conversation) -> OutboxItem:
    view = views(session, [message], deps.now())[0]
    return OutboxItem(
        outbox_id=row.id,
        key=row.key,
        conversation_id=conversation.id,
        address=deps.vault.unseal(f"address:{conversation.channel}", conversation.address_sealed),
        author=message.author,
        text=message.text,
        buttons=view.buttons,
        attempts=row.attempts + 1,
    )
