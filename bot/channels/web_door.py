"""The two doors of the web chat: the desk's own page, and the same page inside a frame on the lender's site.

They lead to different sessions. The own page's cookie never goes along with a request that another site caused; the
frame's must, and is therefore kept apart for each site that embeds the chat (``docs/decisions``, 0011).
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Response
from starlette.requests import HTTPConnection

from bot.services.deps import Deps
from bot.settings import Settings
from bot.text.scripts import Script

FRAME_PREFIX = "/embedded"
"""Path under which everything of the framed chat lies; its cookie is sent nowhere else."""

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors {ancestors}; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: path prefix, the cookie of its sessions, and who may frame it."""

    prefix: str
    cookie: str
    is_framed: bool
    ancestors: tuple[str, ...] = ()

    @property
    def policy(self) -> str:
        """The page's content security policy."""
        return _POLICY.format(ancestors=" ".join(self.ancestors) or "'none'")

    def token_of(self, connection: HTTPConnection) -> str | None:
        """Return the session token that a request or a socket brings to this door."""
        return connection.cookies.get(self.cookie)

    def keep(self, response: Response, token: str, settings: Settings) -> None:
        """Have the browser keep a session's token."""
        response.set_cookie(
            self.cookie,
            token,
            max_age=settings.session_days * 86_400,
            path=self.prefix or "/",
            httponly=True,
            samesite="none" if self.is_framed else "lax",
            # Browsers take a cookie for frames only when it is secure; loopback counts as that.
            secure=self.is_framed or settings.origin.startswith("https://"),
        )
        if self.is_framed:
            name, value = response.raw_headers.pop()
            response.raw_headers.append((name, value + b"; Partitioned"))


OWN = Door("", "desk_session", is_framed=False)
"""The desk's own page; nobody may frame it."""


def doors(settings: Settings) -> tuple[Door, ...]:
    """Return the doors that are open: the frame's only where some site may embed the chat."""
    sites = settings.embedding_origins
    return (OWN, Door(FRAME_PREFIX, "desk_embedded", is_framed=True, ancestors=sites)) if sites else (OWN,)


def is_own_origin(origin: str, host: str, deps: Deps) -> bool:
    """Tell whether an Origin is the desk's own; where no public one is set, the host that was asked will do.

    Inside a frame it is the desk's own as well: what asks is the desk's page, not the site around it.
    """
    return origin == deps.settings.origin or (not deps.settings.public_origin and origin == f"http://{host}")


def script_wanted(accept_language: str) -> Script:
    """Return the script of the first Chinese language that a browser asks for; Simplified when it asks for none."""
    names = (tag.partition(";")[0].strip().lower().split("-") for tag in accept_language.split(","))
    for language, *details in names:
        if language == "zh":
            traditional = "hans" not in details and not {"hant", "tw", "hk", "mo"}.isdisjoint(details)
            return Script.HANT if traditional else Script.HANS
    return Script.HANS
