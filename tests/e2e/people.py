"""Borrowers made for one browser test each, so that no test meets what another has agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from bot.services.deps import Deps
from tests.builders.accounts import Owed, a_debt_of
from tests.builders.desk import a_borrower

_numbers = count(1)


@dataclass(frozen=True)
class Person:
    """What somebody types to prove who they are."""

    phone: str
    id_tail: str
    creditor: str


def a_person_in_arrears(deps: Deps, owed: Owed | None = None) -> Person:
    """Register somebody invented who owes 12,000 yuan of principal, 45 days late, to a creditor of their own."""
    number = next(_numbers)
    person = Person(f"137{number:08d}", f"7{number:03d}", f"样例银行{number}号")
    borrower_id = a_borrower(deps, f"浏览器测试{number}", person.phone, f"11010119900101{person.id_tail}")
    a_debt_of(deps, borrower_id, owed or Owed(creditor=person.creditor))
    return person
