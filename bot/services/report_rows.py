"""The shape of what the reports count, and what is asked of rows of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, FromClause, SQLColumnExpression, Table, case, exists, literal, select

from bot.desk.spans import Span
from bot.store.base import UtcDateTime
from bot.store.tables import Contract, Conversation, Debt, Product

Text = SQLColumnExpression[str | None]
Instant = SQLColumnExpression[datetime | None]
Day = SQLColumnExpression[date | None]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a measure: each belongs to the span that ``at``, an instant or a day, falls in.

    A ``key`` counts once in a span, however often it comes. ``conversation`` and ``borrower`` say whose it is, as far
    as a row knows; ``detail`` is the code that rows are told apart by.
    """

    source: FromClause
    at: Instant | Day
    key: Text
    where: tuple[ColumnElement[bool], ...]
    conversation: Text | None = None
    borrower: Text | None = None
    detail: Text | None = None
    is_by_day: bool = False

    @property
    def has_own_key(self) -> bool:
        """Whether no key comes twice, because it is the primary key of the one table that is read."""
        return (
            isinstance(self.source, Table)
            and [getattr(self.key, "key", None)] == self.source.primary_key.columns.keys()
        )


def owes_product(borrower: Text, product: str) -> ColumnElement[bool]:
    """Return the condition that a borrower has, or had, a debt of a kind of product."""
    return exists(
        select(Debt.id)
        .join(Contract, Contract.id == Debt.contract_id)
        .join(Product, Product.id == Contract.product_id)
        .where(Debt.borrower_id == borrower, Product.kind == product)
        .correlate_except(Debt, Contract, Product)
    )


def has_product(rows: Rows, product: str) -> ColumnElement[bool]:
    """Return the condition that a row is of a borrower who has, or had, a debt of a kind of product."""
    if rows.borrower is not None:
        return owes_product(rows.borrower, product)
    return exists(
        select(Conversation.id)
        .where(Conversation.id == rows.conversation, owes_product(Conversation.borrower_id, product))
        .correlate_except(Conversation)
    )


def of_its_span(at: Instant, spans: Sequence[Span], bounds: Sequence[datetime]) -> Instant:
    """Return the bound of the span that an instant falls in."""
    return case(*((at < span.ends, literal(bound, UtcDateTime())) for span, bound in zip(spans, bounds, strict=True)))
