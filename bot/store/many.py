"""Many values in one condition and many rows in one statement, as each database takes them best.

PostgreSQL gets one array for a list of values and one for each column: a statement of the same short text every time.
SQLite has no arrays; it gets a list, and the rows one after another in one call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Select, any_, column, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from bot.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute, Session


def among(session: Session, attribute: InstrumentedAttribute[str], values: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a column has one of some values; a few thousand at most on SQLite."""
    if _has_arrays(session):
        return attribute == any_(literal(list(values), ARRAY(attribute.type)))
    return attribute.in_(values)


def insert_all(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows that all name the same columns; what the program would fill in by itself must be among them."""
    if not rows:
        return
    if not _has_arrays(session):
        session.execute(insert(table), [dict(row) for row in rows])
        return
    names, brought = _brought(table, rows)
    session.execute(insert(table).from_select(names, brought, include_defaults=False))


def insert_new(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]], key: str) -> int:
    """Write those of some rows whose ``key``, a unique column, is not there yet; returns how many.

    Rows all name the same columns, and what the program would fill in by itself is among them.
    """
    if not rows:
        return 0
    if _has_arrays(session):
        names, brought = _brought(table, rows)
        adding = postgresql.insert(table).from_select(names, brought, include_defaults=False)
        added = session.execute(adding.on_conflict_do_nothing(index_elements=[key]).returning(table.__table__.c[key]))
        return len(added.all())
    kept = session.execute(
        sqlite.insert(table).on_conflict_do_nothing(index_elements=[key]).returning(table.__table__.c[key]),
        [dict(row) for row in rows],
        execution_options={"render_nulls": True},  # rows that lack different columns would be as many statements
    )
    return len(kept.all())


def _brought(table: type[Base], rows: Sequence[Mapping[str, object]]) -> tuple[list[str], Select[*tuple[object, ...]]]:
    """The columns that rows name, and the rows as a selection from one array for each."""
    names, columns = list(rows[0]), table.__table__.columns
    arrays = [literal([row[name] for row in rows], ARRAY(columns[name].type)) for name in names]
    unnested = func.unnest(*arrays).table_valued(*names).render_derived()
    return names, select(*(column(name, columns[name].type) for name in names)).select_from(unnested)


def _has_arrays(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
