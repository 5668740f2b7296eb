"""What every table leans on: sealing, instants, units of work and the ledger's keys, on both databases."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from bot.clock import SHANGHAI
from bot.lending.balances import Component
from bot.lending.ledger import Entry, EntryKind
from bot.services import accounts
from bot.services.accounts import BookingRefusal
from bot.services.deps import Deps
from bot.store.many import among, insert_all
from bot.store.tables import AuditEntry, Borrower, Conversation, Creditor, LedgerEntry, WebSession
from bot.store.vault import Vault, VaultKeyError
from tests.builders.accounts import a_debt_of
from tests.builders.desk import NOON, a_borrower, a_conversation
from tests.builders.threads import at_once

KEY, OTHER_KEY = base64.b64encode(b"d" * 32).decode(), base64.b64encode(b"o" * 32).decode()
VAULT = Vault(KEY, KEY)
PURPOSES = ("name", "phone", "id_number", "id_tail", "address:web")


# The vault -----------------------------------------------------------------------------------------------------------


@given(st.sampled_from(PURPOSES), st.text(st.characters(codec="utf-8")))
def test_what_is_sealed_comes_back_whole(purpose: str, value: str) -> None:
    assert VAULT.unseal(purpose, VAULT.seal(purpose, value)) == value


@given(st.text(st.characters(codec="utf-8")))
def test_sealing_twice_looks_different_and_looking_up_the_same(value: str) -> None:
    assert VAULT.seal("name", value) != VAULT.seal("name", value)
    assert VAULT.lookup("name", value) == VAULT.lookup("name", value)


@given(st.text(st.characters(codec="utf-8")), st.permutations(PURPOSES))
def test_a_value_sealed_for_one_purpose_is_worth_nothing_for_another(value: str, purposes: list[str]) -> None:
    right, wrong = purposes[:2]
    with pytest.raises(InvalidTag):
        VAULT.unseal(wrong, VAULT.seal(right, value))
    assert VAULT.lookup(right, value) != VAULT.lookup(wrong, value)
    assert not VAULT.matches(wrong, value, VAULT.lookup(right, value))


def test_another_key_opens_nothing_and_finds_nothing() -> None:
    other = Vault(OTHER_KEY, OTHER_KEY)
    with pytest.raises(InvalidTag):
        other.unseal("name", VAULT.seal("name", "王小明"))
    assert other.lookup("name", "王小明") != VAULT.lookup("name", "王小明")


@given(st.integers(min_value=0))
def test_an_altered_seal_is_refused(place: int) -> None:
    raw = bytearray(base64.b64decode(VAULT.seal("phone", "13800000001").removeprefix("1:")))
    raw[place % len(raw)] ^= 1
    with pytest.raises(InvalidTag):
        VAULT.unseal("phone", "1:" + base64.b64encode(bytes(raw)).decode())


@pytest.mark.parametrize("key", ["", "short", base64.b64encode(b"d" * 31).decode(), "!" * 44])
def test_a_bad_key_is_refused_by_the_name_of_its_setting(key: str) -> None:
    with pytest.raises(VaultKeyError, match=r"^DESK_DATA_KEY: must be base64 of 32 bytes$"):
        Vault(key, KEY)
    with pytest.raises(VaultKeyError, match=r"^DESK_LOOKUP_KEY: must be base64 of 32 bytes$"):
        Vault(KEY, key)


def test_no_personal_data_lies_open_in_the_database(deps: Deps) -> None:
    a_borrower(deps, "王小明", "13800000001", "110101199001010014")
    with deps.begin() as session:
        row = session.execute(text("SELECT * FROM borrower")).one()
    stored = " ".join(str(value) for value in row)
    assert not [value for value in ("王小明", "13800000001", "110101199001010014") if value in stored]


# Instants ------------------------------------------------------------------------------------------------------------


def test_a_naive_instant_is_refused(deps: Deps) -> None:
    chat = a_conversation(deps)
    with pytest.raises(StatementError, match="naive"), deps.begin() as session:
        session.get_one(Conversation, chat).last_inbound_at = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"), deps.begin() as session:
        session.scalar(select(Conversation).where(Conversation.last_inbound_at == datetime(2026, 11, 21)))  # noqa: DTZ001


@pytest.mark.parametrize("zone", [UTC, SHANGHAI, timezone(-timedelta(hours=9, minutes=30))])
def test_an_instant_of_any_zone_comes_back_as_the_same_instant_in_utc(deps: Deps, zone: timezone) -> None:
    chat, instant = a_conversation(deps), NOON.astimezone(zone) + timedelta(microseconds=123_456)
    with deps.begin() as session:
        session.get_one(Conversation, chat).last_inbound_at = instant
    with deps.begin() as session:
        stored = session.get_one(Conversation, chat).last_inbound_at
        found = session.scalar(select(Conversation.id).where(Conversation.last_inbound_at == instant))
    assert stored == instant
    assert stored is not None
    assert stored.tzinfo is UTC
    assert found == chat


# Units of work -------------------------------------------------------------------------------------------------------


def test_a_unit_of_work_that_fails_leaves_nothing(deps: Deps) -> None:
    def half_way() -> None:
        with deps.begin() as session:
            session.add(Creditor(name="示例银行", kind="bank", complaint_phone="-", payment_channel="-"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    with deps.begin() as session:
        assert session.scalars(select(Creditor)).all() == []


def test_a_reference_to_nothing_is_refused(deps: Deps) -> None:
    row = WebSession(token_hash="t", conversation_id="nobody", created_at=NOON, expires_at=NOON)
    with pytest.raises(IntegrityError), deps.begin() as session:
        session.add(row)


def test_reading_and_then_writing_at_once_loses_nothing(deps: Deps) -> None:
    chat = a_conversation(deps)

    def add_one(_: int) -> None:
        for _turn in range(5):
            with deps.begin() as session:
                row = session.get_one(Conversation, chat, with_for_update=True)
                row.last_seen_seq += 1

    at_once(4, add_one)
    with deps.begin() as session:
        assert session.get_one(Conversation, chat).last_seen_seq == 20


# The ledger ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def debt(deps: Deps) -> str:
    return a_debt_of(deps, a_borrower(deps))


PAYMENT = Entry(
    key="bank:1",
    kind=EntryKind.PAYMENT,
    amount_fen=10_000,
    effective_on=NOON.date(),
    booked_at=NOON,
    source="bank",
)


def booked(deps: Deps, debt: str, entry: Entry) -> BookingRefusal | None:
    with deps.begin() as session:
        return accounts.book(session, debt, entry)


def keys(deps: Deps, debt: str) -> list[str]:
    with deps.begin() as session:
        return list(
            session.scalars(select(LedgerEntry.key).where(LedgerEntry.debt_id == debt).order_by(LedgerEntry.id))
        )


def test_the_same_entry_is_booked_once_whenever_it_comes_again(deps: Deps, debt: str) -> None:
    assert booked(deps, debt, PAYMENT) is None
    assert booked(deps, debt, replace(PAYMENT, booked_at=NOON + timedelta(days=1))) is None
    assert keys(deps, debt) == ["drawdown", "bank:1"]


@pytest.mark.parametrize(
    "other",
    [
        replace(PAYMENT, amount_fen=10_001),
        replace(PAYMENT, effective_on=NOON.date() - timedelta(days=1)),
        replace(PAYMENT, source="cash"),
        replace(PAYMENT, kind=EntryKind.OTHER_FEE),
        replace(PAYMENT, kind=EntryKind.WAIVER, component=Component.PENALTY),
    ],
)
def test_a_key_cannot_be_used_for_another_body(deps: Deps, debt: str, other: Entry) -> None:
    booked(deps, debt, PAYMENT)
    assert booked(deps, debt, other) is BookingRefusal.KEY_USED_FOR_OTHER_BODY
    with deps.begin() as session:
        assert session.scalars(select(LedgerEntry.amount_fen).where(LedgerEntry.key == "bank:1")).all() == [10_000]


def test_two_debts_have_keys_of_their_own(deps: Deps, debt: str) -> None:
    with deps.begin() as session:
        borrower = session.scalars(select(Borrower.id)).one()
    other = a_debt_of(deps, borrower)
    assert booked(deps, debt, PAYMENT) is None
    assert booked(deps, other, replace(PAYMENT, amount_fen=5)) is None


def test_an_entry_booked_at_once_by_two_is_booked_once(deps: Deps, debt: str) -> None:
    assert at_once(4, lambda _: booked(deps, debt, PAYMENT)) == [None] * 4
    assert keys(deps, debt) == ["drawdown", "bank:1"]


def test_of_two_bodies_booked_at_once_under_one_key_one_is_refused(deps: Deps, debt: str) -> None:
    answers = at_once(2, lambda turn: booked(deps, debt, replace(PAYMENT, amount_fen=100 + turn)))
    assert sorted(answers, key=str) == [None, BookingRefusal.KEY_USED_FOR_OTHER_BODY]


def test_the_database_itself_refuses_an_amount_that_is_not_positive(deps: Deps, debt: str) -> None:
    with pytest.raises(IntegrityError), deps.begin() as session:
        session.execute(text("UPDATE ledger_entry SET amount_fen = 0"))


# Many at once --------------------------------------------------------------------------------------------------------


def test_many_rows_are_written_in_one_call_with_every_type_of_column(deps: Deps) -> None:
    borrower = a_borrower(deps)
    rows = [
        {
            "at": NOON + timedelta(hours=number),
            "actor_kind": "system",
            "actor_id": None if number else "someone",
            "event": "tried",
            "subject_kind": "borrower",
            "subject_id": borrower,
            "detail": {"quote": "it's", "字": number, "none": None},
        }
        for number in range(3)
    ]
    with deps.begin() as session:
        insert_all(session, AuditEntry, rows)
        insert_all(session, AuditEntry, [])

    with deps.read() as session:
        written = session.scalars(select(AuditEntry).where(AuditEntry.event == "tried").order_by(AuditEntry.at)).all()
        assert [(row.at, row.actor_id, row.detail) for row in written] == [
            (row["at"], row["actor_id"], row["detail"]) for row in rows
        ]


def test_among_finds_exactly_the_named_ones_however_odd_their_names(deps: Deps) -> None:
    names = ["甲", "a,b", 'c"d', "{e}", "NULL", ""]
    with deps.begin() as session:
        for name in names:
            session.add(Creditor(name=name, kind="bank", complaint_phone="-", payment_channel="-"))

    with deps.read() as session:
        for wanted in ([], names[:1], names[1:5], [*names, "nobody"]):
            found = session.scalars(select(Creditor.name).where(among(session, Creditor.name, wanted))).all()
            assert set(found) == set(wanted) - {"nobody"}
