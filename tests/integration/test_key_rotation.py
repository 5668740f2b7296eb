"""All that is sealed is sealed anew, on both databases, while others write and whoever is killed."""

from __future__ import annotations

import base64
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import String, event, select, update
from typer.testing import CliRunner

from bot import cli_data
from bot.cli import app
from bot.services import key_rotation
from bot.services.deps import Deps, make_deps
from bot.settings import Settings
from bot.store.base import SEALED_FOR, Base
from bot.store.tables import (
    ApiClient,
    ApprovalNote,
    AuditEntry,
    Borrower,
    CaseFile,
    CaseNote,
    CodeLetter,
    Document,
    Operator,
    OperatorLogin,
    PaymentTrace,
    PaymentUpload,
    QualityReview,
    VerificationChallenge,
    Webhook,
)
from tests.builders.approvals import an_approval
from tests.builders.desk import NOON, SetClock, a_borrower, a_conversation, a_desk, an_operator

OLD = base64.b64encode(bytes(range(32))).decode()
NEW = base64.b64encode(bytes(range(1, 33))).decode()
THIRD = base64.b64encode(bytes(range(2, 34))).decode()
MANY = 120


def with_keys(deps: Deps, data_key: str, *others: str) -> Deps:
    changed = {"data_key": SecretStr(data_key), "other_data_keys": SecretStr(",".join(others))}
    made = make_deps(deps.settings.model_copy(update=changed), deps.clock)
    _opened.append(made)
    return made


_opened: list[Deps] = []


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().database.engine.dispose()


@pytest.fixture
def desk(deps: Deps) -> Deps:
    """A desk with something in every sealed column, sealed with the old key."""
    vault = deps.vault
    chat = a_conversation(deps)
    borrower_id, operator_id = a_borrower(deps), an_operator(deps)
    request_id = an_approval(deps, borrower_id=borrower_id).id
    with deps.begin() as session:
        borrower = session.get_one(Borrower, borrower_id)
        borrower.email_sealed = vault.seal("email", "nobody@example.cn")
        file = CaseFile(family="dispute", state="open", conversation_id=chat, created_at=NOON)
        session.add(file)
        session.flush()
        file.wanted_sealed = vault.seal(f"case:{file.id}", "wanted")
        file.reason_sealed = vault.seal(f"case:{file.id}", "reason")
        note = {"text_sealed": vault.seal(f"case:{file.id}", "t"), "content_sealed": vault.seal(f"case:{file.id}", "c")}
        session.add(CaseNote(case_id=file.id, kind="fact", created_at=NOON, **note))
        proof = {name: vault.seal(f"approval:{request_id}", name) for name in ("text_sealed", "content_sealed")}
        session.add(ApprovalNote(approval_id=request_id, kind="file", created_at=NOON, **proof))
        review = vault.seal("quality_note", "well done")
        session.add(
            QualityReview(
                conversation_id=chat, week="2026-W47", round=1, reason="drawn", note_sealed=review, drawn_at=NOON
            )
        )
        operator = session.get_one(Operator, operator_id)
        operator.totp_sealed = vault.seal("operator_totp", "secret")
        login = {"token_hash": "0" * 64, "totp_sealed": vault.seal("operator_totp", "new secret")}
        session.add(OperatorLogin(operator_id=operator.id, created_at=NOON, expires_at=NOON, **login))
        rows = vault.seal(f"payment_upload:{operator_id}", "rows")
        session.add(PaymentUpload(operator_id=operator_id, file_name="x.csv", content_sealed=rows, brought_at=NOON))
        content = vault.seal(f"document:{borrower_id}", "content")
        session.add(
            Document(
                borrower_id=borrower_id, kind="x", number="1", sha256="0" * 64, content_sealed=content, created_at=NOON
            )
        )
        session.add(
            PaymentTrace(
                borrower_id=borrower_id,
                conversation_id=chat,
                said_sealed=vault.seal("said", "said"),
                answer_by=NOON.date(),
                quiet_until=NOON,
                opened_at=NOON,
            )
        )
        challenge = VerificationChallenge(conversation_id=chat, code_hash="", code_expires_at=NOON, created_at=NOON)
        session.add(challenge)
        session.flush()
        code = vault.seal("one_time_code", "271828")
        session.add(CodeLetter(challenge_id=challenge.id, code_sealed=code, next_attempt_at=NOON))
        client = ApiClient(name="core", scopes=[], created_at=NOON)
        session.add(client)
        session.flush()
        secret = vault.seal("webhook_secret", "secret")
        session.add(Webhook(client_id=client.id, url="https://core.example.cn", secret_sealed=secret, created_at=NOON))
    return deps


def opened(deps: Deps) -> dict[tuple[str, str], str]:
    """Every sealed value there is, opened."""
    found = {}
    with deps.read() as session:
        for each in key_rotation.sealed_columns():
            for row in session.execute(select(each.table).where(each.column.is_not(None))).all():
                value = row._mapping[each.column]
                found[each.name, row._mapping["id"]] = deps.vault.unseal(each.purpose_in(row), value)
    return found


