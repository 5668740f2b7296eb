"""Who may call the routes for other systems: a key in the ``Authorization`` header."""

from __future__ import annotations

import hashlib
import hmac

from fastapi.responses import JSONResponse
from starlette.requests import Request

_SCHEME = "bearer"


def bears(request: Request, key: str) -> bool:
    """Tell whether a request brings the key. Compares in constant time, whatever is sent; without a key nobody does."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    digests = [hashlib.sha256(text.strip().encode()).digest() for text in (given, key)]
    return hmac.compare_digest(*digests) and scheme.lower() == _SCHEME and bool(key)


def bearer_of(request: Request) -> str:
    """Return the key that a request brings, empty when it brings none."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == _SCHEME else ""


def unauthorized() -> JSONResponse:
    """Return the answer for whoever does not."""
    return JSONResponse({"error": "unauthorized"}, status_code=401, headers={"WWW-Authenticate": "Bearer"})
