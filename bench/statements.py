"""Statements a second, on one thread, over generated ledgers of 5, 50 and 500 entries.

Usage: python bench/statements.py [--seconds 3]

Three things are timed: a statement of booked entries; one that counts the days since the last booking first, as every
borrower's question does; and a statement opened into all its lines. A ledger holds a drawdown, then for each month its
interest as booked, two purchases, a payment and a fee, until it is full. Nothing is kept between two statements.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.lending.accrual import accrue
from bot.lending.allocation import CIVIL_CODE_561, PRINCIPAL_FIRST
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.explanation import open_statement
from bot.lending.ledger import Entry, EntryKind
from bot.lending.schedule import add_months
from bot.lending.statement import statement
from bot.lending.unbooked import entries_until

SIZES = (5, 50, 500)
FIRST_DAY = date(2016, 1, 1)
BOOKED_AT = datetime(2026, 1, 1, tzinfo=UTC)
TERMS = ContractTerms(
    product_kind=ProductKind.CREDIT_CARD,
    annual_rate=Decimal("0.1825"),
    penalty_annual_rate=Decimal("0.09"),
    day_count=365,
    late_fee_rate=Decimal("0.05"),
    late_fee_minimum_fen=1000,
    allocation=CIVIL_CODE_561,
    allocation_after_90_days=PRINCIPAL_FIRST,
)


@dataclass(frozen=True)
class Account:
    """A ledger whose interest is booked up to ten days before ``as_of``."""

    entries: tuple[Entry, ...]
    due_on: date
    as_of: date


def generated(size: int, seed: int) -> Account:
    """An account of exactly so many entries; the same for the same seed."""
    dice = Random(seed)
    entries = [Entry("drawdown:0", EntryKind.DRAWDOWN, dice.randint(500_000, 5_000_000), FIRST_DAY, BOOKED_AT, "bench")]
    month = 0
    while True:
        since, until = add_months(FIRST_DAY, month), add_months(FIRST_DAY, month + 1)
        due_on = until - timedelta(days=5)
        happened = [
            (EntryKind.DRAWDOWN, dice.randint(100, 80_000)),
            (EntryKind.DRAWDOWN, dice.randint(100, 80_000)),
            (EntryKind.PAYMENT, dice.randint(100, 200_000)),
            (EntryKind.OTHER_FEE, dice.randint(100, 3_000)),
        ]
        for place, (kind, fen) in enumerate(happened):
            day = since + timedelta(days=dice.randint(1, 25))
            entries.append(Entry(f"{kind.value}:{month}:{place}", kind, fen, day, BOOKED_AT, "bench"))
            if len(entries) == size:
                return Account(tuple(entries), due_on, until)
        for accrual in accrue(TERMS, entries, since, until, due_on):
            entries.append(accrual)
            if len(entries) == size:
                return Account(tuple(entries), due_on, until + timedelta(days=10))
        month += 1


def a_second(work: Callable[[Account], object], accounts: list[Account], seconds: float) -> float:
    """How often the work is done in a second."""
    work(accounts[0])
    done, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        work(accounts[done % len(accounts)])
        done += 1
    return done / spent


def booked(account: Account) -> object:
    return statement(TERMS, account.entries, account.due_on, account.as_of)


def with_today(account: Account) -> object:
    entries = entries_until(TERMS, account.entries, account.due_on, account.as_of)
    return statement(TERMS, entries, account.due_on, account.as_of)


def opened(account: Account) -> object:
    return open_statement(TERMS, account.entries, account.due_on, account.as_of)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3, help="for each figure")
    seconds = parser.parse_args().seconds
    print("| entries | statements/s, booked | statements/s, with interest to the day | opened into lines/s |")
    print("|---:|---:|---:|---:|")
    for size in SIZES:
        accounts = [generated(size, seed) for seed in range(20)]
        figures = [a_second(work, accounts, seconds) for work in (booked, with_today, opened)]
        print(f"| {size} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |", flush=True)


if __name__ == "__main__":
    main()
