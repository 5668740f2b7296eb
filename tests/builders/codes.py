"""Builders for one-time codes that are sent to phones: a service that takes them, and handing over what waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from bot.services import code_letters
from bot.services.deps import CodeFate, Deps


@dataclass
class Phones:
    """Takes the codes that are sent, as a text-message service does."""

    fate: CodeFate = CodeFate.TAKEN
    sent: list[tuple[str, str]] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    def send(self, letter_id: str, phone: str, code: str) -> CodeFate:
        """Note what came and answer as set."""
        self.letters.append(letter_id)
        self.sent.append((phone, code))
        return self.fate


def codes_handed_over(deps: Deps) -> int:
    """Hand over every code that waits, as the gateway does after an answer; returns how many."""
    assert deps.code_sender is not None
    letters = code_letters.claim_due(deps, 100, timedelta(minutes=1))
    for letter in letters:
        if deps.code_sender.send(letter.id, letter.phone, letter.code) is CodeFate.LATER:
            code_letters.put_off(deps, letter)
        else:
            code_letters.done(deps, letter)
    return len(letters)
