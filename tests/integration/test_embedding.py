"""The chat through its two doors: who may frame it, and that a session of one door opens nothing at the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bot.channels.web import make_router
from bot.channels.web_live import LiveConversations
from bot.services.deps import Deps
from tests.builders.desk import a_desk

LENDER = "https://www.lender.example"
DESK = "https://desk.lender.example"


def browser(deps: Deps, dist: Path) -> TestClient:
    dist.mkdir(exist_ok=True)
    (dist / "index.html").write_text("<p>chat</p>")
    (dist / "widget.js").write_text("'launcher'")
    app = FastAPI()
    app.include_router(make_router(deps, LiveConversations(deps), lambda _: None, dist))
    return TestClient(app, base_url=DESK)


@pytest.fixture
def embedded(tmp_path: Path) -> TestClient:
    deps = a_desk(tmp_path, public_origin=DESK, embed_origins=f"{LENDER},https://app.lender.example")
    return browser(deps, tmp_path / "dist")


@pytest.fixture
def alone(tmp_path: Path) -> TestClient:
    return browser(a_desk(tmp_path, public_origin=DESK), tmp_path / "dist")


def welcomed(client: TestClient, path: str, origin: str = DESK) -> str:
    """Say hello over a socket; returns the type of what is answered."""
    with client.websocket_connect(f"wss://desk.lender.example{path}", headers={"Origin": origin}) as socket:
        socket.send_json({"type": "hello", "after": 0})
        answered: str = socket.receive_json()["type"]
        return answered


def test_without_a_site_to_embed_it_nothing_of_the_frame_is_there(alone: TestClient) -> None:
    assert [alone.get(path).status_code for path in ("/widget.js", "/embedded/", "/embedded/documents/x")] == [404] * 3
    assert "frame-ancestors 'none'" in alone.get("/").headers["content-security-policy"]


def test_only_the_named_sites_may_frame_it_and_only_the_frame(embedded: TestClient) -> None:
    policy = embedded.get("/embedded/").headers["content-security-policy"]
    assert f"frame-ancestors {LENDER} https://app.lender.example;" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in embedded.get("/").headers["content-security-policy"]


@pytest.mark.parametrize("page", ["/", "/embedded/"])
def test_browsers_neither_keep_the_page_nor_guess_what_it_is(embedded: TestClient, page: str) -> None:
    headers = embedded.get(page).headers
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_the_frames_cookie_is_kept_apart_for_each_site(embedded: TestClient) -> None:
    kept = embedded.get("/embedded/").headers["set-cookie"]
    name, *attributes = kept.split("; ")
    assert name.startswith("desk_embedded=")
    assert {"HttpOnly", "Secure", "SameSite=none", "Partitioned", "Path=/embedded"} <= set(attributes)
    own = embedded.get("/").headers["set-cookie"]
    assert own.startswith("desk_session=")
    assert "SameSite=lax" in own
    assert "Partitioned" not in own


def test_each_door_opens_its_own_session_only(embedded: TestClient) -> None:
    embedded.get("/embedded/")
    assert welcomed(embedded, "/embedded/chat/line") == "welcome"
    assert welcomed(embedded, "/chat/line") == "problem"
    token = embedded.cookies["desk_embedded"]
    embedded.cookies.clear()
    embedded.cookies.set("desk_session", token, path="/embedded")
    assert welcomed(embedded, "/embedded/chat/line") == "problem"


@pytest.mark.parametrize(
    "origin", [LENDER, "null", "https://desk.lender.example.evil.example", "http://desk.lender.example"]
)
def test_a_socket_that_another_page_opens_is_refused_though_it_may_frame_the_chat(
    embedded: TestClient, origin: str
) -> None:
    embedded.get("/embedded/")
    with pytest.raises(WebSocketDisconnect) as refused:
        welcomed(embedded, "/embedded/chat/line", origin)
    assert refused.value.code == 4403


def test_the_launcher_may_be_loaded_by_other_sites_and_is_asked_for_anew(embedded: TestClient) -> None:
    answer = embedded.get("/widget.js")
    assert answer.text == "'launcher'"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert "access-control-allow-origin" not in answer.headers


def test_a_problem_is_told_in_the_script_that_the_borrower_has_gone_over_to(alone: TestClient) -> None:
    alone.get("/", headers={"Accept-Language": "zh-CN"})
    with alone.websocket_connect("wss://desk.lender.example/chat/line", headers={"Origin": DESK}) as socket:
        socket.send_json({"type": "hello", "after": 0})
        assert socket.receive_json()["script"] == "hans"
        socket.send_json({"type": "say", "key": "first key", "text": "我想問一下還款的事"})
        while (frame := socket.receive_json())["type"] != "state":
            pass
        assert frame["script"] == "hant"
        socket.send_json({"type": "say", "key": "second key", "text": " "})
        while (frame := socket.receive_json())["type"] != "problem":
            pass
        assert frame["text"].startswith("還沒有看到內容")
