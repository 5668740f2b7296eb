"""How much of each debt is forgiven: the policy's ceilings, cut to what the bot or a person may grant."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.lending.balances import Component
from bot.workout.authority import GrantLimit, grant_limits
from bot.workout.offer import DebtShare, OfferKind
from bot.workout.policy_sections import ApprovalRole
from bot.workout.request import DebtPosition, OfferRequest

WAIVED_FIRST = (Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL)
"""The order in which a limited waiver is spent: what the borrower never had in hand goes first, principal last."""


@dataclass(frozen=True, slots=True)
class WaiverLevel:
    """One extent of forgiveness: the debts' shares, and the role that has to grant it (None: the bot may)."""

    shares: tuple[DebtShare, ...]
    needs_approval: ApprovalRole | None
    total_fen: int = field(init=False)
    """What is left to pay in all."""
    waived_fen: int = field(init=False)
    """What is forgiven in all."""

    def __post_init__(self) -> None:
        # Summed once: the search asks for them with every plan it looks at.
        object.__setattr__(self, "waived_fen", sum(share.waived_fen for share in self.shares))
        object.__setattr__(self, "total_fen", sum(share.owed_fen for share in self.shares) - self.waived_fen)


def spend(
    debts: tuple[DebtPosition, ...], ceiling: Callable[[DebtPosition, Component], int], limit_fen: int
) -> tuple[DebtShare, ...]:
    """Waive up to each ceiling, in fen, but no more than ``limit_fen`` in all: by component first, then by debt."""
    waived: dict[tuple[str, Component], int] = {}
    for component in WAIVED_FIRST:
        for debt in debts:
            part = min(ceiling(debt, component), limit_fen)
            waived[debt.debt_id, component] = part
            limit_fen -= part
    return tuple(
        DebtShare(
            debt_id=debt.debt_id,
            owed_fen=debt.balances.total_fen,
            waived_penalty_fen=waived[debt.debt_id, Component.PENALTY],
            waived_fee_fen=waived[debt.debt_id, Component.FEE],
            waived_interest_fen=waived[debt.debt_id, Component.INTEREST],
            waived_principal_fen=waived[debt.debt_id, Component.PRINCIPAL],
        )
        for debt in debts
    )


def usable_limits(request: OfferRequest) -> tuple[GrantLimit, ...]:
    """The levels whose authority an offer may use: the bot's, and people's where approval may be sought.

    Levels that may not decide on so large a debt at all are left out; none may be left.
    """
    owed_fen = request.owed_fen
    limits = grant_limits(request.policy, owed_fen)
    return tuple(
        limit for limit in (limits if request.may_seek_approval else limits[:1]) if owed_fen <= limit.largest_debt_fen
    )


def plan_levels(request: OfferRequest, step: int) -> tuple[WaiverLevel, ...]:
    """What a plan may waive in the ``step``-th set of offers: what the bot may grant first, the larger waiver first.

    The smaller waivers of earlier steps are among them: where the minimum instalment binds, a little more in all can
    be spread over more months. Empty where nobody may decide on so large a debt.
    """

    def extents(earlier: int) -> tuple[WaiverLevel, ...]:
        def ceiling(debt: DebtPosition, component: Component) -> int:
            if OfferKind.RELIEF not in request.kinds or component not in request.waivable:
                return 0
            return request.policy.waivable_fen(component, debt.balances, debt.bucket, earlier)

        return levels(request, ceiling)

    last = min(step, request.policy.last_step)
    found = dict.fromkeys(level for earlier in range(last, 0, -1) for level in extents(earlier))
    return tuple(sorted(found, key=lambda level: level.needs_approval.rank if level.needs_approval else 0))


def levels(request: OfferRequest, ceiling: Callable[[DebtPosition, Component], int]) -> tuple[WaiverLevel, ...]:
    """One level for each authority that allows more than the one before."""
    owed, found = request.owed, list[WaiverLevel]()
    most_fen = {(debt.debt_id, component): ceiling(debt, component) for debt in owed for component in WAIVED_FIRST}
    for limit in usable_limits(request):
        shares = spend(owed, lambda debt, component: most_fen[debt.debt_id, component], limit.largest_waiver_fen)
        level = WaiverLevel(shares, limit.role)
        if not found or level.waived_fen > found[-1].waived_fen:
            found.append(level)
    return tuple(found)
