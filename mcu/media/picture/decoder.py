"""Pictures from legs, decoded: in order, on the pool, within bounds, each leg's trouble its own.

Owns one `Stream` for each picture of each leg, its decoder and its short queue. Refuses what is not on screen (dropped
before it is decoded), what claims to be larger than MAX_PIXELS (a kilobyte can claim a gigabyte), and what cannot be
decoded; whoever was refused is asked for a key frame. The pool decodes, and shows what it has decoded; all else is the
event loop's.
"""

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol, cast

import av
import structlog
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from mcu.clock import Clock
from mcu.media._native import I420
from mcu.media.seams import EncodedPicture, VideoCodec

QUEUE: Final = 8  # pictures that wait for the decoder or are in it: a quarter of a second
MAX_SIDE: Final = 2560
MAX_PIXELS: Final = 2560 * 1440  # as many as 1920x1920; 5.5 MB decoded
KEY_REQUEST_EVERY_S: Final = 0.5

_DECODER: Final[dict[VideoCodec, str]] = {"H264": "h264", "VP8": "vp8"}
_I420_FORMATS: Final = frozenset({"yuv420p", "yuvj420p"})

_log = structlog.get_logger(__name__)
_serials = itertools.count()


class Undecodable(Exception):
    """The pictures since the last key frame are of no use any more."""


class PictureDecoder:
    """One decoder, for one thread at a time."""

    def __init__(self, codec: VideoCodec) -> None:
        self.codec = codec
        self._context = cast(VideoCodecContext, av.CodecContext.create(_DECODER[codec], "r"))
        self._context.thread_count = 1
        self._context.options = {"flags": "low_delay", "max_pixels": str(MAX_PIXELS)}

    def decode(self, pictures: Sequence[EncodedPicture]) -> I420 | None:
        """The last frame of these, which follow one another. None where they gave none. Raises `Undecodable`."""
        last: VideoFrame | None = None
        try:
            for picture in pictures:
                for frame in self._context.decode(av.Packet(picture.data)):
                    last = frame
        except FFmpegError as error:
            raise Undecodable from error
        if last is None:
            return None
        if last.is_corrupt or last.format.name not in _I420_FORMATS:
            raise Undecodable
        return i420(last)


def i420(frame: VideoFrame) -> I420:
    """The planes of an I420 frame of PyAV as the C kernels take them; they stay the frame's."""
    y, u, v = frame.planes
    return I420(y, u, v, (y.line_size, u.line_size, v.line_size), frame.width, frame.height)


def too_large(picture: EncodedPicture) -> bool:
    """Whether decoding the picture would take more memory than any leg is given, by what it claims."""
    return max(picture.width, picture.height) > MAX_SIDE or picture.width * picture.height > MAX_PIXELS


class Pool(Protocol):
    """Threads that decoders run on."""

    def submit(self, work: Callable[..., None], /, *arguments: Any) -> object: ...


class Shot(NamedTuple):
    """What a stream shows now."""

    image: I420
    serial: int  # another picture has another number, whosever it is
    at: float  # monotonic seconds when it was decoded


class Stream:
    """One picture of one leg, from when it comes into a tile until it is in none. Begins by asking for a key frame.

    What goes well is done between the pool's thread and `shot`, without the event loop: a picture costs it `put` alone.
    """

    def __init__(
        self, pool: Pool, clock: Clock, request_key: Callable[[], None], drop: Callable[[str, int], None]
    ) -> None:
        self._pool, self._clock = pool, clock
        self._request_key, self._drop = request_key, drop
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()  # of the rest, but for what is the event loop's alone: when a key was asked for
        self._queue: deque[EncodedPicture] = deque(maxlen=QUEUE)
        self._waiting = deque[tuple[float, EncodedPicture]]()  # for their sound: until when; the event loop's alone
        self._due: asyncio.TimerHandle | None = None
        self._decoder: PictureDecoder | None = None
        self._in_decoder = 0
        self._needs_key = True
        self._key_asked = float("-inf")
        self.shot: Shot | None = None
        self._ask_for_key()

    def put(self, picture: EncodedPicture) -> None:
        """A picture has come. Dropped, and counted, where it is of no use."""
        if not picture.wait and not self._waiting:
            self._put(picture)
            return
        self._waiting.append((self._clock.monotonic() + picture.wait, picture))
        self._go_on()

    def _go_on(self) -> None:
        """Those that have waited for their sound, in order; no more than QUEUE wait."""
        now = self._clock.monotonic()
        while self._waiting and (self._waiting[0][0] <= now or len(self._waiting) > QUEUE):
            self._put(self._waiting.popleft()[1])
        if self._due is not None:
            self._due.cancel()
        self._due = self._loop.call_later(self._waiting[0][0] - now, self._go_on) if self._waiting else None

    def _put(self, picture: EncodedPicture) -> None:
        with self._lock:
            lost = self._take(picture)
        if lost is not None:
            self._lost(*lost)

    def close(self) -> None:
        """Forget what there is of it; what is still in the decoder comes to nothing."""
        if self._due is not None:
            self._due.cancel()
        waiting = len(self._waiting)
        self._waiting.clear()
        with self._lock:
            waiting += self._start_over()
            self.shot = None
        self._drop("picture_not_shown", waiting)

    def _take(self, picture: EncodedPicture) -> tuple[str, int] | None:
        """Into the queue; or why it, and what waits with it, is lost."""
        if self._needs_key and not picture.key:
            return "picture_no_key", 1
        if too_large(picture):
            return "picture_too_large", 1 + self._start_over()
        if len(self._queue) + self._in_decoder >= QUEUE:
            return "picture_decoder_behind", 1 + self._start_over()
        self._needs_key = False
        self._queue.append(picture)
        self._pump()
        return None

    def _start_over(self) -> int:
        """Nothing until a key frame. How many pictures waited."""
        waiting = len(self._queue)
        self._queue.clear()
        self._needs_key, self._decoder = True, None
        return waiting

    def _lost(self, reason: str, count: int) -> None:
        self._drop(reason, count)
        self._ask_for_key()

    def _ask_for_key(self) -> None:
        now = self._clock.monotonic()
        if now - self._key_asked >= KEY_REQUEST_EVERY_S:
            self._key_asked = now
            self._request_key()

    def _pump(self) -> None:
        if self._in_decoder or not self._queue:
            return
        batch = [self._queue.popleft()]
        while self._queue and self._queue[0].codec == batch[0].codec:
            batch.append(self._queue.popleft())
        if self._decoder is None or self._decoder.codec != batch[0].codec:
            self._decoder = PictureDecoder(batch[0].codec)
        self._in_decoder = len(batch)
        self._pool.submit(self._decode, self._decoder, batch)

    def _decode(self, decoder: PictureDecoder, batch: Sequence[EncodedPicture]) -> None:
        """On the pool."""
        image, failed = None, False
        try:
            image = decoder.decode(batch)
        except Undecodable:
            failed = True
        except Exception:  # no memory, or a defect: it ends at the next key frame as well, and nobody else notices
            failed = True
            _log.exception("decoder_failed", codec=decoder.codec)
        with self._lock:
            self._in_decoder = 0
            shown = decoder is self._decoder  # else it was hidden, or began again, meanwhile
            count = len(batch)
            if failed and shown:
                count += self._start_over()
            elif shown and image is not None:
                self.shot = Shot(image, next(_serials), self._clock.monotonic())
            self._pump()
        if not shown:
            self._loop.call_soon_threadsafe(self._drop, "picture_not_shown", count)
        elif failed:
            self._loop.call_soon_threadsafe(self._lost, "picture_undecodable", count)
