"""An exact search over the policy's grid: every plan that fits, less those that another beats in every respect.

The grid is kind, months, extent of the waiver, deferral and down payment. What is compared is what a borrower weighs:
the largest monthly burden, the total, the months to freedom, what is needed at once, and whose decision it takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.workout.bounds import Burden, PlanBounds
from bot.workout.settlement import Settlement

Weights = tuple[int, int, int, int, int]
"""Burden, total and at once in fen, then months to freedom and approval rank, in the order of ``Candidate.weights``."""

_Plan = tuple[int, int, int]
"""Months to freedom, burden and total in fen."""


class Candidate(NamedTuple):
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

    The totals are all the same unless interest runs: then they rise with the months. ``shared`` is what all plans have
    in common: at once in fen, and approval rank.
    """

    source: PlanBounds | Settlement
    wait_months: int
    months: tuple[int, ...]
    burdens_fen: tuple[int, ...]
    totals_fen: tuple[int, ...]
    shared: tuple[int, int]

    @property
    def plans(self) -> list[_Plan]:
        """Its plans: months to freedom, burden and total."""
        return list(zip(self.months, self.burdens_fen, self.totals_fen, strict=True))

    def asks_no_more_than(self, other: "_Curve") -> bool:
        """Whether it asks no more at once and nobody higher, and may ask no more in all."""
        (at_once_fen, rank), (other_at_once_fen, other_rank) = self.shared, other.shared
        return at_once_fen <= other_at_once_fen and rank <= other_rank and self.totals_fen[0] <= other.totals_fen[-1]

    def unbeaten(self, plans: Sequence[_Plan], *, also_level: bool) -> list[_Plan]:
        """Which plans of a room that asks no less this curve leaves standing.

        One of its plans beats another if it needs no more months, no larger burden and no more in all; where all three
        are level, only with ``also_level``.
        """
        ours, burdens_fen, totals_fen = self.months, self.burdens_fen, self.totals_fen
        if ours[0] > plans[-1][0] or burdens_fen[-1] > plans[0][1]:
            return list(plans)
        left, in_time, count = [], -1, len(ours)
        for plan in plans:
            months, burden_fen, total_fen = plan
            while in_time + 1 < count and ours[in_time + 1] <= months:
                in_time += 1
            place = in_time
            # Of its plans that are done in time, the earlier ones ask more a month and, with interest, less in all.
            while place >= 0 and burdens_fen[place] <= burden_fen:
                if totals_fen[place] <= total_fen and (
                    also_level or (ours[place], burdens_fen[place], totals_fen[place]) != plan
                ):
                    break
                place -= 1
            else:
                left.append(plan)
        return left

    def candidate(self, plan: _Plan) -> Candidate:
        """One of its plans."""
        months, burden_fen, total_fen = plan
        at_once_fen, approval_rank = self.shared
        count = len(self.source.payments_fen) if isinstance(self.source, Settlement) else months - self.wait_months
        return Candidate(self.source, count, burden_fen, total_fen, months, at_once_fen, approval_rank)


def frontier(rooms: Sequence[PlanBounds], settled: Sequence[Settlement]) -> tuple[Candidate, ...]:
    """Every plan with equal instalments or payments that no other one beats, in the order of the rooms.

    Of plans equal in every respect the first stays. A room is beaten only by one that asks no more at once and nobody
    higher; inside and between rooms, plans are then compared by months, burden and total.
    """
    curves = [curve for curve in (*map(_of_room, rooms), *map(_of_settlement, settled)) if curve.months]
    kept: list[Candidate] = []
    for place, curve in enumerate(curves):
        plans = curve.plans
        for rank, rival in enumerate(curves):
            if rank != place and plans and rival.asks_no_more_than(curve):
                # Of two rooms alike, the later one has to be better to win.
                plans = rival.unbeaten(plans, also_level=rival.shared != curve.shared or rank < place)
        kept += map(curve.candidate, plans)
    return tuple(kept)


def _of_room(room: PlanBounds) -> _Curve:
    kept: list[Burden] = []
    for burden in room.equal_burdens():
        if not kept or burden.largest_fen < kept[-1].largest_fen:
            kept.append(burden)
    wait = room.deferral_months
    return _Curve(
        source=room,
        wait_months=wait,
        months=tuple(wait + burden.months for burden in kept),
        burdens_fen=tuple(burden.largest_fen for burden in kept),
        totals_fen=tuple(burden.total_fen for burden in kept),
        shared=(room.down_payment_fen, room.needs_approval.rank if room.needs_approval else 0),
    )


def _of_settlement(option: Settlement) -> _Curve:
    rank = option.level.needs_approval.rank if option.level.needs_approval else 0
    shared = (option.at_once_fen, rank)
    return _Curve(option, 0, (option.months_to_freedom,), (option.burden_fen,), (option.level.total_fen,), shared)
