"""The migrated schema is the one the code declares, on both databases, and migrating is safe to repeat."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from bot.store import migrate
from bot.store.engine import make_engine
from bot.store.tables import FULL_TEXT_TABLES, Base


def tables_of(url: str) -> set[str]:
    engine = make_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - FULL_TEXT_TABLES
    finally:
        engine.dispose()


def differences(engine: Engine) -> list[object]:
    # What only one of the two databases has: SQLite's full-text tables, PostgreSQL's index of words.
    elsewhere = FULL_TEXT_TABLES | ({"ix_search_entry_words"} if engine.dialect.name == "sqlite" else set())

    def is_compared(_item: object, name: str | None, *_rest: object) -> bool:
        return name not in elsewhere

    with engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_object": is_compared}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, Base.metadata))


def test_the_migrated_schema_is_the_declared_one(bare_database_url: str) -> None:
    migrate.upgrade(bare_database_url)
    engine = make_engine(bare_database_url)
    assert differences(engine) == []
    engine.dispose()


def test_a_forgotten_column_would_be_noticed(bare_database_url: str) -> None:
    migrate.upgrade(bare_database_url)
    engine = make_engine(bare_database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE creditor DROP COLUMN kind"))
    assert len(differences(engine)) == 1
    engine.dispose()


def test_checks_survive_the_migration(bare_database_url: str) -> None:
    migrate.upgrade(bare_database_url)
    engine = make_engine(bare_database_url)
    names = {check["name"] for check in inspect(engine).get_check_constraints("ledger_entry")}
    engine.dispose()
    assert names == {"ck_ledger_entry_amount_positive"}


def test_a_new_desk_and_a_migrated_one_find_texts_alike(tmp_path: Path) -> None:
    migrate.upgrade(migrated := f"sqlite:///{tmp_path / 'migrated.sqlite3'}")
    declared = make_engine(f"sqlite:///{tmp_path / 'declared.sqlite3'}")
    Base.metadata.create_all(declared)
    kept = "SELECT sql FROM sqlite_master WHERE name LIKE 'search_%' AND type IN ('table', 'trigger') ORDER BY name"
    statements = []
    for engine in (make_engine(migrated), declared):
        with engine.connect() as connection:
            found = connection.execute(text(kept)).scalars().all()
        statements.append([one for one in found if "search_text" in one and "search_text_" not in one])
        engine.dispose()
    assert len(statements[0]) == 4
    assert statements[0] == statements[1]


def test_upgrading_twice_is_harmless(bare_database_url: str) -> None:
    assert migrate.current(bare_database_url) is None
    assert migrate.pending(bare_database_url)
    migrate.upgrade(bare_database_url)
    first = migrate.current(bare_database_url)
    migrate.upgrade(bare_database_url)
    assert migrate.current(bare_database_url) == first == migrate.head()
    assert not migrate.pending(bare_database_url)


def test_a_database_of_the_first_revision_is_brought_up_to_date_with_its_rows(bare_database_url: str) -> None:
    engine = make_engine(bare_database_url)
    with engine.connect() as connection:
        command.upgrade(migrate.configuration(connection), "0001")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO creditor VALUES ('1', '示例银行', 'bank', '-', '-')"))
    assert migrate.pending(bare_database_url)
    migrate.upgrade(bare_database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM creditor")).scalars().all() == ["示例银行"]
    assert differences(engine) == []
    engine.dispose()


def test_starters_that_migrate_at_once_do_not_collide(bare_database_url: str) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        list(pool.map(migrate.upgrade, [bare_database_url] * 3))
    assert tables_of(bare_database_url) == {*Base.metadata.tables, "alembic_version"}


def test_a_migration_that_fails_changes_nothing(bare_database_url: str) -> None:
    engine = make_engine(bare_database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE message (id integer)"))
    engine.dispose()
    with pytest.raises(Exception, match="message"):
        migrate.upgrade(bare_database_url)
    assert tables_of(bare_database_url) <= {"message", "alembic_version"}
    assert migrate.current(bare_database_url) is None


def test_asking_for_the_revision_makes_no_file(tmp_path: Path) -> None:
    assert migrate.pending(f"sqlite:///{tmp_path / 'none.sqlite3'}")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_reached_is_an_operational_error(tmp_path: Path) -> None:
    with pytest.raises(OperationalError):
        migrate.upgrade(f"postgresql+psycopg://desk@/desk?host={tmp_path}")


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(migrate.configuration()).get_heads()) == 1


def test_there_is_no_way_down(bare_database_url: str) -> None:
    migrate.upgrade(bare_database_url)
    engine = make_engine(bare_database_url)
    with engine.connect() as connection, pytest.raises(NotImplementedError, match="forward"):
        command.downgrade(migrate.configuration(connection), "base")
    engine.dispose()


def test_no_revision_imports_the_application() -> None:
    for path in migrate.FOLDER.rglob("*.py"):
        lines = path.read_text("utf-8").splitlines()
        assert not [line for line in lines if line.startswith(("from bot", "import bot", "from actions"))], path
