"""Encoding classes: what is encoded once and sent to many, who is in which, and when a key frame is due.

A class is (view, codec, rung), whether it is of legs that lose much, and what they can decode where that is little. A
leg that joins a class, or moves to another, waits for its next key frame, and keeps what it had until then. A class may
have another aside, of legs that moved to it and cost its own no key frame: they come in with the next that it has. All
but `EncodingClass.encode` belongs to the event loop.
"""

from typing import Final, NamedTuple

import structlog
from av.video.frame import VideoFrame

from mcu.ids import LegId
from mcu.media._native import scale_into_tile
from mcu.media.messages import Layout, Source
from mcu.media.picture import sizes
from mcu.media.picture.decoder import i420
from mcu.media.picture.encoder import Failed, PictureEncoder
from mcu.media.picture.rates import Meter, ladder, size_of
from mcu.media.seams import EncodedPicture, FrameLimit, VideoCodec

KEY_FRAME_EVERY_S: Final = 0.5

_log = structlog.get_logger(__name__)


class ViewKey(NamedTuple):
    """What legs must share to see the same picture: one composed of people, or what one of them shares."""

    layout: Layout | None  # None: content, as a picture of its own
    without: LegId | None = None  # who is not in it: the one who sees it
    content_apart: bool = False  # what is shared is not in it: who sees it gets that as a picture of its own
    sharing: LegId | None = None  # content: whose

    @property
    def is_personal(self) -> bool:
        """One leg alone sees it."""
        return self.without is not None

    @property
    def source(self) -> Source:
        """As which picture it is sent."""
        return Source.SCREEN if self.layout is None else Source.CAMERA


class ClassKey(NamedTuple):
    """What legs must share to share an encoder."""

    view: ViewKey
    codec: VideoCodec
    rung: int  # of the ladder of rates; 0 is the best
    lossy: bool = False  # of legs that lose much
    limit: FrameLimit | None = None  # of legs that take no more; None: they take what there is
    aside: bool = False  # of legs that moved, until the class that is the same but for this has a key frame

    @property
    def beside(self) -> "ClassKey":
        """The class aside of this one."""
        return self._replace(aside=True)


class KeyGate:
    """Requests for a key frame of one class: the first is granted at once, then at most one each KEY_FRAME_EVERY_S."""

    def __init__(self) -> None:
        self._wanted = False
        self._granted = float("-inf")

    def request(self) -> None:
        """Somebody needs a key frame."""
        self._wanted = True

    def due(self, now: float) -> bool:
        """Whether the next picture has to be one."""
        return self._wanted and now - self._granted >= KEY_FRAME_EVERY_S

    def granted(self, now: float) -> None:
        """A key frame went out: it answers all who asked."""
        self._wanted, self._granted = False, now

    def refused(self) -> None:
        """A key frame was made and thrown away: the next is due at once."""
        self._wanted, self._granted = True, float("-inf")


class Subscriptions:
    """Which class each leg gets, and which it waits for."""

    def __init__(self) -> None:
        self._getting: dict[LegId, ClassKey] = {}
        self._waiting: dict[LegId, ClassKey] = {}

    def want(self, leg: LegId, key: ClassKey) -> bool:
        """The leg is to get this class. True where it has begun to wait for a key frame of it."""
        if self._getting.get(leg) == key:
            self._waiting.pop(leg, None)
            return False
        if self._waiting.get(leg) == key:
            return False
        self._waiting[leg] = key
        return True

    def drop(self, leg: LegId) -> None:
        """The leg gets nothing any more."""
        self._getting.pop(leg, None)
        self._waiting.pop(leg, None)

    def key_frame(self, key: ClassKey) -> None:
        """A key frame of the class goes out: who waited for it, or was aside, gets it and nothing else."""
        waited = [leg for leg, awaited in self._waiting.items() if awaited in (key, key.beside)]
        for leg in [*self.receivers(key.beside), *waited]:
            self._getting[leg] = key
        for leg in waited:
            del self._waiting[leg]

    def receivers(self, key: ClassKey) -> list[LegId]:
        """Who gets the class, in order of joining it."""
        return [leg for leg, gotten in self._getting.items() if gotten == key]

    def is_of(self, leg: LegId, key: ClassKey) -> bool:
        """Whether the leg gets the class, or is about to get it."""
        return key in (self._getting.get(leg), self._waiting.get(leg))

    def of(self, leg: LegId) -> ClassKey | None:
        """What the leg gets, or is about to get."""
        return self._getting.get(leg) or self._waiting.get(leg)

    def awaited_by(self, leg: LegId) -> ClassKey | None:
        """What the leg is about to get."""
        return self._waiting.get(leg)

    def used(self) -> set[ClassKey]:
        """All classes that are got or waited for."""
        return {*self._getting.values(), *self._waiting.values()}


class EncodingClass:
    """One encoder, made when it is first used, and anew for pictures of another size."""

    def __init__(self, key: ClassKey, fps: int, bits_per_second: int, now: float) -> None:
        self.key = key
        self.gate = KeyGate()
        self.meter = Meter(now)
        self.bits_per_second = bits_per_second
        self._fps = fps
        self._interval = 0.0  # seconds between two pictures at least, where those who get them take no more
        self._free_at = now
        self._encoder: PictureEncoder | None = None
        self._scaled: VideoFrame | None = None

    def is_free(self, now: float) -> bool:
        """Whether those who get it can take another picture already."""
        return now >= self._free_at

    def taken(self, now: float) -> None:
        """A picture is encoded now."""
        self._free_at = max(self._free_at + self._interval, now)

    def encode(self, frame: VideoFrame, timestamp: int, *, key: bool, text: bool) -> EncodedPicture | None:
        """On the pool. None where the encoder gave nothing; one that failed is made anew for the next picture.

        `text`: there is a screen in the picture. No class gets that smaller, for small letters could not be read.
        """
        try:
            size = (frame.width, frame.height) if text else size_of(self.key.rung, frame.width, frame.height)
            fps, bits = self._fps, self.bits_per_second
            if self.key.limit is not None:
                size = sizes.within(self.key.limit, *size, fps)
                often = sizes.fps_within(self.key.limit, *size, fps)
                self._interval = 1 / often
                fps, bits = max(1, int(often)), min(bits, ladder(*size)[0])
            frame = self._in_size(frame, *size)
            if self._encoder is None or (self._encoder.width, self._encoder.height) != size:
                content = self.key.view.source is Source.SCREEN
                self._encoder = PictureEncoder(self.key.codec, *size, fps, bits, content=content)
            if self._encoder.bits_per_second != bits:
                self._encoder.retarget(bits)
            return self._encoder.encode(frame, timestamp, key=key)
        except Failed:
            self._encoder = None
            return None
        except Exception:  # no memory, or a defect: the view's other classes go on, and this one with another encoder
            self._encoder = None
            _log.exception("encoder_failed", codec=self.key.codec)
            return None

    def _in_size(self, frame: VideoFrame, width: int, height: int) -> VideoFrame:
        if (frame.width, frame.height) == (width, height):
            self._scaled = None
            return frame
        if self._scaled is None or (self._scaled.width, self._scaled.height) != (width, height):
            self._scaled = VideoFrame(width, height, "yuv420p")
        scale_into_tile(i420(self._scaled), i420(frame), (0, 0, width, height))
        return self._scaled
