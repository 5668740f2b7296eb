"""Whether there is anything to negotiate, and what a negotiation is about: the same whoever begins it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.lending.limitation import LimitationStatus
from bot.services import agreement_line
from bot.services.accounts import RightParty, portfolio_of
from bot.services.deps import Deps
from bot.services.negotiation_state import Blocked
from bot.store import tables


def why_blocked(session: Session, deps: Deps, party: RightParty) -> Blocked | None:
    """Return why there is nothing to negotiate with a right party, if so."""
    owed = portfolio_of(session, deps, party)
    if not owed.open_debts:
        return Blocked.NOTHING_OWED
    free = [debt for debt in owed.open_debts if debt.plan_number is None]
    if not free:
        return Blocked.PLAN_IN_FORCE
    undisputed = [debt for debt in free if not debt.disputed]
    if not undisputed:
        return Blocked.ALL_DISPUTED
    if all(debt.limitation is not LimitationStatus.RUNNING for debt in undisputed):
        return Blocked.OLD_DEBT
    return None


def take_up(session: Session, deps: Deps, negotiation: tables.Negotiation, debt_ids: Sequence[str]) -> bool:
    """Set the debts and the policy. False: a plan on them was broken, and the policy allows the bot no further one."""
    product = session.get_one(tables.Debt, debt_ids[0]).contract.product
    policy = deps.policies[product.policy_code]
    broken = agreement_line.broken_before(session, negotiation.borrower_id, list(debt_ids))
    if broken is not None and not agreement_line.may_be_replaced(session, broken, policy):
        return False
    negotiation.debt_ids = list(debt_ids)
    negotiation.policy_code, negotiation.policy_version = policy.code, policy.version
    return True


def new_negotiation(deps: Deps, party: RightParty) -> tables.Negotiation:
    """Return a negotiation about nothing yet; the caller adds it to a session where it is to be kept."""
    now = deps.now()
    return tables.Negotiation(
        borrower_id=party.borrower_id,
        active_key=party.borrower_id,
        debt_ids=[],
        policy_code="",
        policy_version="",
        created_at=now,
        updated_at=now,
    )
