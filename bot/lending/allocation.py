"""Which component a payment settles first. The order is data: it comes from the contract (rule M5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, Self

from bot.lending.balances import Balances, Component


class OrderOnDay(Protocol):
    """Anything that knows which order a payment of a given day follows."""

    def on(self, day: date) -> "AllocationOrder":
        """The order for a payment effective on ``day``."""
        ...


@dataclass(frozen=True, slots=True)
class AllocationOrder:
    """A named order of all four components, first one settled first.

    Raises ``ValueError`` unless every component occurs exactly once: a component left out could never be paid.
    """

    name: str
    components: tuple[Component, ...]

    def __post_init__(self) -> None:
        if len(self.components) != len(Component) or set(self.components) != set(Component):
            raise ValueError(f"allocation order {self.name!r} must name each component once: {self.components}")

    @classmethod
    def parse(cls, name: str, components: Iterable[str]) -> Self:
        """Read an order from contract data, e.g. ``["fee", "interest", "penalty", "principal"]``.

        Raises ``ValueError`` for an unknown, missing or repeated component.
        """
        return cls(name, tuple(Component(text) for text in components))

    def on(self, day: date) -> "AllocationOrder":
        """The same order, whatever the day."""
        return self


@dataclass(frozen=True, slots=True)
class DatedOrder:
    """One order until a day, another from that day on (cards: more than 90 days past due)."""

    before: AllocationOrder
    then: AllocationOrder
    then_from: date

    def on(self, day: date) -> AllocationOrder:
        """The order for a payment effective on ``day``."""
        return self.then if day >= self.then_from else self.before


CIVIL_CODE_561 = AllocationOrder(
    "civil_code_561", (Component.FEE, Component.INTEREST, Component.PENALTY, Component.PRINCIPAL)
)
"""Costs, then interest, then principal (Civil Code art. 561), used where the contract says nothing else.

Penalty interest is a kind of interest and follows the ordinary interest.
"""

PRINCIPAL_FIRST = AllocationOrder(
    "principal_first", (Component.PRINCIPAL, Component.INTEREST, Component.PENALTY, Component.FEE)
)
"""Principal first: credit cards more than 90 days past due (rule M5)."""


@dataclass(frozen=True, slots=True)
class AllocationPart:
    """Fen of one payment that settled one component; always positive."""

    component: Component
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Allocation:
    """Where a payment went: the parts and ``left_over_fen`` add up to the payment."""

    parts: tuple[AllocationPart, ...]
    left_over_fen: int

    def of(self, component: Component) -> int:
        """Fen that settled ``component``."""
        return sum(part.amount_fen for part in self.parts if part.component is component)


def allocate(payment_fen: int, balances: Balances, order: AllocationOrder) -> Allocation:
    """Settle components in ``order`` until the payment is used up or nothing is owed.

    Raises ``ValueError`` for a negative payment.
    """
    if payment_fen < 0:
        raise ValueError(f"a payment cannot be negative: {payment_fen} fen")
    left = payment_fen
    parts: list[AllocationPart] = []
    for component in order.components:
        amount = min(left, balances.of(component))
        if amount:
            parts.append(AllocationPart(component, amount))
            left -= amount
    return Allocation(tuple(parts), left)
