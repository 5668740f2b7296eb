"""Where a borrower can be written to: which of their conversations takes a notice, and addresses that take none.

Conversations of ``ONE_WAY`` channels are made here from the lender's records. They carry notices and nothing else:
nobody can answer in them, and whoever reads them has proved nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from bot.services import audit
from bot.services.deps import Deps
from bot.store.base import UtcDateTime
from bot.store.tables import Borrower, Conversation, WebSession

EMAIL, SMS = "email", "sms"
ONE_WAY = (EMAIL, SMS)
"""In the order in which they are tried; a text message costs money and is the last."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LONGEST = 254


class EmailRefusal(StrEnum):
    """Why an e-mail address was not taken."""

    MALFORMED = "malformed"
    SHARED = "shared"
    """Somebody else's already: whoever reads it is not surely the right party (P1)."""


def mailbox_of(session: Session, deps: Deps, borrower_id: str, wished: str | None = None) -> Conversation | None:
    """Return the conversation that a notice goes to: on the wished channel, else the one used last, else one-way.

    Left out are conversations whose channel takes nothing for them any more, and web conversations that no browser
    can open. One-way channels count only while they are set up, and their conversation is made when first needed.
    """
    return mailboxes_of(session, deps, {borrower_id: wished})[borrower_id]


def mailboxes_of(session: Session, deps: Deps, wished: Mapping[str, str | None]) -> dict[str, Conversation | None]:
    """Return the same for each of some borrowers, given the channel each wishes for."""
    used = _two_way(session, list(wished), deps.now())
    return {
        borrower_id: _choose(session, deps, borrower_id, channel, used[borrower_id])
        for borrower_id, channel in wished.items()
    }


def _choose(
    session: Session, deps: Deps, borrower_id: str, wished: str | None, used: Sequence[Conversation]
) -> Conversation | None:
    for conversation in used:
        if conversation.channel == wished:
            return conversation
    one_way = [wished, *ONE_WAY] if wished in ONE_WAY else list(ONE_WAY)
    if used and wished not in ONE_WAY:
        return used[0]
    for channel in one_way:
        if (opened := _one_way(session, deps, borrower_id, channel)) is not None:
            return opened
    return used[0] if used else None


def reachable() -> ColumnElement[bool]:
    """The condition that a conversation's channel still takes something for it."""
    return Conversation.unreachable_at.is_(None)


def register_email(session: Session, deps: Deps, borrower: Borrower, address: str) -> EmailRefusal | None:
    """Keep a borrower's e-mail address from the lender's records, in place of an earlier one.

    Given again, an address that took nothing is tried again.
    """
    address = address.strip()
    if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
        return EmailRefusal.MALFORMED
    known = _at(session, deps, EMAIL, address)
    if known is not None and known.borrower_id != borrower.id:
        return EmailRefusal.SHARED
    borrower.email_sealed = deps.vault.seal("email", address)
    _open(session, deps, borrower.id, EMAIL, address).unreachable_at = None
    return None


def find_conversation(deps: Deps, channel: str, address: str) -> str | None:
    """Return the id of an address's conversation, or None where there is none yet."""
    with deps.read() as session:
        conversation = _at(session, deps, channel, address)
        return conversation.id if conversation is not None else None


def address_of(deps: Deps, conversation_id: str, channel: str) -> str | None:
    """Return the address of a conversation of a channel, or None for a conversation of another."""
    with deps.read() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is None or conversation.channel != channel:
            return None
        return deps.vault.unseal(f"address:{channel}", conversation.address_sealed)


def mark_unreachable(deps: Deps, conversation_id: str, code: str) -> None:
    """Note that a channel takes nothing for a conversation any more; ends when the borrower writes there again."""
    with deps.begin() as session:
        conversation = session.get(Conversation, conversation_id, with_for_update=True)
        if conversation is None or conversation.unreachable_at is not None:
            return
        conversation.unreachable_at = deps.now()
        subject = ("conversation", conversation_id)
        audit.record(session, deps.now(), audit.SYSTEM, "address_unreachable", subject, code=code)


def mark_reachable(deps: Deps, conversation_id: str) -> None:
    """Note that the borrower let the channel in again."""
    with deps.begin() as session:
        conversation = session.get(Conversation, conversation_id, with_for_update=True)
        if conversation is not None:
            conversation.unreachable_at = None


