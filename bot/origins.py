"""What an address that is given in a setting may be: whose it is, and who could read what goes there."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_EMBEDDER = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
"""An origin in the lower case that browsers send, without anything that a content security policy reads otherwise."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def host_of(origin: str) -> str:
    """Return the host of an origin, or the whole text where none can be read."""
    try:
        return urlsplit(origin).hostname or origin
    except ValueError:
        return origin


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address is this machine and nothing else."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_called_safely(address: str) -> bool:
    """Tell whether an address that the desk posts to is one, and reads what is posted alone."""
    try:
        return urlsplit(address).hostname is not None and is_secure(address)
    except ValueError:
        return False


def may_embed(origin: str) -> bool:
    """Tell whether a text is one origin, written as browsers write it, that nobody on the way can alter."""
    return _EMBEDDER.fullmatch(origin) is not None and is_secure(origin)


def is_secure(origin: str) -> bool:
    """Tell whether what goes to an origin cannot be read on the way: over https, or within this machine."""
    url = urlsplit(origin)
    return url.scheme == "https" or (url.scheme == "http" and url.hostname in LOOPBACK)
