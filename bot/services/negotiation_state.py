"""Where a negotiation stands: what it waits for, what is on the table, and how a person has decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.orm import Session

from bot.lending.limitation import LimitationStatus
from bot.services import approvals
from bot.services.accounts import DebtView, RightParty, portfolio_of
from bot.services.approvals import ApprovalState
from bot.services.deps import Deps
from bot.services.offer_request import request_of
from bot.services.offer_table import read_offer, row_id, stated_of, tabled
from bot.store import tables
from bot.workout.budget import StatedBudget
from bot.workout.budget_talk import BudgetQuestion
from bot.workout.counter import Objection
from bot.workout.offer import NoOfferReason, Offer, OfferKind
from bot.workout.settlement import may_settle


class Stage(StrEnum):
    """What a negotiation waits for.

    ``START``: the day on which paying could begin. ``IN_HAND``: the sum that could be paid at once. ``BUDGET_CHECK``:
    whether a figure of the budget is meant as it was told. ``APPROVAL``: a yes to asking a person for the chosen offer.
    ``WAITING``: that person.
    """

    NONE = "none"
    CREDITOR = "creditor"
    HARDSHIP = "hardship"
    START = "start"
    IN_HAND = "in_hand"
    INCOME = "income"
    ESSENTIALS = "essentials"
    BUDGET_CHECK = "budget_check"
    DEPENDANTS = "dependants"
    OTHER_DEBTS = "other_debts"
    CHOICE = "choice"
    APPROVAL = "approval"
    WAITING = "waiting"
    CONFIRMATION = "confirmation"
    AGREED = "agreed"


BUDGET_STAGES = (Stage.INCOME, Stage.ESSENTIALS, Stage.BUDGET_CHECK, Stage.DEPENDANTS, Stage.OTHER_DEBTS)
"""The stages that wait for something about the month's budget."""


@dataclass(frozen=True, slots=True)
class CreditorChoice:
    """A creditor whose debts a plan could be made for."""

    creditor_id: str
    creditor: str
    total_fen: int


@dataclass(frozen=True, slots=True)
class State:
    """Where a negotiation stands. ``offers`` are those on the table, in the order they were shown.

    ``decided`` is how a person decided, or failed to decide, on the offer chosen last. ``replaces`` is the number of
    the agreement whose place a new one is to take, and ``lost_waiver_fen`` what that one would have waived at its end.
    ``budget`` is what was told of the month's budget, ``budget_asks`` the question about it that is open, and
    ``floor_fen`` what every month leaves for the household by the policy.
    ``no_settlement``: one payment for less was wished for, and these debts cannot be settled so.
    """

    stage: Stage
    negotiation_id: str | None = None
    creditors: tuple[CreditorChoice, ...] = ()
    offers: tuple[Offer, ...] = ()
    chosen: Offer | None = None
    total_fen: int = 0
    set_aside: tuple[str, ...] = ()
    decided: ApprovalState | None = None
    replaces: str | None = None
    lost_waiver_fen: int = 0
    no_settlement: bool = False
    budget: StatedBudget | None = None
    budget_asks: BudgetQuestion | None = None
    floor_fen: int = 0


class Blocked(StrEnum):
    """Why no negotiation is opened."""

    NOTHING_OWED = "nothing_owed"
    PLAN_IN_FORCE = "plan_in_force"
    ALL_DISPUTED = "all_disputed"
    OLD_DEBT = "old_debt"
    NO_REPLANS_LEFT = "no_replans_left"
    ON_HOLD = "on_hold"
    """A hold stands under which the bot agrees to nothing, perhaps from another conversation (P7)."""


@dataclass(frozen=True, slots=True)
class NoPlan:
    """The bot has no offer; a person takes over from here."""

    reason: NoOfferReason


@dataclass(frozen=True, slots=True)
class Countered:
    """Answer to a borrower's own wish: the offer that meets it, or the nearest one and what stood in the way."""

    offer: Offer
    why: Objection | None


@dataclass(frozen=True, slots=True)
class NotSettled:
    """The debts cannot be closed by the one payment that was named; instalments still can be looked for."""

    why: Objection


Result = State | NoPlan | Countered | NotSettled
"""What a step of a negotiation leads to."""


