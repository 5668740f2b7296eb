"""What strangers send: strategies for texts, JSON, headers, bodies and frames that no page of ours makes."""

from __future__ import annotations

import json
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from tests.fuzz.gateway import INJECTED, MARKUP, SUM

NASTY = (
    MARKUP,
    f"\"'>{MARKUP}",
    SUM,
    f"a\r\n{INJECTED}\r\n\r\n{MARKUP}",
    "",
    "\0",
    "a\0b" * 11,
    "0" * 32,
    "%00%ff",
    "../" * 9 + "etc/passwd",
    "' OR '1'='1' --",
    "{0.__class__}%s%n",
    "\u202e\u200b\ufeff",
    "\ud800",
    "\x1b[2J\x07\x7f",
    "9" * 400,
    "1e999",
    "NaN",
    "-1",
    "A" * 20_000,
    "汉" * 3_000,
)
BOMBS = (
    "[" * 30_000,
    '{"type":' * 6_000,
    '{"a":' * 900 + "1" + "}" * 900,
    "9" * 5_000,
    '{"token":' + "9" * 5_000 + "}",
    '{"token": NaN, "key": Infinity}',
    '"' + "\\u0000" * 5_000 + '"',
    "[" + "0," * 20_000 + "0]",
    "\ufeff{}",
    '{"type":"hello"',
    '{"type":"hello","after":0}{"type":"hello","after":0}',
)
"""JSON, or nearly, that is deep, long, or means more than it says."""


def texts(*known: str) -> st.SearchStrategy[str]:
    """Any text, a nasty one, or one that is known to mean something."""
    drawn = [st.text(max_size=60), st.sampled_from(NASTY)]
    return st.one_of(*drawn, st.sampled_from(known)) if known else st.one_of(*drawn)


def values(*known: str) -> st.SearchStrategy[object]:
    """Any value that Python's JSON writes, numbers beyond JSON among them."""
    numbers = st.one_of(st.integers(), st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**40]), st.floats())
    leaves = st.one_of(st.none(), st.booleans(), numbers, texts(*known))
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4), max_leaves=6
    )


def objects(fields: dict[str, st.SearchStrategy[object]], *known: str) -> st.SearchStrategy[dict[str, object]]:
    """Objects with some of these fields, each as it should be or as anything else, and perhaps others."""
    some = {name: st.one_of(right, values(*known)) for name, right in fields.items()}
    more = st.dictionaries(texts(), values(*known), max_size=2)
    return st.builds(lambda own, other: {**other, **own}, st.fixed_dictionaries({}, optional=some), more)


def written(value: object) -> str:
    """Write a value as JSON, with halves of surrogate pairs as escapes."""
    return json.dumps(value)


def json_bodies(fields: dict[str, st.SearchStrategy[object]], *known: str) -> st.SearchStrategy[bytes]:
    """Bodies that are JSON, are nearly, or are not."""
    whole = objects(fields, *known)
    return st.one_of(
        whole.map(written).map(str.encode),
        st.lists(whole, max_size=3).map(written).map(str.encode),
        values(*known).map(written).map(str.encode),
        st.sampled_from(BOMBS).map(str.encode),
        st.binary(max_size=200),
    )


def form_bodies(field: str, *known: str) -> st.SearchStrategy[bytes]:
    """Bodies that are forms, of one kind or the other, or are not."""
    pairs = st.lists(st.tuples(st.sampled_from([field, f"{field}[]", "csrf", "password"]), texts(*known)), max_size=4)
    encoded = pairs.map(lambda given: "&".join(f"{name}={percent(value)}" for name, value in given).encode())
    in_parts = st.builds(_part, st.just(field), texts(), texts(*known))
    return st.one_of(encoded, in_parts, st.binary(max_size=200), st.just(b"&" * 3_000), st.just(b"x=1&" * 1_500))


def _part(field: str, filename: str, content: str) -> bytes:
    name = f'; filename="{filename}"' if filename else ""
    text = f'--odd\r\nContent-Disposition: form-data; name="{field}"{name}\r\n\r\n{content}\r\n--odd--\r\n'
    return text.encode("utf-8", errors="surrogatepass")


def percent(text: str) -> str:
    """Write a text into an address, whatever it holds."""
    return quote_from_bytes(text.encode("utf-8", errors="surrogatepass"), safe="")


def header_values(*known: str) -> st.SearchStrategy[bytes]:
    """Values of a header, on one line: any bytes, which the server may refuse to read."""
    return st.one_of(texts(*known).map(_utf8), st.binary(max_size=60)).map(_on_one_line)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogatepass")


def _on_one_line(value: bytes) -> bytes:
    return value.replace(b"\r", b"").replace(b"\n", b"")
