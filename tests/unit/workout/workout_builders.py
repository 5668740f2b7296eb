"""Short ways to say what a negotiation test is about. Amounts in fen unless the name says yuan."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from bot.lending.balances import Balances, Component
from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.limitation import LimitationStatus
from bot.workout.affordability import Affordability
from bot.workout.offer import OfferKind
from bot.workout.offers import DebtPosition, Offer, OfferRequest
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import Authority, RoleLimit, SettlementTerms, WaiverLimit

AS_OF = date(2026, 11, 21)


def policy(**changes: object) -> ReliefPolicy:
    """A card policy without waivers: 3 to 24 months, ¥100 at least, half of the surplus at most."""
    no_waiver = dict.fromkeys(DelinquencyBucket, Decimal(0))
    plain: dict[str, object] = {
        "code": "test_relief",
        "version": "1",
        "product_kind": ProductKind.CREDIT_CARD,
        "eligible_buckets": tuple(bucket for bucket in DelinquencyBucket if bucket is not DelinquencyBucket.CURRENT),
        "min_months": 3,
        "max_months": 24,
        "month_choices": (6, 12, 18),
        "minimum_instalment_fen": 100_00,
        "down_payment_percent": Decimal(0),
        "penalty_waiver_percent": no_waiver,
        "fee_waiver_percent": no_waiver,
        "conditional_on_completion": True,
        "interest_during_plan": False,
        "first_due_within_days": 45,
        "offer_valid_days": 7,
        "surplus_share_max": Decimal("0.5"),
        "bot_authority_fen": 100_000_00,
        "authority": {"bot": {"largest_waiver_fen": 100_000_00, "largest_waiver_percent": Decimal(100)}},
        "approved_by": "tester",
        "approved_on": date(2026, 11, 1),
    }
    return ReliefPolicy.model_validate({**plain, **changes})


def percent(value: int) -> dict[DelinquencyBucket, Decimal]:
    return dict.fromkeys(DelinquencyBucket, Decimal(value))


def role_limits(bot: int = 0, agent: int = 0, supervisor: int = 0, largest_debt_fen: int = 100_000_00) -> Authority:
    """Waivers in fen that each may grant; people may decide on the same debts."""

    def limit(waiver_fen: int) -> RoleLimit:
        return RoleLimit(
            largest_debt_fen=largest_debt_fen, largest_waiver_fen=waiver_fen, largest_waiver_percent=Decimal(100)
        )

    return Authority(
        bot=WaiverLimit(largest_waiver_fen=bot, largest_waiver_percent=Decimal(100)),
        agent=limit(agent),
        supervisor=limit(supervisor),
    )


def settlement(**changes: object) -> SettlementTerms:
    """Late debts may be settled for the principal, in one payment within 30 days."""
    plain: dict[str, object] = {
        "buckets": (DelinquencyBucket.DPD_91_180, DelinquencyBucket.DPD_181_PLUS),
        "penalty_percent": Decimal(100),
        "fee_percent": Decimal(100),
        "interest_percent": Decimal(100),
        "days_to_pay": 30,
        "minimum_days_past_due": 91,
    }
    return SettlementTerms.model_validate({**plain, **changes})


def debt(
    principal_fen: int = 12_000_00,
    penalty_fen: int = 0,
    fee_fen: int = 0,
    days_past_due: int = 100,
    limitation: LimitationStatus = LimitationStatus.RUNNING,
    debt_id: str = "card-1",
    product_kind: ProductKind = ProductKind.CREDIT_CARD,
    interest_fen: int = 0,
    running_annual_rate: Decimal | None = None,
) -> DebtPosition:
    balances = Balances(
        principal_fen=principal_fen, interest_fen=interest_fen, penalty_fen=penalty_fen, fee_fen=fee_fen
    )
    return DebtPosition(debt_id, product_kind, balances, days_past_due, limitation, running_annual_rate)


def request(
    *debts: DebtPosition,
    surplus_fen: int = 4_000_00,
    rules: ReliefPolicy | None = None,
    pay_day: int | None = 15,
    history: tuple[Offer, ...] = (),
    on_hold: bool = False,
    available_now_fen: int = 0,
    as_of: date = AS_OF,
) -> OfferRequest:
    """By default ¥12,000 owed and ¥2,000 a month within reach."""
    return OfferRequest(
        debts=debts or (debt(),),
        affordability=Affordability(3_000_00 + max(surplus_fen, 0), 3_000_00 - min(surplus_fen, 0)),
        policy=rules or policy(),
        as_of=as_of,
        pay_day=pay_day,
        history=history,
        on_hold=on_hold,
        available_now_fen=available_now_fen,
    )


def everything(asked: OfferRequest) -> OfferRequest:
    """The same request from a caller that can agree every kind of offer and every waiver."""
    return replace(asked, kinds=frozenset(OfferKind), waivable=frozenset(Component))
