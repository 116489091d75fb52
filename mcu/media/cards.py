"""The cards that calls in the reception see: each is made once for all who see the same, and sent again now and then.

One is painted at a time, whatever is pressed: what a call has pressed meanwhile is in its next card. Who asks for a
whole picture gets it at once, as every picture is one, but not more often than `LEAST_S`.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

import structlog
from msgspec.structs import replace

from mcu.clock import Clock
from mcu.ids import CallId
from mcu.media.call_messages import Card
from mcu.media.leg import START_BITRATE
from mcu.media.messages import Source
from mcu.media.picture import card as cards
from mcu.media.seams import VIDEO_CLOCK, CallTransport, EncodedPicture, FrameLimit, VideoCodec

EVERY_S: Final = 2.0
LEAST_S: Final = 0.5
ROOM: Final = 64_000  # bits per second that a line has at least: a far end that asks for no pictures gets none

_log = structlog.get_logger(__name__)

Send = Callable[[CallTransport, EncodedPicture], None]
_Key = tuple[Card, VideoCodec, FrameLimit | None]


class _Made:
    """Kept for as long as somebody sees it."""

    def __init__(self, pictures: tuple[EncodedPicture, EncodedPicture]) -> None:
        self.pictures = pictures


@dataclass(slots=True)
class _Seen:
    """What one call sees."""

    transport: CallTransport
    card: Card
    due: float
    made: _Made | None = None
    sent: int = 0
    sent_at: float = 0.0
    carries: int = START_BITRATE

    @property
    def codec(self) -> VideoCodec | None:
        return self.transport.takes(Source.CAMERA) if self.carries >= ROOM else None


class Cards:
    """`close` it. `paint`: where they are made."""

    def __init__(self, send: Send, paint: Executor, clock: Clock) -> None:
        self._send, self._paint, self._clock = send, paint, clock
        self._seen: dict[CallId, _Seen] = {}
        self._made: WeakValueDictionary[_Key, _Made] = WeakValueDictionary()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def show(self, call: CallId, transport: CallTransport, card: Card) -> None:
        """From now on, where it takes pictures."""
        now, before = self._clock.monotonic(), self._seen.get(call)
        if before is None:
            self._seen[call] = _Seen(transport, card, now)
        else:
            before.card, before.due = card, now
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def again(self, call: CallId) -> None:
        """It needs a whole picture."""
        if (seen := self._seen.get(call)) is not None:
            seen.due = min(seen.due, max(self._clock.monotonic(), seen.sent_at + LEAST_S))
            self._changed.set()

    def carries(self, call: CallId, bits_per_second: int) -> None:
        """So much its line does."""
        if (seen := self._seen.get(call)) is not None:
            seen.carries = bits_per_second

    def drop(self, call: CallId) -> None:
        """It sees none any more."""
        self._seen.pop(call, None)

    def close(self) -> None:
        self._seen.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        """While somebody sees one."""
        while self._seen:
            self._changed.clear()
            now = self._clock.monotonic()
            for call in [call for call, seen in self._seen.items() if seen.due <= now]:
                await self._turn(call)
            wait = min((seen.due for seen in self._seen.values()), default=0.0) - self._clock.monotonic()
            try:
                async with asyncio.timeout(max(0.0, wait)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _turn(self, call: CallId) -> None:
        if (seen := self._seen.get(call)) is None:
            return
        seen.due = self._clock.monotonic() + EVERY_S
        codec = seen.codec
        if codec is None:
            return
        card = seen.card
        made = await self._of((card, codec, seen.transport.limit(Source.CAMERA)))
        if made is None or self._seen.get(call) is not seen or seen.codec != codec:
            return  # it has gone on meanwhile
        seen.made, seen.sent, seen.sent_at = made, seen.sent + 1, self._clock.monotonic()
        picture = made.pictures[seen.sent % 2]
        self._send(seen.transport, replace(picture, timestamp=round(seen.sent_at * VIDEO_CLOCK)))

    async def _of(self, key: _Key) -> _Made | None:
        if (known := self._made.get(key)) is not None:
            return known
        try:
            pictures = await asyncio.get_running_loop().run_in_executor(self._paint, cards.encoded, *key)
        except Exception:  # no memory, or a defect: there is the voice still
            _log.exception("card_failed", codec=key[1])
            return None
        made = self._made[key] = _Made(pictures)
        return made
