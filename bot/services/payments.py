"""Payments from the lender: checked, divided, booked once, and everything that follows, in one transaction each.

The fields are the same in a file and over HTTP; ``docs/lending.md`` describes them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.designation import Designation, DesignationRefusal, PayableDebt, divide_payment
from bot.lending.ledger import Entry, EntryKind, LedgerError, LedgerFault
from bot.lending.money import yuan_to_fen
from bot.lending.surely import moves_of, never_in_credit, surely_open
from bot.services import audit, notice_planning, payment_traces, servicing
from bot.services.accounts import DebtView, book, correct_accruals, ledger_of, lock_borrower, portfolio_of
from bot.services.deps import Deps
from bot.services.proof import DeskWork, Purpose
from bot.store.tables import Agreement, Contract, Debt, LedgerEntry, Payment

FIELDS = ("reference", "paid_on", "amount_yuan", "payment_id", "source")
"""What is needed of a payment, all as text."""

MOST_FEN = 10_000_000_000
"""More than ¥100,000,000.00 at once is a slip."""

_AMOUNT = re.compile(r"[¥￥]?(?P<number>-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d{1,2})?)", re.ASCII)
_DAY = re.compile(r"\d{4}([-/])\d{2}\1\d{2}", re.ASCII)
_PAYMENT_ID = re.compile(r"[A-Za-z0-9._:/-]{1,64}", re.ASCII)
_SOURCE = re.compile(r"[a-z0-9_-]{1,30}", re.ASCII)
_LONGEST_REFERENCE = 60
_UNCOUNTABLE = (LedgerError, ValueError)
"""What counting a ledger raises whose entries contradict each other or its contract's terms."""

log = structlog.get_logger()


class RejectReason(StrEnum):
    """Why a payment was not booked; nothing was changed."""

    BAD_FIELD_COUNT = "bad_field_count"
    BAD_REFERENCE = "bad_reference"
    BAD_DAY = "bad_day"
    BAD_AMOUNT = "bad_amount"
    BAD_PAYMENT_ID = "bad_payment_id"
    BAD_SOURCE = "bad_source"
    NOT_POSITIVE = "not_positive"
    TOO_LARGE = "too_large"
    UNKNOWN_REFERENCE = "unknown_reference"
    SEVERAL_DEBTS = "several_debts"
    DAY_AHEAD = "day_ahead"
    BEFORE_DRAWDOWN = "before_drawdown"
    DEBT_CLOSED = "debt_closed"
    ID_USED_FOR_OTHER_PAYMENT = "id_used_for_other_payment"
    LEDGER_UNSOUND = "ledger_unsound"
    """The entries on record contradict each other; it can be sent again once that is put right."""


@dataclass(frozen=True, slots=True)
class IncomingPayment:
    """A payment as the lender reports it: ``paid_on`` is the day it counts from, in Asia/Shanghai."""

    reference: str
    paid_on: date
    amount_fen: int
    payment_id: str
    source: str

    @property
    def ledger_key(self) -> str:
        """The key of its entries in the ledgers."""
        return f"payment:{self.source}:{self.payment_id}"

    @property
    def body_hash(self) -> str:
        """SHA-256 in hex of what must be the same when the same payment is reported again."""
        body = f"{self.reference}|{self.paid_on.isoformat()}|{self.amount_fen}"
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Booked:
    """Booked just now; ``credit_fen`` of it exceed what was owed and are kept as the borrower's credit."""

    credit_fen: int = 0


@dataclass(frozen=True, slots=True)
class Repeated:
    """The very same payment had been booked before."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Not booked."""

    reason: RejectReason


Outcome = Booked | Repeated | Rejected


def read_payment(fields: Mapping[str, object]) -> IncomingPayment | Rejected:
    """Check the shape of a payment's ``FIELDS``. Total: any value gives a payment or a reason.

    ``reference`` is the contract number, with ``/`` and the debt's own reference where a contract has several debts.
    ``amount_yuan`` is exact to the fen; ¥ in front and commas between groups of three digits are read, nothing else.
    """
    texts = {name: value.strip() if isinstance(value := fields.get(name), str) else "" for name in FIELDS}
    reference = texts["reference"]
    if not reference or len(reference) > _LONGEST_REFERENCE or not reference.isprintable():
        return Rejected(RejectReason.BAD_REFERENCE)
    paid_on = _day(texts["paid_on"])
    if paid_on is None:
        return Rejected(RejectReason.BAD_DAY)
    amount_fen = _amount_fen(texts["amount_yuan"])
    if isinstance(amount_fen, Rejected):
        return amount_fen
    if not _PAYMENT_ID.fullmatch(texts["payment_id"]):
        return Rejected(RejectReason.BAD_PAYMENT_ID)
    if not _SOURCE.fullmatch(texts["source"]):
        return Rejected(RejectReason.BAD_SOURCE)
    return IncomingPayment(reference, paid_on, amount_fen, texts["payment_id"], texts["source"])


