"""`mcu demo --check`: sits in the demo's meeting and measures what a person there would see and hear.

Two more people come, each with a tone that no voice has: the host, who stays and observes, and a witness, who comes
after and leaves before. What is measured is what came back over the network, decoded.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from mcu.demo.cast import CAST, HOST, Booked
from mcu.demo.client import MeetingClient
from mcu.demo.guest import Guest
from mcu.demo.server import RunningServer
from mcu.demo.sources import LiveSound, tone
from mcu.demo.taps import InOrder
from mcu.media.audio.sounds import SOUNDS, detect
from mcu.media.life import LegState
from mcu.media.messages import NoticeKind, Tile
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES, Samples
from mcu.signalling.webrtc.messages import LayoutMap, NoticeShown, Roster

HOST_HZ, WITNESS_HZ = 7_000.0, 5_500.0  # above the voices' harmonics and the notices' notes
HEARD = 400  # amplitude of a tone that is there; it is sent with 8000
UNHEARD = 160  # … that is not: 34 dB below, for what clicks and codecs leave there
BESIDE_HZ = 400.0
COLOUR_WITHIN = 40  # of 255, after two encodings
FIRST_PICTURE_S = 2.0
LISTEN_S = 6.0
WHOLE_S = 15.0  # at most, until the picture is as large as it can be


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for, and what was found."""

    what: str
    found: str
    good: bool


async def check(server: RunningServer, booked: Booked, picture: Path) -> list[Finding]:
    """Look and listen; write the composed picture to `picture` as PNG.

    Raises `TimeoutError` when something never comes.
    """
    host = Guest(server.url)
    try:
        client = MeetingClient(sound=LiveSound(tone(HOST_HZ)))
        began = time.monotonic()
        await host.join(booked.number, HOST, client, token=booked.host_token)
        findings = [first_picture(began, await _first_decoded(client))]
        layout = await host.told(LayoutMap, lambda shown: len(shown.tiles) >= len(CAST) + 1, within=20)
        await asyncio.sleep(LISTEN_S)
        layout = [message for message in host.messages if isinstance(message, LayoutMap)][-1]
        await _whole(client, layout)
        findings += _seen(client, host, layout, picture)
        findings += await _comes_and_goes(server, booked, host)
        return findings
    finally:
        await host.leave()


async def _first_decoded(client: MeetingClient) -> float:
    for _ in range(1_000):
        if client.seen is not None and client.seen.first_at is not None:
            return client.seen.first_at
        await asyncio.sleep(0.01)
    raise TimeoutError("no picture within 10 s")


async def _whole(client: MeetingClient, layout: LayoutMap) -> None:
    """Waits while a machine that is busy gets the smaller picture of a narrow line."""
    for _ in range(int(WHOLE_S / 0.1)):
        if client.picture is not None and _size(client.picture) == _size(layout):
            return
        await asyncio.sleep(0.1)


def first_picture(began: float, seen: float) -> Finding:
    """Monotonic seconds: when the join began, and when its first picture was decoded."""
    took = seen - began
    return Finding("first picture after joining", f"{1000 * took:.0f} ms", took <= FIRST_PICTURE_S)


def _seen(client: MeetingClient, host: Guest, layout: LayoutMap, path: Path) -> list[Finding]:
    frame = client.picture
    assert frame is not None
    image = np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
    Image.fromarray(image).save(path)
    names = {
        entry.leg: entry.name for message in host.messages if isinstance(message, Roster) for entry in message.entries
    }
    tiles = {names.get(tile.leg, ""): tile for tile in layout.tiles}
    findings = [Finding("size of the composed picture", f"{frame.width}x{frame.height}", _size(frame) == _size(layout))]
    for person in CAST:
        off = colour_off(image, tiles[person.name], person.colour) if person.name in tiles else 255.0
        findings.append(Finding(f"{person.name} is seen", f"colour off by {off:.0f}", off <= COLOUR_WITHIN))
    return findings


def _size(of: av.VideoFrame | LayoutMap) -> tuple[int, int]:
    return of.width, of.height


def colour_off(image: npt.NDArray[np.uint8], tile: Tile, colour: Sequence[int]) -> float:
    """How far the background of a tile is from what was sent: the worst of R, G and B, 0 … 255."""
    x, y = tile.x + int(tile.width * 0.88), tile.y + int(tile.height * 0.3)
    mean = image[y - 4 : y + 4, x - 4 : x + 4].reshape(-1, 3).mean(axis=0)
    return float(np.abs(mean - np.array(colour)).max())


