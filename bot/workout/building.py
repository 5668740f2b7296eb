"""Putting an offer together: id, expiry, what it waives, what interest it stops, whose word it still needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bot.lending.money import floor_to_fen
from bot.lending.repayment import Repayment
from bot.lending.schedule import ScheduledInstalment
from bot.workout.offer import Offer, OfferKind, OfferReason, offer_id_of
from bot.workout.request import OfferRequest
from bot.workout.waivers import WaiverLevel

_DAYS_IN_YEAR = 365


@dataclass(frozen=True, slots=True)
class Draft:
    """An offer before it is put together.

    ``schedule`` and ``down_payment_fen`` together pay the level's total and, where ``repayment`` says so, the interest
    that runs.
    """

    kind: OfferKind
    level: WaiverLevel
    schedule: tuple[ScheduledInstalment, ...]
    reason: OfferReason
    round: int
    down_payment_fen: int = 0
    deferral_months: int = 0
    rank: int = 1
    repayment: Repayment | None = None


def last_day_to_accept(request: OfferRequest, first_due_on: date) -> date:
    """The last day of an offer, which is also that of its down payment: before anything else falls due."""
    valid_until = request.as_of + timedelta(days=request.policy.offer_valid_days)
    return min(valid_until, first_due_on - timedelta(days=1))


def built(request: OfferRequest, draft: Draft) -> Offer:
    """The offer of a draft. Raises ``ValueError`` if the payments are not exactly what is left to pay."""
    policy, shares = request.policy, draft.level.shares
    paid_fen = draft.down_payment_fen + sum(instalment.amount_fen for instalment in draft.schedule)
    running = draft.repayment
    total_fen = draft.level.total_fen + (running.interest_fen if running else 0)
    if paid_fen != total_fen:
        raise ValueError(f"{paid_fen} fen are paid of {total_fen} fen")
    expires_on = last_day_to_accept(request, draft.schedule[0].due_on)
    approval = draft.level.needs_approval
    version, days = (policy.code, policy.version), (request.as_of, expires_on)
    return Offer(
        offer_id=offer_id_of(version, days, shares, draft.down_payment_fen, draft.schedule, approval),
        policy_code=policy.code,
        policy_version=policy.version,
        as_of=request.as_of,
        expires_on=expires_on,
        months=len(draft.schedule),
        waived_penalty_fen=sum(share.waived_penalty_fen for share in shares),
        waived_fee_fen=sum(share.waived_fee_fen for share in shares),
        total_fen=total_fen,
        down_payment_fen=draft.down_payment_fen,
        schedule=draft.schedule,
        conditional_on_completion=policy.conditional_on_completion,
        interest_during_plan=running is not None,
        shares=shares,
        reason_code=draft.reason,
        rank=draft.rank,
        round=draft.round,
        kind=draft.kind,
        waived_interest_fen=sum(share.waived_interest_fen for share in shares),
        waived_principal_fen=sum(share.waived_principal_fen for share in shares),
        deferral_months=draft.deferral_months,
        interest_stopped_fen=running.penalty_spared_fen if running else interest_stopped_fen(request, draft.schedule),
        needs_approval=approval,
        needs_evidence=_needs_evidence(request, draft.level.waived_fen),
        plan_interest_fen=running.interest_fen if running else 0,
        principal_parts_fen=tuple(row.principal_fen for row in running.rows) if running else (),
    )


def interest_stopped_fen(request: OfferRequest, schedule: Sequence[ScheduledInstalment]) -> int:
    """Interest in fen the contracts would charge from ``as_of`` over the schedule, had the plan not stopped it.

    Principal is taken to shrink with each instalment in proportion; rounded down, so that no saving is overstated.
    0 where the rate of a debt is not known.
    """
    a_year_fen = Decimal(0)
    for debt in request.owed:
        if debt.running_annual_rate is None:
            return 0
        a_year_fen += debt.balances.principal_fen * debt.running_annual_rate
    left_fen = spread_fen = sum(instalment.amount_fen for instalment in schedule)
    since, fen_days = request.as_of, 0
    for instalment in schedule:
        fen_days += left_fen * (instalment.due_on - since).days
        left_fen -= instalment.amount_fen
        since = instalment.due_on
    return floor_to_fen(a_year_fen * fen_days / (spread_fen * _DAYS_IN_YEAR))


def last_first_due_on(request: OfferRequest) -> date:
    """The latest day on which the first instalment of a plan without a deferral may fall due."""
    return request.as_of + timedelta(days=request.policy.first_due_within_days)


def _needs_evidence(request: OfferRequest, waived_fen: int) -> bool:
    percent = request.policy.evidence_above_waiver_percent
    return percent is not None and waived_fen * 100 > request.owed_fen * percent
