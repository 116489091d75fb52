"""Speech and picture together, end to end: a flash and a beep that are sent at once, through mixer and encoder."""

import asyncio
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from aiortc.rtp import RtcpSrPacket
from av.video.frame import VideoFrame
from hall import hall, inside
from running_server import RunningServer

from mcu.demo.client import MeetingClient
from mcu.demo.sources import LivePicture, LiveSound, tone
from mcu.media.seams import SAMPLE_RATE, VIDEO_CLOCK, Samples

PERIOD_S: Final = 1.0  # from a flash to the next
LASTS_S: Final = 0.4
WATCH_S: Final = 7.0
APART_S: Final = 0.1
BUFFER_S: Final = 0.08  # what waits longer in the jitter buffer came from a sender that was late: a busy machine

Report = tuple[float, int]  # a sender report: seconds of NTP, and the RTP timestamp of then


def on() -> bool:
    return time.monotonic() % PERIOD_S < LASTS_S


def beeps() -> Iterator[Samples]:
    for tick in tone(1000):
        yield tick if on() else np.zeros_like(tick)


def flashes() -> Iterator[VideoFrame]:
    planes = {lit: np.full((270, 320), 128, np.uint8) for lit in (False, True)}
    for lit, luma in ((False, 30), (True, 220)):
        planes[lit][:180] = luma
    while True:
        yield VideoFrame.from_ndarray(planes[on()], format="yuv420p")


class Reports:
    """The last sender report of each receiver of a client."""

    def __init__(self, client: MeetingClient) -> None:
        self.last: dict[str, Report] = {}
        for receiver in client._peer.getReceivers():
            self._listen(receiver)

    def _listen(self, receiver: object) -> None:
        handle, kind = receiver._handle_rtcp_packet, receiver.track.kind  # type: ignore[attr-defined]

        async def take(packet: object) -> None:
            if isinstance(packet, RtcpSrPacket):
                said = packet.sender_info
                self.last[kind] = (said.ntp_timestamp / 2**32, said.rtp_timestamp)
            await handle(packet)

        receiver._handle_rtcp_packet = take  # type: ignore[attr-defined]

    def at(self, kind: str, timestamp: int, clock: int) -> float:
        """When it was, by the clock of the server's reports, seconds."""
        seconds, reported = self.last[kind]
        after = (timestamp - reported + 2**31) % 2**32 - 2**31
        return seconds + after / clock


def rises(levels: list[tuple[float, float]]) -> list[float]:
    """When something became loud, or bright: the middle of what it ever was is crossed upwards."""
    middle = (min(level for _, level in levels) + max(level for _, level in levels)) / 2
    return [at for (_, before), (at, level) in pairwise(levels) if before < middle <= level]


async def test_a_flash_and_a_beep_that_were_sent_at_once_are_at_most_100_ms_apart(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = here.stranger(), here.stranger()
        watcher = MeetingClient()
        await berg.join(here.number, "Berg", watcher, token=here.link("Berg"))
        reports, seen = Reports(watcher), list[tuple[int, float]]()
        await anna.join(here.number, "Anna", MeetingClient(sound=LiveSound(beeps()), camera=LivePicture(flashes(), 25)))
        await inside(berg, anna)
        await asyncio.sleep(2)  # its picture is there
        assert watcher.seen is not None
        watcher.seen.on_frame = lambda frame: seen.append(
            (frame.pts or 0, float(frame.to_ndarray()[: frame.height].mean()))
        )
        await asyncio.sleep(WATCH_S)
        heard = watcher.heard()
        pieces = heard.samples[: len(heard.samples) // 240 * 240].reshape(-1, 240).astype(float)
        loud = [
            (reports.at("audio", (heard.timestamp + 240 * number) % 2**32, SAMPLE_RATE), float(np.abs(piece).mean()))
            for number, piece in enumerate(pieces)
        ]
        bright = rises([(reports.at("video", timestamp, VIDEO_CLOCK), luma) for timestamp, luma in seen])
        beeped = rises([(at, level) for at, level in loud if at > bright[0] - 1])
        apart = sorted(min((abs(beep - flash), beep - flash) for beep in beeped)[1] for flash in bright[1:-1])
        media = await here.get(f"{await here.room()}/participants/{anna.leg}/media")
        buffer_s = next(one["delay_ms"] for one in media["receiving"] if one["media"] == "audio") / 1000
        assert len(apart) >= 3
        assert abs(apart[len(apart) // 2]) <= APART_S + max(0.0, buffer_s - BUFFER_S), (apart, buffer_s)
