"""What operators may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """An operator's role at the desk."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that a role may be allowed to do."""

    READ_CONVERSATIONS = "read_conversations"
    TAKE_CONVERSATIONS = "take_conversations"
    ASSIGN_CONVERSATIONS = "assign_conversations"
    REPLY = "reply"
    REVEAL_DETAILS = "reveal_details"
    LIFT_HOLDS = "lift_holds"
    IMPORT_PAYMENTS = "import_payments"
    DECIDE_CASES = "decide_cases"
    EXPORT_TRANSCRIPTS = "export_transcripts"
    READ_REPORTS = "read_reports"
    REVIEW_QUALITY = "review_quality"
    CORRECT_READINGS = "correct_readings"
    MANAGE_OPERATORS = "manage_operators"
    RESEND_EVENTS = "resend_events"


_ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.AGENT: frozenset(
        {
            Permission.READ_CONVERSATIONS,
            Permission.TAKE_CONVERSATIONS,
            Permission.REPLY,
            Permission.REVEAL_DETAILS,
        }
    ),
    Role.SUPERVISOR: frozenset(Permission) - {Permission.MANAGE_OPERATORS},
    Role.COMPLIANCE: frozenset(
        {
            Permission.READ_CONVERSATIONS,
            Permission.DECIDE_CASES,
            Permission.EXPORT_TRANSCRIPTS,
            Permission.READ_REPORTS,
            Permission.REVIEW_QUALITY,
        }
    ),
    Role.ADMIN: frozenset(Permission) - {Permission.REVEAL_DETAILS},
}


READS_ALL = frozenset({Role.SUPERVISOR, Role.COMPLIANCE, Role.ADMIN})
"""Roles that answer for what others said, or review it; an agent reads by ``bot.desk.visibility``."""


def may(role: Role, permission: Permission) -> bool:
    """Tell whether a role has a permission."""
    return permission in _ALLOWED[role]
