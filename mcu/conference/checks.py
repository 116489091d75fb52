"""Before a meeting: by which ways does this browser reach a media worker? For anybody, so not too often."""

from mcu.auth.guesses import Pace, Paces
from mcu.clock import Clock
from mcu.conference.workers import Workers
from mcu.errors import TooMany
from mcu.media.messages import Answered, CheckNetwork
from mcu.networks import network_of

CHECK = Pace("check", 200, 0.5)  # of one address: a whole hospital may be behind it, and a check is some four calls


class NetworkChecks:
    """Answers offers that are for no meeting."""

    def __init__(self, workers: Workers, clock: Clock) -> None:
        self._workers = workers
        self._paces = Paces(clock)

    def count(self, address: str) -> None:
        """One more from this address. Raises `TooMany`."""
        who = network_of(address)
        try:
            self._paces.check(CHECK, who)
        except TooMany as error:
            raise TooMany("The network is checked too often from there: wait.", error.retry_after) from None
        self._paces.count(CHECK, who)

    async def answer(self, offer: str) -> str:
        """The SDP answer. Raises `errors.Invalid`, and `errors.Unavailable` where no worker can be tried just now."""
        worker = await self._workers.pick()
        reply = await worker.ask(CheckNetwork(offer=offer))
        assert isinstance(reply, Answered)
        return reply.answer
