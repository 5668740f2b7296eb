"""What ``data/demo/accounts.yml`` may say, checked before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, ValidationError, model_validator

from bot.lending.allocation import AllocationOrder
from bot.lending.balances import Component
from bot.lending.contract import ContractTerms, ProductKind

_Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]
_Name = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=60)]
_Fen = Annotated[int, Field(strict=True, ge=1)]
_Days = Annotated[int, Field(strict=True, ge=0, le=4000)]
_Count = Annotated[int, Field(strict=True, ge=0, le=60)]
_Rate = Annotated[Decimal, Field(ge=0, lt=1)]
_Order = tuple[Component, Component, Component, Component]


class DemoDataError(Exception):
    """The demo data cannot be used. The text names the file and every field that is wrong."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TermsData(_Model):
    """A contract's rules; rates are fractions a year."""

    annual_rate: _Rate
    penalty_annual_rate: _Rate
    day_count: Annotated[int, Field(strict=True)]
    allocation: _Order
    allocation_after_90_days: _Order | None = None
    late_fee_rate: _Rate = Decimal(0)
    late_fee_minimum_fen: Annotated[int, Field(strict=True, ge=0)] = 0
    grace_days: Annotated[int, Field(strict=True, ge=0)] = 0

    def terms(self, kind: ProductKind) -> ContractTerms:
        """Return the terms as the ledger computes with them. Raises ``ValueError`` for terms no contract may have."""
        after = self.allocation_after_90_days
        return ContractTerms(
            product_kind=kind,
            annual_rate=self.annual_rate,
            penalty_annual_rate=self.penalty_annual_rate,
            day_count=self.day_count,
            late_fee_rate=self.late_fee_rate,
            late_fee_minimum_fen=self.late_fee_minimum_fen,
            allocation=AllocationOrder(",".join(self.allocation), self.allocation),
            allocation_after_90_days=AllocationOrder(",".join(after), after) if after else None,
            grace_days=self.grace_days,
        )


class ProductData(_Model):
    """A product; ``code`` is how debts in the file name it."""

    code: _Name
    name: _Name
    kind: ProductKind
    policy_code: _Name
    terms: TermsData

    @model_validator(mode="after")
    def _terms_hold(self) -> Self:
        self.terms.terms(self.kind)
        return self


class CreditorData(_Model):
    """A creditor and what it lends."""

    name: _Name
    kind: _Name
    complaint_phone: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=30)]
    payment_channel: _Text
    products: Annotated[tuple[ProductData, ...], Field(min_length=1)]


class MoneyDay(_Model):
    """An amount in fen on a day that many days ago."""

    days_ago: _Days
    amount_fen: _Fen


class DebtData(_Model):
    """A debt and its history. ``settled_days_ago`` says when all that was owed then was paid."""

    product: _Name
    reference: Annotated[str, StringConstraints(strict=True, pattern=r"^\d{4}$")]
    contract_number: Annotated[str, StringConstraints(strict=True, pattern=r"^DEMO-", max_length=40)]
    due_days_ago: _Days
    last_demand_days_ago: _Days | None = None
    limitation_known: StrictBool = True
    disputed_days_ago: _Days | None = None
    settled_days_ago: _Days | None = None
    drawdowns: Annotated[tuple[MoneyDay, ...], Field(min_length=1)]
    payments: tuple[MoneyDay, ...] = ()
    missed_minimums: tuple[MoneyDay, ...] = ()

    @property
    def signed_days_ago(self) -> int:
        """When the first money was lent."""
        return max(drawdown.days_ago for drawdown in self.drawdowns)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        later = [*self.payments, *self.missed_minimums]
        if any(event.days_ago >= self.signed_days_ago for event in later) or self.due_days_ago >= self.signed_days_ago:
            raise ValueError("everything comes after the first drawdown")
        events = (*self.drawdowns, *later)
        if self.settled_days_ago is not None and any(event.days_ago <= self.settled_days_ago for event in events):
            raise ValueError("nothing comes after settled_days_ago")
        return self


