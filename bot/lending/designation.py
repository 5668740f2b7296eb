"""One payment, several debts to the same creditor: which debt it goes to (Civil Code art. 560).

The borrower's own word at the time of paying comes first. What it leaves follows the statutory order of paragraph 2, as
far as we know the facts: due debts before others; the heavier burden; the earlier due date; else in proportion. We know
of no security, so that criterion never decides. Where the law is silent, among debts not yet due, the same order is
followed. Which component of a debt is settled first is the business of ``bot.lending.allocation``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby


class DesignationRefusal(StrEnum):
    """Why a payment cannot be divided as asked; nothing has been divided, and the payment can be asked about again."""

    SEVERAL_CREDITORS = "several_creditors"
    UNKNOWN_DEBT = "unknown_debt"
    DEBT_NAMED_TWICE = "debt_named_twice"
    MORE_THAN_PAID = "more_than_paid"


@dataclass(frozen=True, slots=True)
class PayableDebt:
    """A debt as the order sees it, on the day of the payment.

    ``owed_fen`` is everything owed then; ``burden`` is all its rates together, a fraction a year
    (``ContractTerms.burden_on``). Raises ``ValueError`` for a negative figure.
    """

    debt_id: str
    creditor_id: str
    owed_fen: int
    due_on: date
    burden: Decimal

    def __post_init__(self) -> None:
        if self.owed_fen < 0 or self.burden < 0:
            raise ValueError(f"neither a debt nor its burden can be negative: {self}")


@dataclass(frozen=True, slots=True)
class Designation:
    """The borrower's word: this debt gets ``amount_fen``, or with None as much as it takes.

    Raises ``ValueError`` for an amount that is not positive.
    """

    debt_id: str
    amount_fen: int | None = None

    def __post_init__(self) -> None:
        if self.amount_fen is not None and self.amount_fen <= 0:
            raise ValueError(f"a designated amount must be positive: {self.amount_fen} fen")


@dataclass(frozen=True, slots=True)
class PaymentPart:
    """What one debt gets of a payment, in fen: by the borrower's word, and by the statutory order."""

    debt_id: str
    designated_fen: int
    statutory_fen: int

    @property
    def amount_fen(self) -> int:
        """Both together; always positive."""
        return self.designated_fen + self.statutory_fen


@dataclass(frozen=True, slots=True)
class DividedPayment:
    """The parts, in the order they were filled, and ``left_over_fen``, paid beyond all debts, add up to the payment."""

    parts: tuple[PaymentPart, ...]
    left_over_fen: int


def divide_payment(
    payment_fen: int, paid_on: date, debts: Sequence[PayableDebt], designated: Sequence[Designation] = ()
) -> DividedPayment | DesignationRefusal:
    """Divide a payment effective on ``paid_on`` over the debts.

    A debt never gets more than is owed of it: what a designation says beyond that follows the statutory order. A debt
    is due on its due date. Designations without an amount are filled in turn, after those with one.
    Raises ``ValueError`` for a payment that is not positive or two debts with one id.
    """
    if payment_fen <= 0:
        raise ValueError(f"a payment must be positive: {payment_fen} fen")
    if len({debt.debt_id for debt in debts}) < len(debts):
        raise ValueError("two debts have the same id")
    refusal = _refusal(payment_fen, debts, designated)
    if refusal is not None:
        return refusal
    owed = {debt.debt_id: debt.owed_fen for debt in debts}
    by_word: dict[str, int] = {}
    left_fen = payment_fen
    for wish in sorted(designated, key=lambda one: one.amount_fen is None):
        wanted = left_fen if wish.amount_fen is None else wish.amount_fen
        by_word[wish.debt_id] = min(wanted, owed[wish.debt_id])
        left_fen -= by_word[wish.debt_id]
    rest = {debt_id: fen - by_word.get(debt_id, 0) for debt_id, fen in owed.items()}
    by_law = _by_law(left_fen, paid_on, debts, rest)
    parts = (PaymentPart(debt_id, by_word.get(debt_id, 0), by_law.get(debt_id, 0)) for debt_id in {**by_word, **by_law})
    filled = tuple(part for part in parts if part.amount_fen)
    return DividedPayment(filled, payment_fen - sum(part.amount_fen for part in filled))


def _refusal(
    payment_fen: int, debts: Sequence[PayableDebt], designated: Sequence[Designation]
) -> DesignationRefusal | None:
    named = [wish.debt_id for wish in designated]
    if len({debt.creditor_id for debt in debts}) > 1:
        return DesignationRefusal.SEVERAL_CREDITORS
    if not set(named) <= {debt.debt_id for debt in debts}:
        return DesignationRefusal.UNKNOWN_DEBT
    if len(set(named)) < len(named):
        return DesignationRefusal.DEBT_NAMED_TWICE
    if sum(wish.amount_fen or 0 for wish in designated) > payment_fen:
        return DesignationRefusal.MORE_THAN_PAID
    return None


def _by_law(left_fen: int, paid_on: date, debts: Iterable[PayableDebt], rest: dict[str, int]) -> dict[str, int]:
    """Fill the debts in statutory order; those it does not tell apart share in proportion to what is left of each."""

    def rank(debt: PayableDebt) -> tuple[bool, Decimal, date]:
        return debt.due_on > paid_on, -debt.burden, debt.due_on

    given: dict[str, int] = {}
    for _, equal_rank in groupby(sorted(debts, key=lambda debt: (rank(debt), debt.debt_id)), key=rank):
        shares = pro_rata(left_fen, {debt.debt_id: rest[debt.debt_id] for debt in equal_rank})
        given.update(shares)
        left_fen -= sum(shares.values())
    return given


def pro_rata(amount_fen: int, owed: dict[str, int]) -> dict[str, int]:
    """Share an amount in proportion to what is owed, to the fen and never above it; what exceeds the sum is not given.

    Fen that proportion leaves over go to the largest fractions, of equal ones to the smaller key.
    """
    total = sum(owed.values())
    if amount_fen >= total:
        return dict(owed)
    shares = {key: amount_fen * fen // total for key, fen in owed.items()}
    by_fraction = sorted(owed, key=lambda key: (-(amount_fen * owed[key] % total), key))
    for key in by_fraction[: amount_fen - sum(shares.values())]:
        shares[key] += 1
    return shares
