"""Writing an agreement: its text from the approved template, its rows, its waivers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.clock import local
from bot.lending.contract import ProductKind
from bot.outreach.gate import HoldKind
from bot.services import agreement_line, audit, holds
from bot.services.accounts import DebtView, RightParty
from bot.services.deps import Deps
from bot.services.waivers import book_waivers
from bot.store import tables
from bot.workout.agreement import AgreedDebt, AgreementTerms, render
from bot.workout.offer import Offer, OfferKind
from bot.workout.servicing import GRACE_DAYS


def agreement_text(deps: Deps, offer: Offer, debts: Sequence[DebtView], replaces: str = "") -> str:
    """Return the exact text to agree to; ``debts`` as they stood on the offer's day. Equal offers, equal text.

    ``replaces`` is the number of the agreement in force whose place it is to take.
    """
    kind = debts[0].kind
    name = "agreement_card.txt" if kind is ProductKind.CREDIT_CARD else "agreement_loan.txt"
    return render(_terms(offer, debts, replaces), (deps.data / "templates" / name).read_text("utf-8"))


def write_agreement(
    session: Session,
    deps: Deps,
    party: RightParty,
    negotiation: tables.Negotiation,
    row: tables.Offer,
    offer: Offer,
    replaced: tables.Agreement | None,
) -> tables.Agreement:
    """Write an accepted agreement with all that follows from it, inside an open transaction.

    ``replaced`` is the agreement whose place it takes. The down payment is instalment number 0, so that the parts add
    up to what is agreed.

    Raises:
        bot.lending.ledger.LedgerError: the ledger already holds a waiver of this agreement with another amount.

    """
    now = deps.now()
    agreement = tables.Agreement(
        number=f"XY{local(now):%Y%m%d}-{negotiation.id[:8].upper()}",
        borrower_id=party.borrower_id,
        negotiation_id=negotiation.id,
        offer_id=row.id,
        idempotency_key=f"{negotiation.id}:{row.readback_hash}"[:80],
        text=row.readback_text or "",
        text_hash=row.readback_hash or "",
        debt_ids=list(negotiation.debt_ids),
        total_fen=offer.total_fen,
        accepted_conversation_id=party.conversation_id,
        accepted_at=now,
    )
    if replaced is not None:
        agreement.number = agreement_line.next_number(replaced)
        agreement.version = replaced.version + 1
        agreement_line.replace(session, deps, replaced, agreement)
    session.add(agreement)
    session.flush()
    parts = [(part.number, part.due_on, part.amount_fen) for part in offer.schedule]
    if offer.down_payment_fen:
        parts.insert(0, (0, offer.expires_on, offer.down_payment_fen))
    for number, due_on, amount_fen in parts:
        session.add(tables.Instalment(agreement_id=agreement.id, number=number, due_on=due_on, amount_fen=amount_fen))
    session.flush()
    if not offer.conditional_on_completion:
        book_waivers(session, agreement, offer, now)
    holds.place(session, deps.now(), HoldKind.PLAN, borrower_id=party.borrower_id)
    audit.record(
        session,
        now,
        audit.Actor("borrower", party.borrower_id),
        "agreement_accepted",
        ("agreement", agreement.id),
        text_hash=agreement.text_hash,
        policy=f"{offer.policy_code}:{offer.policy_version}",
        limitation_warning_shown=True,
    )
    return agreement


def _terms(offer: Offer, debts: Sequence[DebtView], replaces: str) -> AgreementTerms:
    shares = {share.debt_id: share for share in offer.shares}
    first = debts[0]
    return AgreementTerms(
        product_kind=first.kind,
        lender_name=first.creditor,
        offer_id=offer.offer_id,
        policy_code=offer.policy_code,
        policy_version=offer.policy_version,
        as_of=offer.as_of,
        expires_on=offer.expires_on,
        currency="CNY",
        debts=tuple(
            AgreedDebt(
                label=f"{debt.product}({debt.reference})",
                principal_fen=debt.statement.balances.principal_fen,
                interest_fen=debt.statement.balances.interest_fen,
                penalty_fen=debt.statement.balances.penalty_fen,
                fee_fen=debt.statement.balances.fee_fen,
                waived_penalty_fen=shares[debt.debt_id].waived_penalty_fen,
                waived_fee_fen=shares[debt.debt_id].waived_fee_fen,
                waived_interest_fen=shares[debt.debt_id].waived_interest_fen,
                waived_principal_fen=shares[debt.debt_id].waived_principal_fen,
            )
            for debt in debts
            if debt.debt_id in shares
        ),
        waiver_on_completion=offer.conditional_on_completion,
        down_payment_fen=offer.down_payment_fen,
        down_payment_due_on=offer.expires_on if offer.down_payment_fen else None,
        instalments=offer.schedule,
        interest_during_plan=offer.interest_during_plan,
        no_new_cards_promise=first.kind is ProductKind.CREDIT_CARD,
        missed_payment_grace_days=GRACE_DAYS,
        payment_channel=first.payment_channel,
        contact_line=first.complaint_phone,
        is_settlement=offer.kind is OfferKind.SETTLEMENT,
        deferral_months=offer.deferral_months,
        replaces=replaces,
        plan_interest_fen=offer.plan_interest_fen,
        principal_parts_fen=offer.principal_parts_fen,
    )
