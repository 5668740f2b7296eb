"""The instalments of a plan during which interest runs, kept in step with the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.schedule import ScheduledInstalment
from bot.services.accounts import counted_ledger, debt_views
from bot.services.deps import Deps
from bot.services.proof import Purpose
from bot.store.tables import Agreement, Instalment
from bot.workout.last_instalment import amounts_asked
from bot.workout.offer import Offer
from bot.workout.promise import PaymentMade


def ask_anew(
    session: Session,
    deps: Deps,
    agreement: Agreement,
    offer: Offer,
    rows: Sequence[Instalment],
    payments: Sequence[PaymentMade],
) -> None:
    """Write down what each instalment comes to now; ``rows`` by number, ``payments`` those made on the plan.

    Does nothing for a plan that stops the interest. Starts from the agreed amounts each time, so that asking twice is
    asking once.
    """
    if not offer.interest_during_plan:
        return
    today = business_date(deps.now())
    debt_id = agreement.debt_ids[0]
    ledger = counted_ledger(session, debt_views(session, Purpose.PLAN_SERVICING, (debt_id,), today)[debt_id])
    paid_fen = sum(payment.amount_fen for payment in payments if payment.effective_on <= today)
    amounts = amounts_asked(_agreed(offer), paid_fen, today, ledger.owed_on)
    for row, amount_fen in zip(rows, amounts, strict=True):
        row.amount_fen = amount_fen


def _agreed(offer: Offer) -> list[ScheduledInstalment]:
    """The schedule as agreed, the down payment as its number 0."""
    down = [ScheduledInstalment(0, offer.expires_on, offer.down_payment_fen)] if offer.down_payment_fen else []
    return [*down, *offer.schedule]
