"""The token with which a lender's server vouches for the customer who is logged in there.

``v1.PAYLOAD.SIGNATURE``: the payload is base64url of a JSON object, the signature the hexadecimal HMAC-SHA-256 of
``v1.PAYLOAD`` under the key that desk and lender share. ``docs/vouching.md`` has it in steps. Times are Unix seconds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LONGEST_LIFE = timedelta(minutes=5)
"""A token that is good for longer is refused: it is made for one visit, at the moment it is needed."""

CLOCKS_DIFFER = timedelta(minutes=1)
"""How far the lender's clock may be ahead of the desk's."""

LONGEST_TOKEN = 2000

_FORM = re.compile(r"v1\.([A-Za-z0-9_-]+)\.([0-9a-f]{64})", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_FIELDS = {"aud", "contract", "exp", "iat", "login", "nonce"}
_LATEST = 253_402_300_799
"""The last second that has a date."""


@dataclass(frozen=True, slots=True)
class Vouch:
    """What a lender's server says. Instants are aware; ``contract_number`` is any contract of the customer's.

    ``logged_in_at`` is when the customer last proved to the lender who they are; ``nonce`` is never said twice.
    """

    audience: str
    contract_number: str
    issued_at: datetime
    expires_at: datetime
    logged_in_at: datetime
    nonce: str


class VouchRefusal(StrEnum):
    """Why a token vouches for nobody."""

    MALFORMED = "malformed"
    FORGED = "forged"
    OTHER_AUDIENCE = "other_audience"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    TOO_LONG_LIVED = "too_long_lived"
    USED = "used"


def sign_vouch(vouch: Vouch, key: str) -> str:
    """Return the token that says this, in whole seconds."""
    fields = {
        "aud": vouch.audience,
        "contract": vouch.contract_number,
        "iat": int(vouch.issued_at.timestamp()),
        "exp": int(vouch.expires_at.timestamp()),
        "login": int(vouch.logged_in_at.timestamp()),
        "nonce": vouch.nonce,
    }
    payload = base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()
    return f"v1.{payload}.{_signature(payload, key)}"


def read_vouch(token: str, key: str, audience: str, now: datetime) -> Vouch | VouchRefusal:
    """Return what a token says to ``audience`` at an instant, or why it says nothing.

    Nothing of the payload is looked at before the signature holds, compared in constant time. That the nonce has not
    been used before is for the caller to see.
    """
    form = _FORM.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
    if form is None:
        return VouchRefusal.MALFORMED
    payload, signature = form.groups()
    if not hmac.compare_digest(_signature(payload, key), signature):
        return VouchRefusal.FORGED
    vouch = _read(payload)
    if vouch is None:
        return VouchRefusal.MALFORMED
    if vouch.audience != audience:
        return VouchRefusal.OTHER_AUDIENCE
    if vouch.issued_at > now + CLOCKS_DIFFER or vouch.logged_in_at > now + CLOCKS_DIFFER:
        return VouchRefusal.NOT_YET
    if vouch.expires_at <= now:
        return VouchRefusal.EXPIRED
    if vouch.expires_at - vouch.issued_at > LONGEST_LIFE:
        return VouchRefusal.TOO_LONG_LIVED
    return vouch


def _signature(payload: str, key: str) -> str:
    return hmac.new(key.encode(), f"v1.{payload}".encode(), hashlib.sha256).hexdigest()


def _read(payload: str) -> Vouch | None:
    try:
        fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or set(fields) != _FIELDS:
        return None
    audience, contract, nonce = fields["aud"], fields["contract"], fields["nonce"]
    if not isinstance(audience, str) or not isinstance(contract, str) or not isinstance(nonce, str):
        return None
    times = [_instant(fields[name]) for name in ("iat", "exp", "login")]
    issued_at, expires_at, logged_in_at = times
    if issued_at is None or expires_at is None or logged_in_at is None:
        return None
    if not 1 <= len(contract) <= 40 or _NONCE.fullmatch(nonce) is None:
        return None
    return Vouch(audience, contract, issued_at, expires_at, logged_in_at, nonce)


def _instant(seconds: object) -> datetime | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
