"""An offer of ours in a call that stands, at a simulated wire: taken, refused, and met by a change of theirs."""

import asyncio

import pytest
from sip_wire import Wire, up

from mcu.protocol.sip.call import Call
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changing
from mcu.signalling.sip.reoffer import AGAIN_S, NotTaken, Reoffer


class Moving:
    """A call of the server's whose media is being moved."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.phone, self.server = up(self.wire)
        self._heard = 0

    def pump(self) -> None: ...

    async def begin(self) -> "asyncio.Task[str]":
        self.reoffer = Reoffer(self.server, self)
        task = asyncio.create_task(self.reoffer.answer_to("by other ports"))
        await asyncio.sleep(0)
        self.run()
        return task

    def run(self, seconds: float = 1.0) -> None:
        self.wire.run(seconds)
        told = self.wire.server.told[self._heard :]
        self._heard += len(told)
        for event in told:
            self.reoffer.takes(event)
        self.wire.run(0)

    def asked(self) -> list[bytes]:
        """What the telephone has been offered."""
        return [event.request.body for event in self.wire.phone.told if isinstance(event, Changing)]


@pytest.fixture
def moving() -> Moving:
    return Moving()


def stand(*calls: Call) -> bool:
    return all(call.state is State.UP for call in calls)


async def test_what_they_answer_is_had(moving: Moving) -> None:
    task = await moving.begin()
    assert moving.asked() == [b"by other ports"]
    moving.phone.changes.accept(b"yes")
    moving.run()
    assert await task == "yes"


async def test_a_refusal_and_the_end_of_the_call_are_told(moving: Moving) -> None:
    task = await moving.begin()
    moving.phone.changes.refuse(488)
    moving.run()
    with pytest.raises(NotTaken):
        await task
    assert stand(moving.phone, moving.server)
    task = await moving.begin()
    moving.phone.hang_up()
    moving.run()
    with pytest.raises(NotTaken):
        await task


async def test_a_change_of_theirs_that_waits_is_refused_with_491_and_comes_again_later(moving: Moving) -> None:
    moving.phone.changes.offer(b"hold")
    moving.wire.run(1)
    task = await moving.begin()
    assert moving.server.changes.asked is None
    moving.phone.changes.accept(b"yes")
    moving.run()
    assert await task == "yes"
    moving.run(10)
    asked = moving.server.changes.asked
    assert asked is not None
    assert asked.body == b"hold"
    assert 491 in moving.wire.server.methods()


@pytest.mark.parametrize("asks", [False, True])
async def test_what_they_say_to_a_change_that_was_on_its_way_before_is_not_taken_for_the_answer(
    moving: Moving, asks: bool
) -> None:
    before = moving.server.changes
    before.ask() if asks else before.offer(b"before")
    task = await moving.begin()
    moving.phone.changes.accept(b"to what was before")
    moving.run()
    await asyncio.sleep(2 * AGAIN_S)
    moving.run()
    assert moving.asked()[-1] == b"by other ports"
    moving.phone.changes.accept(b"yes")
    moving.run()
    assert await task == "yes"
