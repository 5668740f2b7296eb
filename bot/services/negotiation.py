"""Finding a plan: which debts, what is affordable, what the policy offers, what was chosen.

The state of a negotiation lives in its row; the dialogue only asks which stage it is at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.lending.limitation import LimitationStatus
from bot.services import audit
from bot.services.accounts import DebtView, NotVerified, Portfolio, RightParty, portfolio_of, right_party
from bot.services.deps import Deps
from bot.services.holds import open_holds
from bot.services.offer_table import active, close, debts_of, put_on_table, read_offer, row_id, tabled
from bot.store import tables
from bot.workout.affordability import Affordability
from bot.workout.bounds import DebtPosition, OfferRequest
from bot.workout.counter import BorrowerProposal, Nearest, Objection, meet
from bot.workout.offer import NoOffer, NoOfferReason, Offer, OfferSet
from bot.workout.offers import compute_offers


class Stage(StrEnum):
    """What a negotiation waits for."""

    NONE = "none"
    CREDITOR = "creditor"
    INCOME = "income"
    ESSENTIALS = "essentials"
    CHOICE = "choice"
    CONFIRMATION = "confirmation"
    AGREED = "agreed"


class Blocked(StrEnum):
    """Why no negotiation is opened."""

    NOTHING_OWED = "nothing_owed"
    PLAN_IN_FORCE = "plan_in_force"
    ALL_DISPUTED = "all_disputed"
    OLD_DEBT = "old_debt"


@dataclass(frozen=True, slots=True)
class CreditorChoice:
    """A creditor whose debts a plan could be made for."""

    creditor_id: str
    creditor: str
    total_fen: int


@dataclass(frozen=True, slots=True)
class State:
    """Where a negotiation stands. ``offers`` are those on the table, in the order they were shown."""

    stage: Stage
    negotiation_id: str | None = None
    creditors: tuple[CreditorChoice, ...] = ()
    offers: tuple[Offer, ...] = ()
    chosen: Offer | None = None
    total_fen: int = 0
    set_aside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoPlan:
    """The bot has no offer; a person takes over from here."""

    reason: NoOfferReason


@dataclass(frozen=True, slots=True)
class Countered:
    """Answer to a borrower's own figure: the offer that meets it, or the nearest one and what stood in the way."""

    offer: Offer
    why: Objection | None


def state(deps: Deps, conversation_id: str) -> State | NotVerified:
    """Return where the borrower's open negotiation stands."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        negotiation = active(session, party)
        if negotiation is None:
            return State(Stage.NONE)
        return _state(session, deps, party, negotiation)


def open_negotiation(deps: Deps, conversation_id: str) -> State | NotVerified | Blocked:
    """Open a negotiation, or go on with the one that is open. One borrower has one at a time, over all channels."""
    try:
        return _open(deps, conversation_id)
    except IntegrityError:  # opened over another channel between the look and the write: it is there now
        return _open(deps, conversation_id)


def _open(deps: Deps, conversation_id: str) -> State | NotVerified | Blocked:
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        now = deps.now()
        existing = active(session, party)
        if existing is not None:
            return _state(session, deps, party, existing)
        owed = portfolio_of(session, deps, party)
        if not owed.open_debts:
            return Blocked.NOTHING_OWED
        free = _without_plan(owed.open_debts)
        if not free:
            return Blocked.PLAN_IN_FORCE
        undisputed = [debt for debt in free if not debt.disputed]
        if not undisputed:
            return Blocked.ALL_DISPUTED
        eligible = [debt for debt in undisputed if debt.limitation is LimitationStatus.RUNNING]
        if not eligible:
            return Blocked.OLD_DEBT
        by_creditor = _by_creditor(eligible)
        chosen = next(iter(by_creditor.values())) if len(by_creditor) == 1 else []
        negotiation = tables.Negotiation(
            borrower_id=party.borrower_id,
            active_key=party.borrower_id,
            debt_ids=[debt.debt_id for debt in chosen],
            policy_code=chosen[0].policy_code if chosen else "",
            policy_version=deps.policies[chosen[0].policy_code].version if chosen else "",
            created_at=now,
            updated_at=now,
        )
        session.add(negotiation)
        session.flush()
        audit.record(session, now, audit.BOT, "negotiation_opened", ("negotiation", negotiation.id))
        return _state(session, deps, party, negotiation)


def choose_creditor(deps: Deps, conversation_id: str, position: int) -> State | NotVerified:
    """Choose whose debts to make a plan for; ``position`` counts from 1 in the order shown."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        negotiation = active(session, party)
        if negotiation is None:
            return State(Stage.NONE)
        current = _state(session, deps, party, negotiation)
        if current.stage is Stage.CREDITOR and 1 <= position <= len(current.creditors):
            debts = list(_eligible(session, deps, party).values())[position - 1]
            policy = deps.policies[debts[0].policy_code]
            negotiation.debt_ids = [debt.debt_id for debt in debts]
            negotiation.policy_code, negotiation.policy_version = policy.code, policy.version
            negotiation.updated_at = deps.now()
        return _state(session, deps, party, negotiation)


