"""Changing the key that personal data are sealed with, while the desk serves.

Every column that the tables mark as sealed (``bot.store.base.sealed_for``) is gone through in batches. A value is
replaced only if it is still the one that was read, so nothing that the desk writes meanwhile is lost; a run that was
killed is continued by the next, which finds only what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import Column, Row, Table, func, select, tuple_, update

from bot.services import audit
from bot.services.deps import Deps
from bot.store.base import SEALED_FOR, Base
from bot.store.vault import numbered

AT_ONCE = 50
"""Values in one transaction: some of them are whole documents."""

UNKNOWN = "unknown"
"""Stands for the key of values that no key given opens."""


SealedRow = Row[*tuple[Any, ...]]
"""Key of the table, the columns that the purpose names, and last the sealed value."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One sealed column; ``purpose`` names other columns of the row in braces."""

    column: Column[Any]
    purpose: str

    @property
    def table(self) -> Table:
        """The table it is a column of."""
        return self.column.table

    @property
    def name(self) -> str:
        """Table and column, as on record and on the terminal."""
        return f"{self.table.name}.{self.column.name}"

    def purpose_in(self, row: SealedRow) -> str:
        """Return what the value of this row is bound to."""
        return self.purpose.format_map(row._mapping)  # SQLAlchemy's public name for a row by column


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a run did, by column. It leaves values that no key opens, and those that others were changing."""

    sealed_anew: Counter[str] = field(default_factory=Counter)
    busy: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)


def sealed_columns() -> list[SealedColumn]:
    """Return every column that the tables mark as sealed, by name."""
    found = [
        SealedColumn(column, column.info[SEALED_FOR])
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if SEALED_FOR in column.info
    ]
    return sorted(found, key=lambda each: each.name)


def rotate(deps: Deps, on_batch: Callable[[str, int], None] = lambda _name, _count: None) -> Rotated:
    """Seal with the newest key what is sealed with another; harmless to repeat, and to kill.

    ``on_batch`` is told the column and how many of its values have been sealed anew so far, after each transaction.
    """
    done = Rotated()
    for each in sealed_columns():
        for rows in _batches(deps, each, but=numbered(deps.vault.key_number)):
            fresh = {}
            for row in rows:
                try:
                    fresh[row] = deps.vault.reseal(each.purpose_in(row), row[-1])
                except InvalidTag:
                    done.unreadable[each.name] += 1
            replaced = _replace(deps, each, fresh)
            done.sealed_anew[each.name] += replaced
            done.busy[each.name] += len(fresh) - replaced
            on_batch(each.name, done.sealed_anew[each.name])
    if done.sealed_anew.total():
        with deps.begin() as session:
            audit.record(
                session,
                deps.now(),
                audit.SYSTEM,
                "keys_rotated",
                ("desk", "keys"),
                key=deps.vault.key_number,
                values=done.sealed_anew.total(),
                unreadable=done.unreadable.total(),
            )
    return done


def status(deps: Deps) -> dict[str, Counter[str]]:
    """Count the sealed values of every column by the fingerprint of their key; reads, changes nothing."""
    found: dict[str, Counter[str]] = {}
    for each in sealed_columns():
        counted: Counter[str] = Counter()
        with deps.read() as session:
            for number in deps.vault.key_numbers:
                begins = each.column.startswith(numbered(number), autoescape=True)
                counted[number] += session.scalar(select(func.count()).select_from(each.table).where(begins)) or 0
        known = tuple(numbered(number) for number in deps.vault.key_numbers)
        for rows in _batches(deps, each, but=known[0]):
            for row in rows:
                if not row[-1].startswith(known):
                    counted[deps.vault.key_of(each.purpose_in(row), row[-1]) or UNKNOWN] += 1
        found[each.name] = +counted
    return found


def _batches(deps: Deps, each: SealedColumn, but: str) -> Iterator[list[SealedRow]]:
    """Yield the sealed values that do not begin so, in order of the table's key: rows with the value last."""
    keys = list(each.table.primary_key.columns)
    others = [column for column in each.table.columns if "{" + column.name + "}" in each.purpose and column not in keys]
    is_sealed = each.column.startswith(numbered(None)) | each.column.like(numbered("%") + "%")
    wanted = (
        select(*keys, *others, each.column)
        .where(is_sealed, ~each.column.startswith(but, autoescape=True))
        .order_by(*keys)
        .limit(AT_ONCE)
    )
    after: tuple[Any, ...] | None = None
    while True:
        with deps.read() as session:
            rows = list(session.execute(wanted if after is None else wanted.where(tuple_(*keys) > after)).all())
        if not rows:
            return
        yield rows
        after = tuple(rows[-1][: len(keys)])


def _replace(deps: Deps, each: SealedColumn, fresh: dict[SealedRow, str]) -> int:
    """Write values that are still as they were read; return how many.

    A row that somebody else is changing is left alone: it is not waited for while others are held, so two cannot wait
    for each other.
    """
    keys = list(each.table.primary_key.columns)
    read_as = {tuple(row[: len(keys)]): (row[-1], sealed) for row, sealed in fresh.items()}
    replaced = 0
    with deps.begin() as session:
        free = (
            select(*keys)
            .where(tuple_(*keys).in_(list(read_as)))
            .order_by(*keys)
            .with_for_update(skip_locked=True, key_share=True)
        )
        for found in session.execute(free).all():
            before, sealed = read_as[tuple(found)]
            same = [key == value for key, value in zip(keys, found, strict=True)]
            changed = session.execute(
                update(each.table).where(*same, each.column == before).values({each.column: sealed}).returning(keys[0])
            )
            replaced += len(changed.all())
    return replaced
