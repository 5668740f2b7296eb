"""An account as the lender's core system reports it: its fields, and what each may hold. Pure.

The same fields are columns of a file and strings of a JSON object; ``docs/integration.md`` describes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from bot.lending.allocation import AllocationOrder
from bot.lending.contract import ContractTerms, ProductKind
from bot.lending.money import yuan_to_fen

REQUIRED = (
    "contract_number",
    "reference",
    "name",
    "phone",
    "id_number",
    "creditor",
    "product",
    "lent_on",
    "due_on",
    "principal_yuan",
    "annual_rate",
    "penalty_annual_rate",
)
"""What is needed of an account, all as text."""

DEFAULTS: Mapping[str, str] = {
    "email": "",
    "last_demand_on": "",
    "day_count": "360",
    "grace_days": "0",
    "late_fee_rate": "0",
    "late_fee_minimum_yuan": "0",
    "allocation": "fee>interest>penalty>principal",
    "allocation_after_90_days": "",
    "balances_on": "",
    "interest_yuan": "0",
    "penalty_yuan": "0",
    "fees_yuan": "0",
}
"""What may be left out, with what then counts."""

FIELDS = (*REQUIRED, *DEFAULTS)

_CHARGES = ("interest_yuan", "penalty_yuan", "fees_yuan")

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

_MOST_FEN = 10_000_000_000
_AMOUNT = re.compile(r"\d{1,9}(?:\.\d{1,2})?", re.ASCII)
_RATE = re.compile(r"0(?:\.\d{1,10})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CONTRACT = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,12}", re.ASCII)
_PHONE = re.compile(r"1\d{10}", re.ASCII)
_ID_NUMBER = re.compile(r"\d{17}[\dX]", re.ASCII)
_LONGEST = {"name": 40, "creditor": 60, "product": 60, "email": 254}


class AccountRefusal(StrEnum):
    """Why an account was not taken; nothing was changed."""

    BAD_FIELD = "bad_field"
    BAD_FIELD_COUNT = "bad_field_count"
    DAYS_OUT_OF_ORDER = "days_out_of_order"
    BALANCES_WITHOUT_DAY = "balances_without_day"
    UNKNOWN_PRODUCT = "unknown_product"
    PERSON_DIFFERS = "person_differs"
    PHONE_TAKEN = "phone_taken"
    EMAIL_REFUSED = "email_refused"
    CONTRACT_DIFFERS = "contract_differs"
    DEBT_DIFFERS = "debt_differs"


WHY: Mapping[AccountRefusal, str] = {
    AccountRefusal.BAD_FIELD: "the field is missing or not written as docs/integration.md says",
    AccountRefusal.BAD_FIELD_COUNT: "the row has more or fewer cells than the header, or a quote that never closes",
    AccountRefusal.DAYS_OUT_OF_ORDER: "lent_on, due_on, balances_on and last_demand_on do not follow each other",
    AccountRefusal.BALANCES_WITHOUT_DAY: "interest, penalty or fees are given without balances_on",
    AccountRefusal.UNKNOWN_PRODUCT: "the desk has no such product of this creditor; run `bot accounts products`",
    AccountRefusal.PERSON_DIFFERS: "the identity number is known under another name",
    AccountRefusal.PHONE_TAKEN: "the phone number belongs to somebody else",
    AccountRefusal.EMAIL_REFUSED: "the e-mail address is malformed or belongs to somebody else",
    AccountRefusal.CONTRACT_DIFFERS: "the contract is known with another borrower, product or other terms",
    AccountRefusal.DEBT_DIFFERS: "the debt is known with other days or amounts",
}
"""Each refusal in plain words, for whoever has to correct the data."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken. ``field`` names what is wrong where it is one field."""

    reason: AccountRefusal
    field: str | None = None


@dataclass(frozen=True, slots=True)
class OpeningBalances:
    """What was owed at the beginning of the day ``on`` (Asia/Shanghai), beside the principal, in fen."""

    on: date
    interest_fen: int
    penalty_fen: int
    fees_fen: int


@dataclass(frozen=True, slots=True)
class IncomingAccount:
    """One debt under one contract of one person. Rates in ``terms`` are fractions a year; money is fen.

    With ``opening`` the desk takes over from a day: ``principal_fen`` is what was owed of it then. Without it
    ``principal_fen`` was lent on ``lent_on``, and the desk counts the interest from there.
    """

    contract_number: str
    reference: str
    name: str
    phone: str
    id_number: str
    email: str | None
    creditor: str
    product: str
    lent_on: date
    due_on: date
    last_demand_on: date | None
    principal_fen: int
    opening: OpeningBalances | None
    annual_rate: Decimal
    penalty_annual_rate: Decimal
    day_count: int
    grace_days: int
    late_fee_rate: Decimal
    late_fee_minimum_fen: int
    allocation: AllocationOrder
    allocation_after_90_days: AllocationOrder | None

    def terms(self, kind: ProductKind) -> ContractTerms:
        """Return the contract's rules for a product of a kind."""
        return ContractTerms(
            product_kind=kind,
            annual_rate=self.annual_rate,
            penalty_annual_rate=self.penalty_annual_rate,
            day_count=self.day_count,
            late_fee_rate=self.late_fee_rate,
            late_fee_minimum_fen=self.late_fee_minimum_fen,
            allocation=self.allocation,
            allocation_after_90_days=self.allocation_after_90_days,
            grace_days=self.grace_days,
        )