async def _comes_and_goes(server: RunningServer, booked: Booked, host: Guest) -> list[Finding]:
    """The witness joins, is heard, and leaves; both listen."""
    assert host.client is not None
    async with Guest(server.url) as witness:
        client = MeetingClient(sound=LiveSound(tone(WITNESS_HZ)), codecs=())
        before = len(host.messages)
        await witness.join(booked.number, "Vittne", client)
        inside = await host.told(Roster, lambda roster: _inside(roster, witness.leg), after=before)
        assert inside
        await asyncio.sleep(LISTEN_S)
        at_witness = client.heard_in_order().samples
        await witness.leave()
        left_at = time.monotonic()
    told = await host.told(NoticeShown, lambda notice: notice.kind is NoticeKind.LEFT, after=before)
    await asyncio.sleep(1.5)
    heard = host.client.heard_in_order()
    return [
        _told(host, before, told),
        voices(heard.samples),
        absent("the host does not hear itself", heard.samples, HOST_HZ),
        after_join("the host hears the join sound before the witness", heard.samples, WITNESS_HZ),
        after_join("the witness hears nothing of the room before its own join sound", at_witness, HOST_HZ),
        left_in_time(heard, left_at),
    ]


def _inside(roster: Roster, leg: str) -> bool:
    return any(entry.leg == leg and entry.state is LegState.IN_ROOM for entry in roster.entries)


def _told(host: Guest, before: int, left: NoticeShown) -> Finding:
    texts = [message.text for message in list(host.messages)[before:] if isinstance(message, NoticeShown)]
    return Finding("notices in text", "; ".join(dict.fromkeys(texts)), len(texts) >= 2 and left.text in texts)


def voices(samples: Samples) -> Finding:
    """Share of the time in which somebody speaks, of the last seconds."""
    blocks = samples[-int(LISTEN_S * SAMPLE_RATE) :].astype(np.float64)
    blocks = blocks[: blocks.size // TICK_SAMPLES * TICK_SAMPLES].reshape(-1, TICK_SAMPLES)
    spectrum = np.abs(np.fft.rfft(blocks * np.hanning(TICK_SAMPLES), axis=1))
    speech_band = spectrum[:, 4:80].sum(axis=1) / TICK_SAMPLES  # 200 Hz … 4 kHz, 50 Hz a bin
    share = float((speech_band > 50).mean())
    return Finding("voices are heard", f"{100 * share:.0f} % of the time", share >= 0.3)


def amplitudes(samples: Samples, hertz: float, length: int = TICK_SAMPLES) -> npt.NDArray[np.float64]:
    """Of a tone, in each whole piece of so many samples, shape (pieces,)."""
    pieces = samples[: samples.size // length * length].reshape(-1, length)
    window = np.hanning(length)
    probe = window * np.exp(-2j * np.pi * hertz * np.arange(length) / SAMPLE_RATE)
    found: npt.NDArray[np.float64] = np.abs(pieces @ probe) * 2 / window.sum()
    return found


def strength(samples: Samples, hertz: float) -> npt.NDArray[np.float64]:
    """How much of a tone is in each whole tick, shape (ticks,): its amplitude, less what is found beside it.

    A click, which has something of every tone, counts for nothing.
    """
    beside = np.maximum(amplitudes(samples, hertz - BESIDE_HZ), amplitudes(samples, hertz + BESIDE_HZ))
    above: npt.NDArray[np.float64] = np.maximum(0, amplitudes(samples, hertz) - beside)
    return above


def lasting(samples: Samples, hertz: float) -> npt.NDArray[np.float64]:
    """The strength that a tone has in a tick and in the next one too, shape (ticks - 1,).

    Where a loud tone of somebody else breaks off and goes on, as when packets were late, its edges have something of
    every frequency, unevenly: for one tick that is taken for a tone. Nobody who is let in is heard for one tick.
    """
    found = strength(samples, hertz)
    least: npt.NDArray[np.float64] = np.minimum(found[:-1], found[1:])
    return least


def absent(what: str, samples: Samples, hertz: float) -> Finding:
    """The tone is in no tick."""
    most = float(strength(samples, hertz).max(initial=0.0))
    return Finding(what, f"amplitude at most {most:.0f} of 8000", most < UNHEARD)


def after_join(what: str, samples: Samples, hertz: float) -> Finding:
    """The tone is there, and not before a join sound has been heard whole."""
    joined = [start for kind, start in detect(samples) if kind is NoticeKind.JOINED]
    heard = lasting(samples, hertz)
    present = np.flatnonzero(heard > HEARD)
    if not joined or not present.size:
        return Finding(what, f"{len(joined)} join sounds, the tone in {present.size} ticks", False)
    first_ms, end_ms = present[0] * 20, (joined[-1] + SOUNDS[NoticeKind.JOINED].size) / SAMPLE_RATE * 1000
    early = float(heard[: max(0, int(end_ms // 20) - 1)].max(initial=0.0))
    good = early < UNHEARD and bool(first_ms >= end_ms - 40)
    return Finding(what, f"sound over at {end_ms:.0f} ms, tone from {first_ms:.0f} ms", good)


def left_in_time(heard: InOrder, left_at: float) -> Finding:
    """A leave sound begins within half a second of `left_at`, monotonic."""
    begun = [heard.arrived[start // TICK_SAMPLES] for kind, start in detect(heard.samples) if kind is NoticeKind.LEFT]
    after = min((at - left_at for at in begun if at > left_at - 1), default=float("inf"))
    return Finding("the leave sound", f"{1000 * after:.0f} ms after the witness was gone", -0.5 < after < 0.5)
