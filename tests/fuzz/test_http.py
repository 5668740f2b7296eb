"""Whatever anybody sends to a public address: no failure inside, nothing about anybody, nothing of ours, no markup."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import pytest
from fastapi.routing import APIWebSocketRoute, iter_route_contexts
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services.account_fields import FIELDS
from tests.fuzz.gateway import LENDER_KEY, ORIGIN, PAYMENTS_KEY, TELEGRAM_SECRET, Answer, PublicGateway
from tests.fuzz.odd import form_bodies, header_values, json_bodies, percent, texts

JSON, FORM, FILE = "json", "form", "file"
_TEXT: st.SearchStrategy[object] = st.text(max_size=30)
_MESSAGE = st.fixed_dictionaries(
    {
        "message_id": st.integers(1, 9),
        "date": st.just(1_790_000_000),
        "chat": st.fixed_dictionaries({"id": st.integers(5_000, 5_003), "type": st.sampled_from(["private", "group"])}),
        "from": st.fixed_dictionaries(
            {"id": st.integers(5_000, 5_003), "is_bot": st.booleans(), "first_name": st.text(max_size=9)}
        ),
        "text": st.text(max_size=30),
    }
)


@dataclass(frozen=True)
class Shape:
    """How an honest request to a route looks, as far as a stranger needs it to get further than the first check."""

    body: str = ""
    fields: dict[str, st.SearchStrategy[object]] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    may_be_unready: bool = False
    """It answers 503 where something that it needs is not there."""
    shows_again: bool = False
    """What was typed into its form stands in it again when it is refused."""


_PAYMENT = dict.fromkeys(("reference", "paid_on", "amount_yuan", "payment_id", "source"), _TEXT)
_AS_LENDER = (("Authorization", f"Bearer {LENDER_KEY}"), ("Idempotency-Key", "key-0001"))
_FILE = Shape(FILE, headers=(("Origin", ORIGIN), ("X-Upload-Key", "key-0001"), ("X-File-Name", "a.pdf")))
_LINK = Shape(headers=(("Origin", ORIGIN),), may_be_unready=True)

FUZZED = {
    "GET /": Shape(),
    "GET /documents/{document_id}": Shape(),
    "GET /chat/transcript": Shape(),
    "POST /chat/evidence": _FILE,
    "POST /chat/telegram": _LINK,
    "GET /embedded/": Shape(),
    "GET /embedded/documents/{document_id}": Shape(),
    "GET /embedded/chat/transcript": Shape(),
    "POST /embedded/chat/evidence": _FILE,
    "POST /embedded/chat/telegram": _LINK,
    "POST /embedded/chat/vouch": Shape(JSON, {"token": _TEXT}, (("Origin", ORIGIN),)),
    "GET /widget.js": Shape(),
    "GET /static/{path}": Shape(),
    "GET /n/{token}": Shape(),
    "POST /n/{token}": Shape(FORM, {"code": _TEXT}),
    "GET /genuine": Shape(),
    "POST /genuine": Shape(FORM, {"code": _TEXT}),
    "POST /telegram/updates": Shape(
        JSON,
        {"update_id": st.integers(1, 9), "message": _MESSAGE, "callback_query": st.none()},
        (("X-Telegram-Bot-Api-Secret-Token", TELEGRAM_SECRET),),
        may_be_unready=True,
    ),
    "POST /api/payments": Shape(JSON, _PAYMENT, (("Authorization", f"Bearer {PAYMENTS_KEY}"),)),
    "POST /api/v1/accounts": Shape(JSON, dict.fromkeys(FIELDS, _TEXT), _AS_LENDER),
    "POST /api/v1/payments": Shape(JSON, _PAYMENT, _AS_LENDER),
    "GET /api/v1/events": Shape(headers=_AS_LENDER),
    "GET /api/v1/dead-letters": Shape(headers=_AS_LENDER),
    "GET /health": Shape(),
    "GET /health/live": Shape(),
    "GET /health/ready": Shape(may_be_unready=True),
    "GET /health/started": Shape(may_be_unready=True),
    "GET /console/login": Shape(),
    "POST /console/login": Shape(FORM, {"login": _TEXT}, (("Cookie", "desk_login=a-token"),), shows_again=True),
}
"""Every address that anybody may ask, and what is thrown at it."""

IN_TEST_LINE = {"WS /chat/line", "WS /embedded/chat/line"}
BEHIND_THE_LOGIN = "/console"
"""Everything below it but the login: asked without a session in one test for all."""


def routes(gateway: PublicGateway) -> set[str]:
    """The gateway's route table, a line each."""
    found = set()
    for route in iter_route_contexts(gateway.app.routes):
        if isinstance(route.original_route, APIWebSocketRoute):
            found.add(f"WS {route.path}")
        elif route.methods is None:
            found.add(f"GET {route.path}/{{path}}")
        else:
            found |= {f"{method} {route.path}" for method in route.methods if method != "HEAD"}
    return found


def is_behind_the_login(line: str) -> bool:
    """Whether a route is one of the operators'."""
    return line not in FUZZED and line.partition(" ")[2].startswith(BEHIND_THE_LOGIN)


def test_every_route_is_in_a_list(gateway: PublicGateway) -> None:
    public = {line for line in routes(gateway) if not is_behind_the_login(line)}
    assert public == FUZZED.keys() | IN_TEST_LINE


