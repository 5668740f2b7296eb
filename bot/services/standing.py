"""Where conversations stand, for the pages that show them: asked for again and again, so cheap for many at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.ownership import PRIORITY, Owner, QueueReason
from bot.identity.levels import Level, Proof, viewer
from bot.services.deps import Deps
from bot.store.tables import Conversation
from bot.text.scripts import Script


@dataclass(frozen=True, slots=True)
class Standing:
    """A conversation as its page has to know it.

    ``ahead`` is how many wait for a person before this borrower; None when nobody is waited for, and after a sign of
    danger, when a number would be cold comfort. ``script`` is the one the borrower writes.
    """

    last_seq: int
    owner: Owner
    is_verified: bool
    ahead: int | None = None
    script: Script = Script.HANS


def standings(deps: Deps, conversation_ids: Collection[str]) -> dict[str, Standing]:
    """Return where each of some conversations stands now; unknown ones are left out."""
    now = deps.now()
    with deps.read() as session:
        rows = session.execute(
            select(
                Conversation.id,
                Conversation.last_seq,
                Conversation.owner,
                Conversation.borrower_id,
                Conversation.verified_at,
                Conversation.last_inbound_at,
                Conversation.script,
            ).where(Conversation.id.in_(conversation_ids))
        ).all()
        ahead = _ahead(session) if any(row.owner == Owner.QUEUED for row in rows) else {}
        found = {}
        for row in rows:
            proof = Proof(row.borrower_id, row.verified_at, row.last_inbound_at)
            verified = viewer(proof, now, deps.idle, deps.fresh).level is Level.VERIFIED
            found[row.id] = Standing(row.last_seq, Owner(row.owner), verified, ahead.get(row.id), Script(row.script))
        return found


def _ahead(session: Session) -> dict[str, int]:
    """Count who waits before whom, in the order in which the console shows them."""
    waiting = session.execute(
        select(Conversation.id, Conversation.queue_reason, Conversation.queued_at).where(
            Conversation.owner == Owner.QUEUED,
            Conversation.queue_reason.is_not(None),
            Conversation.queued_at.is_not(None),
        )
    ).all()
    ranked = sorted(waiting, key=lambda row: (PRIORITY.index(QueueReason(row.queue_reason)), row.queued_at, row.id))
    return {row.id: place for place, row in enumerate(ranked) if row.queue_reason != QueueReason.DISTRESS}
