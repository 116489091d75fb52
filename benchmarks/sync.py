"""`python -m benchmarks sync`: how far apart speech and picture of one moment are, for who hears and sees them.

One leg shows the number of each picture and beeps; another finds both in what the server sends it, and when each
was by the server's sender reports (RFC 3550 section 6.4.1), by which a browser shows lips with their words. With
`--jitter` each datagram of the sender is late by chance, by up to so many ms, and overtaken; with `--pace` its pictures
leave it at so many kbit/s, and its key frames are late, but not its sound.
"""

import argparse
import asyncio
import tempfile
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from av.video.frame import VideoFrame

from benchmarks.audio import silence
from benchmarks.cameras import FPS, LOOP_S, PLAIN, camera_loop, encode
from benchmarks.contestants import ours, pin_load
from benchmarks.glass import SETTLE_S, latencies, numbered
from benchmarks.hearing import heard
from benchmarks.legs import Camera, Carry, Packet, Recorded, carried, write_pictures, write_sound
from benchmarks.progress import say
from benchmarks.video import SETTINGS
from mcu.demo import sources
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, VIDEO_CLOCK, Samples

EVERY: Final = 21  # packets from beep to beep, 420 ms; what is heard later is taken for the next
BEEPS: Final = 6  # packets of one
HERTZ: Final = 800
EARLIEST_S: Final = 0.05  # before it was said: reports are a moment off
GRAIN: Final = (112, 144)  # luma
STEP: Final = 120  # samples, 2.5 ms, in which a beep has begun or not
REPORTS: Final = 20  # the latest, through which a browser lays its line
NTP_TO_UNIX: Final = 2_208_988_800  # seconds from 1900 to 1970

When = Callable[[float, int], float]  # (came at, RTP timestamp): monotonic seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20, help="how long is watched")
    parser.add_argument("--jitter", type=int, default=0, help="ms by which what the sender sends is late at most")
    parser.add_argument("--pace", type=int, default=0, help="kbit/s at which its pictures leave it; 0: at once")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    prefix = pin_load()
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        beeps = write_sound(directory / "beeps", sources.encode(beeping()))
        numbers = write_pictures(directory / "numbers", encode(numbered(grainy()), PLAIN[0]))
        plain = write_pictures(directory / "plain", camera_loop(1))
        line = {"jitter_ms": options.jitter, "pace_kbit": options.pace}
        wanted = [
            Carry(beeps, record=True, camera=Camera((numbers,), FPS), record_pictures=True, **line),
            Carry(silence(directory), record=True, camera=Camera((plain,), FPS), record_pictures=True),
        ]
        async with (
            ours(prefix, SETTINGS) as contestant,
            carried(contestant.join, wanted, directory, SETTLE_S + options.seconds) as load,
        ):
            say(f"watching for {options.seconds:g} s: {options.jitter} ms of jitter, pictures at {options.pace} kbit/s")
            await load.begin()
            await load.results()
            recorded = load.recorded()
    return {"jitter_ms": options.jitter, "pace_kbit_per_s": options.pace, **apart(recorded[0], recorded[1])}


def beeping() -> Samples:
    """A beep and the silence until the next."""
    at = np.arange(EVERY * TICK_SAMPLES)
    return np.where(at < BEEPS * TICK_SAMPLES, 12_000 * np.sin(2 * np.pi * HERTZ * at / SAMPLE_RATE), 0).astype(
        np.int16
    )


def grainy() -> Iterator[VideoFrame]:
    """One loop in which nothing moves, full of what only a key frame has to tell: that is large, as a camera's is."""
    width, height = PLAIN[0][:2]
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = np.random.default_rng(0).integers(*GRAIN, (height, width))
    for _ in range(FPS * LOOP_S):
        yield VideoFrame.from_ndarray(planes, format="yuv420p")


def apart(sender: Recorded, watcher: Recorded) -> dict[str, float]:
    """Of each beep and the picture that was sent with it: by how much the one was later than the other."""
    by_picture = by_reports(watcher.picture_reports, VIDEO_CLOCK)
    seen = latencies(sender, watcher, lambda picture: by_picture(picture.at, picture.timestamp))
    times = np.array([*seen])
    late: list[tuple[float, float]] = []  # of sound, of the picture
    for sent, sound_late in beeps_late(sender.sent, watcher):
        nearest = times[np.argmin(np.abs(times - sent))]
        if abs(nearest - sent) < 2 / FPS:
            late.append((sound_late, seen[nearest]))
    sound, picture = np.array(late).T * 1000
    p50, p95 = np.percentile(np.abs(sound - picture), (50, 95))
    return {
        "apart_p50_ms": round(float(p50), 1),
        "apart_p95_ms": round(float(p95), 1),
        "sound_later_p50_ms": round(float(np.median(sound - picture)), 1),
        "sound_late_p50_ms": round(float(np.median(sound)), 1),
        "picture_late_p50_ms": round(float(np.median(picture)), 1),
        "beeps": len(late),
    }


def beeps_late(sent: Sequence[Packet], watcher: Recorded) -> list[tuple[float, float]]:
    """(when it was sent, how late it was by the reports), in seconds, of each beep after the first SETTLE_S."""
    by_sound = by_reports(watcher.sound_reports, SAMPLE_RATE)
    said = np.array([packet.at for packet in sent[::EVERY]])
    found = []
    for packet, samples in begun(watcher.received):
        if packet.at < said[0] + SETTLE_S:
            continue
        at = by_sound(packet.at, packet.timestamp + samples)
        which = int(np.searchsorted(said, at + EARLIEST_S)) - 1
        found.append((float(said[which]), at - float(said[which])))
    return found


def begun(packets: Sequence[Packet]) -> list[tuple[Packet, int]]:
    """In which packet each beep begins, and at which of its samples."""
    sound, first = heard(packets), packets[0].sequence
    pieces = sound[: len(sound) // STEP * STEP].reshape(-1, STEP)
    loud = np.abs(pieces @ np.exp(-2j * np.pi * HERTZ * np.arange(STEP) / SAMPLE_RATE)) > STEP * 12_000 / 8
    begins = [at for at in np.flatnonzero(loud) if not loud[max(0, at - BEEPS * TICK_SAMPLES // STEP) : at].any()]
    by_number = {(packet.sequence - first) & 0xFFFF: packet for packet in packets}
    places = [divmod(int(at) * STEP, TICK_SAMPLES) for at in begins]
    return [(by_number[number], samples) for number, samples in places if number in by_number]


def by_reports(reports: Sequence[Packet], rate: int) -> When:
    """When something of a stream was, by a line through the latest reports that had come when it came.

    Raises `RuntimeError` where there are not two, as a browser then knows nothing.
    """
    if len(reports) < 2:
        raise RuntimeError("the server sent no sender reports")
    came = [report.at for report in reports]
    to_monotonic = NTP_TO_UNIX + time.time() - time.monotonic()
    ntp = np.array([int.from_bytes(report.payload, "little") / 2**32 - to_monotonic for report in reports])
    base = reports[0].timestamp

    def since(timestamp: int) -> float:
        return ((timestamp - base + 2**31) % 2**32 - 2**31) / rate

    said = np.array([since(report.timestamp) for report in reports])

    def when(at: float, timestamp: int) -> float:
        until = max(2, bisect_right(came, at))
        known = slice(max(0, until - REPORTS), until)
        middle = said[known].mean()
        slope = np.polyfit(said[known] - middle, ntp[known], 1)
        return float(np.polyval(slope, since(timestamp) - middle))

    return when
