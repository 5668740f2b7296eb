"""``POST /api/payments``: who may, what is too much, what is booked, what an error tells. Against both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from pydantic import SecretStr, ValidationError
from sqlalchemy import func, select

from bot.channels import payments_api
from bot.channels.payments_api import MOST_BYTES, MOST_ITEMS
from bot.gateway import make_app
from bot.services.deps import Deps
from bot.settings import Settings
from bot.store.tables import Payment
from tests.builders.desk import a_borrower, a_debt
from tests.builders.payments import HEADER, a_row

KEY = "a-payments-key-for-tests-of-the-desk"
AUTHORIZED = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def debt(deps: Deps) -> str:
    return a_debt(deps, a_borrower(deps), 100_000)


@pytest.fixture
def client(deps: Deps) -> TestClient:
    deps.settings.payments_key = SecretStr(KEY)
    # Without its lifespan: neither the engine nor a channel is wanted here.
    return TestClient(make_app(deps))


def an_item(deps: Deps, debt: str, **fields: str) -> dict[str, str]:
    return dict(zip(HEADER.split(","), a_row(deps, debt, **fields).split(","), strict=True))


def sent(client: TestClient, body: object, headers: dict[str, str] | None = None) -> Response:
    return client.post("/api/payments", json=body, headers=AUTHORIZED if headers is None else headers)


def booked(deps: Deps) -> int:
    with deps.begin() as session:
        return session.scalar(select(func.count()).select_from(Payment)) or 0


def test_one_payment_is_booked_and_sending_it_again_changes_nothing(deps: Deps, client: TestClient, debt: str) -> None:
    item = an_item(deps, debt, payment_id="P1")
    first, again = sent(client, item), sent(client, item)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == {"results": [{"payment_id": "P1", "outcome": "booked", "reason": None, "credit_fen": 0}]}
    assert again.json()["results"][0]["outcome"] == "repeated"
    assert first.headers["cache-control"] == "no-store"
    assert booked(deps) == 1


def test_each_of_a_list_is_answered_in_its_place(deps: Deps, client: TestClient, debt: str) -> None:
    items: list[dict[str, Any]] = [
        an_item(deps, debt, amount_yuan="950"),
        an_item(deps, debt, amount_yuan="-1"),
        {**an_item(deps, debt), "amount_yuan": 12.5},
        an_item(deps, debt, reference="HT-0000"),
        an_item(deps, debt, amount_yuan="60"),
        {},
    ]
    results = sent(client, items).json()["results"]
    assert [(one["outcome"], one["reason"]) for one in results] == [
        ("booked", None),
        ("rejected", "not_positive"),
        ("rejected", "bad_amount"),
        ("rejected", "unknown_reference"),
        ("booked", None),
        ("rejected", "bad_reference"),
    ]
    assert results[4]["credit_fen"] == 1_000
    assert booked(deps) == 2


def test_an_answer_repeats_nothing_of_what_was_sent_but_the_number(deps: Deps, client: TestClient, debt: str) -> None:
    item = {**an_item(deps, debt), "reference": "王小明 13800000001", "note": "secret note"}
    text = sent(client, [item, {**item, "payment_id": "张三"}]).text
    assert not any(word in text for word in ("王小明", "13800000001", "secret", "张三"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer \u00e9".encode("latin-1")},
    ],
)
def test_without_the_key_nothing_is_read(deps: Deps, client: TestClient, debt: str, headers: dict[str, Any]) -> None:
    response = sent(client, an_item(deps, debt), headers)
    assert (response.status_code, response.json()) == (401, {"error": "unauthorized"})
    assert response.headers["www-authenticate"] == "Bearer"
    assert booked(deps) == 0


def test_a_body_that_is_too_large_is_refused_whether_announced_or_not(deps: Deps, client: TestClient) -> None:
    announced = client.post("/api/payments", content=b" " * (MOST_BYTES + 1), headers=AUTHORIZED)
    streamed = client.post("/api/payments", content=iter([b" " * 600_000] * 2), headers=AUTHORIZED)
    for response in (announced, streamed):
        assert (response.status_code, response.json()) == (413, {"error": "too_large"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b'"text"',
        b"null",
        b"[5]",
        b"[{}, null]",
        b"\xff",
        b"[" * 100_000,
        b"1" * 5_000,
        json.dumps([{}] * (MOST_ITEMS + 1)).encode(),
    ],
)
def test_what_is_no_list_of_payments_is_refused_without_a_word_on_why(
    deps: Deps, client: TestClient, content: bytes
) -> None:
    response = client.post("/api/payments", content=content, headers=AUTHORIZED)
    assert (response.status_code, response.json()) == (422, {"error": "unreadable"})


def test_as_many_as_allowed_are_taken(
    deps: Deps, client: TestClient, debt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments_api, "MOST_ITEMS", 3)
    assert sent(client, [an_item(deps, debt) for _ in range(3)]).status_code == 200
    assert sent(client, [an_item(deps, debt) for _ in range(4)]).status_code == 422


def test_without_a_key_in_the_settings_there_is_no_such_address(deps: Deps, debt: str) -> None:
    response = TestClient(make_app(deps)).post("/api/payments", json=an_item(deps, debt), headers=AUTHORIZED)
    assert response.status_code == 404


@pytest.mark.parametrize("key", ["short", "x" * 31])
def test_a_key_that_could_be_guessed_is_refused_by_the_name_of_its_setting(key: str) -> None:
    with pytest.raises(ValidationError, match="payments_key") as refused:
        Settings(_env_file=None, payments_key=SecretStr(key))  # type: ignore[call-arg]
    assert "32 characters" in str(refused.value)
    assert key not in str(refused.value)
