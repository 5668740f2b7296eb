"""Many payments at once: those whose booking cannot touch anything else, read and written set by set.

Most payments of a file lower one debt and have no other effect. For these the questions that
``bot.services.payments`` asks one by one are answered from a few queries for the whole batch. Whatever might need more
(a plan in force, a payment being looked for, interest or a late fee booked for later days, a debt that may be closed)
is left to be booked by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.accrual import period_of
from bot.lending.ledger import EntryKind
from bot.lending.surely import Move, move_sign, never_in_credit, surely_open
from bot.services import audit, minimum_payments, notices_due
from bot.services.accounts import body_hash
from bot.services.deps import Deps
from bot.services.payments import Booked, IncomingPayment, Outcome, Rejected, RejectReason, Repeated, entry_for
from bot.store.base import new_id
from bot.store.many import among, insert_all
from bot.store.tables import Agreement, AuditEntry, Borrower, Contract, Debt, LedgerEntry, Payment, PaymentTrace

_ASKED_AT_ONCE = 5_000
"""Values in one query, well below what either database takes."""

_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Account:
    """What a batch has to know of one debt.

    ``settled_until`` is the last day for which interest or a late fee has been booked that a payment could change.
    """

    debt_id: str
    borrower_id: str
    reference: str
    moves: list[Move] = field(default_factory=list)
    first_lent_on: date | None = None
    settled_until: date = date.min

    def surely_takes(self, payment: IncomingPayment) -> bool:
        """Whether the debt is open the day before, and this payment leaves no credit on any day."""
        day_before = payment.paid_on - timedelta(days=1)
        is_open = self.first_lent_on == payment.paid_on or surely_open(self.moves, day_before)
        return is_open and never_in_credit([*self.moves, (payment.paid_on, -payment.amount_fen)])


class PaymentBatch:
    """Payments to be booked together, inside one open transaction."""

    def __init__(self, session: Session, deps: Deps, payments: Sequence[IncomingPayment]) -> None:
        self._session = session
        self._now = deps.now()
        self._today = business_date(self._now)
        self._payments = payments
        self._by_number = self._named()
        self._borrowers = frozenset(account.borrower_id for same in self._by_number.values() for account in same)
        self._lock()
        self._known = self._known_bodies()
        self._taken: set[tuple[str, str]] = set()
        self._fill({account.debt_id: account for same in self._by_number.values() for account in same})
        self._alone = self._borrowers_with_more()

    def book(self) -> list[Outcome | None]:
        """Book what can be booked together; None for what has to be booked by itself, later and in this order.

        Once one payment of a borrower is left, so are all that follow it: their order decides what is rejected.
        """
        entries: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        records: list[dict[str, Any]] = []
        outcomes: list[Outcome | None] = []
        changed: set[str] = set()
        left_ids: set[tuple[str, str]] = set()
        for payment in self._payments:
            number = (payment.source, payment.payment_id)
            account = self._account(payment.reference)
            outcome = None if number in left_ids else self._judge(payment, account)
            outcomes.append(outcome)
            if outcome is None:
                left_ids.add(number)
                if isinstance(account, _Account):
                    self._alone.add(account.borrower_id)
            elif isinstance(outcome, Booked) and isinstance(account, _Account):
                self._note(payment, account)
                changed.add(account.borrower_id)
                entries.append(self._entry_row(payment, account))
                rows.append(self._payment_row(payment, account))
                subject = ("debt", account.debt_id)
                records.append(
                    audit.entry_row(self._now, audit.SYSTEM, "payment_booked", subject, source=payment.source)
                )
        for some in _in_parts(changed):
            notices_due.touch_all(self._session, some, self._now)
        for table, values in ((LedgerEntry, entries), (Payment, rows), (AuditEntry, records)):
            insert_all(self._session, table, values)
        return outcomes

    def _judge(self, payment: IncomingPayment, account: _Account | Rejected) -> Outcome | None:
        known = self._known.get((payment.source, payment.payment_id))
        if known is not None:
            same = known == payment.body_hash
            return Repeated() if same else Rejected(RejectReason.ID_USED_FOR_OTHER_PAYMENT)
        if isinstance(account, Rejected):
            return account
        if account.borrower_id in self._alone:
            return None
        if (account.borrower_id, payment.ledger_key) in self._taken:
            return Rejected(RejectReason.ID_USED_FOR_OTHER_PAYMENT)
        if payment.paid_on > self._today:
            return Rejected(RejectReason.DAY_AHEAD)
        if account.first_lent_on is None or payment.paid_on < account.first_lent_on:
            return Rejected(RejectReason.BEFORE_DRAWDOWN)
        if payment.paid_on < account.settled_until or not account.surely_takes(payment):
            return None
        return Booked()

    def _note(self, payment: IncomingPayment, account: _Account) -> None:
        account.moves.append((payment.paid_on, -payment.amount_fen))
        self._known[payment.source, payment.payment_id] = payment.body_hash
        self._taken.add((account.borrower_id, payment.ledger_key))

    def _entry_row(self, payment: IncomingPayment, account: _Account) -> dict[str, Any]:
        entry = entry_for(payment, payment.amount_fen, self._now)
        return {
            "debt_id": account.debt_id,
            "key": entry.key,
            "kind": entry.kind.value,
            "component": None,
            "amount_fen": entry.amount_fen,
            "effective_on": entry.effective_on,
            "booked_at": entry.booked_at,
            "source": entry.source,
            "reverses": None,
            "body_hash": body_hash(entry),
        }

    def _payment_row(self, payment: IncomingPayment, account: _Account) -> dict[str, Any]:
        return {
            "id": new_id(),
            "source": payment.source,
            "payment_id": payment.payment_id,
            "body_hash": payment.body_hash,
            "debt_id": account.debt_id,
            "amount_fen": payment.amount_fen,
            "paid_on": payment.paid_on,
            "ledger_key": payment.ledger_key,
            "received_at": self._now,
        }

    def _account(self, reference: str) -> _Account | Rejected:
        """The one debt that a reference names, as ``bot.services.payments`` reads references."""
        found = self._by_number.get(reference, [])
        if not found:
            number, _, own = reference.rpartition("/")
            found = [account for account in self._by_number.get(number, []) if number and account.reference == own]
        if not found:
            return Rejected(RejectReason.UNKNOWN_REFERENCE)
        return found[0] if len(found) == 1 else Rejected(RejectReason.SEVERAL_DEBTS)

    def _named(self) -> dict[str, list[_Account]]:
        """Every debt of the contracts that the references can mean, by contract number."""
        numbers = {payment.reference for payment in self._payments}
        numbers |= {reference.rpartition("/")[0] for reference in numbers}
        found: dict[str, list[_Account]] = {}
        for some in _in_parts(numbers):
            named = select(Contract.number, Debt.id, Debt.borrower_id, Debt.reference)
            rows = self._session.execute(
                named.join(Debt, Debt.contract_id == Contract.id).where(among(self._session, Contract.number, some))
            )
            for number, debt_id, borrower_id, reference in rows:
                found.setdefault(number, []).append(_Account(debt_id, borrower_id, reference))
        return found

    def _lock(self) -> None:
        """Keep others from booking for these borrowers; always in the same order, so that no two wait in a circle."""
        for some in _in_parts(self._borrowers):
            locked = select(Borrower.id).where(among(self._session, Borrower.id, some)).order_by(Borrower.id)
            self._session.execute(locked.with_for_update(key_share=True)).all()

    def _known_bodies(self) -> dict[tuple[str, str], str]:
        """The payments of the batch that are on record already, by source and number, with what tells them apart."""
        numbers: dict[str, set[str]] = {}
        for payment in self._payments:
            numbers.setdefault(payment.source, set()).add(payment.payment_id)
        found: dict[tuple[str, str], str] = {}
        # Source by source: SQLite finds no index for a list of pairs.
        for source, ids in numbers.items():
            for some in _in_parts(ids):
                same = select(Payment.payment_id, Payment.body_hash).where(Payment.source == source)
                rows = self._session.execute(same.where(among(self._session, Payment.payment_id, some)))
                found.update(((source, payment_id), body) for payment_id, body in rows)
        return found

    def _fill(self, accounts: dict[str, _Account]) -> None:
        """Read the ledgers of all the borrowers' debts: a number is used once for each borrower, not for each debt."""
        owners: dict[str, str] = {}
        for some in _in_parts(self._borrowers):
            rows = self._session.execute(
                select(Debt.id, Debt.borrower_id).where(among(self._session, Debt.borrower_id, some))
            )
            owners.update((debt_id, borrower_id) for debt_id, borrower_id in rows)
        for some in _in_parts(owners):
            ledger = self._session.execute(_LEDGER.where(among(self._session, LedgerEntry.debt_id, some))).all()
            undone = {(debt_id, reverses) for debt_id, _, _, _, _, reverses in ledger if reverses is not None}
            for debt_id, key, kind, amount_fen, day, _ in ledger:
                self._taken.add((owners[debt_id], key))
                if (account := accounts.get(debt_id)) is not None:
                    is_undone = (debt_id, key) in undone
                    _take_in(account, EntryKind(kind), key, amount_fen, day, is_undone=is_undone)
        for some in _in_parts(accounts):
            for debt_id, day in minimum_payments.settled_until(self._session, some, self._today).items():
                accounts[debt_id].settled_until = max(accounts[debt_id].settled_until, day)

    def _borrowers_with_more(self) -> set[str]:
        """Borrowers whose payments have further effects: a plan in force, or a payment being looked for."""
        found: set[str] = set()
        for some in _in_parts(self._borrowers):
            plans = select(Agreement.borrower_id).where(
                among(self._session, Agreement.borrower_id, some), Agreement.state == "in_force"
            )
            sought = select(PaymentTrace.borrower_id).where(
                among(self._session, PaymentTrace.borrower_id, some), PaymentTrace.state == "open"
            )
            found |= set(self._session.scalars(plans)) | set(self._session.scalars(sought))
        return found


_LEDGER = select(
    LedgerEntry.debt_id,
    LedgerEntry.key,
    LedgerEntry.kind,
    LedgerEntry.amount_fen,
    LedgerEntry.effective_on,
    LedgerEntry.reverses,
)


def _take_in(account: _Account, kind: EntryKind, key: str, amount_fen: int, day: date, *, is_undone: bool) -> None:
    """Note one posting."""
    if kind is EntryKind.DRAWDOWN:
        account.first_lent_on = min(account.first_lent_on or day, day)
    if sign := move_sign(kind, is_undone=is_undone):
        account.moves.append((day, sign * amount_fen))
    elif (period := period_of(kind, key)) is not None:
        account.settled_until = max(account.settled_until, period[1])


def _in_parts(values: Collection[_Value]) -> Iterator[list[_Value]]:
    """The values in lists short enough for one query."""
    ordered = list(values)
    for start in range(0, len(ordered), _ASKED_AT_ONCE):
        yield ordered[start : start + _ASKED_AT_ONCE]
