"""What the instalments of a plan ask for once its payments have come on other days than agreed.

Where interest runs, a payment before its day saves interest and one after it costs some. The agreed amounts stand; the
last instalment takes the difference, and where so much was paid early that nothing is left, the latest ones fall away.
"""

from collections.abc import Callable, Sequence
from datetime import date

from bot.lending.balances import Balances
from bot.lending.schedule import ScheduledInstalment
from bot.workout.promise import PaymentMade

OwedOn = Callable[[date, Sequence[PaymentMade]], Balances]
"""What is owed at the end of a day by the ledger, if these payments are made besides."""


def amounts_asked(
    agreed: Sequence[ScheduledInstalment], paid_fen: int, as_of: date, owed_on: OwedOn
) -> tuple[int, ...]:
    """What each instalment comes to in fen, given that ``paid_fen`` has been paid on the plan up to ``as_of``.

    What is still open is supposed to be paid on its due date, or on ``as_of`` if that has passed.
    """
    supposed: list[PaymentMade] = []
    amounts: list[int] = []
    left_fen = paid_fen
    for part in agreed[:-1]:
        settled_fen = min(left_fen, part.amount_fen)
        left_fen -= settled_fen
        day, asked_fen = max(part.due_on, as_of), part.amount_fen - settled_fen
        if asked_fen and owed_on(day, supposed).total_fen < asked_fen:
            asked_fen = owed_on(day, supposed).total_fen
        if asked_fen:
            supposed.append(PaymentMade(day, asked_fen))
        amounts.append(settled_fen + asked_fen)
    at_last = owed_on(max(agreed[-1].due_on, as_of), supposed)
    return (*amounts, max(0, left_fen + at_last.total_fen - at_last.credit_fen))
