"""Payments booked together are the payments booked one by one: the same outcomes, the same ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.clock import business_date
from bot.lending.accrual import accrue
from bot.services import accounts, payments
from bot.services.deps import Deps
from bot.services.payment_batch import PaymentBatch
from bot.services.payments import IncomingPayment, Outcome
from bot.store.tables import Debt, LedgerEntry, MinimumPayment, Payment
from tests.builders.accounts import Owed, a_debt_of, a_plan, verified
from tests.builders.desk import NOON, a_borrower, a_desk
from tests.builders.payments import contract_number

TODAY = business_date(NOON)
KINDS = ("plain", "booked", "card", "small", "plan")
reported = st.builds(
    lambda debt, days_ago, fen, number: (debt, days_ago, fen, number),
    st.integers(min_value=0, max_value=len(KINDS)),
    st.integers(min_value=-1, max_value=130),
    st.one_of(st.integers(min_value=1, max_value=60_000), st.integers(min_value=1, max_value=700_000)),
    st.integers(min_value=1, max_value=9),
)


def a_desk_with_debts(folder: Path) -> tuple[Deps, list[str]]:
    """A debt of each kind: nothing booked, interest booked, with a minimum payment, nearly paid, under a plan."""
    deps, references = a_desk(folder), []
    for number, kind in enumerate(KINDS):
        borrower = a_borrower(deps, "王小明", f"1380000000{number}", f"11010119900101{number:04d}")
        debt_id = a_debt_of(deps, borrower, Owed(principal_fen=20_000 if kind == "small" else 600_000))
        references.append(contract_number(deps, debt_id))
        if kind == "booked":
            _book_interest(deps, debt_id)
        if kind == "card":
            with deps.begin() as session:
                due_on = TODAY - timedelta(days=40)
                asked = {"statement_on": due_on - timedelta(days=20), "due_on": due_on, "minimum_fen": 30_000}
                session.add(MinimumPayment(debt_id=debt_id, **asked))
        if kind == "plan":
            a_plan(deps, verified(deps, borrower))
    return deps, [*references, "nobody's"]


def _book_interest(deps: Deps, debt_id: str) -> None:
    with deps.begin() as session:
        row = session.get_one(Debt, debt_id)
        entries = accounts.ledger_of(session, debt_id)
        since, until = entries[0].effective_on, TODAY - timedelta(days=20)
        for entry in accrue(accounts.terms_of(row.contract), entries, since, until, row.due_on):
            assert accounts.book(session, debt_id, entry) is None


def outcomes(deps: Deps, made: Sequence[IncomingPayment], together: bool) -> list[Outcome]:
    first: list[Outcome | None] = [None] * len(made)
    if together:
        with deps.begin() as session:
            first = PaymentBatch(session, deps, made).book()
    return [done or payments.receive(deps, one) for one, done in zip(made, first, strict=True)]


def booked(deps: Deps) -> tuple[list[tuple[str, int, str]], list[tuple[str, str, int, str]]]:
    """Everything on the ledgers and all payments, without what differs from desk to desk."""
    with deps.read() as session:
        rows = session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "payment"))
        entries = sorted((row.key, row.amount_fen, str(row.effective_on)) for row in rows)
        kept = session.scalars(select(Payment))
        return entries, sorted((row.source, row.payment_id, row.amount_fen, str(row.paid_on)) for row in kept)


@given(st.lists(reported, min_size=1, max_size=12))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_together_is_one_by_one(drawn: list[tuple[int, int, int, int]]) -> None:
    seen = []
    for together in (False, True):
        with TemporaryDirectory() as folder:
            deps, references = a_desk_with_debts(Path(folder))
            made = [
                IncomingPayment(references[debt], TODAY - timedelta(days=ago), fen, f"P-{number}", "bank")
                for debt, ago, fen, number in drawn
            ]
            seen.append((outcomes(deps, made, together), booked(deps)))
            deps.database.engine.dispose()
    assert seen[0] == seen[1]
