"""Pictures of one colour, encoded and decoded for real, and a room's outputs that remember what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from mcu.clock import SystemClock
from mcu.ids import LegId
from mcu.media.messages import Layout, Personal, Source, Tile
from mcu.media.picture.encoder import PictureEncoder
from mcu.media.seams import EncodedPicture, Seen, Shown, VideoCodec, Viewer, Wanted

Plane = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

RED: Colour = (81, 90, 240)
GREEN: Colour = (145, 54, 34)
BLUE: Colour = (41, 240, 110)
GREY: Colour = (126, 128, 128)


def planes(frame: VideoFrame) -> list[Plane]:
    """Views of a frame's three planes: what is written there is in the frame."""
    return [
        np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in frame.planes
    ]


def frame_of(colour: Colour, width: int = 640, height: int = 360) -> VideoFrame:
    frame = VideoFrame(width, height, "yuv420p")
    for plane, value in zip(planes(frame), colour, strict=True):
        plane[:] = value
    return frame


def scenery(number: int, width: int = 640, height: int = 360) -> VideoFrame:
    """A moving picture with edges and gradients: something that an encoder must work for."""
    frame = frame_of(GREY, width, height)
    y, u, v = planes(frame)
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    waves = 60 * np.sin((across + 4 * number) / 23) + 40 * np.sin((down + 2 * number) / 11)
    y[:] = np.clip(126 + waves + 20 * (((across // 16) + (down // 16)) % 2), 16, 235).astype(np.uint8)
    u[:] = np.linspace(90, 160, u.shape[1], dtype=np.uint8)
    v[:] = np.linspace(90, 160, v.shape[0], dtype=np.uint8)[:, None]
    return frame


def encoded(
    frames: Sequence[VideoFrame], codec: VideoCodec = "H264", rate: int = 1_000_000, keys: Sequence[int] = ()
) -> list[EncodedPicture]:
    """The frames by one real encoder at 30 a second; `keys`: which must be key frames, beside the first."""
    encoder = PictureEncoder(codec, frames[0].width, frames[0].height, 30, rate)
    made = [encoder.encode(frame, number * 3000, key=number in keys) for number, frame in enumerate(frames)]
    return [picture for picture in made if picture is not None]


def psnr(a: VideoFrame, b: VideoFrame) -> float:
    """Of luma, in dB."""
    error = float(np.mean((planes(a)[0].astype(np.float64) - planes(b)[0].astype(np.float64)) ** 2))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def colour_at(frame: VideoFrame, x: int, y: int) -> Colour:
    luma, u, v = planes(frame)
    return int(luma[y, x]), int(u[y // 2, x // 2]), int(v[y // 2, x // 2])


def near(a: Colour, b: Colour, tolerance: int = 6) -> bool:
    return all(abs(one - other) <= tolerance for one, other in zip(a, b, strict=True))


def seen(leg: str, *, camera: bool = True, screen: bool = False, muted: bool = False, label: str = "") -> Seen:
    return Seen(leg=LegId(leg), label=label or leg, muted=muted, camera=camera, screen=screen)


def viewer(
    leg: str,
    codec: VideoCodec = "H264",
    layout: Layout | None = None,
    rate: int = 2_500_000,
    *,
    content: VideoCodec | None = None,
    personal: Personal = Personal.SHARED,
) -> Viewer:
    return Viewer(leg=LegId(leg), codec=codec, layout=layout, bits_per_second=rate, content=content, personal=personal)


class ManualClock(SystemClock):
    """Time that a test moves."""

    def __init__(self, now: float = 100.0) -> None:
        self.time = now

    def monotonic(self) -> float:
        return self.time


@dataclass
class RecordedOutputs:
    """What the picture mixer asked of the room, in order."""

    sent: list[tuple[list[LegId], EncodedPicture]] = field(default_factory=list)
    keys: list[tuple[LegId, Source]] = field(default_factory=list)
    wanted: list[tuple[LegId, Source, Wanted]] = field(default_factory=list)
    layouts: list[tuple[list[LegId], Layout, tuple[Tile, ...]]] = field(default_factory=list)
    shown: dict[LegId, Shown] = field(default_factory=dict)  # what each leg was told last
    content: list[tuple[list[LegId], EncodedPicture]] = field(default_factory=list)
    losses: dict[LegId, float] = field(default_factory=dict)  # what legs report
    aims: dict[LegId, int] = field(default_factory=dict)
    room: bool = True  # for another encoder
    taken: int = 0  # how often what has come was asked for

    def send_picture(self, legs: Sequence[LegId], source: Source, picture: EncodedPicture) -> None:
        (self.sent if source is Source.CAMERA else self.content).append((list(legs), picture))

    def picture_loss(self, leg: LegId, source: Source) -> float:
        return self.losses.get(leg, 0.0)

    def has_room(self) -> bool:
        return self.room

    def request_key(self, leg: LegId, source: Source) -> None:
        self.keys.append((leg, source))

    def want(self, leg: LegId, source: Source, wanted: Wanted) -> None:
        self.wanted.append((leg, source, wanted))

    def aim(self, leg: LegId, bits_per_second: int) -> None:
        self.aims[leg] = bits_per_second

    def take(self) -> None:
        self.taken += 1

    def layout_changed(self, viewers: Sequence[LegId], shown: Shown) -> None:
        self.layouts.append((list(viewers), shown.layout, shown.tiles))
        self.shown.update(dict.fromkeys(viewers, shown))

    def sent_to(self, leg: str) -> list[EncodedPicture]:
        return [picture for legs, picture in self.sent if leg in legs]
