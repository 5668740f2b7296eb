"""The release before this one goes on serving a database that this one has already migrated.

Its tables are what its own migrations make, read back from the database: a column that is taken away or renamed, a new
one that has to be filled, or a stricter rule is then found by writing as that release does. On both databases.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from alembic import command
from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    MetaData,
    Table,
    Time,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from bot.store import migrate
from bot.store.engine import make_engine
from bot.store.tables import Base

RELEASED = "0010_cases"
"""The schema of the release before this one; set anew when a release is made."""

_numbers = count(1)


@pytest.fixture
def engine(bare_database_url: str) -> Iterator[Engine]:
    """A database as the release before left it, empty."""
    made = make_engine(bare_database_url)
    with made.connect() as connection:
        command.upgrade(migrate.configuration(connection), RELEASED)
    yield made
    made.dispose()


@pytest.fixture
def previous(engine: Engine) -> MetaData:
    """The tables as the release before knows them."""
    found = MetaData()
    found.reflect(engine, only=lambda name, _: name != "alembic_version")
    return found


def a_value(column: Any, filled: dict[tuple[str, str], Any]) -> Any:
    """Something that fits into a column, different each time where the type allows it."""
    number = next(_numbers)
    for key in column.foreign_keys:
        return filled[key.column.table.name, key.column.name]
    kind = column.type
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, JSON):
        return []
    if isinstance(kind, DateTime):
        return datetime(2026, 1, 1, tzinfo=UTC)
    if isinstance(kind, Date):
        return date(2026, 1, 1) + timedelta(days=number)  # what is named later is due later
    if isinstance(kind, Time):
        return time(12, 0)
    if isinstance(kind, Float):
        return 1.0
    if isinstance(kind, Integer):
        return number
    shown = str(number)
    return shown.rjust(min(kind.length or 8, 8), "0")[-(kind.length or 8) :]


def write_everywhere(connection: Connection, tables: MetaData, *, only_required: bool) -> dict[str, dict[str, Any]]:
    """Write one row into every table, naming the columns that the release before knows; return what was written."""
    filled: dict[tuple[str, str], Any] = {}
    rows = {}
    for table in tables.sorted_tables:
        row = _row(table, filled, only_required=only_required)
        connection.execute(table.insert().values(row))
        filled |= {(table.name, name): value for name, value in row.items()}
        rows[table.name] = row
    return rows


def _row(table: Table, filled: dict[tuple[str, str], Any], *, only_required: bool) -> dict[str, Any]:
    wanted = [each for each in table.columns if not (only_required and each.nullable)]
    to_itself = {each for each in wanted if any(key.column.table is table for key in each.foreign_keys)}
    return {each.name: a_value(each, filled) for each in wanted if each not in to_itself}


@pytest.mark.parametrize("only_required", [False, True])
def test_it_writes_and_reads_as_before(engine: Engine, previous: MetaData, only_required: bool) -> None:
    with engine.begin() as connection:
        earlier = write_everywhere(connection, previous, only_required=only_required)
    migrate.upgrade(engine.url.render_as_string(hide_password=False))
    with engine.begin() as connection:
        later = write_everywhere(connection, previous, only_required=only_required)
        for table in previous.sorted_tables:
            key = next(iter(table.primary_key.columns))
            found = {row[key.name]: row for row in connection.execute(select(table)).mappings()}
            assert {earlier[table.name][key.name], later[table.name][key.name]} <= found.keys()
            for written in (earlier, later):
                row = found[written[table.name][key.name]]
                assert [name for name in written[table.name] if row[name] is None] == []
            plain = [each for each in table.columns if not each.primary_key and not each.foreign_keys]
            kept = {each.name: found[later[table.name][key.name]][each.name] for each in plain}
            if kept:
                connection.execute(update(table).where(key == later[table.name][key.name]).values(kept))
    # What it wrote meanwhile is read by this release.
    with Session(engine) as session:
        for mapper in Base.registry.mappers:
            rows = session.scalars(select(mapper.class_)).all()
            assert len(rows) >= (2 if mapper.local_table.name in previous.tables else 0)  # type: ignore[attr-defined]


def test_the_release_is_an_earlier_one_and_a_column_to_be_filled_would_be_noticed(
    engine: Engine, previous: MetaData
) -> None:
    assert migrate.current(engine.url.render_as_string(hide_password=False)) == RELEASED
    assert migrate.head() != RELEASED
    with engine.begin() as connection:
        default = " DEFAULT 'x'" if engine.dialect.name == "sqlite" else ""  # it insists on one for rows that are there
        connection.execute(text(f"ALTER TABLE creditor ADD COLUMN needed VARCHAR(4) NOT NULL{default}"))
        if engine.dialect.name == "sqlite":
            connection.execute(text("ALTER TABLE creditor DROP COLUMN kind"))
    with pytest.raises(Exception, match=r"needed|kind"), engine.begin() as connection:
        write_everywhere(connection, previous, only_required=False)


def test_nothing_that_it_looks_up_by_has_lost_its_index(engine: Engine, previous: MetaData) -> None:
    before = {table: indexes(engine, table) for table in previous.tables}
    migrate.upgrade(engine.url.render_as_string(hide_password=False))
    for table, names in before.items():
        assert names <= indexes(engine, table), table


def indexes(engine: Engine, table: str) -> set[tuple[str, ...]]:
    looked = inspect(engine)
    found = [each["column_names"] for each in looked.get_indexes(table)]
    found += [each["column_names"] for each in looked.get_unique_constraints(table)]
    return {tuple(str(name) for name in names) for names in found}
