"""`python -m benchmarks loss --percent 5`: what a listener hears of a talker whose packets are lost on their way.

First the talker sends a tone, in which the longest gap is found; then speech, whose quality is PESQ (ITU-T P.862.2,
wide band) against what was said. Below 1 percent each nth packet is lost, so that every loss is a single one, and as
many rooms with a talker and a listener are side by side as it takes for SINGLE_LOSSES of them; else they are lost by
chance, in one room.
"""

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from pesq import PesqError, pesq

from benchmarks.audio import PACKETS_PER_S, silence
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.hearing import Sound, delays, heard, longest_gap_ms
from benchmarks.legs import PHASE, Carry, Recorded, carried, write_sound
from benchmarks.progress import say
from mcu.demo.sources import encode
from mcu.demo.voice import speech
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES

SETTLE_S = 3.0
FRESH = 10 * TICK_SAMPLES  # in which a decoder that has heard nothing before finds the tone's strength
TONE_HZ = 440.0
AFTER_S = 2.0  # after a single loss the delay is to be what it was within this
PESQ_RATE = 16_000
PESQ_S = 8
SINGLE_LOSSES: Final = 10  # at least, in all rooms


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--percent", type=float, default=5, help="of the talker's packets, such as 0.1, 1, 5 or 10")
    parser.add_argument("--seconds", type=float, default=20, help="of the tone, and as much of the speech")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.percent, options.seconds))


class Loss(NamedTuple):
    """What is lost of each talker, and of how many."""

    percent: float
    rooms: int
    per_mille: int = 0
    every: int = 0

    @classmethod
    def of(cls, percent: float, seconds: float) -> "Loss":
        if percent >= 1:
            return cls(percent, 1, per_mille=round(10 * percent))
        every = round(100 / percent)
        losses = int((SETTLE_S + seconds) * PACKETS_PER_S) // every
        if not losses:
            raise ValueError(f"{seconds:g} s are too short for a loss of one packet in {every}")
        return cls(percent, -(-SINGLE_LOSSES // losses), every=every)


class Heard(NamedTuple):
    """Of all rooms: what each talker sent and each listener received, what the load program counted of the talkers, and
    what of each talker's time was made up, in percent."""

    talkers: list[Recorded]
    listeners: list[Recorded]
    counted: list[dict[str, Any]]
    concealed: list[float]


async def _run(percent: float, seconds: float) -> dict[str, Any]:
    prefix, loss = pin_load(), Loss.of(percent, seconds)
    length = round((SETTLE_S + seconds) * SAMPLE_RATE)  # once, for where a loop is closed no decoder goes on
    length += PHASE * loss.rooms * TICK_SAMPLES
    tone = np.round(8000 * np.sin(2 * np.pi * TONE_HZ * np.arange(length) / SAMPLE_RATE)).astype(np.int16)
    said = speech(10, 130, seed=1)
    async with ours(prefix, meetings=loss.rooms) as contestant:
        say(f"{percent:g} % loss: a tone for {seconds:g} s, rooms: {loss.rooms}")
        tones = await _listen(contestant, tone, loss, seconds)
    async with ours(prefix, meetings=loss.rooms) as contestant:
        say(f"{percent:g} % loss: speech for {seconds:g} s")
        words = await _listen(contestant, said, loss, seconds)
    late = []
    for number, (talker, listener) in enumerate(zip(words.talkers, words.listeners, strict=True)):
        spoken = np.roll(said, -PHASE * TICK_SAMPLES * number).astype(np.float64)
        late.append([delay for _, delay in delays(spoken, talker, listener)])
    judged = [_pesq(said.astype(np.float64), listener) for listener in words.listeners]
    qualities = [quality for quality in judged if quality is not None]
    return {
        "percent": percent,
        "rooms": loss.rooms,
        "lost": sum(leg["dropped"] for leg in words.counted),
        "longest_gap_ms": max(map(_gap_ms, tones.talkers, tones.listeners)),
        "concealed_percent": round(statistics.mean(words.concealed), 2),
        "pesq": round(statistics.median(qualities), 2) if qualities else None,
        "delay_p50_ms": round(1000 * float(np.median(np.concatenate(late))), 1),
        "delay_p95_ms": round(1000 * float(np.percentile(np.concatenate(late), 95)), 1),
        "delay_last_ms": round(1000 * max(float(np.median(room[-25:])) for room in late), 1),
        "legs_closed": sum(leg["received"] < 0.95 * leg["sent"] for leg in words.counted),
    }


async def _listen(contestant: Ours, sound: np.ndarray[Any, np.dtype[np.int16]], loss: Loss, seconds: float) -> Heard:
    """A talker with loss, and a listener, in each room."""
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        talker = Carry(write_sound(directory / "voice", encode(sound)), True, loss.per_mille, loss.every)
        wanted = [talker] * loss.rooms + [Carry(silence(directory), True)] * loss.rooms
        async with carried(contestant.join, wanted, directory, SETTLE_S + seconds) as load:
            await load.begin()
            await asyncio.sleep(SETTLE_S + seconds - 0.5)
            concealed = [await _concealed_ms(contestant, number) for number in range(loss.rooms)]
            counted, recorded = await load.results(), load.recorded()
    return Heard(
        [recorded[number] for number in range(loss.rooms)],
        [recorded[number] for number in range(loss.rooms, 2 * loss.rooms)],
        counted,
        [ms / (10 * (SETTLE_S + seconds)) for ms in concealed],
    )


async def _concealed_ms(contestant: Ours, number: int) -> float:
    receiving = (await contestant.media(number))["receiving"]
    return float(next(stream["concealed_ms"] for stream in receiving if stream["media"] == "audio"))


def _gap_ms(talker: Recorded, listener: Recorded) -> float:
    settled = [one for one in listener.received if one.at > talker.sent[0].at + SETTLE_S]
    return longest_gap_ms(heard(settled)[FRESH:], TONE_HZ)


def _pesq(said: Sound, listener: Recorded) -> float | None:
    """Of the last PESQ_S seconds; None where PESQ finds no speech."""
    sound = _thin(heard(listener.received)[-PESQ_S * SAMPLE_RATE :])
    reference = _thin(np.resize(said, len(said) * 2))
    size = 1 << (len(reference) + len(sound)).bit_length()
    product = np.fft.rfft(reference, size) * np.conj(np.fft.rfft(sound, size))
    lag = int(np.argmax(np.fft.irfft(product, size)[: len(reference) - len(sound)]))
    try:
        return round(float(pesq(PESQ_RATE, reference[lag : lag + len(sound)], sound, "wb")), 2)
    except PesqError:
        return None


def _thin(sound: Sound) -> Sound:
    """48 kHz to 16 kHz, by leaving out what is above 8 kHz."""
    spectrum = np.fft.rfft(sound)
    return np.fft.irfft(spectrum[: len(sound) // 6 + 1], len(sound) // 3) / 3