def state_means(
    deps: Deps, conversation_id: str, *, income_fen: int | None = None, essential_fen: int | None = None
) -> State | NotVerified | NoPlan:
    """Take income or essential spending, in fen a month. With both known, offers are put on the table."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        negotiation = active(session, party)
        if negotiation is None:
            return State(Stage.NONE)
        changed = False
        if income_fen is not None:
            changed, negotiation.monthly_income_fen = True, income_fen
        if essential_fen is not None:
            changed, negotiation.monthly_essential_fen = True, essential_fen
        if changed:
            negotiation.chosen_offer_id = None
            negotiation.updated_at = deps.now()
        if not _is_complete(negotiation):
            return _state(session, deps, party, negotiation)
        return _compute(session, deps, party, negotiation)


def more_options(deps: Deps, conversation_id: str) -> State | NotVerified | NoPlan:
    """Compute the next set of offers; it is never worse for the borrower than those before."""
    return state_means(deps, conversation_id)


def propose(deps: Deps, conversation_id: str, proposal: BorrowerProposal) -> Countered | NoPlan | NotVerified | State:
    """Answer a figure the borrower named; the answering offer is put on the table and chosen if it meets the figure."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        negotiation = active(session, party)
        if negotiation is None:
            return State(Stage.NONE)
        if not _is_complete(negotiation):
            return _state(session, deps, party, negotiation)
        answer = meet(proposal, _request(session, deps, party, negotiation))
        if isinstance(answer, NoOffer):
            return _no_plan(session, deps, negotiation, answer.reason)
        put_on_table(session, deps, negotiation, (answer.offer,))
        if isinstance(answer, Nearest):
            return Countered(answer.offer, answer.why)
        negotiation.chosen_offer_id = answer.offer.offer_id
        negotiation.updated_at = deps.now()
        return Countered(answer.offer, None)


def choose(
    deps: Deps, conversation_id: str, position: int | None = None, offer_id: str | None = None
) -> State | NotVerified:
    """Choose an offer on the table, by its place (from 1) or its id. An unknown one changes nothing."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        negotiation = active(session, party)
        if negotiation is None:
            return State(Stage.NONE)
        current = _state(session, deps, party, negotiation)
        wanted = next(
            (
                offer
                for place, offer in enumerate(current.offers, start=1)
                if offer.offer_id == offer_id or place == position
            ),
            None,
        )
        if wanted is not None:
            negotiation.chosen_offer_id = wanted.offer_id
            negotiation.updated_at = deps.now()
        return _state(session, deps, party, negotiation)


def unchoose(deps: Deps, conversation_id: str) -> State | NotVerified:
    """Go back from the read-back to the offers."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        if isinstance(party, NotVerified):
            return party
        negotiation = active(session, party)
        if negotiation is None:
            return State(Stage.NONE)
        negotiation.chosen_offer_id = None
        return _state(session, deps, party, negotiation)


def end(deps: Deps, conversation_id: str) -> bool:
    """End the open negotiation at the borrower's wish; nothing is owed differently for it."""
    with deps.begin() as session:
        party = right_party(session, deps, conversation_id)
        negotiation = None if isinstance(party, NotVerified) else active(session, party)
        if negotiation is None:
            return False
        close(session, deps, negotiation, "ended")
        return True