def texts(deps: Deps) -> list[tuple[str, str]]:
    """Every text in the database with its column, whether or not it is declared sealed."""
    with deps.read() as session:
        return [
            (f"{table.name}.{column.name}", value)
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if isinstance(column.type, String)
            for value in session.scalars(select(column).where(column.is_not(None)))
        ]


def test_every_column_that_is_named_sealed_is_declared_and_no_other() -> None:
    named = {str(each) for table in Base.metadata.sorted_tables for each in table.c if each.name.endswith("_sealed")}
    assert {each.name for each in key_rotation.sealed_columns()} == named
    assert all(each.primary_key for each in (sealed.table for sealed in key_rotation.sealed_columns()))


def test_what_a_purpose_names_is_a_column_that_never_changes() -> None:
    for each in key_rotation.sealed_columns():
        row = dict.fromkeys(each.table.columns.keys(), "x")
        assert each.column.info[SEALED_FOR].format_map(row)


def test_after_rotation_the_old_key_is_not_needed(desk: Deps) -> None:
    before = opened(desk)
    assert {name for name, _ in before} == {each.name for each in key_rotation.sealed_columns()}
    done = key_rotation.rotate(with_keys(desk, NEW, OLD))
    assert done.sealed_anew.total() == len(before)
    assert (done.busy.total(), done.unreadable.total()) == (0, 0)
    alone = with_keys(desk, NEW)
    assert opened(alone) == before
    assert {key for counted in key_rotation.status(alone).values() for key in counted} == {alone.vault.key_number}


def test_the_steps_of_the_runbook_leave_nothing_with_the_old_key(desk: Deps) -> None:
    both_can_open = with_keys(desk, OLD, NEW)
    early = a_borrower(both_can_open, phone="13700000001", id_number="110101199201010001")
    rotating = with_keys(desk, NEW, OLD)
    late = a_borrower(rotating, phone="13700000002", id_number="110101199201010002")
    before = opened(rotating)
    assert {key for name, key in before if name == "borrower.phone_sealed"} >= {early, late}
    key_rotation.rotate(rotating)
    alone = with_keys(desk, NEW)
    assert opened(alone) == before
    assert {key for counted in key_rotation.status(alone).values() for key in counted} == {alone.vault.key_number}


def test_keys_can_be_changed_as_often_as_one_likes(desk: Deps) -> None:
    before = opened(desk)
    key_rotation.rotate(with_keys(desk, NEW, OLD))
    done = key_rotation.rotate(with_keys(desk, THIRD, NEW))
    assert done.sealed_anew.total() == len(before)
    assert opened(with_keys(desk, THIRD)) == before


def test_whoever_takes_the_old_key_away_too_early_is_told_what_cannot_be_opened(
    desk: Deps, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_borrower(with_keys(desk, OLD, NEW), phone="13700000001", id_number="110101199201010001")
    alone = with_keys(desk, NEW)
    unknown = sum(counted[key_rotation.UNKNOWN] for counted in key_rotation.status(alone).values())
    assert unknown == len(opened(with_keys(desk, NEW, OLD)))
    monkeypatch.setattr(cli_data, "settings_or_stop", lambda: alone.settings)
    monkeypatch.setattr(cli_data, "deps_or_stop", lambda _: alone)
    assert CliRunner().invoke(app, ["keys", "status"]).exit_code == 1


def test_no_sealed_value_anywhere_in_the_database_is_forgotten(desk: Deps) -> None:
    sealed = {name for name, value in texts(desk) if value.startswith("1:") and len(value) > 40}
    assert sealed == {each.name for each in key_rotation.sealed_columns()}
    key_rotation.rotate(with_keys(desk, NEW, OLD))
    assert not [name for name, value in texts(desk) if value.startswith("1:") and len(value) > 40]


def test_a_second_run_finds_nothing_and_says_nothing(desk: Deps) -> None:
    rotating = with_keys(desk, NEW, OLD)
    key_rotation.rotate(rotating)
    assert key_rotation.rotate(rotating).sealed_anew.total() == 0
    with desk.read() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.event == "keys_rotated")).all()
    assert entry.detail["key"] == rotating.vault.key_number
    assert entry.detail["unreadable"] == 0


def test_what_no_key_opens_is_counted_and_left(desk: Deps) -> None:
    rotating = with_keys(desk, NEW, base64.b64encode(bytes(32)).decode())
    before = texts(desk)
    done = key_rotation.rotate(rotating)
    assert done.sealed_anew.total() == 0
    assert done.unreadable.total() == len(opened(desk))
    assert texts(desk) == before
    assert all(counted.keys() <= {key_rotation.UNKNOWN} for counted in key_rotation.status(rotating).values())


def test_an_address_that_retention_has_emptied_is_no_sealed_value(desk: Deps) -> None:
    with desk.begin() as session:
        session.execute(update(Base.metadata.tables["conversation"]).values(address_sealed="anonymised"))
    done = key_rotation.rotate(with_keys(desk, NEW, OLD))
    assert (done.sealed_anew["conversation.address_sealed"], done.unreadable.total()) == (0, 0)


