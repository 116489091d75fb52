"""What a slow browser costs: its own socket."""

import asyncio

import pytest
from meetings import HandClock

from mcu.clock import SystemClock
from mcu.signalling.webrtc.outbox import MAX_WAITING, ROSTER_EVERY_S, Outbox, Overflow
from mcu.signalling.webrtc.socket import BURST, RATE, Allowance


async def test_messages_leave_in_order() -> None:
    outbox = Outbox(SystemClock())
    for number in range(3):
        outbox.put(str(number).encode())
    assert [await outbox.take() for _ in range(3)] == [b"0", b"1", b"2"]


async def test_of_rosters_only_the_newest_waits_and_ten_a_second_leave() -> None:
    outbox, loop = Outbox(SystemClock()), asyncio.get_running_loop()
    outbox.put_roster(b"first")
    assert await outbox.take() == b"first"
    began = loop.time()
    for number in range(50):
        outbox.put_roster(f"roster {number}".encode())
    assert await outbox.take() == b"roster 49"
    assert loop.time() - began >= ROSTER_EVERY_S * 0.9


async def test_a_waiting_roster_does_not_hold_up_a_notice() -> None:
    outbox = Outbox(HandClock())
    outbox.put_roster(b"first")
    await outbox.take()
    outbox.put_roster(b"later")
    outbox.put(b"notice")
    assert await asyncio.wait_for(outbox.take(), 1) == b"notice"


async def test_what_waits_is_bounded() -> None:
    outbox = Outbox(SystemClock())
    for _ in range(MAX_WAITING):
        outbox.put(b"x")
    with pytest.raises(Overflow):
        outbox.put(b"one too many")
    outbox.end()
    assert [await outbox.take() for _ in range(MAX_WAITING + 1)] == [*[b"x"] * MAX_WAITING, None]


async def test_the_end_wakes_a_writer_that_waits() -> None:
    outbox = Outbox(SystemClock())
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.end()
    assert await asyncio.wait_for(taking, 1) is None


def test_a_browser_may_say_so_much_at_once_and_so_much_a_second() -> None:
    clock = HandClock()
    allowance = Allowance(clock)
    assert [allowance.spend() for _ in range(int(BURST) + 1)] == [True] * int(BURST) + [False]
    clock.pass_(1)
    assert sum(allowance.spend() for _ in range(100)) == int(RATE)
