"""The console's style sheet, script and icon, served under a name that changes with their content."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Response

from bot.console import PREFIX

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_CONTENT = {path.name: path.read_bytes() for path in (Path(__file__).parent / "static").iterdir()}
_VERSIONS = {name: sha256(content).hexdigest()[:12] for name, content in _CONTENT.items()}


def asset_url(name: str) -> str:
    """Return the address of a static file, with a version, so that browsers may keep it for ever.

    Raises:
        KeyError: there is no such file.
    """
    return f"{PREFIX}/static/{name}?v={_VERSIONS[name]}"


def add_routes(router: APIRouter) -> None:
    """Add the static files. They need no login: the login page uses them."""

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _CONTENT:
            return Response(status_code=404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(_CONTENT[name], media_type=_TYPES[Path(name).suffix], headers=headers)
