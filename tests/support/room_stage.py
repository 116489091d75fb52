"""A worker's room on a stage: its transports and its plane are scripted, and what it says is kept."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from paper_plane import PaperPlane

from mcu import errors
from mcu.clock import SystemClock
from mcu.demo.check import amplitudes
from mcu.ids import CallId, LegId, RoomId
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.frames import AnyEvent
from mcu.media.life import LegState
from mcu.media.messages import (
    AddLeg,
    LayoutChanged,
    LegChanged,
    LegMedia,
    NoticeChanged,
    NoticeKind,
    Personal,
    RoomProfile,
    Source,
)
from mcu.media.picture.pools import Pools
from mcu.media.room import SOUND_TICKS, Room
from mcu.media.seams import (
    TICK_SAMPLES,
    CallTransport,
    EncodedPicture,
    FrameLimit,
    Traffic,
    Transport,
    TransportListener,
    VideoCodec,
    Wanted,
)

A, B = LegId("leg_a"), LegId("leg_b")
ENTERING = max(SOUND_TICKS.values()) + 3  # ticks in which a leg is announced and enters


class ScriptedTransport:
    """Says what it is told to say, and remembers what it was given."""

    def __init__(self, listener: TransportListener, plane: PaperPlane) -> None:
        self.listener = listener
        self.handle = plane.leg()
        self.closed = False
        self.video: VideoCodec | None = None
        self.rtt_ms = -1.0
        self._plane = plane

    def takes(self, source: Source) -> VideoCodec | None:
        return self.video if source is Source.CAMERA else None

    def limit(self, source: Source) -> FrameLimit | None:
        return None

    def handle_of(self, source: Source) -> int:
        return self.handle

    def request_key(self, source: Source) -> None: ...

    def want(self, source: Source, wanted: Wanted) -> None: ...

    def aim(self, bits_per_second: int) -> None: ...

    def stats(self, leg: LegId) -> LegMedia:
        return LegMedia(leg=leg, rtt_ms=None, line=None, srtp_profile="", receiving=[], sending=[], dropped={})

    def traffic(self) -> Traffic:
        return Traffic(0, 0, 0, 0, 0, 0, self.rtt_ms, 0, False)

    async def restart(self, offer: str) -> str:
        return f"restarted by {offer}"

    async def close(self) -> None:
        self.closed = True
        self._plane.remove(self.handle)


class ScriptedTransports:
    def __init__(self, plane: PaperPlane) -> None:
        self._plane = plane
        self.made: list[ScriptedTransport] = []
        self.before_answer = asyncio.Event()
        self.before_answer.set()

    async def answer(self, offer: str, listener: TransportListener) -> tuple[Transport, str]:
        await self.before_answer.wait()
        if offer == "rubbish":
            raise errors.Invalid("not an offer")
        self.made.append(ScriptedTransport(listener, self._plane))
        return self.made[-1], "answer"

    def send_picture(self, transports: Sequence[Transport], source: Source, picture: EncodedPicture) -> None: ...

    def take(self) -> None: ...

    def dropped(self) -> Mapping[str, int]:
        return {}

    async def close(self) -> None: ...


class NoCalls:
    """A reception in which nobody is."""

    def seat(self, call: CallId, listener: TransportListener) -> CallTransport:
        raise errors.NotFound("nobody calls here")

    def let_in(self, call: CallId) -> None: ...

    def take_back(self, call: CallId) -> None: ...


class Stage:
    """A room with its transports, and what it said."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.events: list[AnyEvent] = []
        self.plane = PaperPlane()
        self.out = Outgoing(self.plane, SystemClock())
        self.number = 0
        self.woken = 0
        self.room_for = 1e9  # cores
        self.transports = ScriptedTransports(self.plane)
        self.room = Room(
            RoomId("room_1"),
            RoomProfile(resume_window_s=1.0),
            transports=self.transports,
            calls=NoCalls(),
            plane=self.plane,
            pools=Pools(pool, pool),
            owner=self,
        )

    def emit(self, event: AnyEvent) -> None:
        self.events.append(event)

    def wake(self, _room: Room) -> None:
        self.woken += 1

    def fits(self, cores: float) -> bool:
        return self.room.cores + cores <= self.room_for

    async def join(self, leg: LegId, *, muted: bool = False) -> ScriptedTransport:
        """Offer, connect, be announced and enter."""
        transport = await self.offer(leg, muted=muted)
        transport.listener.on_connected()
        self.ticks(ENTERING)
        return transport

    async def offer(self, leg: LegId, *, muted: bool = False) -> ScriptedTransport:
        await self.room.add_leg(
            AddLeg(room=RoomId("room_1"), leg=leg, offer="offer", label=leg, admitted=True, muted=muted)
        )
        return self.transports.made[-1]

    async def close(self) -> None:
        if self.plane.rooms:
            await self.room.close()

    async def sees(self, leg: LegId) -> tuple[Personal, list[LegId]]:
        """What it was told last, when the next picture is made."""
        await asyncio.sleep(0.15)
        told = [event for event in self.events if isinstance(event, LayoutChanged) and leg in event.viewers][-1]
        return told.personal, [tile.leg for tile in told.tiles]

    def ticks(self, count: int) -> None:
        """As the ticker does it."""
        for _ in range(count):
            self.number += 1
            talkers, samples = self.plane.talkers()
            said = Said(talkers, np.frombuffer(samples, np.int16).reshape(-1, TICK_SAMPLES))
            self.room.tick(self.number, 1_000_000 + 20 * self.number, said, self.out)
            self.out.send(self.number)

    def hears(self, transport: ScriptedTransport, hertz: float) -> bool:
        """In the last tick."""
        sent = self.plane.legs[transport.handle]
        return bool(sent) and sent[-1].tick == self.number and amplitudes(sent[-1].samples, hertz)[0] > 1000

    def states(self, leg: LegId) -> list[LegState]:
        return [event.state for event in self.events if isinstance(event, LegChanged) and event.leg == leg]

    def notices(self, kind: NoticeKind) -> list[NoticeChanged]:
        return [event for event in self.events if isinstance(event, NoticeChanged) and event.record.kind is kind]
