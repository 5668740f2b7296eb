"""Builders for payments as the lender reports them."""

from __future__ import annotations

from datetime import date
from itertools import count

from bot.clock import business_date
from bot.services import payments
from bot.services.deps import Deps
from bot.services.payments import Booked, IncomingPayment, Outcome
from bot.store.tables import Debt

HEADER = "reference,paid_on,amount_yuan,payment_id,source"
_numbers = count(1)


def contract_number(deps: Deps, debt_id: str) -> str:
    """The reference that names a debt."""
    with deps.begin() as session:
        return session.get_one(Debt, debt_id).contract.number


def a_payment_of(
    deps: Deps, debt_id: str, amount_fen: int, paid_on: date | None = None, payment_id: str | None = None
) -> IncomingPayment:
    """Make a payment on a debt, today unless told otherwise, under a number of its own."""
    return IncomingPayment(
        reference=contract_number(deps, debt_id),
        paid_on=paid_on or business_date(deps.now()),
        amount_fen=amount_fen,
        payment_id=payment_id or f"P-{next(_numbers)}",
        source="bank",
    )


def paid(deps: Deps, debt_id: str, amount_fen: int, paid_on: date | None = None) -> Outcome:
    """Let the lender report a payment that is booked."""
    outcome = payments.receive(deps, a_payment_of(deps, debt_id, amount_fen, paid_on))
    assert isinstance(outcome, Booked), outcome
    return outcome


def a_row(deps: Deps, debt_id: str, **cells: str) -> str:
    """Write a row of a payment file."""
    row = {
        "reference": contract_number(deps, debt_id),
        "paid_on": business_date(deps.now()).isoformat(),
        "amount_yuan": "100.00",
        "payment_id": f"P-{next(_numbers)}",
        "source": "bank",
        **cells,
    }
    return ",".join(row[name] for name in HEADER.split(","))
