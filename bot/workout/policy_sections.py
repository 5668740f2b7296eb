"""The optional parts of a relief policy: settlement, deferral, promises, and who may grant what.

Amounts in fen, percentages 0 to 100 as ``Decimal``. Everything left out is not allowed.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.lending.balances import Balances, Component
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.money import floor_to_fen

Fen = Annotated[int, Field(strict=True, ge=0)]
Count = Annotated[int, Field(strict=True, ge=1)]
Whole = Annotated[int, Field(strict=True, ge=0)]
Percent = Annotated[Decimal, Field(ge=0, le=100)]
Buckets = Annotated[tuple[DelinquencyBucket, ...], Field(min_length=1)]

_CLOSED = ConfigDict(frozen=True, extra="forbid")


class HardshipKind(StrEnum):
    """Why somebody cannot pay for a time; a policy may open relief earlier for some kinds."""

    ILLNESS = "illness"
    JOB_LOSS = "job_loss"
    BEREAVEMENT = "bereavement"
    DISASTER = "disaster"
    INCOME_CUT = "income_cut"
    OTHER = "other"


class ApprovalRole(StrEnum):
    """A person's role towards an offer, the lower first."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"

    @property
    def rank(self) -> int:
        """1 for an agent, 2 for a supervisor; the bot itself is 0."""
        return 1 + list(ApprovalRole).index(self)


class SettlementTerms(BaseModel):
    """Closing a debt for less than is owed, in one payment or few.

    The percentages are the most of each component that may be forgiven; principal only where it is stated. The first
    payment is due within ``days_to_pay`` days, further ones monthly, at most ``max_payments`` in all.
    """

    model_config = _CLOSED

    buckets: Buckets
    penalty_percent: Percent
    fee_percent: Percent
    interest_percent: Percent
    principal_percent: Percent = Decimal(0)
    days_to_pay: Count
    minimum_days_past_due: Whole
    max_payments: Annotated[int, Field(strict=True, ge=1, le=6)] = 1

    def ceiling_fen(self, component: Component, balances: Balances) -> int:
        """The most of a component that a settlement may forgive, in fen, rounded down."""
        percent = {
            Component.PENALTY: self.penalty_percent,
            Component.FEE: self.fee_percent,
            Component.INTEREST: self.interest_percent,
            Component.PRINCIPAL: self.principal_percent,
        }[component]
        return floor_to_fen(balances.of(component) * percent / 100)


class DeferralTerms(BaseModel):
    """Months without an instalment before a plan begins, and how often one borrower may have them.

    With ``reserve_percent`` a plan begins only once savings reach that part of a month's essential spending, as far as
    ``max_months`` lets it: who starts with nothing put by breaks a plan at the first broken boiler.
    """

    model_config = _CLOSED

    max_months: Count
    max_times: Count = 1
    reserve_percent: Annotated[Decimal, Field(ge=0, le=600)] = Decimal(0)


class PromiseTerms(BaseModel):
    """Which promises to pay the bot may note: between two amounts in fen, within so many days."""

    model_config = _CLOSED

    minimum_fen: Count
    largest_fen: Count
    max_days: Count
    grace_days: Whole = 0


class WaiverLimit(BaseModel):
    """The largest waiver of one offer: in fen, and in percent of what is owed. The lower of the two binds."""

    model_config = _CLOSED

    largest_waiver_fen: Fen
    largest_waiver_percent: Percent

    def waiver_limit_fen(self, owed_fen: int) -> int:
        """The largest waiver on this much owed, in fen, rounded down."""
        return min(self.largest_waiver_fen, floor_to_fen(owed_fen * self.largest_waiver_percent / 100))


class RoleLimit(WaiverLimit):
    """What one role may grant: the largest debt in fen as well."""

    largest_debt_fen: Fen


class Authority(BaseModel):
    """Who may grant which waiver. A role left out: the bot grants none, an agent none, a supervisor any in the policy.

    The bot's largest debt is the policy's ``bot_authority_fen``.
    """

    model_config = _CLOSED

    bot: WaiverLimit | None = None
    agent: RoleLimit | None = None
    supervisor: RoleLimit | None = None
