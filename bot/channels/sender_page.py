"""The page where anybody can check a code that the desk gave in a chat: genuine or not, and nothing else."""

from __future__ import annotations

from html import escape
from typing import Annotated, Protocol

from fastapi import APIRouter, Form, Header, Request
from fastapi.responses import HTMLResponse

from bot.channels.letter_words import LetterWords
from bot.channels.plain_page import plain_page
from bot.channels.web_door import script_wanted
from bot.clock import local
from bot.services import sender_codes
from bot.services.deps import Deps
from bot.services.sender_codes import CheckRefusal, Genuine
from bot.services.wording import Wording
from bot.text.scripts import Script

_LONGEST_FORM = 16_384
"""Bytes; the form has one short field."""


class Named(Protocol):
    """The Telegram channel, as far as this page needs it."""

    @property
    def username(self) -> str | None:
        """The bot's name at Telegram, without the @; None while it is not known."""
        ...


def make_router(deps: Deps, telegram: Named | None) -> APIRouter:
    """Return the routes.

    Raises:
        bot.services.wording.WordingError: the page's words cannot be used.
    """
    router = APIRouter()
    page = _Page(deps, telegram)

    @router.get(sender_codes.PATH, response_class=HTMLResponse)
    def ask(accept_language: Annotated[str, Header()] = "") -> HTMLResponse:
        return page.ask(script_wanted(accept_language))

    @router.post(sender_codes.PATH, response_class=HTMLResponse, max_body_size=_LONGEST_FORM)
    def answer(
        request: Request, code: Annotated[str, Form()] = "", accept_language: Annotated[str, Header()] = ""
    ) -> HTMLResponse:
        address = request.client.host if request.client is not None else ""
        return page.answer(script_wanted(accept_language), sender_codes.check(deps, code, address))

    return router


class _Page:
    def __init__(self, deps: Deps, telegram: Named | None) -> None:
        lender = deps.settings.lender_name
        self._words = LetterWords(Wording.load(deps.data / "templates" / "genuine.yml"), lender)
        self._sites = (deps.settings.origin, *deps.settings.embedding_origins)
        self._telegram = telegram

    def ask(self, script: Script) -> HTMLResponse:
        return self._made(script, f"<p>{self._say('ask', script)}</p>", self._form(script), self._talk(script))

    def answer(self, script: Script, found: Genuine | CheckRefusal) -> HTMLResponse:
        if found is CheckRefusal.TOO_MANY:
            return self._made(script, f"<p role=alert>{self._say('too_many', script)}</p>", status=429)
        if isinstance(found, CheckRefusal):
            return self._made(script, f"<p role=alert>{self._say('no', script)}</p>", self._form(script))
        at = local(found.issued_at)
        time = f"{at.month}月{at.day}日 {at:%H:%M}"
        place = self._words.in_script(f"genuine_place_{found.channel}", script, address=self._address(found.channel))
        yes = self._say("yes", script, time=time, place=place)
        again = f'<a href="{sender_codes.PATH}">{self._say("again", script)}</a>'
        return self._made(script, f"<p role=status>{yes}</p>", f"<p>{self._say('only', script)}</p>", again)

    def _address(self, channel: str) -> str:
        if channel == "web":
            return " / ".join(self._sites)
        name = self._telegram.username if self._telegram is not None else None
        return f"@{name}" if name else ""

    def _form(self, script: Script) -> str:
        label, button = self._say("label", script), self._say("button", script)
        return (
            f'<form method="post" action="{sender_codes.PATH}"><label for="code">{label}</label>'
            '<input id="code" name="code" inputmode="numeric" autocomplete="off" maxlength="20" required>'
            f'<button class="first">{button}</button></form>'
        )

    def _talk(self, script: Script) -> str:
        return f'<a href="/">{self._say("talk", script)}</a>'

    def _say(self, name: str, script: Script, **values: str) -> str:
        return escape(self._words.in_script(f"genuine_{name}", script, **values))

    def _made(self, script: Script, *parts: str, status: int = 200) -> HTMLResponse:
        title = self._say("title", script)
        return plain_page(script, title, "\n".join([f"<h1>{title}</h1>", *parts]), status)
