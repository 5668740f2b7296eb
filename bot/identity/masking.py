"""What stands for a person's details where they are not needed in clear, and which of them a role may have shown."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from bot.identity.roles import Role

_LONG_NUMBER = re.compile(r"(?<!\d)\d{3,}(?:[ \-]?\d{3,})*[Xx]?")
_LONG = 11
_PROVING_NUMBER = re.compile(r"(?<![0-9A-Za-z*])\d{3,}[Xx]?(?![0-9A-Za-z*])")


class Detail(StrEnum):
    """Something about a person that every page masks."""

    NAME = "name"
    PHONE = "phone"
    ID_TAIL = "id_tail"


_REVEALED: dict[Role, frozenset[Detail]] = {
    Role.AGENT: frozenset({Detail.NAME, Detail.PHONE}),
    Role.SUPERVISOR: frozenset(Detail),
    Role.COMPLIANCE: frozenset(),
    Role.ADMIN: frozenset(),
}
"""An administrator keeps the desk running and compliance reviews conduct: neither needs to know who somebody is."""


def may_reveal(role: Role, *, has_in_hand: bool) -> frozenset[Detail]:
    """Return what a role may have shown; an agent only while the conversation is in their hands."""
    return _REVEALED[role] if has_in_hand or role is not Role.AGENT else frozenset()


def mask_name(name: str) -> str:
    """Keep the family name: 王小明 becomes 王**."""
    return name[:1] + "*" * (len(name) - 1)


def mask_phone(phone: str) -> str:
    """Keep three digits before and four behind."""
    return f"{phone[:3]}****{phone[-4:]}"


def mask_numbers(text: str, *, proving: bool = False) -> str:
    """Hide what a borrower typed about themselves: phones, identity numbers, bank cards, spaced or not.

    A phone keeps the form of ``mask_phone``, an identity number its last two characters, any other number of eleven
    digits or more its last four. Dates and amounts are shorter or grouped otherwise and stay. With ``proving`` (the
    borrower was proving identity) shorter numbers, which are codes and tails of identity numbers, vanish altogether.
    """
    masked = _LONG_NUMBER.sub(_mask_long, text)
    return _PROVING_NUMBER.sub("****", masked) if proving else masked


def _mask_long(match: re.Match[str]) -> str:
    number = unicodedata.normalize("NFKC", re.sub(r"[ \-]", "", match.group(0)))
    if len(number) < _LONG:
        return match.group(0)
    if len(number) == 11 and number.startswith("1"):
        return mask_phone(number)
    if len(number) == 13 and number.startswith("861"):
        return mask_phone(number[2:])
    return "****" + number[-2 if len(number) in (15, 18) else -4 :]
