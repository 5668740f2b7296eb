"""The page that one-way notices lead to: to the chat, or to stop. Looking at it changes nothing; the button does.

``POST`` is also what mail programs send for "unsubscribe" (RFC 8058). The address is the only credential, and all it
can do is stop notices.
"""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse

from bot.channels.letter_words import LetterWords
from bot.channels.plain_page import plain_page
from bot.channels.web_door import script_wanted
from bot.services import stop_links
from bot.services.deps import Deps
from bot.services.stop_links import StopLink
from bot.text.scripts import Script


def make_router(deps: Deps) -> APIRouter:
    """Return the routes.

    Raises:
        bot.services.wording.WordingError: the page's words cannot be used.
    """
    router, words = APIRouter(), LetterWords.load(deps)

    @router.get(stop_links.PATH + "/{token}", response_class=HTMLResponse)
    def ask(token: str, accept_language: Annotated[str, Header()] = "") -> HTMLResponse:
        link = stop_links.read(deps, token)
        if link is None:
            return _unknown(words, script_wanted(accept_language))
        script = link.script
        stop = f'<form method="post"><button>{_say(words, "page_stop_button", script)}</button></form>'
        return _page(words, script, "page_hello", "page_talk", _chat(words, script), "page_stop", stop)

    @router.post(stop_links.PATH + "/{token}", response_class=HTMLResponse)
    def stop(token: str, accept_language: Annotated[str, Header()] = "") -> HTMLResponse:
        link: StopLink | None = stop_links.stop(deps, token)
        if link is None:
            return _unknown(words, script_wanted(accept_language))
        return _page(words, link.script, "page_stopped", "page_stopped_more", _chat(words, link.script))

    return router


def _unknown(words: LetterWords, script: Script) -> HTMLResponse:
    return _page(words, script, "page_unknown", _chat(words, script), status=404)


def _chat(words: LetterWords, script: Script) -> str:
    return f'<a href="/">{_say(words, "page_talk_button", script)}</a>'


def _say(words: LetterWords, name: str, script: Script) -> str:
    return escape(words.in_script(name, script))


def _page(words: LetterWords, script: Script, *parts: str, status: int = 200) -> HTMLResponse:
    """Put a page together; a part is the name of a paragraph's words, or markup."""
    content = "\n".join(part if part.startswith("<") else f"<p>{_say(words, part, script)}</p>" for part in parts)
    title = _say(words, "page_title", script)
    return plain_page(script, title, content, status)
