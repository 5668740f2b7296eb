"""The lender's server vouches for its logged-in customer: who they are, and perhaps one factor of the proof.

A token counts once and for one conversation. It never opens a fact by itself: the last four of the identity number are
asked in any case (``docs/decisions``, 0012).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.identity.vouch import Vouch, VouchRefusal, read_vouch
from bot.services import audit
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.store.tables import Contract, VouchedVisit

COUNTS_FOR = timedelta(minutes=15)
"""How long after it was accepted a token still says who is there."""

FRESH_LOGIN = timedelta(minutes=15)
"""How recent the login at the lender must be to stand for the one-time code."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the lender vouched for a moment ago. ``is_factor``: with a login so fresh that no code is needed."""

    borrower_id: str
    is_factor: bool


def accept(deps: Deps, conversation_id: str, token: str) -> VouchRefusal | None:
    """Take a token for a conversation; None when it counts. A contract the desk does not know counts as nobody.

    Whoever is verified here as somebody else has to prove identity again.
    """
    key = deps.settings.vouch_key.get_secret_value()
    read = read_vouch(token, key, deps.settings.origin, deps.now()) if key else VouchRefusal.MALFORMED
    refusal = read if isinstance(read, VouchRefusal) else _keep(deps, conversation_id, read)
    if refusal is not None:
        log.warning("vouch_refused", conversation=conversation_id, reason=refusal.value)
    return refusal


def vouched_for(session: Session, conversation_id: str, now: datetime) -> Vouched | None:
    """Return whom the lender vouched for in a conversation a moment ago, unless that has been used or forgotten."""
    row = session.scalar(
        select(VouchedVisit)
        .where(
            VouchedVisit.conversation_id == conversation_id,
            VouchedVisit.accepted_at > now - COUNTS_FOR,
            VouchedVisit.ended_at.is_(None),
        )
        .order_by(VouchedVisit.accepted_at.desc(), VouchedVisit.nonce_hash)
        .limit(1)
    )
    if row is None or row.borrower_id is None:
        return None
    return Vouched(row.borrower_id, now - row.logged_in_at < FRESH_LOGIN)


def end(session: Session, conversation_id: str, now: datetime) -> None:
    """Let go of what was vouched in a conversation: it was used, or somebody else is there."""
    session.execute(
        update(VouchedVisit)
        .where(VouchedVisit.conversation_id == conversation_id, VouchedVisit.ended_at.is_(None))
        .values(ended_at=now)
    )


def _keep(deps: Deps, conversation_id: str, vouch: Vouch) -> VouchRefusal | None:
    try:
        with deps.begin() as session:
            conversation = locked(session, conversation_id)
            if conversation is None:
                return VouchRefusal.MALFORMED
            now = deps.now()
            borrower_id = session.scalar(select(Contract.borrower_id).where(Contract.number == vouch.contract_number))
            end(session, conversation_id, now)
            session.add(
                VouchedVisit(
                    nonce_hash=deps.vault.lookup("vouch", vouch.nonce),
                    conversation_id=conversation_id,
                    borrower_id=borrower_id,
                    logged_in_at=vouch.logged_in_at,
                    accepted_at=now,
                    expires_at=vouch.expires_at,
                )
            )
            session.flush()
            if conversation.borrower_id not in (None, borrower_id):
                conversation.verified_at = None
            audit.record(session, now, audit.BOT, "vouch_accepted", ("conversation", conversation_id))
    except IntegrityError:  # the nonce has been said before, here or at another gateway
        return VouchRefusal.USED
    return None
