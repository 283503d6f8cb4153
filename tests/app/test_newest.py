"""Slow work for a value that keeps changing."""

from __future__ import annotations

import asyncio

import pytest

from tui.app.newest import Newest


async def test_values_that_were_overtaken_are_never_worked_on() -> None:
    begun: list[int] = []
    overtaken: list[bool] = []
    go_on = asyncio.Event()

    async def work(value: int) -> None:
        begun.append(value)
        await go_on.wait()
        overtaken.append(newest.overtaken)

    newest = Newest(work)
    assert newest.take(1)
    running = asyncio.create_task(newest.run())
    await asyncio.sleep(0)
    assert [newest.take(number) for number in (2, 3, 4)] == [False, False, False]
    go_on.set()
    await running
    assert (begun, overtaken) == ([1, 4], [True, False])
    assert newest.take(5), "it has to be run again"


async def test_work_that_fails_or_is_cancelled_does_not_block_what_comes_later() -> None:
    async def work(value: int) -> None:
        if value == 1:
            raise ValueError("no")
        await asyncio.Event().wait()

    newest = Newest(work)
    newest.take(1)
    with pytest.raises(ValueError, match="no"):
        await newest.run()
    assert newest.take(2)
    running = asyncio.create_task(newest.run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert newest.take(3)
