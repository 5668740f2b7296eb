"""What a borrower reports or invokes in passing: a dispute, a complaint, a wrong number, a payment that was made."""

from __future__ import annotations

from bot.desk.ownership import QueueReason
from bot.outreach.gate import HoldKind
from bot.services import audit
from bot.services.accounts import NotVerified, portfolio_of, right_party
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.services.handoff import enqueue, place_hold


def dispute(deps: Deps, conversation_id: str, debt_id: str | None = None) -> tuple[str, ...] | NotVerified:
    """Open a dispute: reminders about the debt stop at once and a person looks into it.

    Without ``debt_id`` every open debt is held. Returns the products concerned.
    """
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        conversation = locked(session, conversation_id)
        if conversation is None:
            return NotVerified()
        now = deps.now()
        debts = [
            debt for debt in portfolio_of(session, deps, party).open_debts if debt_id is None or debt.debt_id == debt_id
        ]
        for debt in debts:
            place_hold(session, HoldKind.DISPUTE, now, conversation, debt.debt_id)
        enqueue(session, conversation, QueueReason.DISPUTE, now)
        return tuple(debt.product for debt in debts)


def complain(deps: Deps, conversation_id: str) -> None:
    """Take a complaint to a person at once; collecting reminders stop until it is closed (F6)."""
    with deps.begin() as session:
        conversation = locked(session, conversation_id)
        if conversation is None:
            return
        now = deps.now()
        place_hold(session, HoldKind.COMPLAINT, now, conversation)
        enqueue(session, conversation, QueueReason.COMPLAINT, now)
        audit.record(session, now, audit.Actor("borrower"), "complaint", ("conversation", conversation_id))