def state_of(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> State:
    """Return where a right party's open negotiation stands, inside an open transaction."""
    if not negotiation.debt_ids:
        choices = tuple(
            CreditorChoice(debts[0].creditor_id, debts[0].creditor, total_of(debts))
            for debts in eligible(session, deps, party).values()
        )
        return State(Stage.CREDITOR, negotiation.id, creditors=choices)
    base = _base(session, deps, party, negotiation)
    rows = tabled(session, negotiation)
    decided = {row.id: approvals.state_of(session, row.id) for row in rows if read_offer(row).needs_approval}
    last_round = max((row.round for row in rows), default=0)
    is_open = [
        row
        for row in rows
        if row.expires_at > deps.now() and decided.get(row.id) not in (ApprovalState.REJECTED, ApprovalState.EXPIRED)
    ]
    base = replace(base, offers=tuple(read_offer(row) for row in is_open if row.round == last_round))
    chosen_id = row_id(negotiation, negotiation.chosen_offer_id or "")
    base = replace(base, decided=decided.get(chosen_id))
    chosen = next((row for row in is_open if row.id == chosen_id), None)
    if chosen is not None:
        offer = read_offer(chosen)
        stages = {None: Stage.APPROVAL, ApprovalState.WAITING: Stage.WAITING}
        stage = stages.get(base.decided, Stage.CONFIRMATION) if offer.needs_approval else Stage.CONFIRMATION
        return replace(base, stage=stage, chosen=offer)
    return replace(base, stage=_open_question(negotiation, base))


def is_complete(negotiation: tables.Negotiation) -> bool:
    """Whether everything that plans are computed from is known: the debts, and what is asked of the budget."""
    means = (negotiation.monthly_income_fen, negotiation.monthly_essential_fen)
    return bool(negotiation.debt_ids) and None not in means and negotiation.budget_asks is None


def eligible(session: Session, deps: Deps, party: RightParty) -> dict[str, list[DebtView]]:
    """Return the debts that a plan could be made for, grouped as one plan can cover them: by creditor and policy."""
    owed = portfolio_of(session, deps, party)
    return by_creditor(
        [
            debt
            for debt in owed.open_debts
            if debt.plan_number is None and not debt.disputed and debt.limitation is LimitationStatus.RUNNING
        ]
    )


def by_creditor(debts: Sequence[DebtView]) -> dict[str, list[DebtView]]:
    """Group debts that one plan can cover: same creditor and same policy."""
    groups: dict[str, list[DebtView]] = {}
    for debt in debts:
        groups.setdefault(f"{debt.creditor_id}:{debt.policy_code}", []).append(debt)
    return groups


def total_of(debts: Sequence[DebtView]) -> int:
    """Return what is owed on some debts together, in fen."""
    return sum(debt.statement.balances.total_fen for debt in debts)


def _base(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> State:
    owed = portfolio_of(session, deps, party)
    concerned = [debt for debt in owed.debts if debt.debt_id in negotiation.debt_ids]
    aside = tuple(
        debt.product
        for debt in owed.open_debts
        if debt.debt_id not in negotiation.debt_ids
        and (debt.disputed or debt.limitation is not LimitationStatus.RUNNING)
    )
    replaced = session.get(tables.Agreement, negotiation.replaces_agreement_id or "")
    wants_settlement = negotiation.wish_kind == OfferKind.SETTLEMENT
    stated, policy = stated_of(negotiation), deps.policies.get(negotiation.policy_code)
    floor_fen = policy.protected_floor_fen_per_person if policy is not None else 0
    return State(
        Stage.INCOME,
        negotiation.id,
        total_fen=total_of(concerned),
        set_aside=aside,
        replaces=replaced.number if replaced is not None else None,
        lost_waiver_fen=sum(debt.waived_on_completion_fen for debt in concerned),
        no_settlement=wants_settlement and not may_settle(request_of(session, deps, party, negotiation)),
        budget=stated,
        budget_asks=BudgetQuestion(negotiation.budget_asks) if negotiation.budget_asks else None,
        floor_fen=floor_fen * (1 + (stated.dependants or 0)),
    )


_BUDGET_STAGE = {BudgetQuestion.DEPENDANTS: Stage.DEPENDANTS, BudgetQuestion.OTHER_DEBTS: Stage.OTHER_DEBTS}


def _open_question(negotiation: tables.Negotiation, base: State) -> Stage:
    if negotiation.replaces_agreement_id is not None and negotiation.hardship is None:
        return Stage.HARDSHIP
    if negotiation.wish_kind == OfferKind.SETTLEMENT and not base.no_settlement:
        if negotiation.available_now_fen is None:
            return Stage.IN_HAND
        if base.offers:
            return Stage.CHOICE
    if negotiation.wish_kind == OfferKind.DEFERRAL:
        return Stage.START
    if negotiation.monthly_income_fen is None:
        return Stage.INCOME
    if base.budget_asks is not None:
        return _BUDGET_STAGE.get(base.budget_asks, Stage.BUDGET_CHECK)
    return Stage.ESSENTIALS if negotiation.monthly_essential_fen is None else Stage.CHOICE