def receive(deps: Deps, payment: IncomingPayment) -> Outcome:
    """Book a payment with all that follows from it, whole or not at all, once for each source and payment id.

    Where its ledger cannot be counted it is rejected like any other that cannot be booked: those beside it go on.
    """
    try:
        try:
            return _receive(deps, payment)
        except IntegrityError:  # the same id was booked between the look and the write: it is there now
            return _receive(deps, payment)
    except _UNCOUNTABLE as error:
        return _unsound(payment, error)


def try_in(session: Session, deps: Deps, payment: IncomingPayment) -> Outcome:
    """Book a payment inside an open transaction that goes on whatever comes of it: what is rejected leaves nothing."""
    try:
        with session.begin_nested():
            return receive_in(session, deps, payment)
    except _UNCOUNTABLE as error:
        return _unsound(payment, error)


def receive_in(session: Session, deps: Deps, payment: IncomingPayment) -> Outcome:
    """Book a payment inside an open transaction.

    The instalments of the borrower's plans are settled anew, interest booked for later days is set right, a payment
    that was being looked for is found. Where a plan covers several debts, what the named one does not need goes to the
    others (Civil Code art. 560); what none needs stays on the named one as credit.
    Raises as ``bot.services.accounts.correct_accruals`` does; nothing may be kept of the transaction then.
    """
    debt = _debt(session, payment.reference)
    if isinstance(debt, Rejected):
        return _known(session, payment) or debt
    lock_borrower(session, debt.borrower_id)
    if known := _known(session, payment):
        return known
    if refused := _refused(session, deps, debt, payment):
        return Rejected(refused)
    parts = _divided(session, deps, debt, payment)
    # Counting interest takes long, and hardly any payment leaves a credit: it is counted where it may matter.
    credit_before_fen = 0 if _leaves_no_credit(session, payment, parts) else _credit_fen(session, deps, debt, parts)
    for debt_id, amount_fen in parts.items():
        entry = entry_for(payment, amount_fen, deps.now())
        if book(session, debt_id, entry) is not None:
            raise LedgerError(LedgerFault.KEY_REUSED, entry.key)
        correct_accruals(session, deps, debt_id)
    session.add(
        Payment(
            source=payment.source,
            payment_id=payment.payment_id,
            body_hash=payment.body_hash,
            debt_id=debt.id,
            amount_fen=payment.amount_fen,
            paid_on=payment.paid_on,
            ledger_key=payment.ledger_key,
            received_at=deps.now(),
        )
    )
    session.flush()
    servicing.settle_plans(session, deps, debt.borrower_id)
    payment_traces.take_up(session, deps, debt.borrower_id, payment.ledger_key)
    notice_planning.touch(session, debt.borrower_id, deps.now())
    audit.record(session, deps.now(), audit.SYSTEM, "payment_booked", ("debt", debt.id), source=payment.source)
    session.flush()
    if all(never_in_credit(moves_of(ledger_of(session, debt_id))) for debt_id in parts):
        return Booked()
    return Booked(max(_credit_fen(session, deps, debt, parts) - credit_before_fen, 0))


def _receive(deps: Deps, payment: IncomingPayment) -> Outcome:
    with deps.begin() as session:
        return receive_in(session, deps, payment)


def _unsound(payment: IncomingPayment, error: Exception) -> Rejected:
    log.error("payment_not_booked", payment=payment.ledger_key, kind=type(error).__name__, exc_info=error)
    return Rejected(RejectReason.LEDGER_UNSOUND)


def entry_for(payment: IncomingPayment, amount_fen: int, booked_at: datetime) -> Entry:
    """Return what is booked of a payment on one debt: all of it, or its part."""
    return Entry(
        key=payment.ledger_key,
        kind=EntryKind.PAYMENT,
        amount_fen=amount_fen,
        effective_on=payment.paid_on,
        booked_at=booked_at,
        source=payment.source,
    )


def _known(session: Session, payment: IncomingPayment) -> Repeated | Rejected | None:
    row = session.scalar(
        select(Payment).where(Payment.source == payment.source, Payment.payment_id == payment.payment_id)
    )
    if row is None:
        return None
    same = row.body_hash == payment.body_hash
    return Repeated() if same else Rejected(RejectReason.ID_USED_FOR_OTHER_PAYMENT)


