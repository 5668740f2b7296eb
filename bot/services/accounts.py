"""A borrower's debts, as only the verified borrower may see them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from bot.clock import business_date
from bot.lending.accrual import accrued_period
from bot.lending.balances import Balances, Component
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.late_fee import late_fee_key
from bot.lending.ledger import Entry, EntryKind, LedgerError, LedgerFault, same_body
from bot.lending.limitation import LimitationStatus, limitation_status
from bot.lending.statement import DebtStatement, statement
from bot.lending.unbooked import known_on
from bot.outreach.gate import HoldKind
from bot.services.contracts import terms_of
from bot.services.deps import Deps
from bot.services.minimum_payments import late_fees, minimums_of, minimums_of_all
from bot.services.plans_on_debts import PlansOn, plans_on_debts
from bot.services.proof import NotVerified, Purpose, Reader, RightParty, right_party
from bot.store.tables import Borrower, Contract, Debt, Hold, LedgerEntry, Product
from bot.workout.interest_stop import InterestStop, accrual_corrections, entries_with_stops
from bot.workout.promise import PaymentMade

__all__ = [
    "BookingRefusal",
    "CountedLedger",
    "DebtView",
    "NotVerified",
    "Portfolio",
    "RightParty",
    "body_hash",
    "book",
    "correct_accruals",
    "counted_ledger",
    "debt_views",
    "entry_of",
    "ledger_of",
    "lock_borrower",
    "portfolio",
    "portfolio_of",
    "right_party",
    "terms_of",
]

_NEVER = datetime.max.replace(tzinfo=UTC)

# Written once: putting a statement together takes longer than asking it, and these are asked for every notice.
_DEBTS = (
    select(Debt)
    .options(
        joinedload(Debt.contract, innerjoin=True)
        .joinedload(Contract.product, innerjoin=True)
        .joinedload(Product.creditor, innerjoin=True),
        joinedload(Debt.contract, innerjoin=True).selectinload(Contract.rate_changes),
    )
    .order_by(Debt.due_on, Debt.id)
)
_BOOKED = (
    select(LedgerEntry).where(LedgerEntry.debt_id.in_(bindparam("debt_ids", expanding=True))).order_by(LedgerEntry.id)
)
_DISPUTED = select(Hold.debt_id).where(
    Hold.debt_id.in_(bindparam("debt_ids", expanding=True)), Hold.kind == HoldKind.DISPUTE, Hold.lifted_at.is_(None)
)


class BookingRefusal(StrEnum):
    """Why an entry was not booked."""

    KEY_USED_FOR_OTHER_BODY = "key_used_for_other_body"


@dataclass(frozen=True, slots=True)
class DebtView:
    """One debt on a day. Rates are decimal fractions per year; amounts inside are fen.

    ``plan_number`` names the agreement in force that covers the debt; penalty interest and fees have then stopped, and
    interest too unless ``plan_interest_runs``.
    ``waived_on_completion_fen`` is the part of what is owed that this agreement waives once it is completed.
    """

    debt_id: str
    reference: str
    creditor_id: str
    creditor: str
    complaint_phone: str
    payment_channel: str
    product: str
    kind: ProductKind
    policy_code: str
    annual_rate: Decimal
    penalty_annual_rate: Decimal
    due_on: date
    statement: DebtStatement
    limitation: LimitationStatus
    disputed: bool
    last_payment_on: date | None
    last_payment_fen: int
    plan_number: str | None = None
    waived_on_completion_fen: int = 0
    plan_interest_runs: bool = False

    @property
    def is_open(self) -> bool:
        """Whether anything is still owed."""
        return self.statement.balances.total_fen > 0


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything a borrower owes here, as of a day in Asia/Shanghai."""

    as_of: date
    name: str
    debts: tuple[DebtView, ...]

    @property
    def open_debts(self) -> tuple[DebtView, ...]:
        """The debts on which something is owed."""
        return tuple(debt for debt in self.debts if debt.is_open)

    @property
    def total_fen(self) -> int:
        """The sum of what is owed, in fen."""
        return sum(debt.statement.balances.total_fen for debt in self.open_debts)


def portfolio(deps: Deps, conversation_id: str) -> Portfolio | NotVerified:
    """Return the debts of the verified borrower behind a conversation."""
    with deps.read() as session:
        party = right_party(session, deps, conversation_id)
        return party if isinstance(party, NotVerified) else portfolio_of(session, deps, party)


