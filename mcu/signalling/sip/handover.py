"""A seat in a meeting is handed over: who talks to somebody that sits there goes there in their place.

The call of the two is brought into a reception by re-INVITE, and from there by the meeting's ordinary door, PIN and
lobby and all: it is a new seat, which the others hear come. Then the other one is heard to leave. Nobody comes in by
this who could not have called there.
"""

from typing import Protocol

from mcu.booking.door import Entrant
from mcu.errors import McuError
from mcu.ids import CallId
from mcu.protocol.sip.call import Call
from mcu.signalling.sip.incoming import Incoming, Who
from mcu.signalling.sip.routing import Route
from mcu.signalling.sip.visit import PICK_S, House


class Handover(Protocol):
    """Is told what becomes of it: `kept`, or `taken` and then `entered` or not, and `over`."""

    def taken(self) -> None:
        """The call is ours: whom it was with is out of it."""

    def kept(self, error: McuError) -> None:
        """They did not take the change: the call is as it was."""

    def entered(self) -> None:
        """They are through the door."""

    def over(self) -> None:
        """The call has ended, or is another's again."""


class HandedOver(Incoming):
    """A visit by a call that stands."""

    def __init__(self, house: House, name: CallId, call: Call, route: Route, who: Who, handover: Handover) -> None:
        super().__init__(house, name, call, route, who)
        self._agreed = ("", call.changes.sdp.decode())  # another's words, which we passed on
        self._handover = handover

    async def _arrive(self) -> None:
        try:
            await self._bring_to(await self._house.workers.pick(PICK_S), anew=True)
        except McuError as error:
            self.call = None
            self._handover.kept(error)
            raise
        self._handover.taken()
        await self._do(self._menu.begin(self._house.clock.monotonic()))

    async def _admit(self, entrant: Entrant) -> None:
        await super()._admit(entrant)
        self._handover.entered()

    async def _leave(self) -> None:
        self._handover.over()
        await super()._leave()
