"""A room system with a line for slides, which baresip has not: our own SIP and media, as the other side of a call.

async with room_system() as system: await system.dial("sip:…")

With `floor`, a protocol of BFCP, it has a line for that too: who speaks it there is the test's to say.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import av
from av.video.frame import VideoFrame
from media_ports import media_ports
from sip_wire import Way

from mcu.clock import SystemClock
from mcu.demo.guest import Guest
from mcu.media.messages import Cause, Source
from mcu.media.outside import OutsideListener
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.seams import EncodedPicture, Wanted
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions
from mcu.media.transport.rtp import RtpTransport, Terms
from mcu.media.transport.streams import NUMBERS
from mcu.protocol.sdp.description import Attribute, Description, Media, parse
from mcu.protocol.sdp.exchange import Kind
from mcu.protocol.sip import media_control
from mcu.protocol.sip.agent import Agent, Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Established, Event, Invited, Sent, Within
from mcu.protocol.sip.message import Response, read
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address

FPS = 10
TIMER_S = 0.05
ACTPASS: Mapping[str, str] = {"setup": "actpass"}


class RoomSystem(asyncio.DatagramProtocol, OutsideListener):
    """`pictures`: what came of each source, since the last key frame. `theirs`: the server's line for the floor."""

    theirs: Media

    def __init__(self, engine: Engine, *, feedback: bool, floor: str, own: Mapping[str, str], port: int) -> None:
        self.pictures: dict[Source, list[EncodedPicture]] = {source: [] for source in Source}
        self.asked = 0  # for a key frame, by INFO
        self.connected = asyncio.Event()
        self._engine, self._feedback = engine, feedback
        self._floor, self._own, self._port = floor, own, port
        self._agent, self._clock = Agent(), SystemClock()
        kinds = tuple(Kind)
        self._media = RtpTransport(engine, Terms(address="127.0.0.1", kinds=kinds), lambda _key: None, self._clock)
        self._call: Call | None = None
        self._peer = ("", 0)
        self._sending: dict[Source, asyncio.Task[None]] = {}

    async def dial(self, server: str, user: str) -> None:
        """`server`: its address and port, by UDP."""
        host, _, port = server.partition(":")
        self._peer = host, int(port)
        target, own = SipUri(host, user, int(port)), SipUri("127.0.0.1", "system")
        await self.listen()
        offer = self._media.offer()
        if not self._feedback:
            offer = "".join(line for line in offer.splitlines(keepends=True) if "rtcp-fb" not in line)
        to = Recipient(self._way, target, Address(own), Address(target))
        self._call = self._agent.invite(to, self._with_floor(offer).encode(), self._clock.monotonic())
        self._drain()
        await self.connected.wait()

    async def listen(self) -> str:
        """Whoever calls it is answered: its URI."""
        loop = asyncio.get_running_loop()
        self._socket, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._way = Way("127.0.0.1", port=self._socket.get_extra_info("sockname")[1])
        self._timer = asyncio.create_task(self._keep_time())
        return f"sip:system@127.0.0.1:{self._way.port}"

    # -- the floor's line ---------------------------------------------------------------------------------------------

    def _with_floor(self, said: str) -> str:
        """An offer of ours with it, at the end; or an answer, where theirs stands."""
        if not self._floor:
            return said
        parsed = parse(said)
        line = Media(
            kind="application",
            port=self._port,
            protocol=self._floor,
            formats=("*",),
            attributes=tuple(Attribute(*one) for one in ({"floorctrl": "c-only"} | dict(self._own)).items()),
        )
        kept = tuple(media for media in parsed.media if media.kind != "application")
        return str(replace(parsed, media=(*kept, line)))

    def _without_floor(self, said: Description) -> str:
        lines = [media for media in said.media if media.kind == "application"]
        if not self._floor:
            assert [media.port for media in lines] in ([], [0])
            return str(said)
        [self.theirs] = lines
        return str(replace(said, media=tuple(media for media in said.media if media.kind != "application")))

    def number(self, name: str) -> int:
        """What their line says: `confid`, `userid`."""
        return int(self.theirs.value(name) or 0)

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

    def press(self, keys: str) -> None:
        """By INFO."""
        assert self._call is not None
        for key in keys:
            self._call.inform("application/dtmf-relay", f"Signal={key}\r\nDuration=100\r\n".encode())
        self._drain()

    def on_connected(self) -> None:
        for source in Source:
            self._media.want(source, Wanted(width=640, height=360, bits_per_second=1_000_000))
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
        self._peer = addr
        self._agent.receive(read(data), self._way, self._clock.monotonic())
        self._drain()

    def _drain(self) -> None:
        for event in self._agent.take():
            if isinstance(event, Sent):
                self._socket.sendto(bytes(event.message), self._peer)
            else:
                self._happened(event)

    def _happened(self, event: Event) -> None:
        match event:
            case Established(message=Response() as answer):
                self._media.accept(self._without_floor(parse(answer.body.decode())), self)
            case Invited(call):
                self._call, offer = call, call.invite.body.decode()
                self._without_floor(parse(offer))
                call.answer(self._with_floor(self._media.answer(offer, self)).encode())
                self._drain()
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
async def room_system(
    *, feedback: bool = True, floor: str = "", own: Mapping[str, str] = ACTPASS, port: int = 9
) -> AsyncIterator[RoomSystem]:
    """`feedback`: it offers PLI and FIR, NACKs and TMMBR. `floor`: a protocol, as `UDP/BFCP`.

    `own`: what its line for that says. `port`: of the floor's client; mostly nobody listens there, for it speaks first.
    """
    with media_ports() as ports:
        engine = Engine(MediaOptions(addresses=("127.0.0.1",), rtp_ports=(ports[0], ports[-1])), SystemClock())
        system = RoomSystem(engine, feedback=feedback, floor=floor, own=own, port=port)
        try:
            yield system
        finally:
            await system.close()
            engine.close()


def latest(system: RoomSystem, source: Source) -> VideoFrame | None:
    """What it was sent last, decoded."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.options = {"flags": "low_delay"}
    frames = [frame for one in system.pictures[source] for frame in decoder.decode(av.Packet(one.data))]
    return frames[-1] if frames else None


def content(person: Guest) -> VideoFrame | None:
    """Somebody's presentation, as it was last."""
    assert person.client is not None
    assert person.client.content is not None
    return person.client.content.latest
