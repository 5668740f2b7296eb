"""Work that several may ask for: it is done once, and to its end, though the first to ask goes away."""

from __future__ import annotations

import asyncio

import pytest

from bot.nlu.under_way import UnderWay


class Slow:
    """Work that ends when it is let."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.begun = self.done = 0

    async def __call__(self) -> None:
        self.begun += 1
        await self.may_end.wait()
        self.done += 1


async def a_little() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_work_goes_on_when_who_asked_for_it_is_gone() -> None:
    under_way, work = UnderWay(), Slow()
    first = asyncio.create_task(under_way.join("a", work))
    await a_little()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.may_end.set()
    await a_little()
    assert (work.begun, work.done) == (1, 1)


async def test_who_asks_again_joins_what_is_under_way() -> None:
    under_way, work = UnderWay(), Slow()
    first = asyncio.create_task(under_way.join("a", work))
    await a_little()
    first.cancel()
    second = asyncio.create_task(under_way.join("a", work))
    await a_little()
    assert not second.done()
    work.may_end.set()
    await second
    assert (work.begun, work.done) == (1, 1)


async def test_other_work_begins_beside_it_and_finished_work_may_begin_anew() -> None:
    under_way, work = UnderWay(), Slow()
    work.may_end.set()
    await asyncio.gather(under_way.join("a", work), under_way.join("b", work))
    await under_way.join("a", work)
    assert work.done == 3


async def test_what_went_wrong_reaches_everybody_who_waits() -> None:
    under_way = UnderWay()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError

    ended = await asyncio.gather(under_way.join("a", fails), under_way.join("a", fails), return_exceptions=True)
    assert [type(each) for each in ended] == [ValueError, ValueError]
