"""The equal instalment that pays a debt off while its interest runs (rule R4 of docs/lending.md).

One set of offers asks for it with every number of months there is, so the debt is walked through in plain numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from bot.lending.balances import Balances, Component

_COMPONENTS = tuple(Component)
_PRINCIPAL, _INTEREST = _COMPONENTS.index(Component.PRINCIPAL), _COMPONENTS.index(Component.INTEREST)
_SCALE = 1 << 20
"""One fen in the fixed-point numbers that steer the search; they decide how fast it ends, never where."""


@dataclass(frozen=True, slots=True)
class EqualPayment:
    """Instalments of one amount and a last one that is no larger, in fen."""

    count: int
    amount_fen: int
    last_fen: int

    @property
    def total_fen(self) -> int:
        """What is paid in all."""
        return self.amount_fen * (self.count - 1) + self.last_fen

    @property
    def amounts_fen(self) -> tuple[int, ...]:
        """Every instalment."""
        return (*(self.amount_fen,) * (self.count - 1), self.last_fen)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days before a payment, and the order in which it settles the components.

    Each span of days adds principal x units / divisor of interest, rounded half up by itself, given as
    (units, divisor).
    """

    spans: tuple[tuple[int, int], ...]
    order: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """A span in plain numbers: (principal x ``units`` + ``half``) // ``divisor``. The last one of a stretch pays."""

    units: int
    half: int
    divisor: int
    pays: bool
    order: tuple[int, ...]


class Stretches:
    """What the search needs to know of all stretches, worked out once for whatever is owed. There is at least one."""

    __slots__ = ("ends", "lean", "steps", "two_piles", "weights")

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        """Prepare the stretches, each of which has a span."""
        self.steps = tuple(step for stretch in stretches for step in _steps(stretch))
        self.ends = tuple(accumulate(len(stretch.spans) for stretch in stretches))
        self.two_piles = all(_PRINCIPAL in (step.order[0], step.order[-1]) for step in self.steps)
        self.lean = tuple(
            (step.units, step.half, step.divisor, step.pays, step.order[0] == _PRINCIPAL) for step in self.steps
        )
        self.weights = tuple(_weights(stretches))


class EqualPayments:
    """The equal instalments of one debt, over the first one, two, … of its stretches. Each is worked out once."""

    def __init__(self, owed: Balances, stretches: Stretches) -> None:
        """Count from what is owed before the first stretch."""
        self._owed = tuple(owed.of(component) for component in _COMPONENTS)
        self._owed_fen = sum(self._owed)
        self._stretches = stretches
        self._found: dict[int, EqualPayment | None] = {}

    def over(self, count: int) -> EqualPayment | None:
        """The smallest amount for which the last instalment is no larger; None where nothing would be left for it.

        With every instalment more the amount falls, and what is paid in all does not: whoever pays less owes more of
        every component at any later time, and so bears no less interest.
        """
        if count not in self._found:
            self._found[count] = self._smallest(count)
        return self._found[count]

    def _smallest(self, count: int) -> EqualPayment | None:
        # Less than an even part of what is owed is too little. From a first guess the excess, and how fast it falls,
        # tell the next one, until an amount is enough and the one a fen below it is not.
        low, high, high_excess = max(0, self._owed_fen - 1) // count, None, 0
        guess, weight = max(low + 1, self._extrapolated(count)), self._stretches.weights[count - 1]
        while high is None or high - low > 1:
            excess = self._excess_of_last(guess, count)
            if excess > 0:
                low = guess
                guess += max(1, excess * _SCALE // weight)
                guess = guess if high is None else min(guess, high - 1)
            else:
                high, high_excess = guess, excess
                guess = max(low + 1, guess - max(1, -excess * _SCALE // weight))
        last_fen = high + high_excess
        return EqualPayment(count, high, last_fen) if last_fen > 0 else None

    def _extrapolated(self, count: int) -> int:
        """The totals of one and two instalments fewer, carried on in a straight line; 0 where they are not known."""
        near, before = self._found.get(count - 1), self._found.get(count - 2)
        return -(-(2 * near.total_fen - before.total_fen) // count) if near and before else 0

    def _excess_of_last(self, amount_fen: int, count: int) -> int:
        """By how much the last instalment exceeds the others; it falls as they rise, below 0 once too much is paid.

        That is what is owed after so many payments of the amount.
        """
        return (self._by_piles if self._stretches.two_piles else self._by_components)(amount_fen, count)

    def _by_piles(self, amount_fen: int, count: int) -> int:
        """Where principal comes first or last, it does not matter of what the other pile is made."""
        principal_fen, left = self._owed[_PRINCIPAL], count
        charges_fen = self._owed_fen - principal_fen
        for units, half, divisor, pays, principal_first in self._stretches.lean[: self._stretches.ends[count - 1]]:
            charges_fen += (principal_fen * units + half) // divisor
            if not pays:
                continue
            left -= 1
            if principal_first:
                if principal_fen > amount_fen:
                    principal_fen -= amount_fen
                    continue
                charges_fen += principal_fen - amount_fen
                principal_fen = 0
            else:
                if charges_fen > amount_fen:
                    charges_fen -= amount_fen
                    continue
                principal_fen += charges_fen - amount_fen
                charges_fen = 0
            if principal_fen + charges_fen <= 0:
                # Nothing is owed any more, so nothing bears interest.
                return principal_fen + charges_fen - amount_fen * left
        return principal_fen + charges_fen

    def _by_components(self, amount_fen: int, count: int) -> int:
        owed, left_fen = list(self._owed), self._owed_fen
        for step in self._stretches.steps[: self._stretches.ends[count - 1]]:
            added_fen = (owed[_PRINCIPAL] * step.units + step.half) // step.divisor
            owed[_INTEREST] += added_fen
            left_fen += added_fen
            if not step.pays:
                continue
            left_fen -= amount_fen
            rest_fen = amount_fen
            for component in step.order:
                part_fen = min(rest_fen, owed[component])
                owed[component] -= part_fen
                rest_fen -= part_fen
        return left_fen


def _steps(stretch: Stretch) -> list[_Step]:
    order, last = tuple(map(_COMPONENTS.index, stretch.order)), len(stretch.spans) - 1
    return [
        _Step(2 * units, divisor, 2 * divisor, place == last, order)
        for place, (units, divisor) in enumerate(stretch.spans)
    ]


def _weights(stretches: Sequence[Stretch]) -> list[int]:
    """By how many fen, times ``_SCALE``, the last excess falls for a fen more in each of so many payments, about."""
    weights, weight = [], 0
    for stretch in stretches:
        for units, divisor in stretch.spans:
            weight += weight * units // divisor
        weight += _SCALE
        weights.append(weight)
    return weights
