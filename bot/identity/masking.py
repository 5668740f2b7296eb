"""Which details of a borrower an operator may have shown in clear, by role."""

from __future__ import annotations

from enum import StrEnum

from bot.identity.roles import Role


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
