"""Builders for debts that bear interest, payments on them, and conversations with somebody verified. All invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from bot.clock import SHANGHAI, business_date
from bot.identity.factors import read_code
from bot.lending.contract import ProductKind
from bot.lending.ledger import Entry, EntryKind
from bot.outreach.gate import HoldKind
from bot.services import accounts, agreements, negotiation
from bot.services.agreements import AgreementView, ReadBack
from bot.services.deps import Deps
from bot.services.history import messages_after
from bot.store.tables import Contract, Conversation, Creditor, Debt, Hold, Product
from tests.builders.desk import Talk, a_conversation

_POLICY = {
    ProductKind.CREDIT_CARD: "card_relief",
    ProductKind.CONSUMER_LOAN: "consumer_loan_relief",
    ProductKind.ONLINE_LOAN: "online_loan_relief",
    ProductKind.SMALL_LOAN: "small_loan_relief",
}


@dataclass(frozen=True)
class Owed:
    """A debt as a test writes it. Amounts in fen, days before the desk's today, rates per year."""

    principal_fen: int = 1_200_000
    creditor: str = "示例银行"
    kind: ProductKind = ProductKind.CONSUMER_LOAN
    days_late: int = 45
    lent_days_ago: int = 120
    annual_rate: str = "0.144"
    penalty_annual_rate: str = "0.072"
    limitation_known: bool = True
    disputed: bool = False


def a_debt_of(deps: Deps, borrower_id: str, owed: Owed | None = None) -> str:
    """Lend to a borrower from a creditor who may be known already; returns the debt's id."""
    owed = owed or Owed()
    today = business_date(deps.now())
    lent_on = today - timedelta(days=max(owed.lent_days_ago, owed.days_late + 1))
    with deps.begin() as session:
        creditor = session.scalar(select(Creditor).where(Creditor.name == owed.creditor))
        if creditor is None:
            creditor = Creditor(
                name=owed.creditor, kind="bank", complaint_phone="400-000-0000", payment_channel="App 的还款页面"
            )
            session.add(creditor)
            session.flush()
        product = Product(
            creditor_id=creditor.id, name="示例产品", kind=owed.kind.value, policy_code=_POLICY[owed.kind]
        )
        session.add(product)
        session.flush()
        contract = Contract(
            borrower_id=borrower_id,
            product_id=product.id,
            number=f"contract of {product.id}"[:40],
            signed_on=lent_on,
            annual_rate=owed.annual_rate,
            penalty_annual_rate=owed.penalty_annual_rate,
            day_count=360,
            allocation="fee,interest,penalty,principal",
        )
        session.add(contract)
        session.flush()
        debt = Debt(
            contract_id=contract.id,
            borrower_id=borrower_id,
            reference=product.id[:4],
            due_on=today - timedelta(days=owed.days_late),
            limitation_known=owed.limitation_known,
        )
        session.add(debt)
        session.flush()
        if owed.disputed:
            hold = Hold(borrower_id=borrower_id, debt_id=debt.id, kind=HoldKind.DISPUTE.value, placed_at=deps.now())
            session.add(hold)
        assert (
            accounts.book(session, debt.id, an_entry("drawdown", EntryKind.DRAWDOWN, owed.principal_fen, lent_on))
            is None
        )
        return debt.id


def a_payment(deps: Deps, debt_id: str, amount_fen: int, key: str = "payment") -> None:
    """Book a payment that counts from today."""
    with deps.begin() as session:
        entry = an_entry(key, EntryKind.PAYMENT, amount_fen, business_date(deps.now()))
        assert accounts.book(session, debt_id, entry) is None


def an_entry(key: str, kind: EntryKind, amount_fen: int, day: date) -> Entry:
    """Make a ledger entry booked at noon of the day it counts from."""
    booked_at = datetime.combine(day, time(12), tzinfo=SHANGHAI)
    return Entry(key=key, kind=kind, amount_fen=amount_fen, effective_on=day, booked_at=booked_at, source="test")


def verified(deps: Deps, borrower_id: str | None, channel: str = "web") -> str:
    """Open a conversation in which a borrower has just proved identity; without one, nobody has. Returns the id."""
    conversation_id = a_conversation(deps, Talk(borrower_id=borrower_id, channel=channel))
    if borrower_id is not None:
        with deps.begin() as session:
            session.get_one(Conversation, conversation_id).verified_at = deps.now()
    return conversation_id


def shown_code(deps: Deps, conversation_id: str) -> str:
    """Return the one-time code that the demo shows last in a conversation."""
    codes = [code for message in messages_after(deps, conversation_id, 0) if (code := read_code(message.text))]
    return codes[-1]


def a_plan(deps: Deps, conversation_id: str, income_fen: int = 600_000, essential_fen: int = 350_000) -> AgreementView:
    """Agree to the first plan that is offered for the debts of the conversation's borrower."""
    negotiation.open_negotiation(deps, conversation_id)
    negotiation.state_means(deps, conversation_id, income_fen=income_fen, essential_fen=essential_fen)
    negotiation.choose(deps, conversation_id, 1)
    shown = agreements.read_back(deps, conversation_id)
    assert isinstance(shown, ReadBack), shown
    accepted = agreements.accept(deps, conversation_id, shown.text_hash)
    assert isinstance(accepted, AgreementView), accepted
    return accepted
