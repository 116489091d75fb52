"""Two transports with ports of their own at one real plane, in a call with each other."""

import asyncio
from collections.abc import Callable
from functools import partial

import numpy as np

from mcu.clock import SystemClock
from mcu.media.call_messages import LineKeys
from mcu.media.messages import Cause, Source
from mcu.media.seams import TICK_SAMPLES, EncodedPicture, Samples
from mcu.media.transport.association import Association
from mcu.media.transport.engine import Engine
from mcu.media.transport.rtp import RtpTransport, Terms
from mcu.protocol.sdp.exchange import Kind
from mcu.protocol.sdp.keying import Encryption

PORTS = (47_000, 47_099)
TONE = (8000 * np.sin(2 * np.pi * 440 * np.arange(TICK_SAMPLES) / 48000)).astype(np.int16)


class Told:
    """A `TransportListener` that keeps what it is told."""

    def __init__(self) -> None:
        self.connected, self.renewed, self.lost = False, 0, list[Cause]()
        self.carries: int | None = None
        self.reports = 0
        self.pictures, self.keys_wanted = list[EncodedPicture](), asyncio.Queue[Source]()

    def on_connected(self) -> None:
        self.connected = True

    def on_renewed(self) -> None:
        self.renewed += 1

    def on_lost(self, cause: Cause) -> None:
        self.lost.append(cause)

    def on_picture(self, source: Source, picture: EncodedPicture) -> None:
        self.pictures.append(picture)

    def on_key_request(self, source: Source) -> None:
        self.keys_wanted.put_nowait(source)

    def on_bandwidth(self, bits_per_second: int) -> None:
        self.carries = bits_per_second

    def on_audio_report(self, highest_sequence: int, lost: int) -> None:
        self.reports += 1

    def on_picture_loss(self, source: Source, share: float) -> None: ...
    def on_unsent(self, tick: int) -> None: ...


class Call:
    """Two transports that have agreed: one offered, the other answered."""

    def __init__(
        self,
        engine: Engine,
        *kinds: Kind,
        encryption: Encryption = Encryption.REQUIRED,
        events: bool = True,
        by_dtls: bool = False,
        change: Callable[[str], str] = str,
        change_answer: Callable[[str], str] = str,
    ) -> None:
        """`change`: of the offer, on its way."""
        terms = Terms(address="127.0.0.1", kinds=kinds or (Kind.AUDIO,), encryption=encryption, by_dtls=by_dtls)
        self.plane, self.digits = engine.plane, list[str]()
        self.ends = [RtpTransport(engine, terms, self.digits.append, SystemClock()) for _ in range(2)]
        self.told = [Told(), Told()]
        self.keys: dict[int, tuple[LineKeys, ...]] = {}  # by DTLS
        for number, end in enumerate(self.ends):
            end.on_keys = partial(self.keys.__setitem__, number)
        self.former = self.ends[1]
        self.offer = change(self.ends[0].offer())
        if not events:  # as of a telephone that has no telephone-event
            lines = [line for line in self.offer.splitlines() if "telephone-event" not in line]
            self.offer = "\r\n".join([*lines, ""])
        self.answer = change_answer(self.ends[1].answer(self.offer, self.told[1]))
        self.ends[0].accept(self.answer, self.told[0])

    def associations(self, end: int) -> list[Association]:
        """By DTLS, of each line."""
        return [line.association for line in self.ends[end]._lines.values() if line.association is not None]

    async def heard(self, speaker: int, ticks: int = 25, tone: Samples = TONE) -> int:
        """How loud (-dBov) the other end's plane hears a tone of this one."""
        room, sound = self.plane.add_room(1), self.plane.add_sound(False)
        self.plane.hear(self.ends[1 - speaker].handle, room)
        levels = [127]
        for tick in range(1, ticks):
            self.plane.collect(tick, 0)
            await asyncio.sleep(0.02)
            levels += [talker.level for talker in self.plane.talkers()[0]]
            self.plane.send(tick, [sound], tone.data, [(self.ends[speaker].handle, sound)])
        return min(levels)

    async def close(self) -> None:
        for end in self.ends:
            await end.close()
