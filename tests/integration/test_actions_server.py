"""The action server's door: a shared secret, and error bodies without data."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

import actions.server as server
from bot.services.deps import Deps


class Failing(server.DeskAction):
    """An action that fails with personal data in its message."""

    action_name = "action_failing"

    def handle(self, turn: Any) -> list[Any]:
        raise RuntimeError("13800000001 张三")


@pytest.fixture
def client(deps: Deps, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    monkeypatch.setattr(server, "ACTIONS", (*server.ACTIONS, Failing))
    transport = httpx.ASGITransport(server.make_app(deps))
    return httpx.AsyncClient(transport=transport, base_url="http://actions")


def call(name: str, text: str = "你好") -> dict[str, Any]:
    tracker = {
        "sender_id": "nobody",
        "slots": {},
        "latest_message": {"text": text, "intent": {"name": "greet"}, "entities": [], "metadata": {"message_id": "m1"}},
        "events": [],
        "paused": False,
        "followup_action": None,
        "active_loop": {},
        "latest_action_name": None,
    }
    return {"next_action": name, "sender_id": "nobody", "tracker": tracker, "domain": {"responses": {}}}


async def test_a_call_without_the_secret_is_refused(client: httpx.AsyncClient) -> None:
    for token in ("", "wrong", "%E9%94%99"):
        answer = await client.post("/webhook", headers={"x-desk-secret": token}, json=call("action_tell_balance"))
        assert answer.status_code == 403


async def test_an_action_that_fails_says_so_to_the_borrower_and_shows_no_data(
    client: httpx.AsyncClient, deps: Deps
) -> None:
    token = deps.settings.actions_secret.get_secret_value()
    answer = await client.post("/webhook", headers={"x-desk-secret": token}, json=call("action_failing"))
    assert answer.json() == {"events": [], "responses": [{"response": server.TROUBLE}]}
    assert "13800000001" not in answer.text


async def test_an_unknown_action_is_named_and_nothing_else(client: httpx.AsyncClient, deps: Deps) -> None:
    token = deps.settings.actions_secret.get_secret_value()
    answer = await client.post("/webhook", headers={"x-desk-secret": token}, json=call("action_made_up"))
    assert answer.status_code == 404
    assert answer.json() == {"error": "unknown action", "action_name": "action_made_up"}


async def test_an_anonymous_conversation_is_told_no_debt_fact_by_any_action(
    client: httpx.AsyncClient, deps: Deps
) -> None:
    token = deps.settings.actions_secret.get_secret_value()
    for action in server.ACTIONS:
        if not issubclass(action, server.VerifiedAction):
            continue
        answer = await client.post("/webhook", headers={"x-desk-secret": token}, json=call(action.action_name))
        said = [response["response"] for response in answer.json()["responses"]]
        assert said == ["utter_verify_first"], action.action_name