def test_what_the_desk_writes_meanwhile_is_not_overwritten(desk: Deps) -> None:
    rotating = with_keys(desk, NEW, OLD)
    columns = key_rotation.sealed_columns()
    email = next(each for each in columns if each.name == "borrower.email_sealed")
    with desk.read() as session:
        row = session.execute(select(email.table.c.id, email.column).where(email.column.is_not(None)).limit(1)).one()
    with desk.begin() as session:
        session.get_one(Borrower, row.id).email_sealed = desk.vault.seal("email", "newer@example.cn")
    assert key_rotation._replace(rotating, email, {row: rotating.vault.reseal("email", row[-1])}) == 0
    key_rotation.rotate(rotating)
    assert opened(with_keys(desk, NEW))["borrower.email_sealed", row.id] == "newer@example.cn"


def test_it_neither_waits_for_a_busy_row_nor_forgets_it(desk: Deps, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")
    rotating = with_keys(desk, NEW, OLD)
    with desk.begin() as session:
        session.scalars(select(Borrower).limit(1).with_for_update()).one()
        done = key_rotation.rotate(rotating)
    assert done.busy.total() >= 3
    assert key_rotation.rotate(rotating).sealed_anew.total() == done.busy.total()


def test_a_serving_desk_goes_on_reading_and_writing(desk: Deps) -> None:
    many(desk)
    rotating, stop, wrong = with_keys(desk, NEW, OLD), threading.Event(), []
    serving = with_keys(desk, NEW, OLD)

    def serve() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                a_borrower(serving, phone=f"137{number:08d}", id_number=f"11010119920101{number:04d}")
                opened(serving)
            except Exception as error:
                wrong.append(error)
                return

    server = threading.Thread(target=serve)
    server.start()
    key_rotation.rotate(rotating)
    stop.set()
    server.join()
    assert wrong == []
    key_rotation.rotate(rotating)
    opened(with_keys(desk, NEW))


# The first column holds one value, the second many: two transactions of 1 and 50 are done, the third is cut off.
@pytest.mark.parametrize(("update_number", "done"), [(1, 0), (77, 53)])
def test_killed_in_the_middle_it_is_continued(desk: Deps, update_number: int, done: int) -> None:
    many(desk)
    before = opened(desk)
    rotating = with_keys(desk, NEW, OLD)
    given = rotating.settings.model_dump()
    child = get_context("spawn").Process(target=rotate_and_die, args=(given, update_number))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    counted = key_rotation.status(rotating)
    assert sum(each[rotating.vault.key_number] for each in counted.values()) == done
    assert opened(rotating) == before
    key_rotation.rotate(rotating)
    assert opened(with_keys(desk, NEW)) == before


def rotate_and_die(given: dict[str, Any], update_number: int) -> None:
    """Rotate in a process of its own that is killed at its n-th change, in the middle of a transaction."""
    deps = make_deps(Settings.model_construct(**given), SetClock())
    seen = 0

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal seen
        seen += statement.startswith("UPDATE")
        if seen == update_number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(deps.database.engine, "before_cursor_execute", count)
    key_rotation.rotate(deps)


def many(deps: Deps) -> None:
    vault = deps.vault
    with deps.begin() as session:
        for number in range(MANY):
            session.add(
                Borrower(
                    name_sealed=vault.seal("name", f"name {number}"),
                    name_hash=f"{number:064d}",
                    phone_sealed=vault.seal("phone", f"phone {number}"),
                    phone_hash=f"{number:064d}",
                    id_number_sealed=vault.seal("id_number", f"id {number}"),
                    id_number_hash=f"{number:064d}",
                    id_tail_hash=f"{number:064d}",
                    created_at=NOON,
                )
            )


def test_the_commands_say_what_is_left(desk: Deps, monkeypatch: pytest.MonkeyPatch) -> None:
    rotating = with_keys(desk, NEW, OLD)
    monkeypatch.setattr(cli_data, "settings_or_stop", lambda: rotating.settings)
    monkeypatch.setattr(cli_data, "deps_or_stop", lambda _: rotating)
    count = len(opened(desk))
    said = CliRunner().invoke(app, ["keys", "status"])
    assert f"{count} are not sealed with the newest key" in said.output
    assert said.exit_code == 0
    said = CliRunner().invoke(app, ["keys", "rotate"])
    assert f"{count} values sealed anew with the key {rotating.vault.key_number}" in said.output
    assert said.exit_code == 0
    assert "all are sealed with the newest key" in CliRunner().invoke(app, ["keys", "status"]).output


def test_settings_take_several_keys(tmp_path: Path) -> None:
    made = a_desk(tmp_path)
    given = made.settings.model_copy(update={"other_data_keys": SecretStr(f" {NEW} ,")})
    again = make_deps(given)
    assert again.vault.key_numbers == (made.vault.key_number, with_keys(made, NEW).vault.key_number)
    again.database.engine.dispose()
    made.database.engine.dispose()
