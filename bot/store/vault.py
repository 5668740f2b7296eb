"""Sealing of personal data, and the keyed hashes it is looked up by."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = "1:"
"""Says how a value was sealed, so that another cipher can be brought in beside this one."""

_NONCE_BYTES, _TAG_BYTES = 12, 16


class VaultKeyError(Exception):
    """A key is not base64 of 32 bytes. The text names the setting, never the value."""


class Vault:
    """AES-256-GCM for values, HMAC-SHA-256 for look-ups, Ed25519 for what leaves the house to be checked elsewhere.

    The purpose (``"phone"``, ``"name"`` …) is bound into both, so a sealed phone cannot be passed off as a name
    and equal values of different kinds have different hashes.
    """

    def __init__(self, data_key: str, lookup_key: str) -> None:
        self._cipher = AESGCM(read_key("DESK_DATA_KEY", data_key))
        self._lookup = read_key("DESK_LOOKUP_KEY", lookup_key)
        # A key of its own, derived: it must not change as long as files that it signed are about.
        self._signing = Ed25519PrivateKey.from_private_bytes(
            hmac.new(self._lookup, b"sign\0data copy", hashlib.sha256).digest()
        )

    def seal(self, purpose: str, value: str) -> str:
        """Encrypt a value; the result is different each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, value.encode(), purpose.encode())
        return _FORMAT + base64.b64encode(nonce + sealed).decode()

    def unseal(self, purpose: str, sealed: str) -> str:
        """Decrypt what ``seal`` made for the same purpose.

        Raises:
            cryptography.exceptions.InvalidTag: the value was sealed for another purpose, with another key, or altered.
        """
        try:
            raw = base64.b64decode(sealed.removeprefix(_FORMAT), validate=True)
        except ValueError:
            raw = b""
        if not sealed.startswith(_FORMAT) or len(raw) < _NONCE_BYTES + _TAG_BYTES:
            raise InvalidTag
        return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()).decode()

    def sign(self, content: bytes) -> str:
        """Return the Ed25519 signature of bytes, 128 hexadecimal characters, by the desk's own key."""
        return self._signing.sign(content).hex()

    def public_key(self) -> str:
        """Return the key that the desk's signatures are checked by, 64 hexadecimal characters; it is no secret."""
        return self._signing.public_key().public_bytes_raw().hex()

    def lookup(self, purpose: str, value: str) -> str:
        """Return the keyed hash of a value, 64 hexadecimal characters."""
        return hmac.new(self._lookup, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()

    def matches(self, purpose: str, value: str, expected: str) -> bool:
        """Compare a value with a stored hash in constant time."""
        return hmac.compare_digest(self.lookup(purpose, value), expected)


def read_key(setting: str, encoded: str) -> bytes:
    """Return the 32 bytes that a setting holds in base64.

    Raises:
        VaultKeyError: it holds something else.

    """
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise VaultKeyError(f"{setting}: must be base64 of 32 bytes")
    return key
