"""Reading an account is total: whatever is sent gives an account that holds together, or a refusal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.lending.contract import ProductKind
from bot.services.account_fields import FIELDS, AccountRefusal, IncomingAccount, Refused, read_account

TODAY = date(2026, 11, 22)
GOOD = {
    "contract_number": "HT-2025-0001",
    "reference": "1001",
    "name": "张三演示",
    "phone": "13800000009",
    "id_number": "110101199001010010",
    "creditor": "示例银行",
    "product": "示例消费贷",
    "lent_on": "2025-06-01",
    "due_on": "2026-06-01",
    "principal_yuan": "12000.50",
    "annual_rate": "0.144",
    "penalty_annual_rate": "0.072",
}
ODD = st.one_of(
    st.text(max_size=30),
    st.none(),
    st.integers(),
    st.lists(st.text(max_size=3), max_size=2),
    st.sampled_from(["NaN", "-1", "1e9", "0.1234567890123", "99999999999", "2026-02-30", "２０２６-01-01", "fee>fee"]),
)


def read(**changes: Any) -> IncomingAccount | Refused:
    return read_account({**GOOD, **changes}, TODAY)


def test_what_is_left_out_has_its_default() -> None:
    account = read()
    assert isinstance(account, IncomingAccount)
    assert (account.principal_fen, account.opening, account.email) == (1_200_050, None, None)
    assert (account.day_count, account.grace_days, account.annual_rate) == (360, 0, Decimal("0.144"))
    assert account.allocation.name == "fee,interest,penalty,principal"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contract_number", ""),
        ("contract_number", "HT 1"),
        ("reference", "1234567890123"),
        ("name", "张\u0000三"),
        ("phone", "1380000000"),
        ("id_number", "11010119900101001x"),
        ("principal_yuan", "0"),
        ("principal_yuan", "-5"),
        ("principal_yuan", "1.234"),
        ("principal_yuan", "1,000"),
        ("annual_rate", "14.4"),
        ("annual_rate", "1"),
        ("due_on", "2026-02-30"),
        ("due_on", "2026/06/01"),
        ("day_count", "366"),
        ("grace_days", "-1"),
        ("allocation", "fee>interest"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(field: str, value: str) -> None:
    assert read(**{field: value}) == Refused(AccountRefusal.BAD_FIELD, field)


@pytest.mark.parametrize(
    "changes",
    [
        {"due_on": "2025-06-01"},
        {"lent_on": "2026-11-23", "due_on": "2027-01-01"},
        {"balances_on": "2026-11-23"},
        {"balances_on": "2025-05-31"},
        {"last_demand_on": "2026-11-23"},
    ],
)
def test_days_follow_each_other(changes: dict[str, str]) -> None:
    assert read(**changes) == Refused(AccountRefusal.DAYS_OUT_OF_ORDER)


def test_no_charges_need_no_day_however_they_are_written() -> None:
    assert isinstance(read(interest_yuan="0.00", penalty_yuan="0.0", fees_yuan="00"), IncomingAccount)


def test_balances_need_their_day() -> None:
    assert read(interest_yuan="5") == Refused(AccountRefusal.BALANCES_WITHOUT_DAY)
    taken = read(interest_yuan="5", balances_on="2026-11-01")
    assert isinstance(taken, IncomingAccount)
    assert taken.opening is not None
    assert taken.opening.interest_fen == 500


@given(st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=6), st.sampled_from([True, False]))
def test_any_fields_give_an_account_or_a_refusal(changes: dict[str, Any], on_top: bool) -> None:
    read_one = read_account({**GOOD, **changes} if on_top else changes, TODAY)
    if isinstance(read_one, IncomingAccount):
        read_one.terms(ProductKind.CONSUMER_LOAN)
        assert read_one.principal_fen > 0
        assert read_one.lent_on < read_one.due_on
    else:
        assert read_one.field is None or read_one.field in FIELDS
