"""What each operator role may do, spelled out."""

from itertools import product

import pytest

from bot.identity.roles import Permission, Role, may

ALLOWED = {
    (Role.AGENT, Permission.READ_CONVERSATIONS),
    (Role.AGENT, Permission.TAKE_CONVERSATIONS),
    (Role.AGENT, Permission.REPLY),
    (Role.AGENT, Permission.REVEAL_DETAILS),
    *product([Role.SUPERVISOR], set(Permission) - {Permission.MANAGE_OPERATORS}),
    *product([Role.ADMIN], set(Permission) - {Permission.REVEAL_DETAILS}),
    (Role.COMPLIANCE, Permission.READ_CONVERSATIONS),
    (Role.COMPLIANCE, Permission.DECIDE_CASES),
    (Role.COMPLIANCE, Permission.EXPORT_TRANSCRIPTS),
    (Role.COMPLIANCE, Permission.REVIEW_QUALITY),
    (Role.COMPLIANCE, Permission.READ_REPORTS),
}


@pytest.mark.parametrize(("role", "permission"), list(product(Role, Permission)))
def test_every_role_may_do_what_the_table_says_and_nothing_else(role: Role, permission: Permission) -> None:
    assert may(role, permission) is ((role, permission) in ALLOWED)


def test_agents_cannot_lift_a_hold_and_compliance_cannot_speak_to_borrowers() -> None:
    assert not may(Role.AGENT, Permission.LIFT_HOLDS)
    assert not may(Role.COMPLIANCE, Permission.REPLY)