def move_address(deps: Deps, conversation_id: str, address: str) -> bool:
    """Give a conversation the address its channel says it moved to.

    False when another conversation has that address already; this one is then unreachable, and nothing is mixed up.
    """
    with deps.begin() as session:
        conversation = session.get(Conversation, conversation_id, with_for_update=True)
        if conversation is None:
            return False
        other = _at(session, deps, conversation.channel, address)
        if other is not None:
            if other.id != conversation.id:
                conversation.unreachable_at = conversation.unreachable_at or deps.now()
            return other.id == conversation.id
        purpose = f"address:{conversation.channel}"
        conversation.address_hash = deps.vault.lookup(purpose, _folded(conversation.channel, address))
        conversation.address_sealed = deps.vault.seal(purpose, address)
        audit.record(session, deps.now(), audit.SYSTEM, "address_moved", ("conversation", conversation_id))
        return True


_TWO_WAY = (
    select(Conversation)
    .where(
        Conversation.borrower_id.in_(bindparam("borrower_ids", expanding=True)),
        Conversation.channel.not_in(ONE_WAY),
        # A web conversation is opened by its browser's session only; when that has expired, nobody would ever read it.
        (Conversation.channel != "web")
        | select(WebSession.token_hash)
        .where(
            WebSession.conversation_id == Conversation.id,
            WebSession.expires_at > bindparam("now", type_=UtcDateTime),
        )
        .exists(),
        reachable(),
    )
    .order_by(Conversation.last_inbound_at.desc().nulls_last(), Conversation.id)
)


def _two_way(session: Session, borrower_ids: Sequence[str], now: datetime) -> dict[str, list[Conversation]]:
    """Conversations each borrower can answer in, used last first."""
    found: dict[str, list[Conversation]] = {borrower_id: [] for borrower_id in borrower_ids}
    for conversation in session.scalars(_TWO_WAY, {"borrower_ids": borrower_ids, "now": now}):
        if conversation.borrower_id is not None:
            found[conversation.borrower_id].append(conversation)
    return found


def _one_way(session: Session, deps: Deps, borrower_id: str, channel: str) -> Conversation | None:
    if not _is_set_up(deps, channel):
        return None
    borrower = session.get(Borrower, borrower_id)
    address = _address(deps, borrower, channel) if borrower is not None else None
    if address is None:
        return None
    conversation = _open(session, deps, borrower_id, channel, address)
    if conversation.borrower_id != borrower_id or conversation.unreachable_at is not None:
        return None
    return conversation


def _address(deps: Deps, borrower: Borrower, channel: str) -> str | None:
    if channel == SMS:
        return deps.vault.unseal("phone", borrower.phone_sealed)
    return deps.vault.unseal("email", borrower.email_sealed) if borrower.email_sealed is not None else None


def _is_set_up(deps: Deps, channel: str) -> bool:
    return bool(deps.settings.smtp_host if channel == EMAIL else deps.settings.sms_webhook_url)


def _open(session: Session, deps: Deps, borrower_id: str, channel: str, address: str) -> Conversation:
    """Return the conversation of an address, made without a greeting when it is new: nobody has written from there."""
    purpose, script = f"address:{channel}", _script_of(session, borrower_id)
    conversation = _at(session, deps, channel, address)
    if conversation is None:
        conversation = Conversation(
            channel=channel,
            address_hash=deps.vault.lookup(purpose, _folded(channel, address)),
            address_sealed=deps.vault.seal(purpose, address),
            borrower_id=borrower_id,
            created_at=deps.now(),
            last_activity_at=deps.now(),
        )
        session.add(conversation)
    if script is not None and conversation.borrower_id == borrower_id:
        conversation.script = script
    session.flush()
    return conversation


def _at(session: Session, deps: Deps, channel: str, address: str) -> Conversation | None:
    address_hash = deps.vault.lookup(f"address:{channel}", _folded(channel, address))
    return session.scalar(
        select(Conversation).where(Conversation.channel == channel, Conversation.address_hash == address_hash)
    )


def _folded(channel: str, address: str) -> str:
    """E-mail addresses that differ in case only are one in practice."""
    return address.casefold() if channel == EMAIL else address


def _script_of(session: Session, borrower_id: str) -> str | None:
    """The script the borrower wrote in last."""
    return session.scalar(
        select(Conversation.script)
        .where(Conversation.borrower_id == borrower_id, Conversation.last_inbound_at.is_not(None))
        .order_by(Conversation.last_inbound_at.desc())
        .limit(1)
    )
