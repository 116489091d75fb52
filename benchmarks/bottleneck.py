"""`python -m benchmarks bottleneck`: a leg's line narrows to 256 kbit/s for 20 s: what it gets, and what the others do.

The leg is in a network namespace of its own; `tbf` makes the cable towards it narrow, with a queue of 300 ms. All legs
report when each packet came, as browsers do. Needs root.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from benchmarks import machine
from benchmarks.apart import Watching, watching
from benchmarks.cable import cable
from benchmarks.legs import Carry, Packet, Recorded
from benchmarks.progress import say
from benchmarks.watching import in_order
from mcu.demo.taps import Unwrap
from mcu.media.seams import TICK_MS, TICK_SAMPLES

FLOWS: Final = 20  # pictures in a second, from which on a picture is one that moves (EN 301 549 section 6.5.3)
LIKE_BEFORE: Final = 0.8  # of the bits a second
STEP_S: Final = 0.1

Span = tuple[float, float]  # monotonic seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20, help="how long the line is narrow")
    parser.add_argument("--around", type=float, default=20, help="how long is watched after that, and half before")
    parser.add_argument("--kilobits", type=int, default=256, help="a second, while it is narrow")
    parser.add_argument("--queue", type=int, default=300, help="ms that the narrow line's queue takes to empty")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    before_s = options.around / 2
    lasts = before_s + options.seconds + options.around
    with cable() as line:
        there = Carry(network=line.name, host=line.here)
        async with watching(there, lasts) as room:
            clock = asyncio.get_running_loop().time
            watcher = asyncio.create_task(machine.alone("watch", lasts))
            await asyncio.sleep(before_s)
            say(f"{options.kilobits} kbit/s for {options.seconds:g} s")
            narrow = clock()
            line.narrow(options.kilobits, options.queue)
            await asyncio.sleep(options.seconds)
            line.widen()
            wide = clock()
            _, recorded = await room.end()
            late = await watcher
    before, during, after = (narrow - before_s, narrow), (narrow, wide), (wide, wide + options.around)
    *others, apart = recorded
    settings = {"kilobits": options.kilobits, "queue_ms": options.queue}
    return {
        **settings,
        **_of_it(room, apart, others[0], (before, during, after)),
        **_of_others(room, others, (before, during, after)),
        "machine_longest_late_ms": round(max(late), 1),
    }


def _of_it(room: Watching, leg: Recorded, other: Recorded, spans: tuple[Span, Span, Span]) -> dict[str, Any]:
    before, during, after = spans
    shown = [picture.at for picture in room.pictures(leg, 0.0)]
    like_before = LIKE_BEFORE * _rate(leg, before)
    down = _first(during, lambda second: _per_s(shown, second) >= FLOWS)
    up = _first(after, lambda second: _rate(leg, second) >= like_before)
    settled = during[0] + (during[1] - during[0] if down is None else down)
    return {
        "step_down_s": down,
        "step_up_s": up,
        "narrowing_audio_gap_ms": _gap(leg.received, (during[0], settled)),
        "longest_audio_gap_ms": _gap(leg.received, (settled, after[1])),
        "line_audio_gap_ms": _gap(in_time(leg.received, other.received, before), (settled, after[1])),
        "audio_lost": _lost(leg.received),
        "pictures_per_s": [_per_s(shown, span) for span in spans],
        "kbit_per_s": [_rate(leg, span) for span in spans],
    }


def _of_others(room: Watching, legs: Sequence[Recorded], spans: tuple[Span, Span, Span]) -> dict[str, Any]:
    """Of the worst of them, before, during and after."""
    shown = [[picture.at for picture in room.pictures(leg, 0.0)] for leg in legs]
    return {
        "others_longest_audio_gap_ms": [max(_gap(leg.received, span) for leg in legs) for span in spans],
        "others_longest_picture_gap_ms": [
            max(_gap([one for one in leg.seen if one.marker], span) for leg in legs) for span in spans
        ],
        "others_pictures_per_s": [min(_per_s(times, span) for times in shown) for span in spans],
        "others_kbit_per_s": [min(_rate(leg, span) for leg in legs) for span in spans],
        "others_keys": [max(_keys(room, leg, span) for leg in legs) for span in spans],
    }


def _first(span: Span, holds: Callable[[Span], bool]) -> float | None:
    """Seconds from the beginning until the first second of which it holds; None: of none."""
    begin, end = span
    steps = range(max(0, int((end - begin - 1) / STEP_S)) + 1)
    return next((round(n * STEP_S, 1) for n in steps if holds((begin + n * STEP_S, begin + n * STEP_S + 1))), None)


def _gap(packets: Sequence[Packet], span: Span) -> float:
    """The longest time between two that ended in this time, ms."""
    gaps = (after.at - before.at for before, after in pairwise(packets) if span[0] < after.at <= span[1])
    return round(1000 * max(gaps, default=0.0), 1)


def in_time(packets: Sequence[Packet], others: Sequence[Packet], alike: Span) -> list[Packet]:
    """A leg's packets as they would have come, had the server sent each in time: how late its line made them.

    `others`: of a leg whose line is wide, which tell when the server sent them. `alike`: while both lines were.
    """
    ours, theirs = _by_tick(packets), _by_tick(others)
    ticks, times = np.array([*theirs]), np.array([packet.at for packet in theirs.values()])
    places = {tick: place for place, tick in enumerate(theirs)}  # ticks that the server left out are not the line's
    offset = int(
        np.median(
            [
                ticks[np.argmin(np.abs(times - packet.at))] - tick
                for tick, packet in ours.items()
                if alike[0] < packet.at <= alike[1]
            ]
        )
    )
    return [
        replace(packet, at=times[0] + places[tick + offset] * TICK_MS / 1000 + packet.at - theirs[tick + offset].at)
        for tick, packet in ours.items()
        if tick + offset in theirs
    ]


def _by_tick(packets: Sequence[Packet]) -> dict[int, Packet]:
    unwrap = Unwrap(32)
    times = [unwrap(packet.timestamp) for packet in packets]
    return {(time - times[0]) // TICK_SAMPLES: packet for time, packet in zip(times, packets, strict=True)}


def _per_s(times: Sequence[float], span: Span) -> float:
    return round(sum(span[0] < at <= span[1] for at in times) / (span[1] - span[0]), 1)


def _rate(leg: Recorded, span: Span) -> int:
    """kbit/s of pictures."""
    sizes = (len(packet.payload) for packet in leg.seen if span[0] < packet.at <= span[1])
    return round(8 * sum(sizes) / 1000 / (span[1] - span[0]))


def _keys(room: Watching, leg: Recorded, span: Span) -> int:
    return sum(picture.key and span[0] < picture.at <= span[1] for picture in room.pictures(leg, 0.0))


def _lost(packets: Sequence[Packet]) -> int:
    numbers = [number for number, _ in in_order(packets)]
    return numbers[-1] - numbers[0] + 1 - len(numbers)
