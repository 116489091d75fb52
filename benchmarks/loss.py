"""`python -m benchmarks loss --percent 5`: what a listener hears of a talker whose packets are lost on their way.

First the talker sends a tone, in which the longest gap is found; then speech, whose quality is PESQ (ITU-T P.862.2,
wide band) against what was said. Below 1 percent each nth packet is lost, so that every loss is a single one; else
they are lost by chance.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from pesq import PesqError, pesq

from benchmarks.audio import silence
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.hearing import Sound, delays, heard, longest_gap_ms
from benchmarks.legs import Carry, Recorded, carried, write_sound
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--percent", type=float, default=5, help="of the talker's packets, such as 0.5, 1, 5 or 10")
    parser.add_argument("--seconds", type=float, default=20, help="of the tone, and as much of the speech")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.percent, options.seconds))


async def _run(percent: float, seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    length = round((SETTLE_S + seconds) * SAMPLE_RATE)  # once, for where a loop is closed no decoder goes on
    tone = np.round(8000 * np.sin(2 * np.pi * TONE_HZ * np.arange(length) / SAMPLE_RATE)).astype(np.int16)
    said = speech(10, 130, seed=1)
    async with ours(prefix) as contestant:
        say(f"{percent:g} % loss: a tone for {seconds:g} s")
        recorded, counted, _ = await _listen(contestant, tone, percent, seconds)
        settled = [one for one in recorded[1].received if one.at > recorded[0].sent[0].at + SETTLE_S]
        heard_tone = heard(settled)[FRESH:]
    async with ours(prefix) as contestant:
        say(f"{percent:g} % loss: speech for {seconds:g} s")
        recorded, counted, concealed = await _listen(contestant, said, percent, seconds)
    late = delays(said.astype(np.float64), recorded[0], recorded[1])
    return {
        "percent": percent,
        "lost": counted[0]["dropped"],
        "longest_gap_ms": longest_gap_ms(heard_tone, TONE_HZ),
        "concealed_percent": concealed,
        "pesq": _pesq(said.astype(np.float64), recorded[1]),
        "delay_p50_ms": round(1000 * float(np.median([delay for _, delay in late])), 1),
        "delay_p95_ms": round(1000 * float(np.percentile([delay for _, delay in late], 95)), 1),
        "delay_last_ms": round(1000 * float(np.median([delay for _, delay in late[-25:]])), 1),
        "legs_closed": sum(leg["received"] < 0.95 * leg["sent"] for leg in counted),
    }


async def _listen(
    contestant: Ours, sound: np.ndarray[Any, np.dtype[np.int16]], percent: float, seconds: float
) -> tuple[dict[int, Recorded], list[dict[str, Any]], float]:
    """A talker with loss, and a listener, recorded; and the percentage of the talker's time that was made up."""
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        voice = write_sound(directory / "voice", encode(sound))
        quiet = silence(directory)
        by_chance, each = (round(10 * percent), 0) if percent >= 1 else (0, round(100 / percent))
        wanted = [Carry(voice, True, loss_per_mille=by_chance, lose_every=each), Carry(quiet, True)]
        async with carried(contestant.join, wanted, directory, SETTLE_S + seconds) as load:
            await load.begin()
            await asyncio.sleep(SETTLE_S + seconds - 0.5)
            receiving = (await contestant.media(0))["receiving"]
            concealed = next(stream["concealed_ms"] for stream in receiving if stream["media"] == "audio")
            counted = await load.results()
            return load.recorded(), counted, round(concealed / (10 * (SETTLE_S + seconds)), 2)


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
