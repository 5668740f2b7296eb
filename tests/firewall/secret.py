"""Two desks that differ in one thing only: on one of them a borrower owes, has a plan, a promise and papers.

Whoever has not proved to be that borrower must not be able to tell the two apart. All people are invented.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.lending.money import format_yuan
from bot.services import accounts, agreements, documents, negotiation
from bot.services.deps import Deps
from bot.services.proof import DeskWork, Purpose
from bot.store import tables
from tests.builders.accounts import Owed, a_debt_of, a_plan, verified
from tests.builders.desk import SetClock, a_borrower, a_desk

SECRET_NAME, SECRET_PHONE, SECRET_TAIL = "金思雀", "13900007777", "7714"
OTHER_PHONE, OTHER_TAIL = "13900008888", "8825"
_LEAST_CANARY_FEN = 10_000
"""Smaller sums are not looked for: they stand in general words as well."""


class Standing(StrEnum):
    """How a conversation stands towards the borrower whose secret is kept."""

    ANONYMOUS = "anonymous"
    BOUND = "bound"
    LAPSED = "lapsed"
    FROM_THE_FUTURE = "from_the_future"
    RELEASED = "released"
    HALF_PROVED = "half_proved"
    LOCKED = "locked"
    SOMEBODY_ELSE = "somebody_else"
    QUEUED = "queued"
    WITH_A_PERSON = "with_a_person"


@dataclass
class SecretDesk:
    """A desk, the borrower it keeps a secret about, and what somebody who spies may already know the names of."""

    deps: Deps
    clock: SetClock
    borrower_id: str
    other_id: str
    operator_id: str
    ids: tuple[str, ...]
    """Identifiers of the secret: of debts, offers, agreements, documents. Knowing one must open nothing."""


def secret_desk(folder: Path, *, owes: bool) -> SecretDesk:
    """Make one of the two desks. ``owes``: the borrower has what the other desk's borrower of the same name has not."""
    clock = SetClock()
    deps = a_desk(folder, clock)
    borrower_id = a_borrower(deps, SECRET_NAME, SECRET_PHONE, f"11010119900101{SECRET_TAIL}")
    other_id = a_borrower(deps, "邓丙丁", OTHER_PHONE, f"11010119900101{OTHER_TAIL}")
    other_debt = a_debt_of(deps, other_id, Owed(principal_fen=333_300, creditor="寻常银行"))
    ids = with_debts(deps, borrower_id) if owes else ()
    with deps.begin() as session:
        session.get_one(tables.Debt, other_debt).reference = "6666"
        operator = tables.Operator(
            id="0" * 32, login="firewall", display_name="小陈", role="agent", password_hash="", created_at=deps.now()
        )
        session.add(operator)
    return SecretDesk(deps, clock, borrower_id, other_id, "0" * 32, ids)


def with_debts(deps: Deps, borrower_id: str) -> tuple[str, ...]:
    """Give a borrower debts, a plan, offers and papers; return the identifiers of all of them."""
    planned = Owed(principal_fen=1_876_543, creditor="金丝雀银行")
    debts = [a_debt_of(deps, borrower_id, planned)]
    chat = verified(deps, borrower_id)
    plan = a_plan(deps, chat)
    debts.append(a_debt_of(deps, borrower_id, Owed(principal_fen=2_765_431, creditor="雀跃金融", days_late=61)))
    with deps.begin() as session:
        for product in session.scalars(select(tables.Product)):
            if product.creditor.name in ("金丝雀银行", "雀跃金融"):
                product.name, product.creditor.payment_channel = "金丝雀产品", "金丝雀还款页"
    negotiation.open_negotiation(deps, chat)
    negotiation.state_means(deps, chat, income_fen=900_000, essential_fen=450_000)
    made = documents.statement(deps, chat)
    assert not isinstance(made, documents.NotMade), made
    papers = documents.agreement(deps, chat, plan.number)
    assert not isinstance(papers, documents.NotMade), papers
    with deps.read() as session:
        offers = list(session.scalars(select(tables.Offer.content_hash)))
    shown = agreements.plan_in_force(deps, chat)
    assert not isinstance(shown, accounts.NotVerified)
    return (*debts, *offers, plan.number, plan.text_hash, made.id, *(paper.id for paper in papers))


