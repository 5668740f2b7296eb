"""Our negotiator at the table: ``compute_offers`` and ``meet`` under a stated policy, with facts told or read.

The policy is generous on purpose and the same for everybody: up to 60 months; up to 6 months before the first
instalment, to recover or until a month's spending is put by; an instalment takes at most 70 % of the surplus; nothing,
half and then all of a ceiling is waived (all penalty interest, half of the interest), and the bot may grant all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from bench.debtors import Deal, Debtor
from bench.negotiator_table import FIRST_DAY, Ask, Refusal
from bot.lending.balances import Balances, Component
from bot.lending.contract import ProductKind
from bot.lending.delinquency import DelinquencyBucket
from bot.lending.limitation import LimitationStatus
from bot.lending.schedule import add_months
from bot.text.normalize import normalize_text
from bot.text.values import extract
from bot.workout.affordability import Affordability
from bot.workout.counter import BorrowerProposal, Met, Nearest, meet
from bot.workout.offers import DebtPosition, ExpectedRecovery, Offer, OfferKind, OfferRequest, compute_offers
from bot.workout.policy import ReliefPolicy
from bot.workout.policy_sections import Authority, DeferralTerms, WaiverLimit
from bot.workout.wish_reading import read_wish

AS_OF, NOW = date(2026, 11, 21), datetime(2026, 11, 21, 4, tzinfo=UTC)
LONGEST = 60
_ALL_FEN = 10**9


def benchmark_policy() -> ReliefPolicy:
    """The policy of the measurement."""
    every = tuple(DelinquencyBucket)
    return ReliefPolicy(
        code="benchmark_relief",
        version="1",
        product_kind=ProductKind.ONLINE_LOAN,
        eligible_buckets=every,
        min_months=1,
        max_months=LONGEST,
        month_choices=tuple(range(1, LONGEST + 1)),
        minimum_instalment_fen=50_00,
        down_payment_percent=Decimal(0),
        penalty_waiver_percent=dict.fromkeys(every, Decimal(100)),
        fee_waiver_percent=dict.fromkeys(every, Decimal(100)),
        interest_waiver_percent=dict.fromkeys(every, Decimal(50)),
        waiver_steps_percent=(Decimal(0), Decimal(50), Decimal(100)),
        conditional_on_completion=True,
        interest_during_plan=False,
        deferral=DeferralTerms(max_months=6, reserve_percent=Decimal(100)),
        first_due_within_days=45,
        surplus_share_max=Decimal("0.7"),
        offer_valid_days=7,
        bot_authority_fen=_ALL_FEN,
        authority=Authority(bot=WaiverLimit(largest_waiver_fen=_ALL_FEN, largest_waiver_percent=Decimal(100))),
        approved_by="benchmark",
        approved_on=date(2026, 11, 1),
    )


POLICY = benchmark_policy()


class Tone(StrEnum):
    """How the same thing is said."""

    TIDY = "tidy"
    CURT = "curt"
    ANGRY = "angry"
    PLEADING = "pleading"
    TRADITIONAL = "traditional"


_SAID = {
    Ask.LOWER: {
        Tone.TIDY: "我每个月最多能还{fen}元",
        Tone.CURT: "{fen}一个月",
        Tone.ANGRY: "一个月就{fen}元!再逼也没有!",
        Tone.PLEADING: "求求您了,每个月还{fen}行吗",
        Tone.TRADITIONAL: "我每個月最多能還{fen}元",
    },
    Ask.LONGER: {
        Tone.TIDY: "希望分60期还",
        Tone.CURT: "60期",
        Tone.ANGRY: "分60期!别的免谈",
        Tone.PLEADING: "拜托了,能让我分60期慢慢还吗",
        Tone.TRADITIONAL: "希望分60期還",
    },
    Ask.LATER: {
        Tone.TIDY: "希望延期{wait}个月再开始还",
        Tone.CURT: "缓{wait}个月",
        Tone.ANGRY: "说了要缓{wait}个月!现在没有!",
        Tone.PLEADING: "求您宽限{wait}个月好不好",
        Tone.TRADITIONAL: "希望延期{wait}個月再開始還",
    },
}


class Ours:
    """The desk's own arithmetic. With a ``tone`` every ask goes through the reading of real text."""

    def __init__(self, tone: Tone | None = None, policy: ReliefPolicy = POLICY) -> None:
        self._tone, self._policy = tone, policy
        self.shown: list[Offer] = []

    def begin(self, debtor: Debtor) -> Sequence[Deal]:
        self._request = request_of(debtor, self._policy)
        return self._next_set()

    def answer(self, refusal: Refusal) -> Sequence[Deal]:
        if refusal.ask is Ask.CHEAPER:
            return self._next_set()
        wish = self._heard(refusal)
        if wish is None:
            return self._next_set()
        answer = meet(wish, self._request)
        return self._show([answer.offer]) if isinstance(answer, Met | Nearest) else ()

    def _heard(self, refusal: Refusal) -> BorrowerProposal | None:
        # Nobody names an instalment of less than a yuan, and yuan is what people say.
        named_fen = refusal.instalment_fen // 100 * 100
        nothing_named = {Ask.LOWER: not named_fen, Ask.LATER: not refusal.wait_months}
        if nothing_named.get(refusal.ask):
            return None
        if self._tone is not None:
            said = _SAID[refusal.ask][self._tone].format(fen=named_fen // 100, wait=refusal.wait_months)
            text = normalize_text(said)
            return read_wish(extract(text, NOW), text, AS_OF)
        match refusal.ask:
            case Ask.LOWER:
                return BorrowerProposal(monthly_fen=named_fen)
            case Ask.LONGER:
                return BorrowerProposal(months=LONGEST)
            case _:
                return BorrowerProposal(first_on=add_months(AS_OF, refusal.wait_months))

    def _next_set(self) -> Sequence[Deal]:
        return self._show(compute_offers(self._request).offers)

    def _show(self, offers: Sequence[Offer]) -> Sequence[Deal]:
        self.shown += offers
        self._request = replace(self._request, history=(*self._request.history, *offers))
        return [deal_of(offer) for offer in offers]


def request_of(debtor: Debtor, policy: ReliefPolicy) -> OfferRequest:
    """What the desk knows: the debt from the ledger, the month and the savings as told."""
    # A third of what is owed beyond principal is penalty interest, the rest interest.
    beyond_fen = debtor.owed_fen - debtor.principal_fen
    penalty_fen = beyond_fen // 3
    balances = Balances(debtor.principal_fen, interest_fen=beyond_fen - penalty_fen, penalty_fen=penalty_fen)
    debt = DebtPosition(
        "debt", ProductKind.ONLINE_LOAN, balances, debtor.days_past_due, LimitationStatus.RUNNING, Decimal("0.24")
    )
    expects = debtor.expects_recovery_in_months
    return OfferRequest(
        debts=(debt,),
        affordability=_month(debtor, 0),
        policy=policy,
        as_of=AS_OF,
        savings_fen=debtor.told_assets_fen(),
        recovery=ExpectedRecovery(expects, _month(debtor, expects)) if expects else None,
        kinds=frozenset(OfferKind),
        waivable=frozenset(Component),
    )


def deal_of(offer: Offer) -> Deal:
    """An offer in the terms of the table."""
    return Deal(
        total_fen=offer.total_fen,
        down_payment_fen=offer.down_payment_fen,
        first_day=FIRST_DAY,
        deferral_months=offer.deferral_months,
        instalments_fen=tuple(part.amount_fen for part in offer.schedule),
    )


def _month(debtor: Debtor, after_months: int) -> Affordability:
    spent_fen = debtor.essential_fen + debtor.other_debts_fen
    return Affordability(
        monthly_income_fen=max(0, spent_fen + debtor.told_surplus_fen(after_months)),
        monthly_essential_fen=debtor.essential_fen,
        dependants=debtor.dependants,
        other_debts_monthly_fen=debtor.other_debts_fen,
    )
