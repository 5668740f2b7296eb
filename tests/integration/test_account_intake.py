"""Accounts from the core system: taken whole or not at all, once, and owed to the fen. Against both databases."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.clock import business_date
from bot.services import account_intake, payments
from bot.services.account_fields import AccountRefusal, IncomingAccount, Refused, read_account
from bot.services.account_intake import ProductsRefused, Taken
from bot.services.accounts import debt_views
from bot.services.csv_rows import FileRefusal
from bot.services.deps import Deps
from bot.services.payments import Booked, IncomingPayment
from bot.services.proof import Purpose
from bot.store.tables import AuditEntry, Borrower, Contract, Conversation, Debt, LedgerEntry
from tests.builders.lender import PRODUCTS, an_account, some_products


@pytest.fixture(autouse=True)
def products(deps: Deps, tmp_path: Path) -> None:
    some_products(deps, tmp_path)


def taken(deps: Deps, fields: dict[str, str]) -> Taken | Refused:
    account = read_account(fields, business_date(deps.now()))
    assert isinstance(account, IncomingAccount), account
    return account_intake.receive(deps, account)


def rows(deps: Deps) -> tuple[int, ...]:
    with deps.read() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Borrower, Contract, Debt, LedgerEntry)
        )


def owed(deps: Deps, day: date | None = None) -> tuple[int, int, int, int]:
    with deps.read() as session:
        debt_id = session.scalars(select(Debt.id)).one()
        view = debt_views(session, Purpose.NOTICE, [debt_id], day or business_date(deps.now()))[debt_id]
    balances = view.statement.balances
    return balances.principal_fen, balances.interest_fen, balances.penalty_fen, balances.fee_fen


def test_an_account_is_taken_once_and_the_same_again_changes_nothing(deps: Deps) -> None:
    account = an_account()
    assert [taken(deps, account), taken(deps, account)] == [Taken.CREATED, Taken.REPEATED]
    assert rows(deps) == (1, 1, 1, 1)


def test_interest_is_counted_from_the_day_the_money_was_lent(deps: Deps) -> None:
    taken(deps, an_account(principal_yuan="36000", lent_on="2026-10-22", due_on="2026-12-01", annual_rate="0.1"))
    assert owed(deps) == (3_600_000, 30_000, 0, 0)  # 30 days at 10 yuan


def test_balances_of_a_day_are_taken_over_and_counted_on_from_there(deps: Deps) -> None:
    taken(
        deps,
        an_account(
            principal_yuan="36000",
            annual_rate="0.1",
            penalty_annual_rate="0.05",
            balances_on="2026-11-11",
            interest_yuan="123.45",
            penalty_yuan="6.78",
            fees_yuan="9",
        ),
    )
    # Ten days at 10 yuan, and at 5 yuan of penalty interest, after what was owed on the day.
    assert owed(deps) == (3_600_000, 12_345 + 10_000, 678 + 5_000, 900)
    assert owed(deps, date(2026, 11, 11)) == (3_600_000, 12_345, 678, 900)


def test_payments_from_before_the_balances_are_in_them_already(deps: Deps) -> None:
    account = an_account(balances_on="2026-11-11")
    taken(deps, account)
    before = IncomingPayment(account["contract_number"], date(2026, 11, 10), 100, "P1", "bank")
    assert payments.receive(deps, before) == payments.Rejected(payments.RejectReason.BEFORE_DRAWDOWN)
    after = IncomingPayment(account["contract_number"], date(2026, 11, 12), 100, "P2", "bank")
    assert isinstance(payments.receive(deps, after), Booked)
    assert taken(deps, account) is Taken.REPEATED


def test_a_second_debt_of_a_contract_and_a_second_contract_belong_to_the_same_person(deps: Deps) -> None:
    account = an_account()
    assert taken(deps, account) is Taken.CREATED
    assert taken(deps, {**account, "reference": "second"}) is Taken.CREATED
    assert taken(deps, {**account, "contract_number": "HT-other"}) is Taken.CREATED
    assert rows(deps) == (1, 2, 3, 3)


def test_new_contact_data_and_a_later_demand_are_taken_over_and_put_on_record(deps: Deps) -> None:
    account = an_account(last_demand_on="2026-10-01")
    taken(deps, account)
    moved = {**account, "phone": "13900000001", "email": "zhang@example.com", "last_demand_on": "2026-11-01"}
    assert [taken(deps, moved), taken(deps, moved)] == [Taken.UPDATED, Taken.REPEATED]
    assert taken(deps, {**moved, "last_demand_on": "2026-10-15"}) is Taken.REPEATED
    with deps.read() as session:
        borrower = session.scalars(select(Borrower)).one()
        assert deps.vault.unseal("phone", borrower.phone_sealed) == "13900000001"
        assert borrower.phone_hash == deps.vault.lookup("phone", "13900000001")
        assert session.scalars(select(Debt.last_demand_on)).one() == date(2026, 11, 1)
        assert session.scalars(select(Conversation.channel)).all() == ["email"]
        events = session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()
    assert events[-3:] == ["borrower_phone_changed", "borrower_email_changed", "debt_demand_noted"]


def test_an_address_given_again_is_tried_again(deps: Deps) -> None:
    account = an_account(email="zhang@example.com")
    taken(deps, account)
    with deps.begin() as session:
        session.scalars(select(Conversation)).one().unreachable_at = deps.now()
    assert taken(deps, account) is Taken.REPEATED
    with deps.read() as session:
        assert session.scalars(select(Conversation.unreachable_at)).one() is None
        assert session.scalars(select(AuditEntry.event)).all().count("borrower_email_changed") == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"product": "别的贷"}, AccountRefusal.UNKNOWN_PRODUCT),
        ({"name": "李四演示"}, AccountRefusal.PERSON_DIFFERS),
        ({"annual_rate": "0.2"}, AccountRefusal.CONTRACT_DIFFERS),
        ({"id_number": "110101199001019999", "phone": "13900000009"}, AccountRefusal.CONTRACT_DIFFERS),
        ({"id_number": "110101199001019999"}, AccountRefusal.PHONE_TAKEN),
        ({"principal_yuan": "12000.51"}, AccountRefusal.DEBT_DIFFERS),
        ({"due_on": "2026-06-02"}, AccountRefusal.DEBT_DIFFERS),
        ({"email": "no address"}, AccountRefusal.EMAIL_REFUSED),
        ({"email": "taken@example.com", "phone": "13900000008"}, AccountRefusal.EMAIL_REFUSED),
    ],
)
def test_what_differs_is_refused_and_changes_nothing(
    deps: Deps, changes: dict[str, str], reason: AccountRefusal
) -> None:
    account = an_account()
    taken(deps, account)
    taken(deps, an_account(email="taken@example.com"))
    before = rows(deps)
    assert taken(deps, {**account, **changes}) == Refused(reason)
    assert rows(deps) == before
    assert taken(deps, account) is Taken.REPEATED


def test_a_file_is_taken_row_by_row_in_either_encoding(deps: Deps) -> None:
    good, bad = an_account(), an_account(phone="1")
    header = ",".join([*good, "note"])
    lines = [header, ",".join([*good.values(), "x"]), ",".join([*bad.values(), "x"]), "short"]
    for encoding in ("utf-8", "gb18030"):
        report = account_intake.import_accounts(deps, "\r\n".join(lines).encode(encoding))
        assert not isinstance(report, FileRefusal)
        assert [(row.line, row.refused.reason, row.refused.field) for row in report.refused] == [
            (3, AccountRefusal.BAD_FIELD, "phone"),
            (4, AccountRefusal.BAD_FIELD_COUNT, None),
        ]
        text = report.to_text()
        assert "张三" not in text
        assert "columns not used: note" in text
    assert rows(deps) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", FileRefusal.EMPTY),
        (b"\xff\xff\xff", FileRefusal.UNREADABLE_TEXT),
        (b"contract_number,name\n", FileRefusal.WRONG_HEADER),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_whole(deps: Deps, content: bytes, refusal: FileRefusal) -> None:
    assert account_intake.import_accounts(deps, content) is refusal


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("consumer_loan_relief", "no_such_policy"),
        ("kind: consumer_loan", "kind: mortgage"),
        ("kind: consumer_loan", "kind: online_loan"),
        ("creditors:", "creditors: 5\nothers:"),
        ("complaint_phone: 400-000-0001", "complaint_phone: ''"),
    ],
)
def test_products_that_cannot_be_used_are_refused_whole(deps: Deps, tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "other.yml"
    file.write_text(PRODUCTS.replace(before, after), "utf-8")
    with pytest.raises(ProductsRefused):
        account_intake.import_products(deps, file)