@dataclass(frozen=True)
class Asked:
    """One request as it is sent."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


_TYPES = {
    JSON: ("application/json", "application/json; charset=nonsense", "text/plain"),
    FORM: ("application/x-www-form-urlencoded", "multipart/form-data; boundary=odd", "multipart/form-data"),
    FILE: ("application/pdf",),
}
_FILES = st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(b"%PDF-1.4\n".__add__))


@st.composite
def requests(draw: st.DrawFn, gateway: PublicGateway, line: str, shape: Shape) -> Asked:
    """One request to a route, honest in some parts and odd in the others."""
    method, _, path = line.partition(" ")
    known = (*gateway.known, *gateway.sessions.values())
    tokens = (*known, gateway.stop_token)
    if "{" in path:
        path = path.partition("{")[0] + draw(texts(*tokens).map(percent))
    query = draw(st.dictionaries(texts(), texts(*known), max_size=2) if draw(st.booleans()) else st.just({}))
    if query:
        path += "?" + "&".join(f"{percent(name)}={percent(value)}" for name, value in query.items())
    headers = [(name.encode(), value.encode()) for name, value in shape.headers]
    headers = [
        (name, draw(header_values(*known)) if draw(st.integers(0, 7)) == 0 else value) for name, value in headers
    ]
    if draw(st.booleans()):
        name = draw(st.sampled_from(["desk_session", "desk_embedded", "desk_operator", "desk_login"]))
        token = draw(st.one_of(st.sampled_from(list(gateway.sessions.values())).map(str.encode), header_values(*known)))
        headers.append((b"Cookie", name.encode() + b"=" + token))
    others = ["Accept-Language", "Origin", "Host", "X-Forwarded-For", "X-Forwarded-Proto", "Range", "If-Modified-Since"]
    for name in draw(st.lists(st.sampled_from([*others, "Referer", "Cookie", "Accept"]), max_size=2, unique=True)):
        headers.append((name.encode(), draw(header_values(*known))))
    body = b""
    if shape.body:
        headers.append((b"Content-Type", draw(st.sampled_from(_TYPES[shape.body])).encode()))
        made = {
            JSON: json_bodies(shape.fields, *known),
            FORM: form_bodies(next(iter(shape.fields), "code"), *known),
            FILE: _FILES,
        }
        body = draw(made[shape.body])
    return Asked(method, path.encode(), tuple(headers), body)


def assert_harmless(gateway: PublicGateway, answer: Answer, *, sent: str = "", may_be_unready: bool = False) -> None:
    """An answer is one, tells nothing, and nothing failed behind it."""
    assert 200 <= answer.status < 500 or (may_be_unready and answer.status == 503), answer.text[:300]
    gateway.assert_tells_nothing(answer.text, sent)
    gateway.assert_no_mishap()


@pytest.mark.parametrize("line", FUZZED)
@given(data=st.data())
def test_an_odd_request_is_answered_and_told_nothing(gateway: PublicGateway, line: str, data: st.DataObject) -> None:
    asked = data.draw(requests(gateway, line, FUZZED[line]))
    answer = gateway.request(asked.method, asked.target, asked.headers, asked.body)
    # An address without its last slash is answered with the whole one, which the sender knows.
    sent = asked.target.decode()
    if FUZZED[line].shows_again:
        sent += unquote_plus(asked.body.decode(errors="replace"))
    assert_harmless(gateway, answer, sent=sent, may_be_unready=FUZZED[line].may_be_unready)


@given(data=st.data())
@settings(max_examples=60)
def test_without_a_session_the_console_tells_nothing(gateway: PublicGateway, data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(sorted(filter(is_behind_the_login, routes(gateway)))))
    known = st.sampled_from(gateway.known)
    head, *parts = line.partition(" ")[2].split("{")
    path = head + "".join(data.draw(known) + part.partition("}")[2] for part in parts)
    shape = Shape(FORM) if line.startswith("POST") else Shape()
    asked = data.draw(requests(gateway, f"{line.partition(' ')[0]} {path}", shape))
    answer = gateway.request(asked.method, asked.target, asked.headers, asked.body)
    assert_harmless(gateway, answer, sent=asked.target.decode())
    assert answer.status in (303, 304, 400, 401, 403, 404, 422) or "/console/static" in path, answer.status


@given(method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "HEAD"]), path=texts())
def test_an_address_that_there_is_not_tells_nothing(gateway: PublicGateway, method: str, path: str) -> None:
    answer = gateway.request(method, b"/" + percent(path).encode())
    assert_harmless(gateway, answer)


@given(
    sent=st.one_of(
        st.binary(min_size=1, max_size=300),
        st.binary(max_size=60).map(lambda some: b"GET / HTTP/1.1\r\nHost: a\r\n" + some + b"\r\n\r\n"),
        st.sampled_from(
            [b"POST /genuine HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"\r\n" * 900, b"\0" * 900]
        ),
    )
)
def test_what_is_no_request_ends_the_connection(gateway: PublicGateway, sent: bytes) -> None:
    answer = gateway.ask(sent, then_close=True)
    assert answer.status < 500
    gateway.assert_tells_nothing(answer.text)
    gateway.assert_no_mishap()


@pytest.mark.parametrize("line", [line for line, shape in FUZZED.items() if shape.body])
def test_more_than_anybody_needs_to_send_is_not_taken(gateway: PublicGateway, line: str) -> None:
    method, _, path = line.partition(" ")
    shape = FUZZED[line]
    headers = [(b"Content-Type", _TYPES[shape.body][0].encode())]
    headers += [(name.encode(), value.encode()) for name, value in shape.headers]
    headers.append((b"Cookie", b"desk_session=" + gateway.sessions["anonymous"].encode()))
    answer = gateway.request(method, path.replace("{token}", "x").encode(), headers, b"code=" + b"1" * 11_000_000)
    # The server may close before everything is sent, and then nothing is read here either.
    assert answer.status in (0, 403, 404, 409, 413)
    gateway.assert_tells_nothing(answer.text)
    gateway.assert_no_mishap()
