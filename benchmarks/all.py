"""`python -m benchmarks all`: every figure that has a limit, one after another, as a table beside its limit.

Each is a run of its own of the command that is named, with servers of its own. Takes some 20 minutes; figures of a
machine that does anything else are not worth having.
"""

import argparse
import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.progress import say

Figures = dict[str, Any]


@dataclass(frozen=True)
class Limit:
    """A figure of a run, and what it may be."""

    what: str
    command: str
    figure: Callable[[Figures], float]
    most: float | None = None
    least: float | None = None
    peer: Callable[[Figures], float] | None = None

    def holds(self, value: float) -> bool:
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    @property
    def bound(self) -> str:
        return f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}"


def _peer(key: str) -> Callable[[Figures], float]:
    return lambda figures: float(figures["peer"][key])


def _of(key: str) -> Callable[[Figures], float]:
    return lambda figures: float(figures[key])


_FEW, _MANY, _LOUD = "audio --legs 20 --talkers 3", "audio --legs 100 --talkers 3", "audio --legs 20 --talkers 20"
_CAMERAS, _TILES = "video --legs 9 --personal", "compositor --tiles 16"
_COST = "cpu_percent_per_leg"


def _ever(key: str) -> Callable[[Figures], float]:
    """Where it may never have come to it."""
    return lambda figures: math.inf if figures[key] is None else float(figures[key])


def _during(key: str) -> Callable[[Figures], float]:
    """Of before, during and after."""
    return lambda figures: float(figures[key][1])


LIMITS: Final = (
    Limit("20 legs, 3 talking: % of a core a leg, of Janus's", _FEW, _of("ratio"), most=0.25),
    Limit("  the same, % of a core a leg", _FEW, _of(_COST), most=100, peer=_peer(_COST)),
    Limit("100 legs, 3 talking: of Janus's", _MANY, _of("ratio"), most=0.125),
    Limit("  the same, legs a core", _MANY, _of("legs_per_core"), least=500),
    Limit("20 legs, 20 talking: of Janus's", _LOUD, _of("ratio"), most=0.5),
    Limit("growth with legs: R²", "growth", _of("r_squared"), least=0.99),
    Limit("  encodes a tick, most of any size", "growth", lambda f: max(f["encodes_per_tick"]), most=4.5),
    Limit("10 rooms, 30 talking: ticks at most 5 ms late, %", "ticks", _of("ticks_within_5_ms_percent"), least=99),
    Limit("mouth to ear, p50 ms", "delay", _of("p50_ms"), most=50, peer=_peer("p50_ms")),
    Limit("  p95 ms", "delay", _of("p95_ms"), most=70, peer=_peer("p95_ms")),
    Limit("single losses: longest gap, ms", "loss --percent 0.5", _of("longest_gap_ms"), most=20),
    Limit("  delay at the end, ms", "loss --percent 0.5", _of("delay_last_ms"), most=70),
    Limit("1 % loss: concealed %", "loss --percent 1", _of("concealed_percent"), most=12),
    Limit("5 % loss: concealed %", "loss --percent 5", _of("concealed_percent"), most=12),
    Limit("10 % loss: concealed %", "loss --percent 10", _of("concealed_percent"), most=12),
    Limit("  legs closed", "loss --percent 10", _of("legs_closed"), most=0),
    Limit("join: first sound, p95 ms", "join --joins 50", lambda f: f["first_sound"]["p95_ms"], most=300),
    Limit("  first picture, p95 ms", "join --joins 50", lambda f: f["first_picture"]["p95_ms"], most=500),
    Limit("40,000 strays a second: longest gap, ms", "strangers", _of("longest_gap_ms"), most=40),
    Limit("  memory, MB more", "strangers", _of("resident_more_mb"), most=5),
    Limit("native cost of a packet, without Opus, µs", "packets", _of("us_per_packet"), most=6),
    Limit("  with Opus, in a room of 100, µs", "packets", _of("us_with_coding"), most=100),
    Limit("1,000 idle rooms, % of a core", "idle", _of("cpu_percent"), most=2),
    Limit("room of 9 with cameras: encodes' worth", _CAMERAS, _of("encodes_worth"), most=2.5),
    Limit("  longest gap of sound, ms", _CAMERAS, _of("longest_audio_gap_ms"), most=40),
    Limit("  personal views, of the shared one's cost", _CAMERAS, _of("ratio"), least=4),
    Limit("room of 16, simulcast: legs a core", "video --legs 16 --simulcast", _of("legs_per_core"), least=40),
    Limit("rooms of 4, 9, 25: encodes a picture, most", "rooms", lambda f: max(f["encodes_per_picture"]), most=1.1),
    Limit("glass to glass, p50 ms", "glass", _of("p50_ms"), most=50),
    Limit("  p95 ms", "glass", _of("p95_ms"), most=80),
    Limit("a lost packet of a picture at 50 ms: right again, ms", "repair", _of("repair_longest_ms"), most=150),
    Limit("  key frames to others", "repair", _of("keys_to_others"), most=0),
    Limit("5 % loss: freezes a minute", "freezes --percent 5", _of("freezes_per_minute"), most=1),
    Limit("256 kbit/s for 20 s: longest gap of sound, ms", "bottleneck", _of("longest_audio_gap_ms"), most=40),
    Limit("  until it has stepped down, ms", "bottleneck", _of("narrowing_audio_gap_ms"), most=40),
    Limit("  picture steps down, s", "bottleneck", _ever("step_down_s"), most=3),
    Limit("  and up again, s", "bottleneck", _ever("step_up_s"), most=15),
    Limit("  others' longest gap of sound, ms", "bottleneck", _during("others_longest_audio_gap_ms"), most=40),
    Limit("  others' pictures a second", "bottleneck", _during("others_pictures_per_s"), least=24),
    Limit("  key frames to others", "bottleneck", _during("others_keys"), most=0),
    Limit("compositor, 16 tiles: of the libyuv loop", _TILES, _of("ratio_to_libyuv"), least=0.9),
    Limit("  half dirty, of all dirty", _TILES, _of("half_dirty_ratio"), least=1.8),
    Limit("  of ffmpeg's xstack", _TILES, _of("ratio_to_xstack"), least=1),
    Limit("  of GStreamer's compositor", _TILES, lambda f: f["ratio_to_gstreamer"] or math.inf, least=1),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", default="", help="commands that begin so, such as 'audio'")


def run(options: argparse.Namespace) -> Figures:
    limits = [limit for limit in LIMITS if limit.command.startswith(options.only)]
    runs: dict[str, Figures] = {}
    for command in dict.fromkeys(limit.command for limit in limits):
        say(f"== {command}")
        runs[command] = _run(command)
    table = Table("figure", "limit", "mcu", "Janus", "", title="python -m benchmarks all")
    missed = []
    for limit in limits:
        figures = runs[limit.command]
        value = limit.figure(figures)
        good = limit.holds(value)
        beside = f"{limit.peer(figures):g}" if limit.peer and "peer" in figures else ""
        table.add_row(limit.what, limit.bound, f"{value:g}", beside, "ok" if good else "MISSED")
        if not good:
            missed.append(limit.what.strip())
    Console(stderr=True).print(table)
    return {"missed": missed, "runs": runs}


def _run(command: str) -> Figures:
    words = [sys.executable, "-m", "benchmarks", *command.split(), "--json"]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures
