"""Writing the demo accounts: invented people whose debts add up, as they would stand today."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.clock import SHANGHAI, business_date
from bot.lending.accrual import accrue, late_fee_fen
from bot.lending.contract import ContractTerms
from bot.lending.ledger import Entry, EntryKind, replay
from bot.lending.schedule import add_months
from bot.outreach.gate import HoldKind
from bot.services import accounts, agreements, audit, negotiation, servicing
from bot.services.contracts import contract_of
from bot.services.conversations import open_conversation
from bot.services.demo_data import (
    BorrowerData,
    DebtData,
    DemoData,
    DemoDataError,
    PlanData,
    ProductData,
    load_demo_data,
)
from bot.services.deps import Deps
from bot.services.mailboxes import register_email
from bot.store import tables
from bot.text.scripts import fold_name
from bot.workout.counter import BorrowerProposal
from bot.workout.policy import ReliefPolicy

SOURCE = "demo"
AGREED_BEFORE_FIRST_DUE = timedelta(days=20)

_Ago = Callable[[int], date]
"""The day so many days before today."""


class DemoRefusal(StrEnum):
    """Why nothing was written."""

    NOT_DEMO_MODE = "not_demo_mode"


@dataclass(frozen=True, slots=True)
class DemoReport:
    """How many rows were added; all 0 when everything was there already."""

    borrowers: int = 0
    debts: int = 0
    plans: int = 0


class DemoIdentity(NamedTuple):
    """Somebody to try the desk as: what they are asked for, and what they will find."""

    name: str
    phone: str
    id_tail: str
    situation: str


def seed(deps: Deps) -> DemoReport | DemoRefusal:
    """Write the demo accounts that are not there yet, all or nothing.

    Whoever is there stays untouched, whatever has happened to them since.

    Raises:
        bot.services.demo_data.DemoDataError: the file is wrong; names every field.

    """
    if deps.settings.mode != "demo":
        return DemoRefusal.NOT_DEMO_MODE
    data = _load(deps)
    try:
        return _seed(deps, data)
    except IntegrityError:  # another process wrote them between the look and the write: they are there now
        return _seed(deps, data)


def demo_identities(deps: Deps) -> list[DemoIdentity]:
    """Return the best three people to try the desk as; nobody outside demo mode.

    Raises:
        bot.services.demo_data.DemoDataError: the file is wrong; names every field.

    """
    if deps.settings.mode != "demo":
        return []
    ranked = sorted((p for p in _load(deps).borrowers if p.suggested), key=lambda p: p.suggested or 0)
    return [DemoIdentity(p.name, p.phone, p.id_tail, p.situation) for p in ranked[:3]]


def _load(deps: Deps) -> DemoData:
    return load_demo_data(deps.data / "demo" / "accounts.yml")


def _seed(deps: Deps, data: DemoData) -> DemoReport:
    borrowers = debts = plans = 0
    with deps.begin() as session:
        products = _products(session, data)
        for person in data.borrowers:
            known = tables.Borrower.id_number_hash == deps.vault.lookup("id_number", person.id_number)
            if session.scalar(select(tables.Borrower.id).where(known)):
                continue
            writer = _Writer(session, deps, person, products)
            writer.write()
            borrowers, debts, plans = borrowers + 1, debts + len(person.debts), plans + (person.plan is not None)
    return DemoReport(borrowers, debts, plans)


def _products(session: Session, data: DemoData) -> dict[str, tuple[ProductData, str]]:
    """Write the creditors and products that are missing; returns each product with its id, by code."""
    found: dict[str, tuple[ProductData, str]] = {}
    for creditor in data.creditors:
        row = session.scalar(select(tables.Creditor).where(tables.Creditor.name == creditor.name))
        if row is None:
            row = tables.Creditor(**creditor.model_dump(exclude={"products"}))
            session.add(row)
            session.flush()
        for product in creditor.products:
            known = session.scalar(
                select(tables.Product).where(tables.Product.creditor_id == row.id, tables.Product.name == product.name)
            )
            if known is None:
                known = tables.Product(
                    creditor_id=row.id, name=product.name, kind=product.kind.value, policy_code=product.policy_code
                )
                session.add(known)
                session.flush()
            found[product.code] = (product, known.id)
    return found


@dataclass(frozen=True, slots=True)
class _WrittenDebt:
    debt_id: str
    terms: ContractTerms
    data: DebtData


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one person, inside an open transaction."""

    session: Session
    deps: Deps
    person: BorrowerData
    products: dict[str, tuple[ProductData, str]]

    @property
    def today(self) -> date:
        return business_date(self.deps.now())

    def write(self) -> None:
        """Write the person, the debts and their ledgers, and the plan if there is one."""
        borrower_id = self._borrower()
        debts = [self._debt(borrower_id, data) for data in self.person.debts]
        if self.person.plan is None:
            for debt in debts:
                self._book(debt, self.today)
        else:
            self._plan(borrower_id, self.person.plan, debts)

    def _ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def _borrower(self) -> str:
        vault, person = self.deps.vault, self.person
        borrower = tables.Borrower(
            name_sealed=vault.seal("name", person.name),
            name_hash=vault.lookup("name", fold_name(person.name)),
            phone_sealed=vault.seal("phone", person.phone),
            phone_hash=vault.lookup("phone", person.phone),
            id_number_sealed=vault.seal("id_number", person.id_number),
            id_number_hash=vault.lookup("id_number", person.id_number),
            id_tail_hash=vault.lookup("id_tail", person.id_tail),
            deceased=person.deceased,
            notices_due_at=self.deps.now(),
            created_at=self.deps.now(),
        )
        self.session.add(borrower)
        self.session.flush()
        if person.email is not None and (refusal := register_email(self.session, self.deps, borrower, person.email)):
            raise DemoDataError(f"accounts.yml: {person.name}: email: {refusal.value}")
        audit.record(self.session, self.deps.now(), audit.SYSTEM, "demo_borrower_written", ("borrower", borrower.id))
        return borrower.id

    def _debt(self, borrower_id: str, data: DebtData) -> _WrittenDebt:
        product, product_id = self.products[data.product]
        terms = product.terms.terms(product.kind)
        signed_on = self._ago(data.signed_days_ago)
        contract = contract_of(terms, borrower_id, product_id, data.contract_number, signed_on)
        self.session.add(contract)
        self.session.flush()
        demanded, disputed = data.last_demand_days_ago, data.disputed_days_ago
        debt = tables.Debt(
            contract_id=contract.id,
            borrower_id=borrower_id,
            reference=data.reference,
            due_on=self._ago(data.due_days_ago),
            last_demand_on=self._ago(demanded) if demanded is not None else None,
            limitation_known=data.limitation_known,
        )
        self.session.add(debt)
        self.session.flush()
        if disputed is not None:
            self.session.add(
                tables.Hold(
                    borrower_id=borrower_id,
                    debt_id=debt.id,
                    kind=HoldKind.DISPUTE.value,
                    placed_at=_noon(self._ago(disputed)),
                )
            )
        return _WrittenDebt(debt.id, terms, data)

    def _book(self, debt: _WrittenDebt, until: date, payments: Sequence[Entry] = ()) -> None:
        """Book everything that happened up to a day; booking a part again changes nothing."""
        for entry in _history(debt, self._ago, until, payments):
            if refusal := accounts.book(self.session, debt.debt_id, entry):
                raise DemoDataError(f"{debt.data.contract_number}: {entry.key}: {refusal.value}")
        self.session.flush()

    def _plan(self, borrower_id: str, plan: PlanData, debts: Sequence[_WrittenDebt]) -> None:
        """Let the plan come about as any other: asked for, read back and accepted, on a day in the past."""
        next_due_on = self.today + timedelta(days=plan.next_due_in_days)
        first_on = add_months(next_due_on, -plan.behind)
        agreed_on = first_on - AGREED_BEFORE_FIRST_DUE
        for debt in debts:
            self._book(debt, agreed_on)
        past = _PastDesk.of(self.deps, self.session, _noon(agreed_on))
        agreement_id = self._agree(past, borrower_id, plan, first_on)
        self._pay(agreement_id, plan, debts)
        self._settle_reminders(borrower_id)

    def _agree(self, past: _PastDesk, borrower_id: str, plan: PlanData, first_on: date) -> str:
        conversation = open_conversation(self.session, past, "web", f"demo:{self.person.phone}")
        conversation.borrower_id = borrower_id
        conversation.verified_at = conversation.last_inbound_at = past.now()
        self.session.add(
            tables.ChannelBinding(conversation_id=conversation.id, borrower_id=borrower_id, bound_at=past.now())
        )
        self.session.flush()
        chat = conversation.id
        proposal = BorrowerProposal(months=plan.months, first_on=first_on)
        opened = negotiation.open_negotiation(past, chat)
        negotiation.state_means(
            past,
            chat,
            income_fen=plan.monthly_income_fen,
            essential_fen=plan.monthly_essential_fen,
            dependants=plan.dependants,
            other_debts_fen=plan.other_debts_monthly_fen,
        )
        answer = negotiation.propose(past, chat, proposal)
        shown = agreements.read_back(past, chat)
        if isinstance(shown, agreements.AcceptRefusal):
            raise self._impossible(opened, answer, shown)
        accepted = agreements.accept(past, chat, shown.text_hash)
        if isinstance(accepted, agreements.AcceptRefusal):
            raise self._impossible(answer, accepted)
        return self.session.scalars(
            select(tables.Agreement.id).where(tables.Agreement.borrower_id == borrower_id)
        ).one()

    def _impossible(self, *answers: object) -> DemoDataError:
        return DemoDataError(f"accounts.yml: {self.person.name}: plan: not possible: {answers}")

    def _pay(self, agreement_id: str, plan: PlanData, debts: Sequence[_WrittenDebt]) -> None:
        """Book the instalments that were paid, on their days, and settle the plan with them."""
        if len(debts) != 1:
            raise DemoDataError(
                f"accounts.yml: {self.person.name}: plan: is over one debt, or nobody knows who was paid"
            )
        parts = self.session.scalars(
            select(tables.Instalment)
            .where(tables.Instalment.agreement_id == agreement_id)
            .order_by(tables.Instalment.number)
        ).all()
        paid = [_payment(f"plan:{part.number}", part.amount_fen, part.due_on) for part in parts[: plan.paid]]
        self._book(debts[0], self.today, paid)
        agreement = self.session.get_one(tables.Agreement, agreement_id)
        servicing.settle(self.session, self.deps, agreement, ageing=True)

    def _settle_reminders(self, borrower_id: str) -> None:
        """Close the notices whose day is over: nobody gets one for the past."""
        now = self.deps.now()
        over = select(tables.Reminder).where(tables.Reminder.borrower_id == borrower_id, tables.Reminder.send_at <= now)
        for reminder in self.session.scalars(over):
            reminder.state, reminder.rule, reminder.decided_at = "superseded", SOURCE, reminder.send_at