def _debt(session: Session, reference: str) -> Debt | Rejected:
    """The one debt that a reference names. The last digits alone name none: they are not unique."""
    number, _, own = reference.rpartition("/")
    named = select(Debt).join(Contract, Contract.id == Debt.contract_id)
    found = session.scalars(named.where(Contract.number == reference)).all()
    if not found and number:
        found = session.scalars(named.where(Contract.number == number, Debt.reference == own)).all()
    if not found:
        return Rejected(RejectReason.UNKNOWN_REFERENCE)
    return found[0] if len(found) == 1 else Rejected(RejectReason.SEVERAL_DEBTS)


def _refused(session: Session, deps: Deps, debt: Debt, payment: IncomingPayment) -> RejectReason | None:
    key_taken = (
        select(LedgerEntry.id)
        .join(Debt, Debt.id == LedgerEntry.debt_id)
        .where(Debt.borrower_id == debt.borrower_id, LedgerEntry.key == payment.ledger_key)
    )
    if session.scalar(key_taken.limit(1)):
        return RejectReason.ID_USED_FOR_OTHER_PAYMENT
    if payment.paid_on > business_date(deps.now()):
        return RejectReason.DAY_AHEAD
    ledger = ledger_of(session, debt.id)
    lent = [entry.effective_on for entry in ledger if entry.kind is EntryKind.DRAWDOWN]
    if not lent or payment.paid_on < min(lent):
        return RejectReason.BEFORE_DRAWDOWN
    day_before = payment.paid_on - timedelta(days=1)
    if min(lent) < payment.paid_on and not surely_open(moves_of(ledger), day_before):
        plan = _plan_on(session, debt)
        # What the named debt does not need goes to the others of its plan.
        takers = {debt.id, *(plan.debt_ids if plan else ())}
        owed = portfolio_of(session, deps, DeskWork(debt.borrower_id, Purpose.PAYMENT), day_before)
        if not any(view.is_open for view in owed.debts if view.debt_id in takers):
            return RejectReason.DEBT_CLOSED
    return None


def _plan_on(session: Session, debt: Debt) -> Agreement | None:
    """The plan in force that covers a debt."""
    plans = session.scalars(
        select(Agreement).where(Agreement.borrower_id == debt.borrower_id, Agreement.state == "in_force")
    )
    return next((plan for plan in plans if debt.id in plan.debt_ids), None)


def _divided(session: Session, deps: Deps, debt: Debt, payment: IncomingPayment) -> dict[str, int]:
    """What each debt gets: all goes to the one that is named, unless a plan in force covers others as well."""
    whole = {debt.id: payment.amount_fen}
    plan = _plan_on(session, debt)
    if plan is None or len(plan.debt_ids) == 1:
        return whole
    owed = portfolio_of(session, deps, DeskWork(debt.borrower_id, Purpose.PAYMENT))
    covered = [_payable(view) for view in owed.debts if view.debt_id in plan.debt_ids]
    made = divide_payment(payment.amount_fen, payment.paid_on, covered, [Designation(debt.id)])
    if isinstance(made, DesignationRefusal):  # debts of several creditors, which no plan covers
        return whole
    parts = {part.debt_id: part.amount_fen for part in made.parts}
    if made.left_over_fen:
        parts[debt.id] = parts.get(debt.id, 0) + made.left_over_fen
    return parts


def _payable(view: DebtView) -> PayableDebt:
    """A debt of a plan with what the plan still asks for it."""
    return PayableDebt(
        debt_id=view.debt_id,
        creditor_id=view.creditor_id,
        owed_fen=max(view.statement.balances.total_fen - view.waived_on_completion_fen, 0),
        due_on=view.due_on,
        burden=view.annual_rate + view.penalty_annual_rate,
    )


def _leaves_no_credit(session: Session, payment: IncomingPayment, parts: Mapping[str, int]) -> bool:
    """Whether a payment surely leaves no credit on the debts it is divided over, and so whether there is none now."""
    return all(
        never_in_credit([*moves_of(ledger_of(session, debt_id)), (payment.paid_on, -amount_fen)])
        for debt_id, amount_fen in parts.items()
    )


def _credit_fen(session: Session, deps: Deps, debt: Debt, debt_ids: Collection[str]) -> int:
    owed = portfolio_of(session, deps, DeskWork(debt.borrower_id, Purpose.PAYMENT))
    return sum(view.statement.balances.credit_fen for view in owed.debts if view.debt_id in debt_ids)


def _day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None


def _amount_fen(text: str) -> int | Rejected:
    read = _AMOUNT.fullmatch(text)
    if read is None or len(text) > _LONGEST_REFERENCE:
        return Rejected(RejectReason.BAD_AMOUNT)
    amount_fen = yuan_to_fen(Decimal(read["number"].replace(",", "")))
    if amount_fen <= 0:
        return Rejected(RejectReason.NOT_POSITIVE)
    return Rejected(RejectReason.TOO_LARGE) if amount_fen > MOST_FEN else amount_fen
