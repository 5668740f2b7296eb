"""What is made of an engine that does not answer: whether the attempt says anything about the message."""

from __future__ import annotations

import httpx
import pytest

from bot.channels.rasa_client import EngineDown, RasaClient, Trouble
from bot.services.turns import Claimed

ASKED = Claimed("m" * 32, "c" * 32, "在吗", None, "web", 1)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (httpx.ConnectError, Trouble.ABSENT),
        (httpx.ConnectTimeout, Trouble.ABSENT),
        (httpx.WriteError, Trouble.ABSENT),
        (httpx.ReadTimeout, Trouble.LATE),
        (httpx.ReadError, Trouble.FAILED),
        (httpx.RemoteProtocolError, Trouble.FAILED),
    ],
)
async def test_an_engine_that_ends_while_it_has_the_message_counts_as_a_failure(
    error: type[httpx.TransportError], trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> httpx.Response:
        raise error("no answer")

    client = RasaClient("http://127.0.0.1:1", "a-secret-for-tests", 1)
    monkeypatch.setattr(httpx.AsyncClient, "post", fails)
    with pytest.raises(EngineDown) as down:
        await client.turn(ASKED)
    assert down.value.trouble is trouble
    await client.close()