@dataclass(frozen=True, slots=True)
class _SetClock:
    instant: datetime

    def now(self) -> datetime:
        return self.instant


@dataclass(frozen=True)
class _PastDesk(Deps):
    """The desk on an earlier day, under the policies approved by then, working in a transaction that is open."""

    session: Session | None = None

    @classmethod
    def of(cls, deps: Deps, session: Session, instant: datetime) -> _PastDesk:
        kept = {field.name: getattr(deps, field.name) for field in fields(deps) if field.name != "clock"}
        return cls(**kept, clock=_SetClock(instant), session=session)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        if self.session is None:
            raise RuntimeError("a past desk works in a transaction that is open")
        yield self.session
        self.session.flush()

    @cached_property
    def policies(self) -> dict[str, ReliefPolicy]:
        """Today's policies, under a version and a day of their own: the file only knows the latest approval."""
        then = {"version": SOURCE, "approved_on": business_date(self.now()) - timedelta(days=1)}
        return {code: policy.model_copy(update=then) for code, policy in super().policies.items()}


def _history(debt: _WrittenDebt, ago: _Ago, until: date, payments: Sequence[Entry]) -> tuple[Entry, ...]:
    """Everything that happened to a debt up to a day: interest and penalty interest month by month, full months only.

    The days since are accrued by whoever looks, as for any debt.
    """
    data, terms, due_on = debt.data, debt.terms, ago(debt.data.due_days_ago)
    facts = (*_facts(data, terms, ago), *payments)
    entries = tuple(entry for entry in facts if entry.effective_on <= until)
    signed_on = ago(data.signed_days_ago)
    settled_on = ago(data.settled_days_ago) if data.settled_days_ago is not None else None
    since, months = signed_on, 1
    while (month_end := add_months(signed_on, months)) <= min(until, settled_on or until):
        entries += accrue(terms, entries, since, month_end, due_on)
        since, months = month_end, months + 1
    if settled_on is None:
        return entries
    entries += accrue(terms, entries, since, settled_on, due_on)
    owed_fen = replay(entries, terms.order_for(due_on), settled_on).total_fen
    return (*entries, _payment("settlement", owed_fen, settled_on))


def _facts(data: DebtData, terms: ContractTerms, ago: _Ago) -> Iterator[Entry]:
    for number, lent in enumerate(data.drawdowns, start=1):
        yield _entry(f"drawdown:{number}", EntryKind.DRAWDOWN, lent.amount_fen, ago(lent.days_ago))
    for number, missed in enumerate(data.missed_minimums, start=1):
        if fee_fen := late_fee_fen(terms, missed.amount_fen):
            yield _entry(f"late_fee:{number}", EntryKind.LATE_FEE, fee_fen, ago(missed.days_ago))
    for number, paid in enumerate(data.payments, start=1):
        yield _payment(f"payment:{number}", paid.amount_fen, ago(paid.days_ago))


def _payment(key: str, amount_fen: int, day: date) -> Entry:
    return _entry(key, EntryKind.PAYMENT, amount_fen, day)


def _entry(key: str, kind: EntryKind, amount_fen: int, day: date) -> Entry:
    return Entry(key=key, kind=kind, amount_fen=amount_fen, effective_on=day, booked_at=_noon(day), source=SOURCE)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=SHANGHAI)
