import asyncio
import threading

import pytest

from lambdash.packaging.single_flight import SingleFlight, in_thread


async def test_everyone_shares_one_piece_of_work() -> None:
    flights: SingleFlight[int] = SingleFlight()
    release = asyncio.Event()
    started = []

    async def work() -> int:
        started.append(1)
        await release.wait()
        return 7

    tasks = [asyncio.create_task(flights.run("key", work)) for _ in range(5)]
    await asyncio.sleep(0)
    release.set()
    assert await asyncio.gather(*tasks) == [7] * 5
    assert len(started) == 1
    assert await flights.run("key", work) == 7
    assert len(started) == 2


async def test_an_error_reaches_everyone() -> None:
    flights: SingleFlight[int] = SingleFlight()

    async def work() -> int:
        await asyncio.sleep(0)
        raise ValueError

    results = await asyncio.gather(
        *(flights.run("key", work) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [ValueError] * 3


async def test_work_goes_on_while_anyone_waits_and_ends_with_the_last() -> None:
    flights: SingleFlight[int] = SingleFlight()
    ended = asyncio.Event()

    async def work() -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 0

    first, second = (asyncio.create_task(flights.run("key", work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    assert not ended.is_set()
    second.cancel()
    await asyncio.wait({second})
    assert ended.is_set()


async def test_a_cancelled_caller_waits_for_its_thread() -> None:
    entered, leave, left = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        leave.wait(10)
        left.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left.is_set()
