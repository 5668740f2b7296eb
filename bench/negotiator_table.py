"""The talk between a negotiator and an invented debtor, and the rivals that a negotiator is measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bench.debtors import Deal, Debtor, Manner

ROUNDS = 10
FIRST_DAY = 14


class Ask(StrEnum):
    """What a debtor asks for after a refusal, in the order in which they come up."""

    LOWER = "lower"
    LONGER = "longer"
    LATER = "later"
    CHEAPER = "cheaper"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A debtor's answer to plans that do not do: the ask, the instalment named in fen, the months to wait for."""

    ask: Ask
    instalment_fen: int
    wait_months: int


class Negotiator(Protocol):
    """One side of the table. An empty answer hands the debtor to a person."""

    def begin(self, debtor: Debtor) -> Sequence[Deal]:
        """The first plans, from what the debtor tells."""
        ...

    def answer(self, refusal: Refusal) -> Sequence[Deal]:
        """The next plans."""
        ...


def accepts(debtor: Debtor, deal: Deal) -> bool:
    """Whether the debtor agrees: instalment and down payment within what the debtor thinks can be borne.

    Who promises too much does not think about the down payment.
    """
    if deal.instalment_fen > debtor.limit_fen(deal.deferral_months):
        return False
    return debtor.manner is Manner.OVER_PROMISING or deal.down_payment_fen <= debtor.down_share * debtor.assets_fen


def negotiate(debtor: Debtor, negotiator: Negotiator) -> tuple[Deal | None, int]:
    """The deal, or None after ten rounds or when the negotiator gives up; and the rounds it took.

    Of several plans shown at once the debtor takes the first that will do.
    """
    shown = negotiator.begin(debtor)
    asks = tuple(Ask)
    for number in range(1, ROUNDS + 1):
        if not shown:
            return None, number
        for deal in shown:
            if accepts(debtor, deal):
                return deal, number
        wait = shown[-1].deferral_months
        named_fen = debtor.named_limit_fen(wait)
        shown = negotiator.answer(Refusal(asks[(number - 1) % len(asks)], named_fen, debtor.expects_recovery_in_months))
    return None, ROUNDS


def spread(
    owed_fen: int, discount_percent: int, down_percent: int, months: int, deferral_months: int = 0
) -> tuple[Deal, ...]:
    """A plan in whole percent of a discount and a down payment; the last instalment takes the remainder."""
    total_fen = owed_fen * (100 - discount_percent) // 100
    down_fen = total_fen * down_percent // 100
    each_fen = (total_fen - down_fen) // months
    last_fen = total_fen - down_fen - each_fen * (months - 1)
    parts = (each_fen,) * (months - 1) + (last_fen,)
    return (Deal(total_fen, down_fen, FIRST_DAY, deferral_months, parts),)


class Rigid:
    """Nothing off, 30 % down, twelve months; the same again whatever is said."""

    def begin(self, debtor: Debtor) -> Sequence[Deal]:
        self._deal = spread(debtor.owed_fen, 0, 30, 12)
        return self._deal

    def answer(self, refusal: Refusal) -> Sequence[Deal]:
        return self._deal


class Split:
    """A ladder of ten steps, from nothing off, 30 % down, 6 months to 30 % off, 5 % down, 24 months."""

    def begin(self, debtor: Debtor) -> Sequence[Deal]:
        self._owed_fen, self._step = debtor.owed_fen, 0
        return self._rung()

    def answer(self, refusal: Refusal) -> Sequence[Deal]:
        self._step += 1
        return self._rung()

    def _rung(self) -> Sequence[Deal]:
        last = ROUNDS - 1
        step = min(self._step, last)
        return spread(self._owed_fen, 30 * step // last, 30 - 25 * step // last, 6 + 18 * step // last)


class OverConceder:
    """30 % off, 5 % down, 24 months at once."""

    def begin(self, debtor: Debtor) -> Sequence[Deal]:
        self._deal = spread(debtor.owed_fen, 30, 5, 24)
        return self._deal

    def answer(self, refusal: Refusal) -> Sequence[Deal]:
        return self._deal


class Afford:
    """70 % of the surplus as told, no down payment, the least discount that fits, up to 30 %.

    Named a lower instalment, it takes that. ``longest`` months at most; with ``longest_wait`` it also waits for the
    recovery of somebody without a surplus now.
    """

    def __init__(self, longest: int = 24, longest_wait: int = 0) -> None:
        self._longest, self._longest_wait = longest, longest_wait

    def begin(self, debtor: Debtor) -> Sequence[Deal]:
        self._owed_fen, self._wait = debtor.owed_fen, 0
        surplus_fen = debtor.told_surplus_fen()
        if surplus_fen <= 0 and 0 < debtor.expects_recovery_in_months <= self._longest_wait:
            self._wait = debtor.expects_recovery_in_months
            surplus_fen = debtor.told_surplus_fen(self._wait)
        self._limit_fen = surplus_fen * 7 // 10
        return self._fitting()

    def answer(self, refusal: Refusal) -> Sequence[Deal]:
        if refusal.instalment_fen >= self._limit_fen:
            return ()
        self._limit_fen = refusal.instalment_fen
        return self._fitting()

    def _fitting(self) -> Sequence[Deal]:
        if self._limit_fen < 1:
            return ()
        for discount in range(31):
            total_fen = self._owed_fen * (100 - discount) // 100
            months = -(-total_fen // self._limit_fen)
            while months <= self._longest:
                deal = spread(self._owed_fen, discount, 0, months, self._wait)
                if deal[0].instalment_fen <= self._limit_fen:
                    return deal
                months += 1
        return ()


RIVALS: dict[str, Callable[[], Negotiator]] = {
    "rigid": Rigid,
    "split": Split,
    "over-conceder": OverConceder,
    "afford": Afford,
    "afford, wide": lambda: Afford(longest=60, longest_wait=6),
}
"""The four usual ones, and the strongest of them with the same room that our policy has: 60 months and 6 to wait."""
