"""Sealing of personal data, and the keyed hashes it is looked up by."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_PLAIN, _NUMBERED = "1:", "2:"
"""Say how a value was sealed: ``1:`` by the only key there was, ``2:`` followed by the key's fingerprint."""

_NUMBER_LENGTH = 8

_NONCE_BYTES, _TAG_BYTES = 12, 16


class VaultKeyError(Exception):
    """A key is not base64 of 32 bytes. The text names the setting, never the value."""


class Vault:
    """AES-256-GCM for values, HMAC-SHA-256 for look-ups, Ed25519 for what leaves the house to be checked elsewhere.

    The purpose (``"phone"``, ``"name"`` …) is bound into both, so a sealed phone cannot be passed off as a name
    and equal values of different kinds have different hashes.

    ``data_key`` seals; ``other_data_keys`` open what they sealed, be they older or the one to come. As long as there
    is no other key, values are sealed without a number, so that earlier releases can open them.
    """

    def __init__(self, data_key: str, lookup_key: str, other_data_keys: Sequence[str] = ()) -> None:
        keys = [read_key("DESK_DATA_KEY", data_key)]
        keys += [read_key("DESK_OTHER_DATA_KEYS", key) for key in other_data_keys]
        self._ciphers = {_number(key): AESGCM(key) for key in keys}
        if len(self._ciphers) < len(keys):
            raise VaultKeyError("DESK_OTHER_DATA_KEYS: holds a key twice, or DESK_DATA_KEY once more")
        self.key_number = _number(keys[0])
        """Fingerprint of the key that seals, 8 hexadecimal characters."""
        self._lookup = read_key("DESK_LOOKUP_KEY", lookup_key)
        # A key of its own, derived: it must not change as long as files that it signed are about.
        self._signing = Ed25519PrivateKey.from_private_bytes(
            hmac.new(self._lookup, b"sign\0data copy", hashlib.sha256).digest()
        )

    @property
    def key_numbers(self) -> tuple[str, ...]:
        """Fingerprints of all keys that open, the one that seals first."""
        return tuple(self._ciphers)

    def seal(self, purpose: str, value: str) -> str:
        """Encrypt a value; the result is different each time."""
        return self._seal(purpose, value, is_numbered=len(self._ciphers) > 1)

    def unseal(self, purpose: str, sealed: str) -> str:
        """Decrypt what ``seal`` made for the same purpose, with whichever of the keys.

        Raises:
            cryptography.exceptions.InvalidTag: sealed for another purpose, with an unknown key, or altered.
        """
        return self._open(purpose, sealed)[1]

    def reseal(self, purpose: str, sealed: str) -> str:
        """Return the same value sealed with the newest key and its number.

        Raises:
            cryptography.exceptions.InvalidTag: as for ``unseal``.
        """
        return self._seal(purpose, self.unseal(purpose, sealed), is_numbered=True)

    def key_of(self, purpose: str, sealed: str) -> str | None:
        """Return the fingerprint of the key that a value is sealed with, None when no key that is known opens it."""
        try:
            return self._open(purpose, sealed)[0]
        except InvalidTag:
            return None

    def _seal(self, purpose: str, value: str, *, is_numbered: bool) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self.key_number].encrypt(nonce, value.encode(), purpose.encode())
        return numbered(self.key_number if is_numbered else None) + base64.b64encode(nonce + sealed).decode()

    def _open(self, purpose: str, sealed: str) -> tuple[str, str]:
        if sealed.startswith(_PLAIN):
            told, body = self.key_numbers, sealed.removeprefix(_PLAIN)
        else:
            number, _, body = sealed.removeprefix(_NUMBERED).partition(":")
            told = (number,) if sealed.startswith(_NUMBERED) and number in self._ciphers else ()
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError:
            raw = b""
        if len(raw) < _NONCE_BYTES + _TAG_BYTES:
            raise InvalidTag
        for number in told:
            with contextlib.suppress(InvalidTag):
                opened = self._ciphers[number].decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode())
                return number, opened.decode()
        raise InvalidTag

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


def numbered(key_number: str | None) -> str:
    """Return how values begin that were sealed with a key, or, for None, before keys had numbers."""
    return f"{_NUMBERED}{key_number}:" if key_number is not None else _PLAIN


def _number(key: bytes) -> str:
    return hmac.new(key, b"data key", hashlib.sha256).hexdigest()[:_NUMBER_LENGTH]


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
