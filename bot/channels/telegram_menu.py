"""The command menu, and what a text that begins with a slash is taken to say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from telegram import BotCommand

from bot.services.channel_links import is_token
from bot.services.wording import Wording

COMMANDS = ("start", "balance", "plan", "human", "stop", "privacy", "unbind", "help")
"""In the order of the menu."""

ORDERS = {
    "balance": "/ask_balance",
    "plan": "/ask_plan_status",
    "human": "/request_human",
    "stop": "/stop_contact",
    "privacy": '/rights{"topic": "personal_data"}',
    "unbind": '/wrong_person{"topic": "unbind"}',
    "help": "/ask_capabilities",
}
"""What a command means to the dialogue engine, as a button would. ``start`` is a greeting like any other."""

_COMMAND = re.compile(r"/([a-z0-9_]+)(?:@\w+)?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What following a link may send behind ``/start``."""
_LEADING_SLASH = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]*[/\uff0f][\s\u200b-\u200f\u2060\ufeff/\uff0f]*")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a borrower says by a text: words, and for a command the order it stands for."""

    words: str
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Menu:
    """The commands, and the other words of this channel, in the borrower's language."""

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

    def spoken(self, text: str) -> Spoken:
        """Return what a borrower says by a text: a menu command in words, anything else without its leading slashes.

        A command with words behind it is none: the words are what is said. The dialogue engine takes a text that begins
        with a slash for an order, so none may reach it; full-width and zero-width disguises are taken off too, as
        normalising would.
        """
        name, behind = _command(text)
        if name not in COMMANDS:
            return Spoken(_defused(text))
        words = _defused(behind).strip()
        if not words or (name == "start" and _PARAMETER.fullmatch(behind)):
            return Spoken(self.wording.one(f"say_{name}"), ORDERS.get(name))
        return Spoken(words)


def link_token(text: str) -> str | None:
    """Return the token of a link that was followed into this chat, if the text is what following one sends."""
    name, behind = _command(text)
    return behind if name == "start" and is_token(behind) else None


def _command(text: str) -> tuple[str | None, str]:
    """Return the name of the command that a text begins with, if it does, and what stands behind it."""
    found = _COMMAND.fullmatch(text)
    return (found[1].lower(), (found[2] or "").strip()) if found else (None, "")


def _defused(text: str) -> str:
    return _LEADING_SLASH.sub("", text, count=1) if _LEADING_SLASH.match(text) else text
