"""A plan that was agreed some time ago and has been serviced since: payments booked, states as they are today."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.services import payments, servicing
from bot.services.agreements import AgreementView
from bot.services.deps import Deps
from bot.services.payments import Booked, IncomingPayment
from bot.store.tables import Agreement, Contract, Debt, Reminder
from bot.workout.policy import ReliefPolicy
from tests.builders.accounts import a_plan, verified
from tests.builders.desk import SetClock


def a_plan_of_old(deps: Deps, borrower_id: str, debt_id: str, days_ago: int, paid: int = 0) -> AgreementView:
    """Agree to the first plan offered that many days ago, with the first instalments paid on their days.

    All in one transaction, so that no sweep of a running desk finds it half made. Nobody is told of days gone by.
    """
    with deps.begin() as session:
        then = _PastDesk.of(deps, session, days_ago)
        plan = a_plan(then, verified(then, borrower_id))
        debt = session.get_one(Debt, debt_id)
        reference = session.get_one(Contract, debt.contract_id).number
        for part in plan.instalments[:paid]:
            payment = IncomingPayment(reference, part.due_on, part.amount_fen, f"{plan.number}:{part.number}", "bank")
            assert isinstance(payments.receive_in(session, deps, payment), Booked)
        agreement = session.scalars(select(Agreement).where(Agreement.number == plan.number)).one()
        servicing.settle(session, deps, agreement, ageing=True)
        for notice in session.scalars(
            select(Reminder).where(Reminder.borrower_id == borrower_id, Reminder.send_at <= deps.now())
        ):
            notice.state, notice.rule, notice.decided_at = "superseded", "test", notice.send_at
        return plan


@dataclass(frozen=True)
class _PastDesk(Deps):
    """The desk on an earlier day, working in a transaction that is open, under policies approved by then."""

    session: Session | None = None

    @classmethod
    def of(cls, deps: Deps, session: Session, days_ago: int) -> _PastDesk:
        kept = {field.name: getattr(deps, field.name) for field in fields(deps) if field.name != "clock"}
        return cls(**kept, clock=SetClock(deps.now() - timedelta(days=days_ago)), session=session)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        assert self.session is not None
        yield self.session
        self.session.flush()

    @contextmanager
    def read(self) -> Iterator[Session]:
        assert self.session is not None
        yield self.session

    @cached_property
    def policies(self) -> dict[str, ReliefPolicy]:
        approved_on = business_date(self.now()) - timedelta(days=1)
        return {
            code: policy.model_copy(update={"approved_on": approved_on}) for code, policy in super().policies.items()
        }
