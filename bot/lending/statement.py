"""What is owed on a day, and the lines it is made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from bot.lending.accrual import accrued_period
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms
from bot.lending.delinquency import DelinquencyBucket, bucket_of, days_past_due
from bot.lending.ledger import Entry, EntryKind, Posting, balances_of, effective_entries, postings


@dataclass(frozen=True, slots=True)
class StatementLine:
    """All effects of one kind of entry on one component, in signed fen: charges above 0, payments and waivers below.

    ``component`` None is the borrower's credit. For interest and penalty interest ``from_on`` and ``until_on`` are the
    first day accrued and the first day not accrued; for other kinds the first and last effective date.
    ``entry_count`` says how many entries the line sums.
    """

    component: Component | None
    kind: EntryKind
    amount_fen: int
    from_on: date
    until_on: date
    entry_count: int


@dataclass(frozen=True, slots=True)
class DebtStatement:
    """A debt at the end of ``as_of``. For each component the lines add up to its balance, to the fen.

    ``oldest_due_on`` is None when nothing is owed.
    """

    as_of: date
    balances: Balances
    days_past_due: int
    bucket: DelinquencyBucket
    oldest_due_on: date | None
    lines: tuple[StatementLine, ...]


def statement(terms: ContractTerms, entries: Iterable[Entry], due_on: date, as_of: date) -> DebtStatement:
    """Derive the statement from booked entries; interest must have been accrued up to ``as_of`` before.

    ``due_on`` is the oldest due date not yet met. Raises ``LedgerError`` for a contradictory ledger.
    """
    counted = effective_entries(entries, as_of)
    made = postings(counted, terms.order_for(due_on), as_of)
    balances = balances_of(made)
    late = days_past_due(due_on, as_of, balances.total_fen, terms.grace_days)
    return DebtStatement(
        as_of=as_of,
        balances=balances,
        days_past_due=late,
        bucket=bucket_of(late),
        oldest_due_on=due_on if balances.total_fen else None,
        lines=lines_of(made, {entry.key: entry for entry in counted}),
    )


def lines_of(made: Iterable[Posting], entries: Mapping[str, Entry]) -> tuple[StatementLine, ...]:
    """Sum postings by component and kind, in the order of those; ``entries`` are the posted ones by key."""
    groups: dict[tuple[Component | None, EntryKind], list[Posting]] = {}
    for posting in made:
        groups.setdefault((posting.component, posting.kind), []).append(posting)
    lines: list[StatementLine] = []
    for component in (*Component, None):
        for kind in EntryKind:
            group = groups.get((component, kind), [])
            amount_fen = sum(posting.amount_fen for posting in group)
            if amount_fen == 0:
                continue
            periods = [_period(posting, entries[posting.entry_key]) for posting in group]
            lines.append(
                StatementLine(
                    component=component,
                    kind=kind,
                    amount_fen=amount_fen,
                    from_on=min(period[0] for period in periods),
                    until_on=max(period[1] for period in periods),
                    entry_count=len({posting.entry_key for posting in group}),
                )
            )
    return tuple(lines)


def _period(posting: Posting, entry: Entry) -> tuple[date, date]:
    return accrued_period(entry) or (posting.effective_on, posting.effective_on)
