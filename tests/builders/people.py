"""Builders for people who can prove to the desk who they are. All invented, without a right check digit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from bot.services.deps import Deps
from tests.builders.accounts import Owed, a_debt_of
from tests.builders.desk import a_borrower

_FAMILY = "林罗梁宋唐许韩邓曹彭"
_GIVEN = "甲乙丙丁戊己庚辛壬癸"
_numbers = count(1)


@dataclass(frozen=True)
class Person:
    """What somebody answers when the desk asks who they are. ``borrower_id`` is None for people it does not know."""

    name: str
    phone: str
    id_tail: str
    borrower_id: str | None = None
    debt_ids: tuple[str, ...] = ()


def a_person(deps: Deps, debts: Sequence[Owed] = (Owed(),)) -> Person:
    """Register somebody new, with debts of their own."""
    stranger = a_stranger()
    id_number = f"11010119900202{stranger.id_tail}"
    borrower_id = a_borrower(deps, stranger.name, stranger.phone, id_number)
    debt_ids = tuple(a_debt_of(deps, borrower_id, owed) for owed in debts)
    return Person(stranger.name, stranger.phone, stranger.id_tail, borrower_id, debt_ids)


def a_stranger() -> Person:
    """Make up somebody of whom the desk has never heard."""
    number = next(_numbers)
    name = _FAMILY[number // 100 % 10] + _GIVEN[number // 10 % 10] + _GIVEN[number % 10]
    return Person(name, phone=f"1390000{number:04d}", id_tail=f"{2000 + number:04d}")
