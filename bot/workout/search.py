"""An exact search over the policy's grid: every plan that fits, less those that another beats in every respect.

The grid is kind, months, extent of the waiver, deferral and down payment. What is compared is what a borrower weighs:
the largest monthly burden, the total, the months to freedom, what is needed at once, and whose decision it takes.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from bot.workout.bounds import PlanBounds
from bot.workout.settlement import Settlement

Weights = tuple[int, int, int, int, int]
"""Burden, total and at once in fen, then months to freedom and approval rank, in the order of ``Candidate.weights``."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan that fits, not yet an offer. Amounts in fen; ``months`` counts the instalments."""

    source: PlanBounds | Settlement
    months: int
    burden_fen: int
    total_fen: int
    months_to_freedom: int
    at_once_fen: int
    approval_rank: int

    @property
    def weights(self) -> Weights:
        """What a borrower weighs; less is better in each place."""
        return (self.burden_fen, self.total_fen, self.months_to_freedom, self.at_once_fen, self.approval_rank)


@dataclass(frozen=True, slots=True)
class _Curve:
    """The undominated plans of one room: months to freedom rising, burden in fen falling.

    ``shared`` is what all of them have in common: total and at once in fen, and approval rank.
    """

    source: PlanBounds | Settlement
    wait_months: int
    months: tuple[int, ...]
    burdens_fen: tuple[int, ...]
    shared: tuple[int, int, int]

    def asks_no_more_than(self, other: "_Curve") -> bool:
        """Whether it asks no more in all, no more at once and nobody higher."""
        (total_fen, at_once_fen, rank), (other_total_fen, other_at_once_fen, other_rank) = self.shared, other.shared
        return total_fen <= other_total_fen and at_once_fen <= other_at_once_fen and rank <= other_rank

    def unbeaten(self, plans: Sequence[tuple[int, int]], *, also_level: bool) -> list[tuple[int, int]]:
        """Which plans (months, burden in fen) of a room no better this curve leaves standing.

        One of its plans beats another if it needs no more months and no larger burden; where both are level, only with
        ``also_level``.
        """
        ours, burdens_fen = self.months, self.burdens_fen
        if ours[0] > plans[-1][0] or burdens_fen[-1] > plans[0][1]:
            return list(plans)
        left = []
        for months, burden_fen in plans:
            place = bisect_right(ours, months) - 1
            level = place >= 0 and (ours[place], burdens_fen[place]) == (months, burden_fen)
            if place < 0 or burdens_fen[place] > burden_fen or (level and not also_level):
                left.append((months, burden_fen))
        return left

    def candidate(self, months: int, burden_fen: int) -> Candidate:
        """One of its plans."""
        total_fen, at_once_fen, approval_rank = self.shared
        count = len(self.source.payments_fen) if isinstance(self.source, Settlement) else months - self.wait_months
        return Candidate(self.source, count, burden_fen, total_fen, months, at_once_fen, approval_rank)


def frontier(rooms: Sequence[PlanBounds], settled: Sequence[Settlement]) -> tuple[Candidate, ...]:
    """Every plan with equal instalments or payments that no other one beats, in the order of the rooms.

    Of plans equal in every respect the first stays. A room is beaten as a whole only by one that asks no more in all,
    no more at once and nobody higher; inside and between rooms, plans are then compared by months and burden.
    """
    curves = [curve for curve in (*map(_of_room, rooms), *map(_of_settlement, settled)) if curve.months]
    kept: list[Candidate] = []
    for place, curve in enumerate(curves):
        plans = list(zip(curve.months, curve.burdens_fen, strict=True))
        for rank, rival in enumerate(curves):
            if rank != place and plans and rival.asks_no_more_than(curve):
                # Of two rooms alike, the later one has to be better to win.
                plans = rival.unbeaten(plans, also_level=rival.shared != curve.shared or rank < place)
        kept += [curve.candidate(months, burden_fen) for months, burden_fen in plans]
    return tuple(kept)


def _of_room(room: PlanBounds) -> _Curve:
    months: list[int] = []
    burdens_fen: list[int] = []
    wait = room.deferral_months
    for count, burden_fen in room.equal_burdens():
        if not burdens_fen or burden_fen < burdens_fen[-1]:
            months.append(wait + count)
            burdens_fen.append(burden_fen)
    rank = room.needs_approval.rank if room.needs_approval else 0
    return _Curve(room, wait, tuple(months), tuple(burdens_fen), (room.total_fen, room.down_payment_fen, rank))


def _of_settlement(option: Settlement) -> _Curve:
    rank = option.level.needs_approval.rank if option.level.needs_approval else 0
    shared = (option.level.total_fen, option.at_once_fen, rank)
    return _Curve(option, 0, (option.months_to_freedom,), (option.burden_fen,), shared)
