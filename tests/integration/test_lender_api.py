"""The interface for the core system: keys and scopes, idempotency, what is answered. Against both databases."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select

from bot.channels import lender_api
from bot.gateway import make_app
from bot.services import account_intake, api_clients, api_requests
from bot.services.api_clients import ClientRefusal, Scope
from bot.services.deps import Deps
from bot.settings import ROOT
from bot.store.tables import ApiKey, ApiRequest, Debt, Payment
from tests.builders.desk import SetClock, a_desk
from tests.builders.lender import a_key, an_account, some_products


@pytest.fixture
def client(deps: Deps, tmp_path: Path) -> TestClient:
    some_products(deps, tmp_path)
    return TestClient(make_app(deps))


def sent(client: TestClient, key: str, path: str, body: Any, **headers: str) -> Response:
    return client.post(f"/api/v1/{path}", json=body, headers={"Authorization": f"Bearer {key}", **headers})


def count(deps: Deps, table: type[Debt | Payment | ApiRequest]) -> int:
    with deps.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_accounts_and_payments_are_taken_and_each_is_answered_in_its_place(deps: Deps, client: TestClient) -> None:
    key = a_key(deps, Scope.ACCOUNTS_WRITE, Scope.PAYMENTS_WRITE)
    account = an_account()
    results = sent(client, key, "accounts", [account, {**an_account(), "phone": "1"}, {}]).json()["results"]
    assert [(one["outcome"], one["reason"], one["field"]) for one in results] == [
        ("created", None, None),
        ("refused", "bad_field", "phone"),
        ("refused", "bad_field", "contract_number"),
    ]
    assert results[0]["contract_number"] == account["contract_number"]
    payment = {
        "reference": account["contract_number"],
        "paid_on": "2026-11-20",
        "amount_yuan": "100",
        "payment_id": "P1",
        "source": "core",
    }
    answers = [sent(client, key, "payments", payment).json()["results"][0]["outcome"] for _ in range(2)]
    assert answers == ["booked", "repeated"]
    assert (count(deps, Debt), count(deps, Payment)) == (1, 1)


def test_an_answer_repeats_nothing_personal(deps: Deps, client: TestClient) -> None:
    key = a_key(deps, Scope.ACCOUNTS_WRITE)
    account = an_account()
    text = sent(client, key, "accounts", [account, {**account, "name": "王五演示"}]).text
    assert not any(account[name] in text for name in ("name", "phone", "id_number"))


def test_a_key_opens_what_its_scopes_name_and_nothing_else(deps: Deps, client: TestClient) -> None:
    key = a_key(deps, Scope.EVENTS_READ)
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/events", headers=headers).json() == {"events": [], "next_after": 0}
    assert client.get("/api/v1/dead-letters", headers=headers).json() == {"dead_letters": []}
    refused = sent(client, key, "accounts", an_account())
    assert (refused.status_code, refused.json()) == (403, {"error": "forbidden"})
    assert sent(client, key, "payments", {}).status_code == 403
    writer = a_key(deps, Scope.ACCOUNTS_WRITE)
    assert client.get("/api/v1/events", headers={"Authorization": f"Bearer {writer}"}).status_code == 403
    assert count(deps, Debt) == 0


@pytest.mark.parametrize(
    "change", [lambda k: "", lambda k: k[:-1] + "!", lambda k: k[:-1], lambda k: "desk_" + "0" * 16 + k[21:]]
)
def test_any_other_key_opens_nothing(deps: Deps, client: TestClient, change: Any) -> None:
    key = a_key(deps, *Scope)
    for path in ("accounts", "payments"):
        response = sent(client, change(key), path, {})
        assert (response.status_code, response.json()) == (401, {"error": "unauthorized"})
    assert client.get("/api/v1/events").status_code == 401


def test_keys_are_changed_without_a_gap_and_end(deps: Deps, client: TestClient, clock: SetClock) -> None:
    old = a_key(deps, Scope.EVENTS_READ, name="core")
    new = api_clients.issue_key(deps, "core", days=30)
    assert isinstance(new, str)

    def opens(key: str) -> bool:
        return client.get("/api/v1/events", headers={"Authorization": f"Bearer {key}"}).status_code == 200

    assert (opens(old), opens(new)) == (True, True)
    assert api_clients.revoke_key(deps, old.split("_")[1]) is None
    assert api_clients.revoke_key(deps, old.split("_")[1]) is ClientRefusal.UNKNOWN_KEY
    assert (opens(old), opens(new)) == (False, True)
    (listed,) = api_clients.listing(deps)
    assert sorted((key.holds, key.last_used_on) for key in listed.keys) == [(False, "2026-11-21"), (True, "2026-11-21")]
    clock.move(timedelta(days=30))
    assert not opens(new)
    other = api_clients.issue_key(deps, "core")
    assert isinstance(other, str)
    assert opens(other)
    assert api_clients.close(deps, "core") is None
    assert not opens(other)
    assert api_clients.issue_key(deps, "core") is ClientRefusal.UNKNOWN


def test_no_key_lies_in_the_database(deps: Deps) -> None:
    key = a_key(deps, *Scope)
    with deps.read() as session:
        row = session.scalars(select(ApiKey)).one()
    assert row.id == key.split("_")[1]
    assert key.split("_", 2)[2] not in repr(vars(row))


@pytest.mark.parametrize("name", ["", "Core", "-core", "c" * 41, "核心"])
def test_a_client_has_a_plain_name_and_a_scope(deps: Deps, name: str) -> None:
    assert api_clients.create(deps, name, [Scope.EVENTS_READ]) is ClientRefusal.BAD_NAME
    assert api_clients.create(deps, "core", []) is ClientRefusal.NO_SCOPE
    assert api_clients.create(deps, "core", [Scope.EVENTS_READ]) is None
    assert api_clients.create(deps, "core", [Scope.EVENTS_READ]) is ClientRefusal.TAKEN


class TestIdempotencyKeys:
    """The same request is worked on once."""

    def test_the_same_request_gets_the_same_answer(
        self, deps: Deps, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = a_key(deps, Scope.ACCOUNTS_WRITE)
        account = an_account()
        first = sent(client, key, "accounts", account, **{"Idempotency-Key": "one"})
        monkeypatch.setattr(account_intake, "receive", None)  # nobody may be asked to work on it again
        again = sent(client, key, "accounts", account, **{"Idempotency-Key": "one"})
        assert first.json()["results"][0]["outcome"] == "created"
        assert again.json() == first.json()

    def test_another_request_under_the_key_is_refused(self, deps: Deps, client: TestClient) -> None:
        key = a_key(deps, Scope.ACCOUNTS_WRITE)
        sent(client, key, "accounts", an_account(), **{"Idempotency-Key": "one"})
        other = sent(client, key, "accounts", an_account(), **{"Idempotency-Key": "one"})
        assert (other.status_code, other.json()) == (422, {"error": "key_used_for_other_request"})
        assert count(deps, Debt) == 1

    def test_keys_are_each_clients_own(self, deps: Deps, client: TestClient) -> None:
        for key in (a_key(deps, Scope.ACCOUNTS_WRITE), a_key(deps, Scope.ACCOUNTS_WRITE)):
            assert sent(client, key, "accounts", an_account(), **{"Idempotency-Key": "one"}).status_code == 200
        assert count(deps, Debt) == 2

    def test_a_request_under_way_is_not_begun_twice_until_its_process_must_be_dead(
        self, deps: Deps, clock: SetClock
    ) -> None:
        caller = api_clients.authenticate(deps, a_key(deps, Scope.ACCOUNTS_WRITE))
        assert caller is not None
        assert isinstance(api_requests.begin(deps, caller.client_id, "one", b"body"), api_requests.Begun)
        assert isinstance(api_requests.begin(deps, caller.client_id, "one", b"body"), api_requests.InProgress)
        clock.move(api_requests.LEASE)
        begun = api_requests.begin(deps, caller.client_id, "one", b"body")
        assert isinstance(begun, api_requests.Begun)
        api_requests.finish(deps, begun, 200, {"results": []})
        api_requests.drop(deps, begun)  # nothing is dropped that was answered
        assert api_requests.begin(deps, caller.client_id, "one", b"body") == api_requests.Answered(200, {"results": []})
        clock.move(api_requests.KEPT + timedelta(seconds=1))
        assert api_requests.forget_old(deps) == 1
        assert isinstance(api_requests.begin(deps, caller.client_id, "one", b"body"), api_requests.Begun)

    def test_a_request_that_failed_can_be_sent_again(
        self, deps: Deps, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = a_key(deps, Scope.ACCOUNTS_WRITE)

        def fails(*_: object) -> None:
            raise RuntimeError

        with monkeypatch.context() as broken:
            broken.setattr(account_intake, "receive", fails)
            failing = TestClient(client.app, raise_server_exceptions=False)
            first = sent(failing, key, "accounts", (account := an_account()), **{"Idempotency-Key": "one"})
        assert first.status_code == 500
        assert account["phone"] not in first.text
        again = sent(client, key, "accounts", account, **{"Idempotency-Key": "one"})
        assert again.json()["results"][0]["outcome"] == "created"

    def test_a_key_beyond_measure_is_refused(self, deps: Deps, client: TestClient) -> None:
        key = a_key(deps, Scope.ACCOUNTS_WRITE)
        assert sent(client, key, "accounts", an_account(), **{"Idempotency-Key": "k" * 201}).status_code == 422


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001", "after=99999999999999999999"])
def test_a_page_that_cannot_be_read_is_refused(deps: Deps, client: TestClient, query: str) -> None:
    headers = {"Authorization": f"Bearer {a_key(deps, Scope.EVENTS_READ)}"}
    assert client.get(f"/api/v1/events?{query}", headers=headers).status_code == 422


def test_the_description_for_other_programs_is_current(tmp_path: Path) -> None:
    deps = a_desk(tmp_path)
    kept = (ROOT / "docs" / "openapi.json").read_text("utf-8")
    deps.database.engine.dispose()
    assert kept == lender_api.openapi_text(deps), "run `bot api openapi > docs/openapi.json`"
    described = json.loads(kept)
    named = {one.rpartition("/")[2] for one in _references(described)}
    assert named <= set(described["components"]["schemas"])
    assert set(described["paths"]) == {f"/api/v1/{name}" for name in ("accounts", "payments", "events", "dead-letters")}


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [part["$ref"]] if "$ref" in part else [one for value in part.values() for one in _references(value)]
    return [one for value in part for one in _references(value)] if isinstance(part, list) else []
