"""An offer in a call that stands, ours or one that we ask for, and the wait for what they say."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from mcu.errors import Conflict, McuError
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Changed, Changing, Ended
from mcu.protocol.sip.message import Request, Response

ANSWER_S: Final = 10.0
AGAIN_S: Final = 0.1  # while another change of the call is under way


class NotTaken(McuError):
    code, title = "not-taken", "The other side of the call did not take a change of it"


class Line(Protocol):
    """What sends what the call has to say."""

    def pump(self) -> None: ...


class Reoffer:
    """One; `answer_to` or `offer_of` is awaited once."""

    def __init__(self, call: Call, line: Line) -> None:
        self._call, self._line = call, line
        self._answer: asyncio.Future[Request | Response] = asyncio.get_running_loop().create_future()
        self._made = False

    async def answer_to(self, offer: str) -> str:
        """Raises `NotTaken` where they do not take it, do not answer, or hang up meanwhile."""
        return await self._said(lambda: self._call.changes.offer(offer.encode()))

    async def offer_of(self) -> str:
        """What they offer when asked: it is to be acknowledged with an answer. Raises as `answer_to`."""
        return await self._said(self._call.changes.ask)

    async def _said(self, make: Callable[[], None]) -> str:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._make(make)
                message = await self._answer
        except TimeoutError:
            raise NotTaken("The other side did not answer.") from None
        if not isinstance(message, Response) or not message.is_success:
            raise NotTaken("The other side did not take the change.")
        return message.body.decode(errors="replace")

    def takes(self, happening: object) -> bool:
        """Whether this was about the offer. What they ask for meanwhile has to wait (RFC 3261, section 14.2).

        What came before it is over: nobody waits for what they say to that.
        """
        if self._answer.done():
            return False
        match happening:
            case Changed() if not self._made:
                self._call.changes.acknowledge(self._call.changes.sdp)
                return True
            case Changed(message=message):
                self._answer.set_result(message)
                return True
            case Changing():
                self._call.changes.refuse(491)
                self._line.pump()
                return True
            case Ended():
                self._answer.set_exception(NotTaken("The call is over."))
        return False

    async def _make(self, make: Callable[[], None]) -> None:
        self._call.changes.refuse(491)  # of theirs, which nobody has answered yet
        while not self._answer.done():
            try:
                make()
            except Conflict:  # its 2xx is not acknowledged yet
                await asyncio.sleep(AGAIN_S)
            else:
                self._made = True
                self._line.pump()
                return
