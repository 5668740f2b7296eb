"""Rows about contact as a test writes them: what was sent and what stood on record, by hand, past every rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count

from bot.clock import SHANGHAI
from bot.services.deps import Deps
from bot.store.tables import (
    Agreement,
    Debt,
    Hold,
    Instalment,
    Message,
    Negotiation,
    Offer,
    Outbox,
    Reminder,
)
from tests.builders.accounts import a_debt_of, a_payment
from tests.builders.desk import NOON, SetClock
from tests.simulation.records import Relived, read_records
from tests.simulation.rules import Finding, findings

START = NOON
"""The borrower wrote at this time; every row below comes later."""

AS_OF = NOON + timedelta(days=100)
_numbers = count(1)


def on(days: int, hour: int = 10, minute: int = 0) -> datetime:
    """A time of day in Shanghai, so many days after the start."""
    return datetime.combine(START.date() + timedelta(days=days), time(hour, minute), tzinfo=SHANGHAI)


@dataclass
class Book:
    """A desk's rows as a test writes them, without any code that decides."""

    deps: Deps
    borrower_id: str
    chat: str
    clock: SetClock

    def notice(
        self,
        at: datetime,
        topic: str = "plan",
        purpose: str = "plan_notice",
        *,
        author: str = "bot",
        text: str = "示例银行的AI助手:有一条和您约定有关的提醒。",
        chat: str = "",
        delivered_at: datetime | None = None,
        **columns: object,
    ) -> str:
        """Write a notice that was sent, with its message unless ``message_id`` is given; returns the message's id."""
        message_id = ""
        if "message_id" not in columns:
            message_id = self.message(at, purpose, author=author, text=text, chat=chat, delivered_at=delivered_at)
        values: dict[str, object] = {
            "key": f"notice {next(_numbers)}",
            "borrower_id": self.borrower_id,
            "purpose": purpose,
            "topic": topic,
            "send_at": at,
            "state": "sent",
            "rule": "within_limits",
            "message_id": message_id,
            "created_at": START,
            "decided_at": at,
        }
        self.add(Reminder(**(values | columns)))
        return message_id

    def message(
        self,
        at: datetime,
        purpose: str,
        *,
        author: str = "bot",
        text: str = "您好。",
        chat: str = "",
        delivered_at: datetime | None = None,
        client_key: str | None = None,
    ) -> str:
        """Write a message; returns its id."""
        seq = 100 + next(_numbers)
        message = Message(
            conversation_id=chat or self.chat,
            seq=seq,
            author=author,
            text=text,
            purpose=purpose,
            client_key=client_key or f"key {seq}",
            created_at=at,
        )
        message_id = self.add(message)
        if delivered_at is not None:
            self.add(
                Outbox(
                    key=f"message:{message_id}",
                    message_id=message_id,
                    channel="telegram",
                    state="sent",
                    next_attempt_at=at,
                    sent_at=delivered_at,
                )
            )
        return message_id

    def hold(self, kind: str, start: datetime, end: datetime | None = None, until: datetime | None = None) -> None:
        """Write a hold."""
        self.add(Hold(borrower_id=self.borrower_id, kind=kind, placed_at=start, lifted_at=end, until=until))

    def plan(self, due_on: date, amount_fen: int = 10_000) -> str:
        """Write an agreement of one instalment on a new debt; returns the instalment's id."""
        debt_id = a_debt_of(self.deps, self.borrower_id)
        negotiation_id = self.add(
            Negotiation(
                borrower_id=self.borrower_id,
                debt_ids=[debt_id],
                policy_code="x",
                policy_version="1",
                created_at=START,
                updated_at=START,
            )
        )
        offer_id = self.add(
            Offer(
                negotiation_id=negotiation_id,
                round=1,
                position=1,
                content_hash="x",
                terms={},
                expires_at=AS_OF,
            )
        )
        agreement_id = self.add(
            Agreement(
                number=f"XY{next(_numbers)}",
                borrower_id=self.borrower_id,
                negotiation_id=negotiation_id,
                offer_id=offer_id,
                idempotency_key=offer_id,
                text="",
                text_hash="",
                debt_ids=[debt_id],
                total_fen=amount_fen,
                accepted_at=START,
            )
        )
        return self.add(Instalment(agreement_id=agreement_id, number=1, due_on=due_on, amount_fen=amount_fen))

    def pay(self, at: datetime, debt_id: str, amount_fen: int) -> None:
        """Book a payment at a time."""
        self.clock.instant = at
        with self.deps.begin() as session:
            row = session.get_one(Debt, debt_id)
            assert row.borrower_id == self.borrower_id
        a_payment(self.deps, debt_id, amount_fen, f"payment {next(_numbers)}")

    def debt_of(self, instalment_id: str) -> str:
        """The debt of a plan."""
        with self.deps.read() as session:
            part = session.get_one(Instalment, instalment_id)
            return str(session.get_one(Agreement, part.agreement_id).debt_ids[0])

    def add(self, row: object) -> str:
        """Store a row; returns its id."""
        with self.deps.begin() as session:
            session.add(row)
            session.flush()
            return str(getattr(row, "id", ""))

    def found(self, *, relived: tuple[Relived, ...] = (), received: dict[str, int] | None = None) -> list[Finding]:
        """What the checker says of it all."""
        with self.deps.read() as session:
            return findings(read_records(session, relived), AS_OF, received)

    def rules(self) -> set[str]:
        """The rules that were broken."""
        return {finding.rule for finding in self.found()}
