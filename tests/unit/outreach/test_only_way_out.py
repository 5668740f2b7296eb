"""The only way out: what the source says about who can write a message, and who can reach a channel.

Import contracts (``pyproject.toml``) keep services, console, scheduler and actions from the libraries that speak to the
outside. Here is what a contract of imports cannot say: who builds a message, and that nobody speaks but through the
gate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from bot.settings import ROOT

TO_THE_OUTSIDE = {"telegram", "smtplib", "httpx", "requests", "aiohttp", "aiosmtplib", "urllib3", "socket"} | {
    "urllib.request",
    "http.client",
}
REACHES_THE_OUTSIDE = {
    "bot/up.py": "asks its own processes on this machine whether they are ready",
}
"""Beside ``bot/channels``."""

WRITER = "bot/services/conversations.py"
STORES_WHAT_BORROWERS_WRITE = {"bot/services/inbound.py", WRITER}
TO_DELIVER = "bot.services.outbox"

ANSWERS_DANGER = {"bot/services/crisis.py": "SAFETY", "bot/services/care.py": "Purpose.SAFETY"}
ASKS_THE_GATE = {
    f"bot/services/{name}.py" for name in ("reminders", "approval_news", "call_news", "desk_offers", "handoff")
}
"""Whoever says something that is not a reply. They ask ``bot.services.contact`` first."""


@dataclass(frozen=True)
class Source:
    """One module of ours."""

    path: str
    tree: ast.Module

    def imports(self) -> Iterator[str]:
        """Yield the full names of what is imported anywhere in it."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Yield the calls of a function or class by its name, also as an attribute of a module."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and last_name(node.func) in names:
                yield node

    def writes(self, *tables: str) -> bool:
        """Whether it builds rows of a table, or inserts some."""
        built = any(True for _ in self.calls(*tables))
        inserted = (last_name(argument) for call in self.calls("insert") for argument in call.args)
        return built or any(name in tables for name in inserted)


def last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


@cache
def sources() -> tuple[Source, ...]:
    paths = sorted(path for folder in ("bot", "actions") for path in (ROOT / folder).rglob("*.py"))
    return tuple(Source(str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))) for path in paths)


def reaching_the_outside(some: Iterable[Source]) -> set[str]:
    """Modules outside ``bot/channels`` that import a library which speaks to the outside."""
    return {
        source.path
        for source in some
        if not source.path.startswith("bot/channels/")
        for name in source.imports()
        if any(name == library or name.startswith(f"{library}.") for library in TO_THE_OUTSIDE)
    }


def writing(some: Iterable[Source], *tables: str) -> set[str]:
    return {source.path for source in some if "bot.store" in " ".join(source.imports()) and source.writes(*tables)}


def beginning(some: Iterable[Source]) -> set[str]:
    """Modules that say something under another purpose than a reply."""
    return {
        source.path
        for source in some
        for call in source.calls("say", "say_notices")
        if last_name(call.func) == "say_notices" or any(keyword.arg == "purpose" for keyword in call.keywords)
    }


def test_only_the_channels_reach_the_outside() -> None:
    assert reaching_the_outside(sources()) == set(REACHES_THE_OUTSIDE)


def test_only_say_writes_messages_and_what_waits_to_be_delivered() -> None:
    assert writing(sources(), "Outbox", "Message") == {WRITER}
    [conversations] = [source for source in sources() if source.path == WRITER]
    functions = {
        node.name: Source(WRITER, ast.Module([node], []))
        for node in conversations.tree.body
        if isinstance(node, ast.FunctionDef)
    }
    assert {name for name, body in functions.items() if body.writes("Outbox")} == {"_put_out"}
    assert {name for name, body in functions.items() if body.writes("Message")} == {"_append_all"}
    assert callers(functions, "_put_out") == {"say", "say_notices"}
    assert callers(functions, "_append_all") == {"append", "say_notices"}


def callers(functions: Mapping[str, Source], name: str) -> set[str]:
    return {caller for caller, body in functions.items() if any(True for _ in body.calls(name))}


def test_only_what_borrowers_write_is_stored_without_being_said() -> None:
    users = {source.path for source in sources() if "bot.services.conversations.append" in set(source.imports())} | {
        WRITER
    }
    assert users == STORES_WHAT_BORROWERS_WRITE
    [inbound] = [source for source in sources() if source.path == "bot/services/inbound.py"]
    authors = {
        ast.unparse(keyword.value)
        for call in inbound.calls("append")
        for keyword in call.keywords
        if keyword.arg == "author"
    }
    assert authors == {"Author.BORROWER"}


def test_only_channels_take_what_waits_to_be_delivered() -> None:
    takers = {source.path for source in sources() if TO_DELIVER in set(source.imports())}
    assert takers
    assert all(path.startswith("bot/channels/") for path in takers)


def test_whoever_begins_asks_the_gate() -> None:
    assert beginning(sources()) == ASKS_THE_GATE | set(ANSWERS_DANGER)
    for source in sources():
        if source.path in ASKS_THE_GATE:
            assert {"bot.services.contact", "bot.services.contact.decide_for_person"} & set(source.imports())
    for path, purpose in ANSWERS_DANGER.items():
        [answering] = [source for source in sources() if source.path == path]
        purposes = {
            ast.unparse(keyword.value)
            for call in answering.calls("say")
            for keyword in call.keywords
            if keyword.arg == "purpose"
        }
        assert purposes == {purpose}


def test_both_the_last_gate_and_the_first_have_the_lenders_limits() -> None:
    deciders = {source.path for source in sources() if any(True for _ in source.calls("may_send"))}
    assert {"bot/services/contact.py", "bot/services/outbox.py"} <= deciders
    for source in sources():
        for call in source.calls("may_send"):
            assert ast.unparse(call.args[-1]) in {"deps.limits", "limits"}, source.path


WAYS_ROUND = {
    "import smtplib": reaching_the_outside,
    "from urllib.request import urlopen": reaching_the_outside,
    "import telegram.ext as t": reaching_the_outside,
    "from bot.store import tables\nsession.add(tables.Outbox(key='x'))": lambda some: writing(
        some, "Outbox", "Message"
    ),
    "from bot.store.tables import Message\nsession.execute(insert(Message), rows)": lambda some: writing(
        some, "Message"
    ),
    "from bot.services import conversations\nconversations.say(session, purpose='collection')": beginning,
    "from bot.services import conversations\nconversations.say_notices(session, deps, some)": beginning,
}


@pytest.mark.parametrize("code", WAYS_ROUND)
def test_a_way_round_would_be_seen(code: str) -> None:
    made = Source("bot/services/somewhere.py", ast.parse(code))
    assert WAYS_ROUND[code]([made]) == {made.path}


def test_the_folders_looked_through_are_there() -> None:
    assert Path(ROOT, WRITER).is_file()
    assert len(sources()) > 100
