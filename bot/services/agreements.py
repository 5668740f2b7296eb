"""Reading an offer back word for word, accepting it once, and servicing what was agreed."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services import agreement_line, approvals, audit, plan_notices
from bot.services.accounts import DebtView, NotVerified, RightParty, portfolio_of, right_party
from bot.services.agreement_record import agreement_text, write_agreement
from bot.services.approvals import ApprovalState
from bot.services.conversations import Author
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.offer_table import active, close, debts_of, read_offer, tabled
from bot.store import tables
from bot.text.scripts import Script, to_script
from bot.workout.agreement import text_hash
from bot.workout.offer import Offer

__all__ = [
    "AcceptRefusal",
    "AgreementView",
    "InstalmentView",
    "ReadBack",
    "accept",
    "accepted",
    "plan_in_force",
    "read_back",
    "read_back_seen",
]

_LOOK_BACK = 60


class AcceptRefusal(StrEnum):
    """Why an acceptance did not take effect; nothing was changed."""

    NOT_VERIFIED = "not_verified"
    NEEDS_FRESH_CHECK = "needs_fresh_check"
    NOTHING_CHOSEN = "nothing_chosen"
    NOT_READ_BACK = "not_read_back"
    NEEDS_APPROVAL = "needs_approval"
    FIGURES_CHANGED = "figures_changed"
    PLAN_IN_FORCE = "plan_in_force"
    ON_HOLD = "on_hold"


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The exact text to be agreed and its SHA-256."""

    text: str
    text_hash: str
    offer: Offer


@dataclass(frozen=True, slots=True)
class InstalmentView:
    """One instalment, number 0 being the down payment; amounts in fen."""

    number: int
    due_on: date
    amount_fen: int
    paid_fen: int
    state: str


@dataclass(frozen=True, slots=True)
class AgreementView:
    """An agreement in force with its schedule. ``repeated`` marks an acceptance that had already taken effect."""

    number: str
    version: int
    text: str
    text_hash: str
    accepted_at: datetime
    total_fen: int
    instalments: tuple[InstalmentView, ...]
    repeated: bool = False

    @property
    def remaining(self) -> tuple[InstalmentView, ...]:
        """The instalments not yet paid."""
        return tuple(part for part in self.instalments if part.paid_fen < part.amount_fen)

    @property
    def next_due(self) -> InstalmentView | None:
        """The earliest instalment not yet paid."""
        return next(iter(self.remaining), None)


def read_back(deps: Deps, conversation_id: str) -> ReadBack | AcceptRefusal:
    """Render the chosen offer as the exact text to agree to, and keep it with its hash. Equal offers, equal text."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return AcceptRefusal.NOT_VERIFIED
        found = _chosen(session, deps, party)
        if isinstance(found, AcceptRefusal):
            return found
        negotiation, row, offer, _ = found
        if not _is_granted(session, row, offer):
            return AcceptRefusal.NEEDS_APPROVAL
        if not _still_true(session, deps, party, offer):
            return AcceptRefusal.FIGURES_CHANGED
        if row.readback_text is None or row.readback_hash is None:
            then = debts_of(session, deps, party, negotiation, offer.as_of)
            replaced = session.get(tables.Agreement, negotiation.replaces_agreement_id or "")
            row.readback_text = agreement_text(deps, offer, then, replaced.number if replaced else "")
            row.readback_hash = text_hash(row.readback_text)
        row.readback_at = deps.now()
        return ReadBack(row.readback_text, row.readback_hash, offer)


def read_back_seen(deps: Deps, conversation_id: str, message_id: str) -> ReadBack | AcceptRefusal:
    """Return the read-back that a typed yes answers: it must have stood in this very conversation before the yes."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return AcceptRefusal.NOT_VERIFIED
        found = _chosen(session, deps, party)
        if isinstance(found, AcceptRefusal):
            return found
        _, row, offer, _ = found
        yes = session.get(tables.Message, message_id)
        if row.readback_text is None or row.readback_hash is None or yes is None:
            return AcceptRefusal.NOT_READ_BACK
        wanted = {to_script(row.readback_text, script).strip() for script in Script}
        earlier = session.scalars(
            select(tables.Message.text)
            .where(
                tables.Message.conversation_id == conversation_id,
                tables.Message.author == Author.BOT,
                tables.Message.seq < yes.seq,
            )
            .order_by(tables.Message.seq.desc())
            .limit(_LOOK_BACK)
        )
        if yes.conversation_id != conversation_id or not any(text.strip() in wanted for text in earlier):
            return AcceptRefusal.NOT_READ_BACK
        return ReadBack(row.readback_text, row.readback_hash, offer)


