"""Random accounts and loans, the same for the same number, in the oracle's own terms."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from random import Random

from day_by_day import Account, Happening, Minimum, NewRates
from pencil_repayment import Debt
from pencil_schedule import Loan

COMPONENTS = ("principal", "interest", "penalty", "fee")
EARLIEST = date(2023, 6, 1)


def random_account(number: int) -> Account:
    """An account of one to fourteen months in which much happens, often several things on one day."""
    dice = Random(number)
    first_day = EARLIEST + timedelta(days=dice.randrange(1000))
    length = dice.randint(30, 420)
    last_day = first_day + timedelta(days=length)
    busy_days = [first_day + timedelta(days=dice.randint(0, length)) for _ in range(dice.randint(3, 12))]
    due_on = dice.choice([dice.choice(busy_days), first_day + timedelta(days=dice.randint(-20, length))])
    edges = (due_on + timedelta(days=days) for days in (0, 1, 2, 4, 90, 91))
    busy_days += [day for day in edges if first_day <= day <= last_day]
    return Account(
        first_day=first_day,
        due_on=due_on,
        last_day=last_day,
        annual=random_rate(dice),
        penalty=random_rate(dice) / 2,
        day_count=dice.choice((360, 365)),
        grace_days=dice.choice((0, 0, 1, 3)),
        order=tuple(dice.sample(COMPONENTS, 4)),
        order_from_day_91=tuple(dice.sample(COMPONENTS, 4)) if dice.random() < 0.5 else (),
        late_fee_share=Fraction(dice.choice((0, 3, 5, 7)), 100),
        late_fee_floor=dice.choice((0, 1000)),
        new_rates=tuple(
            NewRates(day, random_rate(dice), random_rate(dice) / 2)
            for day in sorted(set(dice.sample(busy_days, dice.randint(0, 2))))
        ),
        booking_days=tuple(sorted({dice.choice(busy_days) + timedelta(days=dice.randint(0, 9)) for _ in range(4)})),
        happenings=(
            Happening(first_day, "drawdown", random_fen(dice, 5_000_000)),
            *(happening(dice, busy_days, last_day) for _ in range(dice.randint(0, 12))),
        ),
        minimums=random_minimums(dice, busy_days),
    )


def random_rate(dice: Random) -> Fraction:
    """Up to 36 % a year, in hundredths of a percent; often a round one, so that half a fen comes up."""
    return Fraction(dice.choice((0, 900, 1800, 3600, *(dice.randint(0, 3600) for _ in range(4)))), 10_000)


def random_fen(dice: Random, most: int) -> int:
    """Any amount, or a round one."""
    return dice.choice((dice.randint(1, most), 1000 * dice.randint(1, 1 + most // 1000)))


def happening(dice: Random, busy_days: list[date], last_day: date) -> Happening:
    what = dice.choice(("drawdown", "other_fee", "payment", "payment", "payment", "waiver"))
    fen = random_fen(dice, dice.choice((5_000, 900_000, 4_000_000)))
    day = dice.choice(busy_days)
    undone = what == "payment" and dice.random() < 0.15
    return Happening(
        day=day,
        what=what,
        fen=fen,
        waived=dice.choice(COMPONENTS) if what == "waiver" else "",
        undone_on=day + timedelta(days=dice.randint(0, (last_day - day).days + 20)) if undone else None,
    )


def random_minimums(dice: Random, busy_days: list[date]) -> tuple[Minimum, ...]:
    minimums: dict[date, Minimum] = {}
    for _ in range(dice.randint(0, 2)):
        due_on = dice.choice(busy_days)
        statement_on = due_on - timedelta(days=dice.randint(1, 40))
        minimums[due_on] = Minimum(statement_on, due_on, random_fen(dice, dice.choice((500, 500_000))))
    return tuple(minimums.values())


def random_loan(number: int) -> Loan:
    """A loan of any method, length, pay day and deferral; some are tiny, where rounding shows most."""
    dice = Random(f"loan {number}")
    count = dice.randint(1, 60)
    down_fen = dice.choice((0, 0, dice.randint(0, 200_000)))
    return Loan(
        fen=down_fen + dice.choice((count, dice.randint(count, 3 * count), dice.randint(1000, 20_000_000))),
        down_fen=down_fen,
        start=EARLIEST + timedelta(days=dice.randrange(1500)),
        count=count,
        annual=random_rate(dice),
        method=dice.choice(("interest_free", "equal_instalments", "equal_principal")),
        period=dice.choice(("actual_days", "equal_months")),
        day_count=dice.choice((360, 365)),
        deferral=dice.choice((0, 0, 1, 3, 12)),
        pay_day=dice.choice((None, 1, 15, 28, 29, 30, 31)),
    )


def random_debt(number: int) -> Debt:
    """A debt with charges on it and the dates of a plan; some are tiny, some change rates or the order on the way."""
    dice = Random(f"debt {number}")
    offered_on = EARLIEST + timedelta(days=dice.randrange(1500))
    small = dice.random() < 0.2
    owed = {"principal": dice.randint(20, 300) if small else random_fen(dice, 20_000_000)}
    owed |= {charge: dice.randint(0, 40 if small else 90_000) for charge in COMPONENTS if charge != "principal"}
    first_due_on = offered_on + timedelta(days=dice.randint(8, 100))
    count, pay_day = dice.randint(1, 24), dice.randint(1, 28)
    month = first_due_on.year * 12 + first_due_on.month - 1
    following = [date((month + ahead) // 12, (month + ahead) % 12 + 1, pay_day) for ahead in range(1, count)]
    return Debt(
        owed=tuple(owed.items()),
        offered_on=offered_on,
        contract_due_on=offered_on - timedelta(days=dice.randint(-40, 200)),
        annual=random_rate(dice),
        new_rates=tuple(
            (offered_on + timedelta(days=days), random_rate(dice))
            for days in sorted(dice.sample(range(-100, 700), dice.choice((0, 0, 1, 2))))
        ),
        day_count=dice.choice((360, 365)),
        grace_days=dice.choice((0, 1, 3)),
        order=tuple(dice.sample(COMPONENTS, 4)),
        order_from_day_91=tuple(dice.sample(COMPONENTS, 4)) if dice.random() < 0.4 else (),
        down_fen=dice.choice((0, 0, owed["principal"] // 7)),
        down_on=offered_on + timedelta(days=dice.randint(0, 7)),
        due_dates=(first_due_on, *following),
    )