class _Bad(Exception):
    """A field that cannot be read, by its name. Never leaves this module."""


def read_account(fields: Mapping[str, object], today: date) -> IncomingAccount | Refused:
    """Check an account's fields. Total: any value gives an account or a refusal. ``today`` is in Asia/Shanghai."""
    texts = {name: value.strip() if isinstance(value := fields.get(name), str) else "" for name in FIELDS}
    texts = {name: text or DEFAULTS.get(name, "") for name, text in texts.items()}
    try:
        account = _account(_Reader(texts), texts)
    except _Bad as bad:
        return Refused(AccountRefusal.BAD_FIELD, str(bad))
    taken_over_on = account.opening.on if account.opening else account.lent_on
    in_order = account.lent_on < account.due_on and account.lent_on <= taken_over_on <= today
    if not in_order or (account.last_demand_on is not None and not account.lent_on <= account.last_demand_on <= today):
        return Refused(AccountRefusal.DAYS_OUT_OF_ORDER)
    if account.opening is None and any(_Reader(texts).fen(name) for name in _CHARGES):
        return Refused(AccountRefusal.BALANCES_WITHOUT_DAY)
    return account


@dataclass(frozen=True, slots=True)
class _Reader:
    texts: Mapping[str, str]

    def fitting(self, name: str, pattern: re.Pattern[str]) -> str:
        if not pattern.fullmatch(self.texts[name]):
            raise _Bad(name)
        return self.texts[name]

    def words(self, name: str) -> str:
        text = self.texts[name]
        if not text or len(text) > _LONGEST[name] or not text.isprintable():
            raise _Bad(name)
        return text

    def day(self, name: str) -> date:
        return self._made(name, self.fitting(name, _DAY), date.fromisoformat)

    def maybe_day(self, name: str) -> date | None:
        return self.day(name) if self.texts[name] else None

    def fen(self, name: str) -> int:
        fen = yuan_to_fen(Decimal(self.fitting(name, _AMOUNT)))
        if fen > _MOST_FEN:
            raise _Bad(name)
        return fen

    def some_fen(self, name: str) -> int:
        if not (fen := self.fen(name)):
            raise _Bad(name)
        return fen

    def opening(self) -> OpeningBalances | None:
        charges = [self.fen(name) for name in _CHARGES]
        on = self.maybe_day("balances_on")
        return OpeningBalances(on, *charges) if on is not None else None

    def rate(self, name: str) -> Decimal:
        return Decimal(self.fitting(name, _RATE))

    def one_of(self, name: str, *allowed: int) -> int:
        if self.texts[name] not in map(str, allowed):
            raise _Bad(name)
        return int(self.texts[name])

    def order(self, name: str) -> AllocationOrder:
        parts = [part.strip() for part in self.texts[name].split(">")]
        return self._made(name, parts, lambda given: AllocationOrder.parse(",".join(given), given))

    def _made(self, name: str, given: _Given, make: Callable[[_Given], _Made]) -> _Made:
        try:
            return make(given)
        except (ValueError, InvalidOperation):
            raise _Bad(name) from None


def _account(read: _Reader, texts: Mapping[str, str]) -> IncomingAccount:
    return IncomingAccount(
        contract_number=read.fitting("contract_number", _CONTRACT),
        reference=read.fitting("reference", _REFERENCE),
        name=read.words("name"),
        phone=read.fitting("phone", _PHONE),
        id_number=read.fitting("id_number", _ID_NUMBER),
        email=read.words("email") if texts["email"] else None,
        creditor=read.words("creditor"),
        product=read.words("product"),
        lent_on=read.day("lent_on"),
        due_on=read.day("due_on"),
        last_demand_on=read.maybe_day("last_demand_on"),
        principal_fen=read.some_fen("principal_yuan"),
        opening=read.opening(),
        annual_rate=read.rate("annual_rate"),
        penalty_annual_rate=read.rate("penalty_annual_rate"),
        day_count=read.one_of("day_count", 360, 365),
        grace_days=read.one_of("grace_days", *range(91)),
        late_fee_rate=read.rate("late_fee_rate"),
        late_fee_minimum_fen=read.fen("late_fee_minimum_yuan"),
        allocation=read.order("allocation"),
        allocation_after_90_days=read.order("allocation_after_90_days") if texts["allocation_after_90_days"] else None,
    )
