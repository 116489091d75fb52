"""A room system with a line for slides, which baresip has not: our own SIP and media, as the other side of a call.

async with room_system() as system: await system.dial("sip:…")
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from av.video.frame import VideoFrame
from sip_wire import Way

from mcu.clock import SystemClock
from mcu.media.messages import Cause, Source
from mcu.media.outside import OutsideListener
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.seams import EncodedPicture, Wanted
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions
from mcu.media.transport.rtp import RtpTransport, Terms
from mcu.media.transport.streams import NUMBERS
from mcu.protocol.sdp.exchange import Kind
from mcu.protocol.sip import media_control
from mcu.protocol.sip.agent import Agent, Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Established, Event, Sent, Within
from mcu.protocol.sip.message import read
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address

FPS = 10
TIMER_S = 0.05


class RoomSystem(asyncio.DatagramProtocol, OutsideListener):
    """`pictures`: what came of each source, since the last key frame."""

    def __init__(self, engine: Engine, *, feedback: bool) -> None:
        self.pictures: dict[Source, list[EncodedPicture]] = {source: [] for source in Source}
        self.asked = 0  # for a key frame, by INFO
        self.connected = asyncio.Event()
        self._engine, self._feedback = engine, feedback
        self._agent, self._clock = Agent(), SystemClock()
        kinds = tuple(Kind)
        self._media = RtpTransport(
            engine, Terms(address="127.0.0.1", kinds=kinds, offered=kinds), lambda _key: None, self._clock
        )
        self._call: Call | None = None
        self._sending: dict[Source, asyncio.Task[None]] = {}

    async def dial(self, server: str, user: str) -> None:
        """`server`: its address and port, by UDP."""
        loop, there = asyncio.get_running_loop(), server.split(":")
        self._socket, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=(there[0], int(there[1])))
        host, port = self._socket.get_extra_info("sockname")
        self._way = Way(host, port=port)
        self._timer = asyncio.create_task(self._keep_time())
        target = SipUri(there[0], user, int(there[1]))
        to = Recipient(self._way, target, Address(SipUri(host, "system")), Address(target))
        offer = self._media.offer()
        if not self._feedback:
            offer = "".join(line for line in offer.splitlines(keepends=True) if "rtcp-fb" not in line)
        self._call = self._agent.invite(to, offer.encode(), self._clock.monotonic())
        self._drain()
        await self.connected.wait()
        for source in Source:
            self._media.want(source, Wanted(width=640, height=360, bits_per_second=1_000_000))

    # -- pictures -----------------------------------------------------------------------------------------------------

    def show(self, source: Source, make: Callable[[], VideoFrame]) -> None:
        """From now on; the first key frame is lost on the way."""
        self._sending[source] = asyncio.create_task(self._send(source, make))

    def stop(self, source: Source) -> None:
        self._sending.pop(source).cancel()

    async def _send(self, source: Source, make: Callable[[], VideoFrame]) -> None:
        first = make()
        encoder, asked = PictureEncoder("H264", first.width, first.height, FPS, 500_000), self.asked
        for number in range(100_000):
            made = encoder.encode(make(), number * 90_000 // FPS, key=asked != self.asked)
            asked = self.asked
            if made is not None and number:
                to, what = self._media.handle_of(source), (NUMBERS[source], "H264")
                self._engine.plane.send_picture([to], *what, made.data, made.timestamp, made.key)
            await asyncio.sleep(1 / FPS)

    def ask_for_picture(self) -> None:
        """By INFO."""
        assert self._call is not None
        self._call.inform(media_control.TYPE, media_control.FAST_UPDATE)
        self._drain()

    def on_connected(self) -> None:
        self.connected.set()

    def on_lost(self, cause: Cause) -> None: ...

    def on_picture(self, source: Source, picture: EncodedPicture) -> None:
        if picture.key:
            self.pictures[source].clear()
        self.pictures[source].append(picture)

    def on_key_request(self, source: Source) -> None:
        self.asked += 1

    # -- SIP ----------------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._agent.receive(read(data), self._way, self._clock.monotonic())
        self._drain()

    def _drain(self) -> None:
        for event in self._agent.take():
            if isinstance(event, Sent):
                self._socket.sendto(bytes(event.message))
            else:
                self._happened(event)

    def _happened(self, event: Event) -> None:
        match event:
            case Established(message=answer):
                self._media.accept(answer.body.decode(), self)
            case Within(request=request, key=key):
                self.asked += media_control.asks(request)
                self._agent.respond(key, response_to(request, 200))
                self._drain()

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(TIMER_S)
            self._agent.handle_timer(self._clock.monotonic())
            self._drain()

    async def close(self) -> None:
        for task in (self._timer, *self._sending.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert self._call is not None
        self._call.hang_up()
        self._drain()
        await self._media.close()
        self._socket.close()


@asynccontextmanager
async def room_system(*, feedback: bool = True) -> AsyncIterator[RoomSystem]:
    """`feedback`: it offers PLI and FIR, NACKs and TMMBR."""
    engine = Engine(MediaOptions(addresses=("127.0.0.1",), rtp_ports=(48_600, 48_699)), SystemClock())
    system = RoomSystem(engine, feedback=feedback)
    try:
        yield system
    finally:
        await system.close()
        engine.close()
