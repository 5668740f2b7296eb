"""A contract's terms as they are stored, both ways. Rates are kept as decimal text, for a database would round them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bot.lending.allocation import AllocationOrder
from bot.lending.contract import ContractTerms, ProductKind, RateChange
from bot.store.tables import Contract


def terms_of(contract: Contract) -> ContractTerms:
    """Return a stored contract's terms."""
    after = contract.allocation_after_90_days
    return ContractTerms(
        product_kind=ProductKind(contract.product.kind),
        annual_rate=Decimal(contract.annual_rate),
        penalty_annual_rate=Decimal(contract.penalty_annual_rate),
        day_count=contract.day_count,
        late_fee_rate=Decimal(contract.late_fee_rate),
        late_fee_minimum_fen=contract.late_fee_minimum_fen,
        allocation=_order(contract.allocation),
        allocation_after_90_days=_order(after) if after else None,
        grace_days=contract.grace_days,
        rate_changes=tuple(
            RateChange(row.from_on, Decimal(row.annual_rate), Decimal(row.penalty_annual_rate))
            for row in contract.rate_changes
        ),
    )


def contract_of(terms: ContractTerms, borrower_id: str, product_id: str, number: str, signed_on: date) -> Contract:
    """Return a contract to be stored with these terms, which are those of its first day."""
    after = terms.allocation_after_90_days
    return Contract(
        borrower_id=borrower_id,
        product_id=product_id,
        number=number,
        signed_on=signed_on,
        annual_rate=str(terms.annual_rate),
        penalty_annual_rate=str(terms.penalty_annual_rate),
        day_count=terms.day_count,
        allocation=terms.allocation.name,
        allocation_after_90_days=after.name if after else None,
        late_fee_rate=str(terms.late_fee_rate),
        late_fee_minimum_fen=terms.late_fee_minimum_fen,
        grace_days=terms.grace_days,
    )


def _order(stored: str) -> AllocationOrder:
    return AllocationOrder.parse(stored, stored.split(","))
