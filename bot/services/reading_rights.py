"""Whose words an operator may look through: the whole desk's, or those they have to do with."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import aliased

from bot.desk.ownership import Owner
from bot.identity.roles import Role
from bot.services.operators import OperatorView
from bot.store.tables import Conversation, Message

READS_ALL = frozenset({Role.SUPERVISOR, Role.COMPLIANCE, Role.ADMIN})
"""Roles that review what others said."""


def may_look_through(operator: OperatorView) -> ColumnElement[bool]:
    """Return the condition on ``Conversation`` under which an operator may search, replay and export it.

    An agent: what is in their hands, what they have written in, and what waits for somebody to take it.
    """
    if operator.role in READS_ALL:
        return true()
    written = aliased(Message)  # whoever asks may select messages themselves
    wrote = (
        select(written.id)
        .where(written.conversation_id == Conversation.id, written.operator_id == operator.id)
        .correlate(Conversation)
        .exists()
    )
    return (Conversation.owner_operator_id == operator.id) | (Conversation.owner == Owner.QUEUED) | wrote
