"""How fast offers are computed: offers per second and the slow tail, one thread, no database.

Usage: python bench/negotiation.py [--requests 2000] [--seed 1] [--times 3]

Makes seeded requests of five sorts, from a plain plan under the shipped card policy to all that a policy can hold (60
months, three down payments, deferral, settlement, approval by people, history of two sets), and plans during which
interest runs. Times ``compute_offers`` and ``meet`` on each, in processor time and the least of some rounds, so that
other work on the machine counts as little as can be. Prints a table in microseconds, and the 99th percentile as a
multiple of that of the first line, which belongs to the same run; the aim is a 99th percentile within 5,000.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.lending.allocation import CIVIL_CODE_561
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.limitation import LimitationStatus
from bot.workout.affordability import Affordability
from bot.workout.counter import BorrowerProposal, meet
from bot.workout.offers import (
    DebtPosition,
    ExpectedRecovery,
    OfferKind,
    OfferRequest,
    RunningContract,
    compute_offers,
)
from bot.workout.policy import ReliefPolicy, load_policies

ROOT = Path(__file__).resolve().parent.parent
AS_OF = date(2026, 11, 21)
AIM_MICROSECONDS = 5_000
TERMS = ContractTerms(
    product_kind=ProductKind.CREDIT_CARD,
    annual_rate=Decimal("0.18"),
    penalty_annual_rate=Decimal("0.09"),
    day_count=365,
    late_fee_rate=Decimal("0.05"),
    late_fee_minimum_fen=1_000,
    allocation=CIVIL_CODE_561,
)


def a_request(chance: Random, policy: ReliefPolicy, debts: int = 1) -> OfferRequest:
    """Somebody who owes between ¥1,000 and ¥80,000 and earns between ¥2,000 and ¥15,000."""
    income_fen, due_on = chance.randrange(2_000_00, 15_000_00), AS_OF - timedelta(days=chance.randrange(1, 400))
    return OfferRequest(
        debts=tuple(
            DebtPosition(
                debt_id=f"debt-{place}",
                product_kind=policy.product_kind,
                balances=Balances(
                    principal_fen=chance.randrange(1_000_00, 80_000_00) // debts,
                    interest_fen=chance.randrange(8_000_00),
                    penalty_fen=chance.randrange(3_000_00),
                    fee_fen=chance.randrange(1_000_00),
                ),
                days_past_due=(AS_OF - due_on).days,
                limitation=LimitationStatus.RUNNING,
                running_annual_rate=Decimal("0.18"),
                contract=RunningContract(TERMS, due_on),
            )
            for place in range(debts)
        ),
        affordability=Affordability(income_fen, chance.randrange(income_fen)),
        policy=policy,
        as_of=AS_OF,
        pay_day=chance.choice([None, 5, 15, 31]),
    )


def with_everything(chance: Random, policy: ReliefPolicy) -> OfferRequest:
    """The same with every kind of offer open, money in hand and a better income ahead."""
    plain = a_request(chance, policy, debts=3)
    later = Affordability(plain.affordability.monthly_income_fen * 2, plain.affordability.monthly_essential_fen)
    return replace(
        plain,
        available_now_fen=chance.randrange(40_000_00),
        recovery=ExpectedRecovery(chance.randrange(1, 4), later),
        kinds=frozenset(OfferKind),
        waivable=frozenset(Component),
        may_seek_approval=True,
    )


def with_history(chance: Random, policy: ReliefPolicy) -> OfferRequest:
    """The same after two sets of offers."""
    request = with_everything(chance, policy)
    for _ in range(2):
        request = replace(request, history=(*request.history, *compute_offers(request).offers))
    return request


def timed(work: Callable[[OfferRequest], object], requests: Sequence[OfferRequest], times: int) -> list[float]:
    """Microseconds of each, after a warm-up: the least of so many rounds, far enough apart that nothing is kept."""
    for request in requests[:50]:
        work(request)
    took = [float("inf")] * len(requests)
    for _ in range(times):
        for place, request in enumerate(requests):
            began = time.thread_time()
            work(request)
            took[place] = min(took[place], (time.thread_time() - began) * 1e6)
    return sorted(took)


def main() -> int:
    """Measure and print; 1 if the slow tail of any sort is beyond the aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--times", type=int, default=3, help="take the least of so many rounds")
    options = parser.parse_args()
    chance = Random(options.seed)
    card = load_policies(ROOT / "data" / "policies")[ProductKind.CREDIT_CARD]
    wide = card.model_copy(update={"down_payment_choices_percent": (Decimal(10), Decimal(30))})
    running = card.model_copy(update={"interest_during_plan": True, "conditional_on_completion": False})
    sorts: dict[str, list[OfferRequest]] = {
        "one debt, plain plans": [a_request(chance, card) for _ in range(options.requests)],
        "three debts, plain plans": [a_request(chance, card, debts=3) for _ in range(options.requests)],
        "one debt, interest runs": [a_request(chance, running) for _ in range(options.requests)],
        "every kind and approval": [with_everything(chance, wide) for _ in range(options.requests)],
        "the same after two sets": [with_history(chance, wide) for _ in range(options.requests)],
    }
    wish = BorrowerProposal(monthly_fen=800_00, lump_fen=500_00)
    late, plain = False, 0.0
    print(f"{'':28}{'':>9}{'sets/s':>9}{'p50 µs':>9}{'p99 µs':>9}{'max µs':>9}{'p99 ratio':>11}")
    for name, requests in sorts.items():
        for what, work in (("offers", compute_offers), ("answer", lambda request: meet(wish, request))):
            took = timed(work, requests, options.times)
            p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
            late, plain = late or p99 > AIM_MICROSECONDS, plain or p99
            rate = len(took) / sum(took) * 1e6
            print(f"{name:28}{what:>9}{rate:>9.0f}{p50:>9.0f}{p99:>9.0f}{took[-1]:>9.0f}{p99 / plain:>11.1f}")
    return int(late)


if __name__ == "__main__":
    raise SystemExit(main())
