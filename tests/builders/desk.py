"""Builders for a desk over a real database: operators, borrowers, conversations, messages. All people are invented."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from pydantic import SecretStr

from bot.desk.ownership import Owner, QueueReason
from bot.desk.visibility import Reader
from bot.identity.roles import Role
from bot.lending.ledger import Entry, EntryKind
from bot.outreach.gate import HoldKind
from bot.services import accounts, operators
from bot.services.conversations import Author
from bot.services.deps import Deps, make_deps
from bot.settings import Settings
from bot.store.engine import Database
from bot.store.tables import Base, Borrower, Contract, Conversation, Creditor, Debt, Hold, Message, Product
from bot.workout.policy import ReliefPolicy

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
"""Twelve o'clock in Shanghai."""

PASSWORD = "correct horse battery"

TEAM = "一组"
"""Whose operators and conversations are, unless a test says otherwise: an agent sees what is their team's."""

_databases: dict[str, Database] = {}
"""One for each URL: an engine remembers how statements are written, and tests one after the other have the same URL."""

_read_once: dict[str, object] = {}
"""What a desk reads from the project's own data, read once for all desks of a test run."""

_policies: dict[str, ReliefPolicy] = {}
"""The same for the policies; each desk has a dictionary of its own, which a test may change."""

_NEVER_CHANGES = ("rights", "crisis_guard", "wording", "limits", "ladder", "notice_words", "tone_gate")
"""What every desk of these settings reads from the project's own data: read once for all desks of a test run."""

_empty_file: list[bytes] = []
"""A SQLite file with all tables and no row, once it is known: copying one takes far less than making one."""

_KEY = base64.b64encode(bytes(range(32))).decode()
_numbers = count(1)


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    instant: datetime = NOON

    def now(self) -> datetime:
        """Return the set instant."""
        return self.instant

    def move(self, step: timedelta) -> None:
        """Let time pass."""
        self.instant += step


def a_desk(
    folder: Path,
    clock: SetClock | None = None,
    public_origin: str = "",
    database_url: str = "",
    embed_origins: str = "",
    vouch_key: str = "",
) -> Deps:
    """Make a desk: over a database that has its schema, or over an empty SQLite file under the folder."""
    settings = Settings(  # type: ignore[call-arg]  # the environment file is left out on purpose
        _env_file=None,
        mode="demo",
        demo_exposed="yes",
        var_dir=folder,
        public_origin=public_origin,
        embed_origins=embed_origins,
        vouch_key=SecretStr(vouch_key),
        database_url=database_url,
        data_key=SecretStr(_KEY),
        lookup_key=SecretStr(_KEY),
        rasa_secret=SecretStr("a-rasa-secret-for-tests"),
        actions_secret=SecretStr("an-actions-secret-for-tests"),
    )
    deps = make_deps(settings, clock or SetClock())
    if database_url:
        deps = replace(deps, database=_databases.setdefault(database_url, deps.database))
    if not _read_once:
        _read_once.update({name: getattr(deps, name) for name in _NEVER_CHANGES})
        _policies.update(deps.policies)
    vars(deps).update(_read_once, policies=dict(_policies))
    if not database_url:
        _give_tables(deps.database, folder / "desk.sqlite3")
    return deps


def _give_tables(database: Database, file: Path) -> None:
    if file.exists():  # a second desk over the same folder
        Base.metadata.create_all(database.engine)
    elif _empty_file:
        file.write_bytes(_empty_file[0])
    else:
        Base.metadata.create_all(database.engine)
        database.engine.dispose()  # so that everything is in the one file
        _empty_file.append(file.read_bytes())


def an_operator(
    deps: Deps, login: str = "chen", name: str = "小陈", role: Role = Role.AGENT, team: str | None = TEAM
) -> str:
    """Create an operator whose password is ``PASSWORD``; returns the id."""
    created = operators.create(deps, login, name, role, PASSWORD, team)
    assert not isinstance(created, operators.CreateRefusal), created
    return created


def reviewing(operator_id: str = "") -> Reader:
    """Return an operator as somebody who may read everything."""
    return Reader(operator_id, reads_all=True)


def a_borrower(
    deps: Deps, name: str = "王小明", phone: str = "13800000001", id_number: str = "110101199001010014"
) -> str:
    """Register a borrower; returns the id."""
    vault = deps.vault
    with deps.begin() as session:
        borrower = Borrower(
            name_sealed=vault.seal("name", name),
            name_hash=vault.lookup("name", name),
            phone_sealed=vault.seal("phone", phone),
            phone_hash=vault.lookup("phone", phone),
            id_number_sealed=vault.seal("id_number", id_number),
            id_number_hash=vault.lookup("id_number", id_number),
            id_tail_hash=vault.lookup("id_tail", id_number[-4:]),
            created_at=deps.now(),
        )
        session.add(borrower)
        session.flush()
        return borrower.id


