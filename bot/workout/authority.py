"""Who may grant an offer: the bot within its limits, else a person, and never the person who asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import ApprovalRole


class DecisionRefusal(StrEnum):
    """Why somebody may not decide on an offer."""

    OWN_REQUEST = "own_request"
    ROLE_TOO_LOW = "role_too_low"
    OFFER_EXPIRED = "offer_expired"
    NOTHING_TO_DECIDE = "nothing_to_decide"


@dataclass(frozen=True, slots=True)
class MayDecide:
    """The decider may grant or refuse the offer."""


@dataclass(frozen=True, slots=True)
class GrantLimit:
    """What one level may grant; ``role`` None is the bot. Amounts in fen."""

    role: ApprovalRole | None
    largest_debt_fen: int
    largest_waiver_fen: int

    def covers(self, owed_fen: int, waived_fen: int) -> bool:
        """Whether this level may grant an offer that waives so much of so much owed."""
        return owed_fen <= self.largest_debt_fen and waived_fen <= self.largest_waiver_fen


def grant_limits(policy: ReliefPolicy, owed_fen: int) -> tuple[GrantLimit, ...]:
    """What the bot, an agent and a supervisor may grant on a debt of ``owed_fen``, the bot first.

    Unstated: the bot waives nothing, an agent has no more than the bot, a supervisor has all the policy allows.
    """
    bot, agent, supervisor = policy.authority.bot, policy.authority.agent, policy.authority.supervisor
    limits = [GrantLimit(None, policy.bot_authority_fen, bot.waiver_limit_fen(owed_fen) if bot else 0)]
    if agent is not None:
        limits.append(GrantLimit(ApprovalRole.AGENT, agent.largest_debt_fen, agent.waiver_limit_fen(owed_fen)))
    if supervisor is not None:
        waiver_fen = supervisor.waiver_limit_fen(owed_fen)
        limits.append(GrantLimit(ApprovalRole.SUPERVISOR, supervisor.largest_debt_fen, waiver_fen))
    else:
        limits.append(GrantLimit(ApprovalRole.SUPERVISOR, owed_fen, owed_fen))
    return tuple(limits)


def lowest_grantor(limits: Sequence[GrantLimit], owed_fen: int, waived_fen: int) -> GrantLimit | None:
    """The first level that may grant it; None if nobody at the desk may."""
    return next((limit for limit in limits if limit.covers(owed_fen, waived_fen)), None)


def may_decide(
    requester: str,
    decider: str,
    role: ApprovalRole | None,
    needs_approval: ApprovalRole | None,
    expires_on: date,
    today: date,
) -> MayDecide | DecisionRefusal:
    """Whether ``decider``, acting as ``role``, may decide on an offer that ``requester`` put forward (four eyes).

    ``role`` None is somebody with no authority over offers. ``expires_on`` is the offer's last day and ``today`` the
    day in Asia/Shanghai: an expired offer has to be computed afresh. A higher role may decide for a lower one.
    """
    if needs_approval is None:
        return DecisionRefusal.NOTHING_TO_DECIDE
    if today > expires_on:
        return DecisionRefusal.OFFER_EXPIRED
    if decider == requester:
        return DecisionRefusal.OWN_REQUEST
    if role is None or role.rank < needs_approval.rank:
        return DecisionRefusal.ROLE_TOO_LOW
    return MayDecide()
