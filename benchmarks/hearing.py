"""What a recorded leg heard, against what was said: how late each packet is, gaps, and quality.

The leg's packets are decoded in the order of their sequence numbers. A window of what was heard is found in what was
said by cross-correlation, and so each packet is known to carry what was sent at a certain time.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.legs import Packet, Recorded
from mcu.demo.taps import OpusDecoder
from mcu.media.seams import SAMPLE_RATE, TICK_SAMPLES

Sound = npt.NDArray[np.float64]

WINDOW: Final = 25  # packets that are looked for at a time: half a second
LATEST_S: Final = 0.6  # what was said longer ago is not looked for
FOUND_FROM: Final = 0.5  # normalised correlation


def heard(packets: Sequence[Packet]) -> Sound:
    """All of it, decoded; a packet that did not come is silence. Shape (samples,)."""
    first, last = packets[0].sequence, packets[-1].sequence
    by_number = {(packet.sequence - first) & 0xFFFF: packet for packet in packets}
    decoder, silence = OpusDecoder(), np.zeros(TICK_SAMPLES)
    ticks = [
        decoder.decode(by_number[number].payload).astype(np.float64) if number in by_number else silence
        for number in range(((last - first) & 0xFFFF) + 1)
    ]
    return np.concatenate(ticks)


def delays(said: Sound, talker: Recorded, listener: Recorded) -> list[tuple[float, float]]:
    """(when a packet came, how late it was), in seconds, for each packet of a window that was found.

    `said`: what the talker's packets carry, from the first on, repeated as they are. Late: from when the packet with
    the sound in it was sent until the packet that has it again was received.
    """
    sent = np.array([packet.at for packet in talker.sent])
    spoken = np.resize(said, len(sent) * TICK_SAMPLES)
    sound = heard(listener.received)
    first = listener.received[0].sequence
    found = []
    for start in range(0, len(listener.received) - WINDOW, WINDOW):
        window = listener.received[start : start + WINDOW]
        at = ((window[0].sequence - first) & 0xFFFF) * TICK_SAMPLES
        latest = int(np.searchsorted(sent, window[-1].at)) * TICK_SAMPLES
        earliest = max(0, latest - (WINDOW * TICK_SAMPLES + int(LATEST_S * SAMPLE_RATE)))
        lag = _find(sound[at : at + WINDOW * TICK_SAMPLES], spoken[earliest:latest])
        if lag is None:
            continue
        for packet in window:
            place = earliest + lag + ((packet.sequence - window[0].sequence) & 0xFFFF) * TICK_SAMPLES
            when = float(np.interp(place / TICK_SAMPLES, np.arange(len(sent)), sent))
            found.append((packet.at, packet.at - when))
    return found


def _find(piece: Sound, within: Sound) -> int | None:
    """The sample of `within` at which `piece` begins; None where it is not there, or either is silent."""
    if len(within) < len(piece) or not np.any(piece):
        return None
    size = 1 << (len(within) + len(piece) - 1).bit_length()
    product = np.fft.rfft(within, size) * np.conj(np.fft.rfft(piece, size))
    dots = np.fft.irfft(product, size)[: len(within) - len(piece) + 1]
    energy = np.concatenate([[0.0], np.cumsum(within**2)])
    energies = energy[len(piece) :] - energy[: -len(piece)]
    likeness = dots / np.sqrt(np.maximum(energies, 1) * max(1.0, float(np.dot(piece, piece))))
    best = int(np.argmax(likeness))
    return best if likeness[best] >= FOUND_FROM else None


def longest_gap_ms(sound: Sound, hertz: float, step_ms: float = 2.5) -> float:
    """The longest time in which a steady tone was below half its usual amplitude."""
    step = int(SAMPLE_RATE * step_ms / 1000)
    pieces = sound[: len(sound) // step * step].reshape(-1, step)
    turn = np.exp(-2j * np.pi * hertz * np.arange(step) / SAMPLE_RATE)
    amplitude = np.abs(pieces @ turn)
    quiet = amplitude < np.median(amplitude) / 2
    longest = run = 0
    for is_quiet in quiet:
        run = run + 1 if is_quiet else 0
        longest = max(longest, run)
    return longest * step_ms