def a_debt(deps: Deps, borrower_id: str, principal_fen: int, allocation: str = "fee,interest,penalty,principal") -> str:
    """Lend to a borrower, free of interest, so that what is owed is the principal; returns the debt's id."""
    number = next(_numbers)
    lent_on = NOON.date() - timedelta(days=90)
    with deps.begin() as session:
        creditor = Creditor(name=f"示例银行{number}", kind="bank", complaint_phone="95000", payment_channel="还款专户")
        session.add(creditor)
        session.flush()
        product = Product(creditor_id=creditor.id, name="消费贷", kind="consumer_loan", policy_code="consumer_loan")
        session.add(product)
        session.flush()
        contract = Contract(
            borrower_id=borrower_id,
            product_id=product.id,
            number=f"contract {number}",
            signed_on=lent_on,
            annual_rate="0",
            penalty_annual_rate="0",
            day_count=360,
            allocation=allocation,
        )
        session.add(contract)
        session.flush()
        debt = Debt(
            contract_id=contract.id,
            borrower_id=borrower_id,
            reference=f"{number:04d}",
            due_on=NOON.date() - timedelta(days=30),
        )
        session.add(debt)
        session.flush()
        lent = Entry(
            key="lent",
            kind=EntryKind.DRAWDOWN,
            amount_fen=principal_fen,
            effective_on=lent_on,
            booked_at=NOON,
            source="test",
        )
        assert accounts.book(session, debt.id, lent) is None
        return debt.id


@dataclass(frozen=True)
class Said:
    """A message as a test writes it."""

    text: str
    author: Author = Author.BORROWER
    intent: str | None = None
    confidence: float | None = None
    entities: tuple[tuple[str, str], ...] = ()
    actions: tuple[str, ...] = ()
    handling: str = "handled"
    minutes_ago: int = 0
    operator_id: str | None = None


@dataclass(frozen=True)
class Talk:
    """A conversation as a test writes it; ``waited_minutes`` counts back from the desk's clock."""

    said: tuple[Said, ...] = (Said("在吗"),)
    channel: str = "web"
    owner: Owner = Owner.BOT
    reason: QueueReason | None = None
    waited_minutes: int = 0
    operator_id: str | None = None
    borrower_id: str | None = None
    verified: bool = False
    team: str | None = TEAM
    holds: tuple[HoldKind, ...] = field(default=())


def a_conversation(deps: Deps, talk: Talk | None = None) -> str:
    """Store a conversation with its messages and holds; returns the id."""
    talk = talk or Talk()
    now = deps.now()
    with deps.begin() as session:
        address = f"address {next(_numbers)}"
        last = now - timedelta(minutes=talk.said[-1].minutes_ago)
        conversation = Conversation(
            channel=talk.channel,
            address_hash=deps.vault.lookup(f"address:{talk.channel}", address),
            address_sealed=deps.vault.seal(f"address:{talk.channel}", address),
            borrower_id=talk.borrower_id,
            verified_at=now - timedelta(minutes=5) if talk.verified else None,
            owner=talk.owner.value,
            owner_operator_id=talk.operator_id,
            team=talk.team,
            queue_reason=talk.reason.value if talk.reason else None,
            queued_at=now - timedelta(minutes=talk.waited_minutes) if talk.reason else None,
            last_seq=len(talk.said),
            created_at=now - timedelta(days=1),
            last_activity_at=last,
            last_inbound_at=last,
        )
        session.add(conversation)
        session.flush()
        for seq, said in enumerate(talk.said, start=1):
            session.add(_message(conversation.id, seq, said, now))
        for kind in talk.holds:
            session.add(
                Hold(borrower_id=talk.borrower_id, conversation_id=conversation.id, kind=kind.value, placed_at=last)
            )
        return conversation.id


def _message(conversation_id: str, seq: int, said: Said, now: datetime) -> Message:
    understanding = {
        "entities": [{"entity": entity, "value": value} for entity, value in said.entities],
        "actions": list(said.actions),
        "ranking": [],
        "model": "test",
    }
    return Message(
        conversation_id=conversation_id,
        seq=seq,
        author=said.author.value,
        text=said.text,
        client_key=f"key {seq}",
        handling=said.handling,
        operator_id=said.operator_id,
        intent=said.intent,
        confidence=said.confidence,
        understanding=understanding if said.intent else None,
        created_at=now - timedelta(minutes=said.minutes_ago),
    )
