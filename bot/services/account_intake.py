"""Accounts from the lender's core system: people, contracts, debts and the ledgers they begin with.

An account is taken whole or not at all, in one transaction. The same account again changes nothing; new contact data
are taken over; anything else that differs is refused, for terms and amounts are not changed behind a borrower's back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.clock import business_date
from bot.lending.contract import ProductKind
from bot.lending.ledger import Entry, EntryKind
from bot.services import accounts, audit, notices_due
from bot.services.account_fields import (
    FIELDS,
    REQUIRED,
    WHY,
    AccountRefusal,
    IncomingAccount,
    Refused,
    read_account,
)
from bot.services.contracts import contract_of, terms_of
from bot.services.csv_rows import FileRefusal, read_table
from bot.services.deps import Deps
from bot.services.mailboxes import register_email
from bot.store.tables import Borrower, Contract, Creditor, Debt, LedgerEntry, Product
from bot.text.scripts import fold_name

SOURCE = "account"
_OPENING = "opening:"


class Taken(StrEnum):
    """What came of an account that was taken."""

    CREATED = "created"
    UPDATED = "updated"
    REPEATED = "repeated"


class ProductsRefused(Exception):
    """A file of products cannot be used. The text names every field that is wrong."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken: the line of the file it begins on, counted from 1, and why."""

    line: int
    refused: Refused

    def __str__(self) -> str:
        where = f" {self.refused.field}" if self.refused.field else ""
        return f"line {self.line}: {self.refused.reason.value}{where}: {WHY[self.refused.reason]}"


