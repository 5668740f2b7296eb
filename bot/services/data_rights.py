"""How a plan was decided (Personal Information Protection Law art. 24); other requests about data are cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.services.accounts import NotVerified, RightParty, portfolio_of, right_party
from bot.services.deps import Deps
from bot.services.offer_table import read_offer, tabled
from bot.store import tables
from bot.workout.offer import NoOfferReason, OfferReason
from bot.workout.policy_sections import ApprovalRole


@dataclass(frozen=True, slots=True)
class Explanation:
    """How offers were decided on the day ``decided_on``: rules, facts, outcome. Amounts in fen, None where not told.

    ``outcome`` is why each offer of the last round is in it, in their order, or why there was none. ``by_person`` is
    the role whose leave one of them needs: then the last word is not the program's.
    """

    decided_on: date
    policy_code: str
    policy_version: str
    owed_fen: int
    monthly_income_fen: int | None
    monthly_essential_fen: int | None
    dependants: int | None
    other_debts_monthly_fen: int | None
    outcome: tuple[OfferReason, ...] | NoOfferReason
    by_person: ApprovalRole | None = None


def explain_decision(deps: Deps, conversation_id: str) -> Explanation | NotVerified | None:
    """Explain the last time that plans were computed for the verified borrower; None if they never were."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        rows = session.scalars(
            select(tables.Negotiation)
            .where(tables.Negotiation.borrower_id == party.borrower_id, tables.Negotiation.policy_code != "")
            .order_by(tables.Negotiation.updated_at.desc(), tables.Negotiation.created_at.desc())
        )
        found = (_explained(session, deps, party, row) for row in rows)
        return next((each for each in found if each is not None), None)


def _explained(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> Explanation | None:
    rows = tabled(session, negotiation)
    last = [read_offer(row) for row in rows if row.round == rows[-1].round]
    refused = session.scalars(
        select(tables.AuditEntry)
        .where(
            tables.AuditEntry.subject_kind == "negotiation",
            tables.AuditEntry.subject_id == negotiation.id,
            tables.AuditEntry.event == "no_offer",
        )
        .order_by(tables.AuditEntry.id.desc())
    ).first()
    if refused is not None:
        decided_on = business_date(refused.at)
        owed = portfolio_of(session, deps, party, decided_on)
        owed_fen = sum(debt.statement.balances.total_fen for debt in owed.debts if debt.debt_id in negotiation.debt_ids)
        return _explanation(negotiation, decided_on, owed_fen, NoOfferReason(str(refused.detail["reason"])))
    if not last:
        return None
    owed_fen = sum(share.owed_fen for share in last[0].shares)
    needs = [offer.needs_approval for offer in last if offer.needs_approval is not None]
    by_person = max(needs, key=lambda role: role.rank, default=None)
    outcome = tuple(offer.reason_code for offer in last)
    return _explanation(negotiation, last[0].as_of, owed_fen, outcome, by_person)


def _explanation(
    negotiation: tables.Negotiation,
    decided_on: date,
    owed_fen: int,
    outcome: tuple[OfferReason, ...] | NoOfferReason,
    by_person: ApprovalRole | None = None,
) -> Explanation:
    return Explanation(
        decided_on,
        negotiation.policy_code,
        negotiation.policy_version,
        owed_fen,
        negotiation.monthly_income_fen,
        negotiation.monthly_essential_fen,
        negotiation.dependants,
        negotiation.other_debts_monthly_fen,
        outcome,
        by_person,
    )