class PlanData(_Model):
    """A plan in force: so many instalments paid, then so many missed, the next one ahead."""

    monthly_income_fen: _Fen
    monthly_essential_fen: _Fen
    dependants: _Count = 0
    other_debts_monthly_fen: Annotated[int, Field(strict=True, ge=0)] = 0
    months: Annotated[int, Field(strict=True, ge=2, le=60)]
    next_due_in_days: Annotated[int, Field(strict=True, ge=4, le=27)]
    paid: _Count = 0
    missed: _Count = 0

    @model_validator(mode="after")
    def _has_a_next(self) -> Self:
        if not 0 < self.behind < self.months:
            raise ValueError("paid and missed instalments must be more than none and fewer than months")
        return self

    @property
    def behind(self) -> int:
        """How many instalments have fallen due."""
        return self.paid + self.missed


class BorrowerData(_Model):
    """An invented person. ``suggested`` ranks the best ones to try first, from 1."""

    name: Annotated[str, StringConstraints(strict=True, pattern=r"^[一-鿿]{2}演示$")]
    phone: Annotated[str, StringConstraints(strict=True, pattern=r"^1380000\d{4}$")]
    id_number: Annotated[str, StringConstraints(strict=True, pattern=r"^\d{17}[\dX]$")]
    email: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z.]+@example\.com$")] | None = None
    situation: _Text
    suggested: Annotated[int, Field(strict=True, ge=1)] | None = None
    deceased: StrictBool = False
    debts: Annotated[tuple[DebtData, ...], Field(min_length=1)]
    plan: PlanData | None = None

    @property
    def id_tail(self) -> str:
        """The last four characters of the identity number."""
        return self.id_number[-4:]

    @model_validator(mode="after")
    def _cannot_be_anybody(self) -> Self:
        if _check_digit(self.id_number) == self.id_number[-1]:
            raise ValueError("id_number has a right check digit and could be a living person's")
        return self


class DemoData(_Model):
    """The whole file."""

    creditors: tuple[CreditorData, ...]
    borrowers: tuple[BorrowerData, ...]

    @property
    def products(self) -> dict[str, ProductData]:
        """The products by code."""
        return {product.code: product for creditor in self.creditors for product in creditor.products}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        debts = [debt for borrower in self.borrowers for debt in borrower.debts]
        products = [product for creditor in self.creditors for product in creditor.products]
        unique: dict[str, Iterable[str]] = {
            "creditors.name": (creditor.name for creditor in self.creditors),
            "products.code": (product.code for product in products),
            "borrowers.name": (borrower.name for borrower in self.borrowers),
            "borrowers.phone": (borrower.phone for borrower in self.borrowers),
            "borrowers.id_number": (borrower.id_number for borrower in self.borrowers),
            "borrowers.id_number (last four)": (borrower.id_tail for borrower in self.borrowers),
            "borrowers.suggested": (str(borrower.suggested) for borrower in self.borrowers if borrower.suggested),
            "debts.contract_number": (debt.contract_number for debt in debts),
        }
        faults = [f"{field}: {value} is given twice" for field, values in unique.items() for value in _repeated(values)]
        faults += [f"debts.product: unknown {debt.product}" for debt in debts if debt.product not in self.products]
        if faults:
            raise ValueError("; ".join(faults))
        return self


def load_demo_data(path: Path) -> DemoData:
    """Read and check the demo data.

    Raises:
        DemoDataError: naming the file and every field that is wrong.

    """
    try:
        return DemoData.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DemoDataError(f"{path.name}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = [
            f"{path.name}: {'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise DemoDataError("\n".join(faults)) from None


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


def _check_digit(id_number: str) -> str:
    """The check digit by GB 11643-1999."""
    total = sum(int(digit) * weight for digit, weight in zip(id_number, _WEIGHTS, strict=False))
    return _CHECK_DIGITS[total % 11]


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]
