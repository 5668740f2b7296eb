"""The command menu, and what a text that begins with a slash is taken to say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from telegram import BotCommand

from bot.services.wording import Wording

COMMANDS = ("start", "balance", "plan", "human", "stop", "help")
"""In the order of the menu."""

_COMMAND = re.compile(r"/([a-z0-9_]+)(?:@\w+)?(?:\s|$)", re.IGNORECASE)
_LEADING_SLASH = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]*[/\uff0f][\s\u200b-\u200f\u2060\ufeff/\uff0f]*")


@dataclass(frozen=True, slots=True)
class Menu:
    """The commands in the borrower's language."""

    wording: Wording

    @classmethod
    def load(cls, path: Path) -> Menu:
        """Read the menu's words.

        Raises:
            bot.services.wording.WordingError: the file cannot be used.
        """
        return cls(Wording.load(path))

    def entries(self) -> list[BotCommand]:
        """Return what the menu shows."""
        return [BotCommand(name, self.wording.one(f"menu_{name}")) for name in COMMANDS]

    def spoken(self, text: str) -> str:
        """Return what a borrower says by a text: a menu command in words, anything else without its leading slashes.

        The dialogue engine takes a text that begins with a slash for an order, so none may reach it; full-width and
        zero-width disguises are taken off too, as normalising would.
        """
        command = _COMMAND.match(text)
        if command and command[1].lower() in COMMANDS:
            return self.wording.one(f"say_{command[1].lower()}")
        return _LEADING_SLASH.sub("", text, count=1) if _LEADING_SLASH.match(text) else text
