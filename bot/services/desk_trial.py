"""What an operator can put before a borrower: the engine's offers on figures that are tried, and nothing kept.

Inside an open transaction; ``bot.services.desk_offers`` is the way in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.services import approvals, negotiation_budget
from bot.services.accounts import RightParty
from bot.services.approvals import ApprovalState
from bot.services.deps import Deps
from bot.services.negotiation_opening import new_negotiation, take_up, why_blocked
from bot.services.negotiation_state import Blocked, CreditorChoice, eligible, total_of
from bot.services.offer_request import request_of, stated_of
from bot.services.offer_table import active, row_id
from bot.services.offer_trial import tried
from bot.services.operators import OperatorView
from bot.store import tables
from bot.workout.authority import GrantLimit, grant_limits
from bot.workout.bounds import Objection
from bot.workout.budget import StatedBudget
from bot.workout.counter import BorrowerProposal
from bot.workout.offer import NoOfferReason, Offer
from bot.workout.policy_sections import HardshipKind
from bot.workout.request import OfferRequest


@dataclass(frozen=True, slots=True)
class Figures:
    """What an operator tries: a month's budget in fen, and what the borrower would like.

    None leaves a figure as the borrower told it last. ``dependants`` live on the income besides the borrower, and
    ``other_debts_fen`` goes to other lenders every month. ``creditor`` counts from 1 among the creditors to choose
    from, where no negotiation has settled on one.
    """

    income_fen: int | None = None
    essential_fen: int | None = None
    dependants: int | None = None
    other_debts_fen: int | None = None
    hardship: HardshipKind | None = None
    wish: BorrowerProposal | None = None
    creditor: int = 1

    @property
    def in_hand_fen(self) -> int | None:
        """What could be paid at once by the wish, in fen; None where it names nothing."""
        return None if self.wish is None else self.wish.settle_fen or self.wish.lump_fen


@dataclass(frozen=True, slots=True)
class OnOffer:
    """One offer, with what is needed before it binds the desk. ``asked`` is where a request for it stands.

    ``is_within`` tells whether the operator's role could grant it to somebody else's borrower: never one's own.
    """

    offer: Offer
    is_within: bool
    asked: ApprovalState | None

    @property
    def may_be_sent(self) -> bool:
        """Whether it can be put before the borrower at once, without anybody's leave."""
        return self.offer.needs_approval is None or self.asked is ApprovalState.APPROVED

    @property
    def may_be_requested(self) -> bool:
        """Whether a colleague can be asked for it."""
        return self.offer.needs_approval is not None and self.asked is None


@dataclass(frozen=True, slots=True)
class Trial:
    """What an operator may put forward, and what it rests on; amounts in fen.

    ``figures`` are those of the trial, filled up with what is known. ``facts`` is None where there is nothing to
    negotiate (``blocked``), or no means are known yet. ``creditors`` are those to choose from, empty where there is
    one or a negotiation has settled on one.
    """

    figures: Figures
    facts: OfferRequest | None = None
    offers: tuple[OnOffer, ...] = ()
    why: Objection | NoOfferReason | None = None
    blocked: Blocked | None = None
    creditors: tuple[CreditorChoice, ...] = ()
    grants: tuple[GrantLimit, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a trial is for: the borrower's open negotiation, or one that no session knows yet."""

    negotiation: tables.Negotiation
    open_one: tables.Negotiation | None
    creditors: tuple[CreditorChoice, ...] = ()


def trial_of(
    session: Session, deps: Deps, operator: OperatorView, party: RightParty, figures: Figures
) -> tuple[Trial, Ground | None]:
    """Return what could be put forward on these figures, and for which negotiation; no ground where there is none."""
    ground = _ground(session, deps, party, figures)
    if isinstance(ground, Blocked):
        return Trial(figures, blocked=ground), None
    known = _known(ground, figures)
    trial = Trial(known, creditors=ground.creditors)
    if known.income_fen is None or known.essential_fen is None:
        return trial, ground
    facts = _facts(session, deps, party, ground.negotiation, known)
    found = tried(facts, known.wish)
    grants = grant_limits(facts.policy, facts.owed_fen)
    offers = tuple(_on_offer(session, operator, ground, offer) for offer in found.offers)
    return replace(trial, facts=facts, offers=offers, why=found.why, grants=grants), ground


def _ground(session: Session, deps: Deps, party: RightParty, figures: Figures) -> Ground | Blocked:
    open_one = active(session, party)
    if open_one is not None and open_one.debt_ids:
        return Ground(open_one, open_one)
    if open_one is None and (why := why_blocked(session, deps, party)) is not None:
        return why
    groups = list(eligible(session, deps, party).values())
    if not groups:
        return Blocked.ALL_DISPUTED
    chosen = groups[min(max(figures.creditor, 1), len(groups)) - 1]
    draft = new_negotiation(deps, party)
    if (told := open_one or _last(session, party)) is not None:
        negotiation_budget.carry_over(told, draft)
    if open_one is not None:
        draft.hardship, draft.pay_day = open_one.hardship, open_one.pay_day
        draft.available_now_fen = open_one.available_now_fen
    if not take_up(session, deps, draft, [debt.debt_id for debt in chosen]):
        return Blocked.NO_REPLANS_LEFT
    creditors = tuple(CreditorChoice(debts[0].creditor_id, debts[0].creditor, total_of(debts)) for debts in groups)
    return Ground(draft, open_one, creditors if len(creditors) > 1 else ())


def _last(session: Session, party: RightParty) -> tables.Negotiation | None:
    return session.scalar(
        select(tables.Negotiation)
        .where(tables.Negotiation.borrower_id == party.borrower_id)
        .order_by(tables.Negotiation.updated_at.desc())
        .limit(1)
    )


def _known(ground: Ground, figures: Figures) -> Figures:
    """Fill in what the operator left as it was: from this negotiation, else from the one before it."""
    told, hardship = stated_of(ground.negotiation), ground.negotiation.hardship
    return replace(
        figures,
        income_fen=told.monthly_income_fen if figures.income_fen is None else figures.income_fen,
        essential_fen=told.monthly_essential_fen if figures.essential_fen is None else figures.essential_fen,
        dependants=told.dependants if figures.dependants is None else figures.dependants,
        other_debts_fen=told.other_debts_monthly_fen if figures.other_debts_fen is None else figures.other_debts_fen,
        hardship=figures.hardship or (HardshipKind(hardship) if hardship else None),
    )


def _facts(
    session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation, known: Figures
) -> OfferRequest:
    """What the offers are computed from: the facts on record, with the figures of the trial in their place."""
    on_record = request_of(session, deps, party, negotiation)
    budget = StatedBudget(known.income_fen, known.essential_fen, known.dependants, known.other_debts_fen)
    return replace(
        on_record,
        affordability=budget.affordability,
        hardship=known.hardship,
        available_now_fen=known.in_hand_fen or on_record.available_now_fen,
    )


def _on_offer(session: Session, operator: OperatorView, ground: Ground, offer: Offer) -> OnOffer:
    role = approvals.acts_as(operator.role)
    asked = None
    if offer.needs_approval is not None and ground.open_one is not None:
        asked = approvals.state_of(session, row_id(ground.open_one, offer.offer_id))
    return OnOffer(offer, offer.approval_rank <= (role.rank if role is not None else 0), asked)