def accept(deps: Deps, conversation_id: str, shown_hash: str) -> AgreementView | AcceptRefusal:
    """Agree to the text whose hash was shown. Takes effect exactly once; asking again returns the same agreement.

    Needs level 2 with a fresh check. The plan was approved in advance by the policy it was computed from, or by the
    person whose approval it needs, so recording the acceptance is the lender's confirmation (N3); plan notices are
    planned in the same transaction (N4, F4). From then on the debts bear no interest and no fees
    (``bot.services.accounts.portfolio_of``). An agreement that is to be replaced ends in the same transaction.

    Waivers that the text makes effective at once are booked in the same transaction, once for each agreement number.
    Waivers conditional on completion stay part of what is owed (``DebtView.waived_on_completion_fen``) until the plan
    is completed.

    Raises:
        bot.lending.ledger.LedgerError: the ledger already holds a waiver of this agreement with another amount.

    """
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return AcceptRefusal.NOT_VERIFIED
        found = _chosen(session, deps, party)
        stands_chosen = not isinstance(found, AcceptRefusal) and found[1].readback_hash == shown_hash
        # Agreed before, or by the other of two simultaneous acceptances while this one waited for the lock. A text that
        # stands chosen is for another agreement, though a plan replaced earlier may have read the same.
        if not stands_chosen and (known := _accepted(session, party, shown_hash)):
            return known
        if isinstance(found, AcceptRefusal):
            return found
        negotiation, row, offer, debts = found
        if row.readback_text is None or row.readback_hash is None:
            return AcceptRefusal.NOT_READ_BACK
        if not hmac.compare_digest(row.readback_hash.encode(), shown_hash.encode()):
            audit.record(
                session,
                deps.now(),
                audit.Actor("borrower", party.borrower_id),
                "acceptance_of_other_text",
                ("negotiation", negotiation.id),
                shown=shown_hash[:12],
                kept=row.readback_hash[:12],
            )
            return AcceptRefusal.NOT_READ_BACK
        if not _is_granted(session, row, offer):
            return AcceptRefusal.NEEDS_APPROVAL
        in_force = _in_force(session, party, negotiation)
        if in_force is not None and in_force.id != negotiation.replaces_agreement_id:
            return AcceptRefusal.PLAN_IN_FORCE
        if not _still_true(session, deps, party, offer):
            return AcceptRefusal.FIGURES_CHANGED
        if open_holds(session, party.borrower_id, deps.now()).silencing or any(debt.disputed for debt in debts):
            return AcceptRefusal.ON_HOLD
        if not party.is_fresh:
            return AcceptRefusal.NEEDS_FRESH_CHECK
        replaced = in_force or agreement_line.broken_before(session, party.borrower_id, negotiation.debt_ids)
        agreement = write_agreement(session, deps, party, negotiation, row, offer, replaced)
        close(session, deps, negotiation, "agreed")
        plan_notices.plan_instalments(session, deps, agreement)
        return _view(session, agreement)


def accepted(deps: Deps, conversation_id: str, shown_hash: str) -> AgreementView | None:
    """Return what the verified borrower agreed to when that text was shown; None while it still stands to be agreed."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return None
        found = _chosen(session, deps, party)
        if not isinstance(found, AcceptRefusal) and found[1].readback_hash == shown_hash:
            return None
        return _accepted(session, party, shown_hash)


def plan_in_force(deps: Deps, conversation_id: str) -> tuple[AgreementView, ...] | NotVerified:
    """Return the verified borrower's agreements in force, oldest first."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        rows = session.scalars(
            select(tables.Agreement)
            .where(tables.Agreement.borrower_id == party.borrower_id, tables.Agreement.state == agreement_line.IN_FORCE)
            .order_by(tables.Agreement.accepted_at)
        )
        return tuple(_view(session, row) for row in rows)


def _chosen(
    session: Session, deps: Deps, party: RightParty
) -> tuple[tables.Negotiation, tables.Offer, Offer, list[DebtView]] | AcceptRefusal:
    negotiation = active(session, party)  # with the borrower: a payment booked this moment would change the figures
    if negotiation is None or negotiation.chosen_offer_id is None:
        return AcceptRefusal.NOTHING_CHOSEN
    for row in tabled(session, negotiation):
        if row.content_hash == negotiation.chosen_offer_id and row.expires_at > deps.now():
            return negotiation, row, read_offer(row), debts_of(session, deps, party, negotiation)
    return AcceptRefusal.NOTHING_CHOSEN


def _is_granted(session: Session, row: tables.Offer, offer: Offer) -> bool:
    """Whether the bot may agree to an offer: it needs nobody's approval, or has it."""
    return offer.needs_approval is None or approvals.state_of(session, row.id) is ApprovalState.APPROVED


def _in_force(session: Session, party: RightParty, negotiation: tables.Negotiation) -> tables.Agreement | None:
    """Return the agreement in force on the negotiation's debts, locked: a payment may be completing it."""
    found = agreement_line.latest(session, party.borrower_id, negotiation.debt_ids, (agreement_line.IN_FORCE,))
    return session.get(tables.Agreement, found.id, with_for_update=True, populate_existing=True) if found else None


def _still_true(session: Session, deps: Deps, party: RightParty, offer: Offer) -> bool:
    """Whether an offer still fits the debts: interest that ran since is forgiven by the plan.

    Anything else that was booked since, a payment or a fee however small, would leave the plan and the ledger apart.
    """
    now = portfolio_of(session, deps, party, accrued_until=offer.as_of)
    owed = {debt.debt_id: debt.statement.balances.total_fen for debt in now.debts}
    return all(owed.get(share.debt_id) == share.owed_fen for share in offer.shares)


def _accepted(session: Session, party: RightParty, shown_hash: str) -> AgreementView | None:
    row = session.scalar(
        select(tables.Agreement)
        .where(tables.Agreement.borrower_id == party.borrower_id, tables.Agreement.text_hash == shown_hash)
        .order_by(tables.Agreement.version.desc())
        .limit(1)
    )
    return _view(session, row, repeated=True) if row is not None else None


def _view(session: Session, agreement: tables.Agreement, *, repeated: bool = False) -> AgreementView:
    return AgreementView(
        number=agreement.number,
        version=agreement.version,
        text=agreement.text,
        text_hash=agreement.text_hash,
        accepted_at=agreement.accepted_at,
        total_fen=agreement.total_fen,
        instalments=tuple(
            InstalmentView(part.number, part.due_on, part.amount_fen, part.paid_fen, part.state)
            for part in agreement_line.instalments_of(session, agreement)
        ),
        repeated=repeated,
    )
