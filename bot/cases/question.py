"""The question about a case that a conversation waits for an answer to."""

from __future__ import annotations

from enum import StrEnum


class CaseStep(StrEnum):
    """The question about a case that is open in a conversation."""

    NONE = "none"
    DEBT = "debt"
    KIND = "kind"
    YES = "yes"
    FACTS = "facts"
