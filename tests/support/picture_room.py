"""A room's pictures whose time a test moves, with real decoders and encoders."""

import asyncio
from collections.abc import Callable

import av
from av.video.frame import VideoFrame
from pictures import Colour, ManualClock, RecordedOutputs, colour_at, encoded, frame_of, near

from mcu.ids import LegId
from mcu.media.messages import Layout, RoomProfile, Source
from mcu.media.picture.mixer import RoomPictures
from mcu.media.picture.pools import Pools
from mcu.media.seams import EncodedPicture

PROFILE = RoomProfile(width=640, height=360, fps=30, layout=Layout.GRID)


class Meeting:
    """A room whose time the test moves, and what its legs receive."""

    def __init__(self, pools: Pools, profile: RoomProfile = PROFILE) -> None:
        self.clock, self.out = ManualClock(), RecordedOutputs()
        self.room = RoomPictures(profile, pools, self.out, self.clock)

    async def frames(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock.time += 1 / 30
            await self.room.frame(self.clock.time)

    async def until(self, condition: Callable[[], bool], most: int = 200) -> None:
        for _ in range(most):
            if condition():
                return
            await asyncio.sleep(0.005)
            await self.frames()
        raise AssertionError("it never came to that")

    async def show(self, leg: str, source: Source, picture: EncodedPicture) -> None:
        """One that is in a tile, until it is decoded."""
        before = self.room._shot_of(LegId(leg), source)
        self.room.on_picture(LegId(leg), source, picture)
        for _ in range(10_000):
            if self.room._shot_of(LegId(leg), source) is not before:
                return
            await asyncio.sleep(0.001)
        raise AssertionError("it was not decoded")

    def send(self, leg: str, colour: Colour, source: Source = Source.CAMERA) -> None:
        for picture in encoded([frame_of(colour, 320, 180)]):
            self.room.on_picture(LegId(leg), source, picture)

    def view_of(self, leg: str) -> VideoFrame:
        """The last picture that the leg was sent, by a decoder that was given all it was sent."""
        pictures = self.out.sent_to(leg)
        context = av.CodecContext.create("h264" if pictures[0].codec == "H264" else "vp8", "r")
        context.options = {"flags": "low_delay"}
        return [frame for picture in pictures for frame in context.decode(av.Packet(picture.data))][-1]

    def shows(self, leg: str, colour: Colour) -> bool:
        """Whether the leg sees this colour in some tile."""
        if not self.out.sent_to(leg):
            return False
        view = self.view_of(leg)
        places = [(x, y) for x in range(40, view.width, 80) for y in range(40, view.height, 40)]
        return any(near(colour_at(view, *place), colour, 12) for place in places)
