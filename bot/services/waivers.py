"""Booking what an agreement waives."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.balances import Component
from bot.lending.ledger import Entry, EntryKind, LedgerError, LedgerFault
from bot.services.accounts import book
from bot.store.tables import Agreement
from bot.workout.offer import Offer


def book_waivers(session: Session, agreement: Agreement, offer: Offer, booked_at: datetime) -> None:
    """Book what an agreement waives, once for each agreement number, inside an open transaction.

    Waivers count from the day of the agreement, whenever they are booked: what was paid since then settles what was not
    waived. Where interest runs they count from the offer's day: a waiver ends a span of days that interest is rounded
    for, and the schedule knows only those that begin with the offer.
    Raises ``LedgerError`` if the ledger holds one of them with another amount.
    """
    from_on = offer.as_of if offer.interest_during_plan else business_date(agreement.accepted_at)
    for share in offer.shares:
        for component in Component:
            if not (amount_fen := share.waived(component)):
                continue
            entry = Entry(
                key=f"waiver:{agreement.number}:{component.value}",
                kind=EntryKind.WAIVER,
                component=component,
                amount_fen=amount_fen,
                effective_on=from_on,
                booked_at=booked_at,
                source="agreement",
            )
            if book(session, share.debt_id, entry) is not None:
                raise LedgerError(LedgerFault.KEY_REUSED, entry.key)
