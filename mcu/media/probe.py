"""Connections that belong to no room: a browser finds out before a meeting by which ways it reaches this worker.

ICE and DTLS are all that there is to one. Nobody hears or sees it, it hears and sees nobody, and it ends by itself.
"""

import asyncio

from mcu.errors import Unavailable
from mcu.media.messages import Cause
from mcu.media.outside import OutsideListener
from mcu.media.seams import Transport, TransportFactory

PROBES_MAX = 64  # at a time
PROBE_S = 5.0  # after it has connected: its browser looks at how, and leaves


class _Probe(OutsideListener):
    """A `TransportListener` that only waits for the end."""

    def __init__(self) -> None:
        self.connected, self.over = asyncio.Event(), asyncio.Event()

    def on_connected(self) -> None:
        self.connected.set()

    def on_lost(self, cause: Cause) -> None:
        self.connected.set()
        self.over.set()


class Probes:
    """Those of one worker. They end with its transports."""

    def __init__(self, transports: TransportFactory) -> None:
        self._transports = transports
        self._running: set[asyncio.Task[None]] = set()
        self._beginning = 0

    async def answer(self, offer: str) -> str:
        """The SDP answer to the offer of a browser that wants to try. Raises `errors.Invalid`, `errors.Unavailable`."""
        if len(self._running) + self._beginning >= PROBES_MAX:
            raise Unavailable("Too many check their network just now: try again.")
        probe = _Probe()
        self._beginning += 1
        try:
            transport, answer = await self._transports.answer(offer, probe)
        finally:
            self._beginning -= 1
        task = asyncio.create_task(_live(probe, transport))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return answer


async def _live(probe: _Probe, transport: Transport) -> None:
    """Until it is over: it could not connect, its browser left, or its time is up."""
    await probe.connected.wait()
    try:
        async with asyncio.timeout(PROBE_S):
            await probe.over.wait()
    except TimeoutError:
        await transport.close()
