"""Work beside the event loop: others go on meanwhile, one piece is done after another, and what it raises arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from functools import partial
from threading import Event

import pytest

from app.services.aside import aside, in_turns


async def test_the_loop_goes_on_meanwhile() -> None:
    told = Event()
    asyncio.get_running_loop().call_later(0.01, told.set)
    assert await aside(partial(told.wait, 10))


async def test_one_after_another() -> None:
    order: list[str] = []
    free = Event()

    def first() -> None:
        free.wait(10)
        order.append("first")

    both = asyncio.gather(aside(first), aside(lambda: order.append("second")))
    await asyncio.sleep(0.01)
    free.set()
    await both
    assert order == ["first", "second"]


async def test_what_it_raises_arrives() -> None:
    with pytest.raises(ValueError, match="many"):
        await aside(lambda: int("many"))


async def test_others_come_in_between_turns() -> None:
    order: list[str] = []
    free = Event()

    def long() -> Generator[None, None, int]:
        for turn in ("first", "third"):
            free.wait(10)
            order.append(turn)
            yield
        return len(order)

    both = asyncio.gather(in_turns(long()), aside(lambda: order.append("second")))
    await asyncio.sleep(0.01)
    free.set()
    assert (await both)[0] == 3
    assert order == ["first", "second", "third"]


async def test_what_a_turn_raises_arrives() -> None:
    def broken() -> Generator[None, None, int]:
        yield
        return int("many")

    with pytest.raises(ValueError, match="many"):
        await in_turns(broken())
