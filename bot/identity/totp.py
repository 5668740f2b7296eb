"""One-time codes from an authenticator app (RFC 6238): HMAC-SHA-1, six digits, another one every 30 seconds.

Pure: secrets and instants are brought along.
"""

from __future__ import annotations

import base64
import hmac
import re
import struct
from datetime import datetime
from urllib.parse import quote

SECRET_BYTES = 20
SECONDS = 30
DIGITS = 6

_DRIFT = 1
"""Steps that a phone's clock may be ahead or behind."""

_CODE = re.compile(r"[0-9]{6}")


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of a time step."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_at(instant: datetime) -> int:
    """Return the time step that an aware instant is in."""
    return int(instant.timestamp()) // SECONDS


def accepted_step(secret: bytes, given: str, now: datetime, last_used: int | None) -> int | None:
    """Return the time step whose code was given, None if it is none of those that count now.

    A code counts one step early or late, and never once a code of its step or of a later one has been used.
    """
    given = re.sub(r"\s", "", given)
    if _CODE.fullmatch(given) is None:
        return None
    here = step_at(now)
    for step in range(here - _DRIFT, here + _DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), given):
            return step if last_used is None or step > last_used else None
    return None


def to_text(secret: bytes) -> str:
    """Return a secret as apps take it when it is typed: base 32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def from_text(text: str) -> bytes:
    """Return the secret of ``to_text``."""
    return base64.b32decode(text + "=" * (-len(text) % 8))


def address(secret: bytes, login: str, issuer: str) -> str:
    """Return the ``otpauth`` address that an app on the same device opens."""
    name, by = quote(f"{issuer}:{login}", safe=""), quote(issuer, safe="")
    return f"otpauth://totp/{name}?secret={to_text(secret)}&issuer={by}&digits={DIGITS}&period={SECONDS}"