def portfolio_of(
    session: Session,
    deps: Deps,
    reader: Reader,
    as_of: date | None = None,
    accrued_until: date | None = None,
) -> Portfolio:
    """Derive the reader's debts from the ledgers as they stand at the end of ``as_of`` (default today).

    Interest is counted up to ``as_of``, or only up to ``accrued_until`` if that is earlier. On a debt under an
    agreement in force penalty interest and fees are counted up to the day of the accepted offer, and interest too,
    unless the agreement lets it run. Payments count up to ``as_of`` in any case. Inside an open transaction.
    """
    borrower_id = reader.borrower_id
    as_of = as_of or business_date(deps.now())
    borrower = session.get_one(Borrower, borrower_id)
    debts = session.scalars(_DEBTS.where(Debt.borrower_id == bindparam("borrower_id")), {"borrower_id": borrower_id})
    views = tuple(_views(session, debts.unique().all(), as_of, min(as_of, accrued_until or as_of)))
    return Portfolio(as_of, deps.vault.unseal("name", borrower.name_sealed), views)


def debt_views(session: Session, purpose: Purpose, debt_ids: Collection[str], as_of: date) -> dict[str, DebtView]:
    """Return some debts, of any borrowers, as they stand at the end of ``as_of``, by id: for work of the desk alone.

    ``tests/unit/test_firewall.py`` lists the modules that may ask; ``purpose`` says what for.
    """
    debts = session.scalars(_DEBTS.where(Debt.id.in_(debt_ids))).unique().all()
    return {view.debt_id: view for view in _views(session, debts, as_of, as_of)}


def book(session: Session, debt_id: str, entry: Entry) -> BookingRefusal | None:
    """Append an entry to a ledger. The same key with the same body is a no-op, with another body it is refused."""
    # One booking at a time for each debt: two with the same key would both find it free.
    session.scalar(select(Debt.id).where(Debt.id == debt_id).with_for_update(key_share=True))
    known = session.scalar(select(LedgerEntry).where(LedgerEntry.debt_id == debt_id, LedgerEntry.key == entry.key))
    if known is not None:
        return None if same_body(entry_of(known), entry) else BookingRefusal.KEY_USED_FOR_OTHER_BODY
    session.add(
        LedgerEntry(
            debt_id=debt_id,
            key=entry.key,
            kind=entry.kind.value,
            component=entry.component.value if entry.component else None,
            amount_fen=entry.amount_fen,
            effective_on=entry.effective_on,
            booked_at=entry.booked_at,
            source=entry.source,
            reverses=entry.reverses,
            body_hash=body_hash(entry),
        )
    )
    return None


def lock_borrower(session: Session, borrower_id: str) -> None:
    """Keep others from booking payments, judging plans or deciding notices of a borrower until the transaction ends."""
    session.scalar(select(Borrower.id).where(Borrower.id == borrower_id).with_for_update(key_share=True))


def ledger_of(session: Session, debt_id: str) -> tuple[Entry, ...]:
    """Return everything booked on a debt, oldest booking first; for debts opened already."""
    return _ledgers(session, (debt_id,))[debt_id]


def correct_accruals(session: Session, deps: Deps, debt_id: str) -> int:
    """Book what makes booked interest and late fees right again after something that counts from an earlier day.

    Days on which a plan stopped the interest are left alone. Returns how many entries were booked, 0 if all is right.
    """
    debt, now = session.get_one(Debt, debt_id), deps.now()
    today = business_date(now)
    stops = plans_on_debts(session, (debt.borrower_id,), today).get(debt_id, PlansOn()).stops
    session.flush()
    booked = ledger_of(session, debt_id)
    ends = [period[1] for entry in booked if (period := accrued_period(entry)) is not None]
    until, terms = max([today, *ends]), terms_of(debt.contract)
    # Fees first: a payment may settle them before principal. One that was never booked is counted, and not booked here.
    fees = late_fees(terms, booked, minimums_of(session, debt_id), today, stops, now)
    known = {late_fee_key(entry) for entry in booked}
    corrections = tuple(entry for entry in fees if late_fee_key(entry) in known)
    corrections += accrual_corrections(terms, (*booked, *fees), debt.due_on, until, stops, now)
    for entry in corrections:
        if book(session, debt_id, entry) is not None:
            raise LedgerError(LedgerFault.KEY_REUSED, entry.key)
    session.flush()
    return len(corrections)


@dataclass(frozen=True, slots=True)
class CountedLedger:
    """A debt's ledger as its statement of a day counts it.

    ``booked`` are the booked entries, and the late fees up to the day that are not booked yet; ``counted`` these and
    the interest accrued since, up to the day, but none for days on which a plan stopped it. ``plan_number`` names the
    agreement in force, ``stops`` are the days that plans have kept free.
    """

    terms: ContractTerms
    due_on: date
    booked: tuple[Entry, ...]
    counted: tuple[Entry, ...]
    plan_number: str | None
    stops: tuple[InterestStop, ...]

    def owed_on(self, day: date, supposed: Sequence[PaymentMade] = ()) -> Balances:
        """What is owed at the end of a later day if nothing but these payments happens until then."""
        paid = (
            Entry(f"supposed:{number}", EntryKind.PAYMENT, each.amount_fen, each.effective_on, _NEVER, "supposed")
            for number, each in enumerate(supposed)
        )
        known = known_on((*self.booked, *paid), day)
        entries = entries_with_stops(self.terms, known, self.due_on, day, self.stops)
        return statement(self.terms, entries, self.due_on, day).balances


