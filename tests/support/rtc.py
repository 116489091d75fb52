"""Two ends and what is between them: a listener that writes down, a tick, and a relay that loses, delays and rebinds.

The relay is for faults only: packets go through real sockets on loopback with or without it.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress

import av
import numpy as np

from mcu.media.messages import Cause, Source
from mcu.media.seams import TICK_MS, TICK_SAMPLES, EncodedPicture, Samples, Transport, TransportFactory, Wanted
from mcu.media.transport.engine import Engine

WAIT_S = 20.0  # seconds: the machine may be busy with other tests
Filter = Callable[[bytes], bool]  # whether a datagram may pass


WHOLE = Wanted(width=1280, height=720, bits_per_second=0)  # no limit


class Ear:
    """A `TransportListener` that writes down what it is told, and looks at all pictures."""

    def __init__(self, factory: TransportFactory) -> None:
        self._factory = factory
        self.transport: Transport | None = None
        self.connected = asyncio.Event()
        self.lost: list[Cause] = []
        self.pictures: list[tuple[Source, EncodedPicture]] = []
        self.key_requests = 0
        self.bandwidth: list[int] = []
        self.reports: list[tuple[int, int]] = []
        self.losses: list[tuple[Source, float]] = []
        self.unsent: list[int] = []
        self.echo = False  # send back the pictures that come

    def on_connected(self) -> None:
        if self.transport is not None:
            for source in Source:
                self.transport.want(source, WHOLE)
        self.connected.set()

    def on_renewed(self) -> None: ...

    def on_lost(self, cause: Cause) -> None:
        self.lost.append(cause)

    def on_picture(self, source: Source, picture: EncodedPicture) -> None:
        self.pictures.append((source, picture))
        if self.echo and source is Source.CAMERA and self.transport is not None:
            self._factory.send_picture([self.transport], Source.CAMERA, picture)

    def on_key_request(self, source: Source) -> None:
        self.key_requests += 1
        if self.echo and self.transport is not None:
            self.transport.request_key(Source.CAMERA)

    def on_bandwidth(self, bits_per_second: int) -> None:
        self.bandwidth.append(bits_per_second)

    def on_audio_report(self, highest_sequence: int, lost: int) -> None:
        self.reports.append((highest_sequence, lost))

    def on_picture_loss(self, source: Source, share: float) -> None:
        self.losses.append((source, share))

    def on_unsent(self, tick: int) -> None:
        self.unsent.append(tick)

    def of(self, source: Source) -> list[EncodedPicture]:
        return [picture for where, picture in self.pictures if where is source]


class Studio:
    """The tick of a plane without rooms: each leg hears the sound that it is given, or what it says itself."""

    def __init__(self, engine: Engine) -> None:
        self.heard: defaultdict[int, list[Samples]] = defaultdict(list)  # by handle, a tick each
        self.levels: defaultdict[int, list[int]] = defaultdict(list)  # -dBov of it, as it was decoded
        self.late = 0.0  # seconds, of the latest tick
        self._plane = engine.plane
        self._room = self._plane.add_room(32)
        self._sounds: dict[int, int] = {}
        self._given: dict[int, Iterator[Samples]] = {}
        self._routes: list[tuple[int, int]] = []
        self._tick = 0
        engine.on_collected = self._mix
        self._task = asyncio.create_task(self._run())

    def seat(self, handle: int, sound: Iterator[Samples] | None = None) -> None:
        """From now on the leg is heard, and hears `sound`, in the end silence; None: its own."""
        if handle not in self._sounds:
            self._plane.hear(handle, self._room)
            self._sounds[handle] = self._plane.add_sound(False)
            self._routes.append((handle, self._sounds[handle]))
        if sound is not None:
            self._given[handle] = sound

    def pause(self, handle: int) -> None:
        """From now on nothing is sent to the leg; only time passes."""
        self._routes.append((handle, 0))

    def resume(self, handle: int) -> None:
        self._routes.append((handle, self._sounds[handle]))

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += TICK_MS / 1000
            await asyncio.sleep(max(0, due - loop.time()))
            self.late = max(self.late, loop.time() - due)
            self._tick += 1
            with suppress(OverflowError):
                self._plane.collect(self._tick, 0)

    def _mix(self, tick: int, _since: int) -> None:
        talkers, memory = self._plane.talkers()
        rows = np.frombuffer(memory, np.int16).reshape(-1, TICK_SAMPLES)
        said = {talker.leg: row.copy() for talker, row in zip(talkers, rows, strict=True)}
        for talker in talkers:
            self.heard[talker.leg].append(said[talker.leg])
            self.levels[talker.leg].append(talker.level)
        nothing = np.zeros(TICK_SAMPLES, np.int16)
        mixes = [
            next(self._given[leg], nothing) if leg in self._given else said.get(leg, nothing) for leg in self._sounds
        ]
        samples = np.stack(mixes) if mixes else np.zeros((0, TICK_SAMPLES), np.int16)
        with suppress(OverflowError):
            self._plane.send(tick, list(self._sounds.values()), samples.data, self._routes)
            self._routes = []

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


class _End(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._receive(data, addr)


class Relay:
    """Between a client and a server's port on loopback. `up` is towards the server."""

    def __init__(self) -> None:
        self.up: Filter = lambda _data: True
        self.down: Filter = lambda _data: True
        self._client: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        self._outer: asyncio.DatagramTransport | None = None
        self._inner: asyncio.DatagramTransport | None = None
        self.port = 0

    async def stand_before(self, answer: str) -> str:
        """The answer, with this relay for every candidate."""
        port = re.search(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) ", answer)
        assert port is not None
        self._server = ("127.0.0.1", int(port[1]))
        self._outer = await self._open(self._from_client)
        self.port = self._outer.get_extra_info("sockname")[1]
        await self.rebind()
        return answer.replace(f"127.0.0.1 {port[1]} ", f"127.0.0.1 {self.port} ")

    async def rebind(self) -> None:
        """Another port towards the server, as after a NAT forgot."""
        if self._inner is not None:
            self._inner.close()
        self._inner = await self._open(self._from_server)

    async def _open(self, receive: Callable[[bytes, tuple[str, int]], None]) -> asyncio.DatagramTransport:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _End(receive), local_addr=("127.0.0.1", 0))
        return transport

    def _from_client(self, data: bytes, addr: tuple[str, int]) -> None:
        self._client = addr
        if self._inner is not None and self.up(data):
            self._inner.sendto(data, self._server)

    def _from_server(self, data: bytes, _addr: tuple[str, int]) -> None:
        if self._outer is not None and self._client is not None and self.down(data):
            self._outer.sendto(data, self._client)

    def close(self) -> None:
        for end in (self._outer, self._inner):
            if end is not None:
                end.close()


def is_rtp(data: bytes, payload_type: int | None = None) -> bool:
    """Whether a datagram is SRTP, of that payload type."""
    if len(data) < 12 or not 128 <= data[0] < 192 or 192 <= data[1] <= 223:
        return False
    return payload_type is None or data[1] & 127 == payload_type


def bars(width: int = 320, height: int = 180) -> Iterator[av.VideoFrame]:
    """A bright bar that moves over a grey field, without end."""
    number = 0
    while True:
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        at = number * 7 % (width - 40)
        planes[:height, at : at + 40] = 220
        yield av.VideoFrame.from_ndarray(planes, format="yuv420p")
        number += 1


async def until(fact: Callable[[], object], within: float = WAIT_S) -> None:
    """Returns when it is so. Raises `TimeoutError`."""
    async with asyncio.timeout(within):
        while not fact():  # noqa: ASYNC110 - what is waited for is anybody's state
            await asyncio.sleep(0.01)
