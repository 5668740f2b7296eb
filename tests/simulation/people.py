"""Invented borrowers with invented debts, each from a seed and a number, so that a run can be made again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from bot.lending.contract import ProductKind
from bot.services import web_sessions
from bot.services.conversations import conversation_for
from bot.services.deps import Deps
from bot.services.inbound import record_text
from bot.store.tables import Conversation
from tests.builders.accounts import Owed, a_debt_of
from tests.builders.desk import a_borrower

DAYS_LATE = (-40, -20, -9, 3, 12, 25, 40, 70, 100, 200, 900, 1300)
"""Some debts fall due only later in the year, and of some the limitation may be over."""

_KINDS = (ProductKind.CONSUMER_LOAN, ProductKind.CONSUMER_LOAN, ProductKind.CREDIT_CARD, ProductKind.ONLINE_LOAN)


@dataclass(slots=True)
class Person:
    """One borrower of the simulation, with chance of their own. ``said`` counts what they have written."""

    number: int
    borrower_id: str
    chance: Random
    debt_ids: list[str] = field(default_factory=list)
    chats: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    said: int = 0
    pays: float = 0.0
    answers: float = 0.0


def a_population(deps: Deps, seed: int, numbers: range) -> list[Person]:
    """Register borrowers with their debts and chats."""
    return [_a_person(deps, seed, number) for number in numbers]


def open_chat(deps: Deps, person: Person, channel: str) -> str:
    """Open a conversation for somebody and bind it to them, as proving identity does."""
    if channel == "web":
        opened = web_sessions.open_session(deps)
        conversation_id = opened.conversation_id
        person.tokens.append(opened.token)
    else:
        conversation_id = conversation_for(deps, channel, str(1_000_000 + person.number * 10 + len(person.chats)))
    with deps.begin() as session:
        row = session.get_one(Conversation, conversation_id)
        row.borrower_id, row.verified_at = person.borrower_id, deps.now()
    record_text(deps, conversation_id, "first", "你好")
    person.chats.append(conversation_id)
    return conversation_id


def prove(deps: Deps, conversation_id: str) -> None:
    """Let somebody have proved identity just now."""
    with deps.begin() as session:
        session.get_one(Conversation, conversation_id).verified_at = deps.now()


def _a_person(deps: Deps, seed: int, number: int) -> Person:
    chance = Random(f"{seed}:{number}")
    borrower_id = a_borrower(deps, f"演示{number}", f"139{number:08d}", f"110101{1_000_000_000_00 + number:012d}")
    person = Person(number, borrower_id, chance, pays=chance.random(), answers=chance.random() ** 2)
    for _ in range(chance.choice((1, 1, 1, 2))):
        person.debt_ids.append(a_debt_of(deps, borrower_id, _a_debt(chance)))
    kind = chance.random()
    if kind < 0.6:
        open_chat(deps, person, "telegram")
    if 0.5 < kind < 0.95:
        open_chat(deps, person, "web")
    if len(person.chats) > 1:
        _was_used_before(deps, person.chats[0])
    return person


def _was_used_before(deps: Deps, conversation_id: str) -> None:
    """Let a chat have been used a second earlier, so that which of two was used last is the same in every run."""
    with deps.begin() as session:
        row = session.get_one(Conversation, conversation_id)
        row.last_inbound_at = deps.now() - timedelta(seconds=1)


def _a_debt(chance: Random) -> Owed:
    late = chance.choice(DAYS_LATE)
    return Owed(
        principal_fen=chance.randrange(50_000, 3_000_000, 10),
        kind=chance.choice(_KINDS),
        days_late=late,
        lent_days_ago=late + chance.randrange(60, 200) if late > 0 else chance.randrange(30, 200),
        limitation_known=chance.random() > 0.05,
        disputed=chance.random() < 0.02,
    )


def in_days(chance: Random, soonest: int, latest: int) -> timedelta:
    """A span of some days and hours."""
    return timedelta(days=chance.randint(soonest, latest), minutes=chance.randrange(24 * 60))