def counted_ledger(session: Session, view: DebtView) -> CountedLedger:
    """Return what the statement of a debt is made of, on its day. Whoever has the view may see what is behind it."""
    debt, as_of = session.get_one(Debt, view.debt_id), view.statement.as_of
    terms = terms_of(debt.contract)
    plans = plans_on_debts(session, (debt.borrower_id,), as_of).get(debt.id, PlansOn())
    booked = _with_late_fees(session, debt, terms, as_of, plans.stops)
    counted = entries_with_stops(terms, booked, debt.due_on, as_of, plans.stops)
    return CountedLedger(terms, debt.due_on, booked, counted, plans.number, plans.stops)


def _views(session: Session, debts: Sequence[Debt], as_of: date, accrued_until: date) -> Iterable[DebtView]:
    """Derive some debts, in their order, from a fixed number of queries."""
    if not debts:
        return ()
    debt_ids = [debt.id for debt in debts]
    plans = plans_on_debts(session, {debt.borrower_id for debt in debts}, as_of)
    ledgers, minimums = _ledgers(session, debt_ids), minimums_of_all(session, debt_ids)
    disputed = set(session.scalars(_DISPUTED, {"debt_ids": debt_ids}))
    views = []
    for debt in debts:
        on_it, terms = plans.get(debt.id, PlansOn()), terms_of(debt.contract)
        fees = late_fees(terms, ledgers[debt.id], minimums.get(debt.id, ()), accrued_until, on_it.stops)
        booked = (*ledgers[debt.id], *fees)
        views.append(_view(debt, terms, booked, as_of, accrued_until, on_it, is_disputed=debt.id in disputed))
    return views


def _view(
    debt: Debt,
    terms: ContractTerms,
    booked: Sequence[Entry],
    as_of: date,
    accrued_until: date,
    plans: PlansOn,
    *,
    is_disputed: bool,
) -> DebtView:
    product = debt.contract.product
    payments = [e for e in booked if e.kind is EntryKind.PAYMENT and e.effective_on <= as_of]
    last = max(payments, key=lambda entry: entry.effective_on, default=None)
    due_on = debt.due_on if debt.limitation_known else None
    counted = entries_with_stops(terms, booked, debt.due_on, accrued_until, plans.stops)
    return DebtView(
        debt_id=debt.id,
        reference=debt.reference,
        creditor_id=product.creditor.id,
        creditor=product.creditor.name,
        complaint_phone=product.creditor.complaint_phone,
        payment_channel=product.creditor.payment_channel,
        product=product.name,
        kind=terms.product_kind,
        policy_code=product.policy_code,
        annual_rate=terms.annual_rate_on(as_of),
        penalty_annual_rate=terms.penalty_annual_rate_on(as_of),
        due_on=debt.due_on,
        statement=statement(terms, counted, debt.due_on, as_of),
        limitation=limitation_status(due_on, debt.last_demand_on, as_of),
        disputed=is_disputed,
        last_payment_on=last.effective_on if last else None,
        last_payment_fen=last.amount_fen if last else 0,
        plan_number=plans.number,
        waived_on_completion_fen=plans.waived_on_completion_fen,
        plan_interest_runs=plans.interest_runs,
    )


def _ledgers(session: Session, debt_ids: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
    """Everything booked on some debts, by debt, oldest booking first."""
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for row in session.scalars(_BOOKED, {"debt_ids": debt_ids}):
        found[row.debt_id].append(entry_of(row))
    return {debt_id: tuple(found[debt_id]) for debt_id in debt_ids}


def _with_late_fees(
    session: Session, debt: Debt, terms: ContractTerms, until: date, stops: Sequence[InterestStop]
) -> tuple[Entry, ...]:
    """The ledger with the late fees up to a day that are not booked yet."""
    booked = ledger_of(session, debt.id)
    return (*booked, *late_fees(terms, booked, minimums_of(session, debt.id), until, stops))


def entry_of(row: LedgerEntry) -> Entry:
    """Return a stored posting as the arithmetic knows it."""
    return Entry(
        key=row.key,
        kind=EntryKind(row.kind),
        amount_fen=row.amount_fen,
        effective_on=row.effective_on,
        booked_at=row.booked_at,
        source=row.source,
        component=Component(row.component) if row.component else None,
        reverses=row.reverses,
    )


def body_hash(entry: Entry) -> str:
    """Return the SHA-256 in hex of what two postings under one key must share."""
    body = (entry.kind, entry.amount_fen, entry.effective_on, entry.source, entry.component, entry.reverses)
    return hashlib.sha256("|".join(str(part) for part in body).encode()).hexdigest()
