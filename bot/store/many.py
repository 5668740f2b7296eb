"""Many values in one condition and many rows in one statement, as each database takes them best.

PostgreSQL gets one array for a list of values and one for each column: a statement of the same short text every time.
SQLite has no arrays; it gets a list, and the rows one after another in one call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, any_, column, func, insert, literal, select
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
    names = list(rows[0])
    columns = table.__table__.columns
    arrays = [literal([row[name] for row in rows], ARRAY(columns[name].type)) for name in names]
    brought = func.unnest(*arrays).table_valued(*names).render_derived()
    made = select(*(column(name, columns[name].type) for name in names)).select_from(brought)
    session.execute(insert(table).from_select(names, made, include_defaults=False))


def _has_arrays(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