def a_standing(desk: SecretDesk, standing: Standing, key: str) -> str:
    """Store a conversation that stands so, with a fact that was told in it while it was the borrower's."""
    now, knows = desk.deps.now(), standing not in (Standing.ANONYMOUS, Standing.HALF_PROVED, Standing.LOCKED)
    somebody_else = standing is Standing.SOMEBODY_ELSE
    bound_to = desk.other_id if somebody_else else desk.borrower_id if knows else None
    verified_at = {
        Standing.LAPSED: now - timedelta(minutes=31),
        Standing.WITH_A_PERSON: now - timedelta(minutes=45),
        Standing.FROM_THE_FUTURE: now + timedelta(hours=1),
        Standing.SOMEBODY_ELSE: now - timedelta(minutes=1),
    }.get(standing)
    said_at = now - timedelta(minutes=1 if somebody_else else 31)
    with desk.deps.begin() as session:
        session.add(
            tables.Conversation(
                id=key,
                channel="web",
                address_hash=key,
                address_sealed="",
                borrower_id=None if standing is Standing.RELEASED else bound_to,
                verified_at=verified_at,
                owner={Standing.QUEUED: "queued", Standing.WITH_A_PERSON: "human"}.get(standing, "bot"),
                owner_operator_id=desk.operator_id if standing is Standing.WITH_A_PERSON else None,
                queue_reason="asked" if standing is Standing.QUEUED else None,
                queued_at=said_at if standing is Standing.QUEUED else None,
                last_seq=1 if knows else 0,
                created_at=said_at - timedelta(days=1),
                last_activity_at=said_at,
                last_inbound_at=said_at,
            )
        )
        session.flush()
        if knows:
            let_go = standing in (Standing.RELEASED, Standing.SOMEBODY_ELSE)
            ended_at = said_at + timedelta(seconds=30) if let_go else None
            session.add(
                tables.ChannelBinding(
                    conversation_id=key,
                    borrower_id=desk.borrower_id,
                    bound_at=said_at - timedelta(hours=1),
                    released_at=ended_at,
                )
            )
            text = "您在金丝雀银行的欠款是 ¥18,765.43。" if desk.ids else "查过了，您现在没有需要还的欠款。"
            session.add(
                tables.Message(conversation_id=key, seq=1, author="bot", text=text, purpose="fact", created_at=said_at)
            )
        if standing in (Standing.HALF_PROVED, Standing.LOCKED):
            session.add(
                tables.VerificationChallenge(
                    conversation_id=key,
                    borrower_id=desk.borrower_id,
                    code_hash="",
                    code_expires_at=now + timedelta(minutes=4),
                    code_passed=True,
                    created_at=now - timedelta(minutes=1),
                )
            )
        if standing is Standing.LOCKED:
            session.add_all(
                tables.VerificationAttempt(conversation_id=key, factor="id_tail", passed=False, at=now)
                for _ in range(desk.deps.settings.verification_attempts)
            )
    return key


class Canaries:
    """What must not be seen: names, numbers, and every sum that is derived from the debts today."""

    def __init__(self, desk: SecretDesk) -> None:
        words = {"金丝雀", "雀跃金融", SECRET_NAME, SECRET_PHONE, *desk.ids}
        with desk.deps.read() as session:
            work = DeskWork(desk.borrower_id, Purpose.PAYMENT)
            owed = accounts.portfolio_of(session, desk.deps, work)
            words |= {f"'{debt.reference}'" for debt in owed.debts}
            sums = set(_sums(owed))
            for number, in_all in session.execute(select(tables.Agreement.number, tables.Agreement.total_fen)):
                words.add(number)
                sums.add(in_all)
            sums |= set(session.scalars(select(tables.Instalment.amount_fen)))
        told = {format_yuan(fen).removeprefix("¥") for fen in sums if fen >= _LEAST_CANARY_FEN}
        plain = {str(fen) for fen in sums if fen >= _LEAST_CANARY_FEN}
        yuan = {text.replace(",", "") for text in told}
        self.words = words
        self._figures = re.compile(rf"(?<![\d.,])(?:{'|'.join(map(re.escape, told | plain | yuan))})(?!\d|[,.]\d)")

    def seen_in(self, text: str) -> list[str]:
        """Return every canary that a text holds."""
        return [word for word in self.words if word in text] + self._figures.findall(text)


def _sums(value: Any) -> list[int]:
    """Every whole number in a tree of dataclasses."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [value]
    if is_dataclass(value) and not isinstance(value, type):
        found = [getattr(value, field.name) for field in fields(value)]
        total = getattr(value, "total_fen", None)
        return [n for each in [*found, total] for n in _sums(each)]
    if isinstance(value, tuple | list):
        return [n for each in value for n in _sums(each)]
    return []