@dataclass(slots=True)
class AccountsReport:
    """What came of a file."""

    taken: Counter[Taken] = field(default_factory=Counter)
    refused: list[RefusedRow] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Write the report for a person: counts, then one line for each refused row. No values."""
        counts = ", ".join(f"{self.taken[one]} {one.value}" for one in Taken)
        lines = [f"{self.taken.total() + len(self.refused)} rows: {counts}, {len(self.refused)} refused"]
        lines += map(str, self.refused)
        if self.ignored_columns:
            lines.append(f"columns not used: {', '.join(self.ignored_columns)}")
        return "\n".join(lines)


def receive(deps: Deps, account: IncomingAccount) -> Taken | Refused:
    """Take one account, whole or not at all."""
    try:
        return _received(deps, account)
    except IntegrityError:  # somebody else took the same one between the look and the write: it is there now
        return _received(deps, account)


def import_accounts(deps: Deps, content: bytes) -> AccountsReport | FileRefusal:
    """Take the accounts of a file, row by row. Importing it again takes what was refused and has been put right."""
    table = read_table(content, REQUIRED)
    if isinstance(table, FileRefusal):
        return table
    report = AccountsReport(ignored_columns=table.columns_besides(FIELDS))
    today = business_date(deps.now())
    for line, row in table.rows:
        if row is None:
            report.refused.append(RefusedRow(line, Refused(AccountRefusal.BAD_FIELD_COUNT)))
            continue
        read = read_account(row, today)
        outcome = read if isinstance(read, Refused) else receive(deps, read)
        if isinstance(outcome, Refused):
            report.refused.append(RefusedRow(line, outcome))
        else:
            report.taken[outcome] += 1
    return report


def _received(deps: Deps, account: IncomingAccount) -> Taken | Refused:
    with deps.begin() as session:
        outcome = _Intake(session, deps, account).take()
        if isinstance(outcome, Refused):
            session.rollback()
        return outcome


@dataclass(frozen=True, slots=True)
class _Intake:
    """One account, inside an open transaction."""

    session: Session
    deps: Deps
    account: IncomingAccount

    def take(self) -> Taken | Refused:
        product = self._product()
        if product is None:
            return Refused(AccountRefusal.UNKNOWN_PRODUCT)
        found = self._person()
        if isinstance(found, Refused):
            return found
        borrower, is_changed = found
        contract = self.session.scalar(select(Contract).where(Contract.number == self.account.contract_number))
        if contract is not None and not self._same_contract(contract, borrower, product):
            return Refused(AccountRefusal.CONTRACT_DIFFERS)
        contract = contract or self._new_contract(borrower, product)
        debt = self.session.scalar(
            select(Debt).where(Debt.contract_id == contract.id, Debt.reference == self.account.reference)
        )
        if debt is not None:
            if not self._same_debt(debt):
                return Refused(AccountRefusal.DEBT_DIFFERS)
            return Taken.UPDATED if self._demanded_since(debt) or is_changed else Taken.REPEATED
        self._new_debt(contract, borrower)
        return Taken.CREATED

    def _product(self) -> Product | None:
        return self.session.scalar(
            select(Product)
            .join(Creditor, Creditor.id == Product.creditor_id)
            .where(Creditor.name == self.account.creditor, Product.name == self.account.product)
        )

    def _person(self) -> tuple[Borrower, bool] | Refused:
        vault, account = self.deps.vault, self.account
        known = self.session.scalar(
            select(Borrower)
            .where(Borrower.id_number_hash == vault.lookup("id_number", account.id_number))
            .with_for_update(key_share=True)
        )
        phone_hash = vault.lookup("phone", account.phone)
        owner = self.session.scalar(select(Borrower.id).where(Borrower.phone_hash == phone_hash))
        if owner is not None and (known is None or owner != known.id):
            return Refused(AccountRefusal.PHONE_TAKEN)
        if known is not None and known.name_hash != vault.lookup("name", fold_name(account.name)):
            return Refused(AccountRefusal.PERSON_DIFFERS)
        borrower = known or self._new_person()
        is_changed = borrower.phone_hash != phone_hash
        if is_changed:
            borrower.phone_sealed, borrower.phone_hash = vault.seal("phone", account.phone), phone_hash
            self._record("borrower_phone_changed", ("borrower", borrower.id))
        before = vault.unseal("email", borrower.email_sealed) if borrower.email_sealed is not None else None
        if account.email is not None:
            # Given again, an address that took nothing is tried again.
            if register_email(self.session, self.deps, borrower, account.email) is not None:
                return Refused(AccountRefusal.EMAIL_REFUSED)
            if account.email != before:
                is_changed = True
                self._record("borrower_email_changed", ("borrower", borrower.id))
        return borrower, is_changed and known is not None

    def _new_person(self) -> Borrower:
        vault, account = self.deps.vault, self.account
        borrower = Borrower(
            name_sealed=vault.seal("name", account.name),
            name_hash=vault.lookup("name", fold_name(account.name)),
            phone_sealed=vault.seal("phone", account.phone),
            phone_hash=vault.lookup("phone", account.phone),
            id_number_sealed=vault.seal("id_number", account.id_number),
            id_number_hash=vault.lookup("id_number", account.id_number),
            id_tail_hash=vault.lookup("id_tail", account.id_number[-4:]),
            created_at=self.deps.now(),
        )
        self.session.add(borrower)
        self.session.flush()
        self._record("borrower_taken", ("borrower", borrower.id))
        return borrower

    def _same_contract(self, contract: Contract, borrower: Borrower, product: Product) -> bool:
        # The core system tells the terms of the first day; later rates are the desk's own record.
        stored = replace(terms_of(contract), rate_changes=())
        return (
            contract.borrower_id == borrower.id
            and contract.product_id == product.id
            and stored == self.account.terms(ProductKind(product.kind))
        )

    def _new_contract(self, borrower: Borrower, product: Product) -> Contract:
        account, terms = self.account, self.account.terms(ProductKind(product.kind))
        contract = contract_of(terms, borrower.id, product.id, account.contract_number, account.lent_on)
        self.session.add(contract)
        self.session.flush()
        return contract

    def _same_debt(self, debt: Debt) -> bool:
        booked = self.session.scalars(
            select(LedgerEntry).where(LedgerEntry.debt_id == debt.id, LedgerEntry.key.startswith(_OPENING))
        ).all()
        stored = {(row.key, row.amount_fen, row.effective_on) for row in booked}
        given = {(entry.key, entry.amount_fen, entry.effective_on) for entry in self._entries(self.deps.now())}
        return debt.due_on == self.account.due_on and stored == given

    def _demanded_since(self, debt: Debt) -> bool:
        """Take over a later demand: it interrupts limitation."""
        day = self.account.last_demand_on
        if day is None or (debt.last_demand_on is not None and day <= debt.last_demand_on):
            return False
        debt.last_demand_on = day
        self._record("debt_demand_noted", ("debt", debt.id))
        return True

    def _new_debt(self, contract: Contract, borrower: Borrower) -> None:
        now = self.deps.now()
        debt = Debt(
            contract_id=contract.id,
            borrower_id=borrower.id,
            reference=self.account.reference,
            due_on=self.account.due_on,
            last_demand_on=self.account.last_demand_on,
        )
        self.session.add(debt)
        self.session.flush()
        for entry in self._entries(now):
            accounts.book(self.session, debt.id, entry)
        notices_due.touch(self.session, borrower.id, now)
        self._record("account_taken", ("debt", debt.id))

    def _entries(self, booked_at: datetime) -> Iterator[Entry]:
        """What the ledger begins with. The keys name no days, so that interest is counted from there on as always."""
        account, opening = self.account, self.account.opening
        amounts = [(EntryKind.DRAWDOWN, account.principal_fen)]
        if opening is not None:
            amounts += [
                (EntryKind.INTEREST, opening.interest_fen),
                (EntryKind.PENALTY_INTEREST, opening.penalty_fen),
                (EntryKind.OTHER_FEE, opening.fees_fen),
            ]
        day = opening.on if opening is not None else account.lent_on
        for kind, amount_fen in amounts:
            if amount_fen:
                yield Entry(f"{_OPENING}{kind.value}", kind, amount_fen, day, booked_at.astimezone(UTC), SOURCE)

    def _record(self, event: str, subject: tuple[str, str]) -> None:
        audit.record(self.session, self.deps.now(), audit.SYSTEM, event, subject)


_Text = Annotated[str, Field(min_length=1, max_length=60)]


class _ProductFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Text
    kind: ProductKind
    policy_code: _Text


class _CreditorFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Text
    kind: Annotated[str, Field(min_length=1, max_length=30)]
    complaint_phone: Annotated[str, Field(min_length=1, max_length=30)]
    payment_channel: Annotated[str, Field(min_length=1, max_length=200)]
    products: Annotated[tuple[_ProductFile, ...], Field(min_length=1)]


class _ProductsFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    creditors: tuple[_CreditorFile, ...]


def import_products(deps: Deps, file: Path) -> tuple[int, int]:
    """Write the creditors and products of a YAML file, all or nothing; returns how many creditors and products it has.

    What is known by its name is changed to what the file says, except a product's kind, which its debts lean on.

    Raises:
        ProductsRefused: the file cannot be used.
    """
    try:
        read = _ProductsFile.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProductsRefused(f"{file.name}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)]
        raise ProductsRefused("\n".join(faults)) from None
    named = [product.policy_code for creditor in read.creditors for product in creditor.products]
    if unknown := sorted(set(named) - set(deps.policies)):
        raise ProductsRefused(f"policy_code: there is no policy {', '.join(unknown)} in data/policies")
    with deps.begin() as session:
        for creditor in read.creditors:
            _write_creditor(session, creditor)
        audit.record(session, deps.now(), audit.SYSTEM, "products_imported", ("desk", "products"), products=len(named))
    return len(read.creditors), len(named)


def _write_creditor(session: Session, given: _CreditorFile) -> None:
    row = session.scalar(select(Creditor).where(Creditor.name == given.name)) or Creditor(name=given.name)
    row.kind, row.complaint_phone, row.payment_channel = given.kind, given.complaint_phone, given.payment_channel
    session.add(row)
    session.flush()
    _write_products(session, row, given.products)


def _write_products(session: Session, creditor: Creditor, products: Iterable[_ProductFile]) -> None:
    for given in products:
        known = session.scalar(select(Product).where(Product.creditor_id == creditor.id, Product.name == given.name))
        if known is None:
            session.add(
                Product(creditor_id=creditor.id, name=given.name, kind=given.kind.value, policy_code=given.policy_code)
            )
        elif known.kind != given.kind.value:
            raise ProductsRefused(f"{given.name}: is known as {known.kind}; a new kind is a new product")
        else:
            known.policy_code = given.policy_code
    session.flush()
