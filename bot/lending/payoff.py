"""What ends a debt, as an amount that holds for some days.

Expiry rule: interest is counted to the last day of validity, so the amount does not change from day to day. Whoever
pays it earlier has paid interest for days that bore none; that difference is the borrower's and is paid back.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.lending.balances import Balances
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry
from bot.lending.outlook import outlook

LONGEST_VALIDITY_DAYS = 31


class PayoffRefusal(StrEnum):
    """Why there is no quote."""

    NOTHING_OWED = "nothing_owed"
    ENDS_BEFORE_IT_BEGINS = "ends_before_it_begins"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class PayoffQuote:
    """``owed`` ends the debt if paid from ``as_of`` up to and including ``good_through``, and is made up of components.

    ``refunds_fen`` holds, for each of these days in turn, what is paid back if the amount is paid that day; 0 for the
    last. The quote is about the entries it was made from: one booked since that counts by ``good_through`` ends it.
    """

    debt_id: str
    as_of: date
    good_through: date
    owed: Balances
    refunds_fen: tuple[int, ...]

    @property
    def total_fen(self) -> int:
        """What is to be paid, in fen."""
        return self.owed.total_fen

    @property
    def quote_id(self) -> str:
        """An id that follows from the content: equal quotes have equal ids, and nothing can change under an id."""
        owed = self.owed
        components = (owed.principal_fen, owed.interest_fen, owed.penalty_fen, owed.fee_fen)
        content = ("payoff", self.debt_id, self.as_of, self.good_through, *components, *self.refunds_fen)
        return hashlib.sha256("|".join(str(part) for part in content).encode()).hexdigest()

    def holds_on(self, day: date) -> bool:
        """Whether the amount, paid on ``day``, ends the debt."""
        return self.as_of <= day <= self.good_through

    def refund_fen(self, paid_on: date) -> int | None:
        """What is paid back if the amount is paid on that day, in fen; None when the quote does not hold then."""
        return self.refunds_fen[(paid_on - self.as_of).days] if self.holds_on(paid_on) else None


def payoff_quote(
    debt_id: str, terms: ContractTerms, booked: Iterable[Entry], due_on: date, as_of: date, good_through: date
) -> PayoffQuote | PayoffRefusal:
    """Quote what ends a debt from ``as_of`` to ``good_through``, at most ``LONGEST_VALIDITY_DAYS`` later.

    Interest need not have been accrued; late fees that may come are not foreseen, as in ``bot.lending.outlook``.
    Raises as ``bot.lending.accrual.accrual_spans`` does.
    """
    entries = tuple(booked)
    return quote_of(debt_id, lambda day: outlook(terms, entries, due_on, as_of, day).then, as_of, good_through)


def quote_of(
    debt_id: str, owed_on: Callable[[date], Balances], as_of: date, good_through: date
) -> PayoffQuote | PayoffRefusal:
    """Quote what ends a debt of which ``owed_on`` tells what is owed at the end of a day if nothing is paid before."""
    validity = (good_through - as_of).days
    if validity < 0:
        return PayoffRefusal.ENDS_BEFORE_IT_BEGINS
    if validity > LONGEST_VALIDITY_DAYS:
        return PayoffRefusal.TOO_LONG
    owed = [owed_on(as_of + timedelta(days=ahead)) for ahead in range(validity + 1)]
    if not owed[0].total_fen:
        return PayoffRefusal.NOTHING_OWED
    last = owed[-1]
    return PayoffQuote(debt_id, as_of, good_through, last, tuple(last.total_fen - each.total_fen for each in owed))
