"""Work in order and bounded; of news the newest."""

import asyncio
from functools import partial

import pytest

from mcu.conference.mailbox import MAX_WORK, Mailbox
from mcu.errors import NotFound, Unavailable


async def test_work_is_done_in_order_and_its_result_or_error_given_to_who_asked() -> None:
    mailbox, done = Mailbox(print), list[int]()

    def fail() -> None:
        raise NotFound("no")

    def do(number: int) -> int:
        done.append(number)
        return number

    asked = [asyncio.create_task(mailbox.ask(partial(do, number))) for number in range(3)]
    failing = asyncio.create_task(mailbox.ask(fail))
    await asyncio.sleep(0)
    mailbox.do_all()
    assert await asyncio.gather(*asked) == [0, 1, 2]
    assert done == [0, 1, 2]
    with pytest.raises(NotFound):
        await failing


async def test_too_much_work_is_refused_and_news_never() -> None:
    dropped = list[str]()
    mailbox, heard = Mailbox(dropped.append), list[str]()
    waiting = [asyncio.create_task(mailbox.ask(lambda: None)) for _ in range(MAX_WORK)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await mailbox.ask(lambda: None)
    assert dropped == ["room_work"]
    mailbox.tell("a", lambda: heard.append("a, old"))
    mailbox.tell("b", lambda: heard.append("b"))
    mailbox.tell("a", lambda: heard.append("a, new"))
    mailbox.do_all()
    assert heard == ["b", "a, new"]
    await asyncio.gather(*waiting)


async def test_one_bad_piece_of_news_does_not_cost_the_others() -> None:
    mailbox, heard = Mailbox(print), list[str]()
    mailbox.tell("bad", lambda: heard.append({}["nothing"]))  # type: ignore[index]
    mailbox.tell("good", lambda: heard.append("good"))
    mailbox.do_all()
    assert heard == ["good"]


async def test_whoever_waits_is_told_when_the_room_closes() -> None:
    mailbox = Mailbox(print)
    waiting = asyncio.create_task(mailbox.ask(lambda: None))
    await asyncio.sleep(0)
    mailbox.close()
    with pytest.raises(Unavailable):
        await waiting
    with pytest.raises(Unavailable):
        await mailbox.ask(lambda: None)


async def test_work_whose_asker_has_gone_away_is_not_done() -> None:
    mailbox, done = Mailbox(print), list[int]()
    asked = asyncio.create_task(mailbox.ask(lambda: done.append(1)))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    mailbox.do_all()
    assert done == []