def _is_complete(negotiation: tables.Negotiation) -> bool:
    """Whether everything that offers are computed from is known: the debts, the income and the essential spending."""
    means = (negotiation.monthly_income_fen, negotiation.monthly_essential_fen)
    return bool(negotiation.debt_ids) and None not in means


def _state(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> State:
    if not negotiation.debt_ids:
        choices = tuple(
            CreditorChoice(debts[0].creditor_id, debts[0].creditor, _total(debts))
            for debts in _eligible(session, deps, party).values()
        )
        return State(Stage.CREDITOR, negotiation.id, creditors=choices)
    owed = portfolio_of(session, deps, party)
    total = _total([debt for debt in owed.debts if debt.debt_id in negotiation.debt_ids])
    aside = tuple(
        debt.product
        for debt in owed.open_debts
        if debt.debt_id not in negotiation.debt_ids
        and (debt.disputed or debt.limitation is not LimitationStatus.RUNNING)
    )
    base = State(Stage.INCOME, negotiation.id, total_fen=total, set_aside=aside)
    if negotiation.monthly_income_fen is None:
        return base
    if negotiation.monthly_essential_fen is None:
        return replace(base, stage=Stage.ESSENTIALS)
    rows = tabled(session, negotiation)
    last_round = max((row.round for row in rows), default=0)
    offers = tuple(read_offer(row) for row in rows if row.round == last_round and row.expires_at > deps.now())
    every = {row.id: row for row in rows}
    chosen_row = every.get(row_id(negotiation, negotiation.chosen_offer_id or ""))
    if chosen_row is not None and chosen_row.expires_at > deps.now():
        return replace(base, stage=Stage.CONFIRMATION, offers=offers, chosen=read_offer(chosen_row))
    return replace(base, stage=Stage.CHOICE, offers=offers)


def _compute(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> State | NoPlan:
    made: OfferSet = compute_offers(_request(session, deps, party, negotiation))
    if made.no_offer is not None:
        return _no_plan(session, deps, negotiation, made.no_offer.reason)
    put_on_table(session, deps, negotiation, made.offers)
    return _state(session, deps, party, negotiation)


def _no_plan(session: Session, deps: Deps, negotiation: tables.Negotiation, reason: NoOfferReason) -> NoPlan:
    audit.record(session, deps.now(), audit.BOT, "no_offer", ("negotiation", negotiation.id), reason=reason.value)
    # A person goes on from here; when the facts have changed, the borrower starts afresh with new figures.
    close(session, deps, negotiation, "ended")
    return NoPlan(reason)


def _request(session: Session, deps: Deps, party: RightParty, negotiation: tables.Negotiation) -> OfferRequest:
    debts = debts_of(session, deps, party, negotiation)
    positions = tuple(
        DebtPosition(debt.debt_id, debt.kind, debt.statement.balances, debt.statement.days_past_due, debt.limitation)
        for debt in debts
    )
    holds = open_holds(session, party.borrower_id)
    return OfferRequest(
        debts=positions,
        affordability=Affordability(negotiation.monthly_income_fen or 0, negotiation.monthly_essential_fen or 0),
        policy=deps.policies[negotiation.policy_code],
        as_of=debts[0].statement.as_of,
        history=tuple(read_offer(row) for row in tabled(session, negotiation)),
        on_hold=bool(holds.silencing) or any(debt.disputed for debt in debts),
    )


def _without_plan(debts: Sequence[DebtView]) -> list[DebtView]:
    return [debt for debt in debts if debt.plan_number is None]


def _eligible(session: Session, deps: Deps, party: RightParty) -> dict[str, list[DebtView]]:
    owed: Portfolio = portfolio_of(session, deps, party)
    return _by_creditor(
        [
            debt
            for debt in _without_plan(owed.open_debts)
            if not debt.disputed and debt.limitation is LimitationStatus.RUNNING
        ]
    )


def _by_creditor(debts: Sequence[DebtView]) -> dict[str, list[DebtView]]:
    """Group debts that one plan can cover: same creditor and same policy."""
    groups: dict[str, list[DebtView]] = {}
    for debt in debts:
        groups.setdefault(f"{debt.creditor_id}:{debt.policy_code}", []).append(debt)
    return groups


def _total(debts: Sequence[DebtView]) -> int:
    return sum(debt.statement.balances.total_fen for debt in debts)
