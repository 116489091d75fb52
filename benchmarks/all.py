"""`python -m benchmarks all`: every figure that is asked for, one after another, as a table, beside its limit if any.

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
    """A figure of a run, and what it may be; with neither bound it is shown alone."""

    what: str
    figure: str | Callable[[Figures], float]
    most: float | None = None
    least: float | None = None
    beside: bool = False  # the peer's is shown beside it

    def of(self, figures: Figures) -> float:
        return self.figure(figures) if callable(self.figure) else float(figures[self.figure])

    def holds(self, value: float) -> bool:
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    @property
    def bound(self) -> str:
        if self.most is not None:
            return f"≤ {self.most:g}"
        return f"≥ {self.least:g}" if self.least is not None else ""


def _ever(key: str) -> Callable[[Figures], float]:
    """Where it may never have come to it."""
    return lambda figures: math.inf if figures[key] is None else float(figures[key])


def _during(key: str) -> Callable[[Figures], float]:
    """Of before, during and after."""
    return lambda figures: float(figures[key][1])


LIMITS: Final = {  # by command
    "audio --legs 20 --talkers 3": (
        Limit("20 legs, 3 talking: % of a core a leg, of Janus's", "ratio", most=0.25),
        Limit("  the same, % of a core a leg", "cpu_percent_per_leg", most=100, beside=True),
    ),
    "audio --legs 100 --talkers 3": (
        Limit("100 legs, 3 talking: of Janus's", "ratio", most=0.125),
        Limit("  the same, legs a core", "legs_per_core", least=500),
    ),
    "audio --legs 20 --talkers 20": (Limit("20 legs, 20 talking: of Janus's", "ratio", most=0.5),),
    "growth": (
        Limit("growth with legs: R²", "r_squared", least=0.99),
        Limit("  encodes a tick, most of any size", lambda f: max(f["encodes_per_tick"]), most=4.5),
    ),
    "ticks": (
        Limit("10 rooms, 30 talking: ticks at most 5 ms late, %", "ticks_within_5_ms_percent", least=99),
        Limit("  the machine's, of a loop alone on the core, %", "machine_within_5_ms_percent"),
    ),
    "delay": (
        Limit("mouth to ear, p50 ms", "p50_ms", most=50, beside=True),
        Limit("  p95 ms", "p95_ms", most=70, beside=True),
    ),
    "loss --percent 0.1": (
        Limit("0.1 % loss, each packet alone: longest gap, ms", "longest_gap_ms", most=20),
        Limit("  delay at the end, ms", "delay_last_ms", most=70),
    ),
    "loss --percent 1": (Limit("1 % loss: concealed %", "concealed_percent", most=12),),
    "loss --percent 5": (Limit("5 % loss: concealed %", "concealed_percent", most=12),),
    "loss --percent 10": (
        Limit("10 % loss: concealed %", "concealed_percent", most=12),
        Limit("  legs closed", "legs_closed", most=0),
    ),
    "join --joins 50": (
        Limit("join: first sound, p95 ms", lambda f: f["first_sound"]["p95_ms"], most=300),
        Limit("  first picture, p95 ms", lambda f: f["first_picture"]["p95_ms"], most=500),
    ),
    "strangers": (
        Limit("40,000 strays a second: longest gap, ms", "longest_gap_ms", most=40),
        Limit("  memory, MB more", "resident_more_mb", most=5),
    ),
    "packets": (
        Limit("native cost of a packet, without Opus, µs", "us_per_packet", most=6),
        Limit("  with Opus, in a room of 100, µs", "us_with_coding", most=100),
    ),
    "registrar": (Limit("500 endpoints refreshing each minute, % of a core", "cpu_percent", most=2),),
    "idle": (Limit("1,000 idle rooms, % of a core", "cpu_percent", most=2),),
    "video --legs 9 --personal": (
        Limit("room of 9 with cameras: encodes' worth", "encodes_worth", most=2.5),
        Limit("  longest gap of sound, ms", "longest_audio_gap_ms", most=40),
        Limit("  the machine's: longest that a sleeper was woken late, ms", "machine_longest_late_ms"),
        Limit("  personal views, of the shared one's cost", "ratio", least=4),
    ),
    "video --legs 16 --simulcast --grid": (
        Limit("room of 16, simulcast, all seen: legs a core", "legs_per_core", least=40),
        Limit("  encodes' worth", "encodes_worth"),
        Limit("  the machine's: encoding such a picture alone, % of a core", "encode_percent"),
    ),
    "video --legs 16 --simulcast": (
        Limit("the same, who speaks is large and seven are seen: legs a core", "legs_per_core", least=40),
        Limit("  encodes' worth", "encodes_worth"),
        Limit("  the machine's: encoding such a picture alone, % of a core", "encode_percent"),
    ),
    "inputs": (
        Limit("room of 16, simulcast: of 16 who send small pictures", "simulcast_of_small"),
        Limit("  nothing in it moves: of that", "still_of_simulcast"),
    ),
    "rooms": (
        Limit("rooms of 4, 9, 25: encodes a picture, most", lambda f: max(f["encodes_per_picture"]), most=1.1),
        Limit("  a, in encodes of its picture", "encodes_worth_base"),
        Limit("  b, the same a leg", "encodes_worth_per_more_leg"),
        Limit("  R² of a + b x legs", "r_squared"),
    ),
    "quality": (
        Limit("composed picture at 1.5 Mbit/s: PSNR, dB", "psnr_db"),
        Limit("  SSIM", "ssim"),
        Limit("  to encode it, ms", "encode_ms"),
    ),
    "glass": (
        Limit("glass to glass, p50 ms", "p50_ms", most=50),
        Limit("  p95 ms", "p95_ms", most=80),
    ),
    "sync": (Limit("speech and picture apart, clean network: p95 ms", "apart_p95_ms", most=100),),
    "sync --jitter 80": (
        Limit("  all that the sender sends late by 0 to 80 ms: p95 ms", "apart_p95_ms", most=100),
        Limit("  p50 ms", "apart_p50_ms"),
    ),
    "sync --pace 1250": (
        Limit("  its pictures sent at 1,250 kbit/s, key frames 170 ms late: p95 ms", "apart_p95_ms", most=100),
        Limit("  p50 ms", "apart_p50_ms"),
    ),
    "repair": (
        Limit("a lost packet of a picture at 50 ms: right again, ms", "repair_longest_ms", most=150),
        Limit("  key frames to others", "keys_to_others", most=0),
    ),
    "freezes --percent 5": (Limit("5 % loss: freezes a minute", "freezes_per_minute", most=1),),
    "freezes --percent 10": (Limit("10 % loss: freezes a minute", "freezes_per_minute"),),
    "bottleneck": (
        Limit("256 kbit/s for 20 s: longest gap of sound, ms", "longest_audio_gap_ms", most=40),
        Limit("  until it has stepped down, ms", "narrowing_audio_gap_ms", most=40),
        Limit("  picture steps down, s", _ever("step_down_s"), most=3),
        Limit("  and up again, s", _ever("step_up_s"), most=15),
        Limit("  others' longest gap of sound, ms", _during("others_longest_audio_gap_ms"), most=40),
        Limit("  others' pictures a second", _during("others_pictures_per_s"), least=24),
        Limit("  key frames to others", _during("others_keys"), most=0),
        Limit("  the machine's: longest that a sleeper was woken late, ms", "machine_longest_late_ms"),
    ),
    "sip --calls-per-second 50 --seconds 60": (
        Limit("50 calls a second by SIP: good, %", "good_percent", least=100),
        Limit("  set up in, p99 ms", "setup_p99_ms", most=200),
        Limit("  dialogs left", "dialogs_left", most=0),
    ),
    "scanners": (
        Limit("2,000 strangers' calls a second: a trunk's good, %", "trunk_good_percent", least=99),
        Limit("  memory, MB more", "resident_more_mb", most=20),
        Limit("  processes that died", "processes_died", most=0),
    ),
    "telephones --legs 100 --talkers 3": (
        Limit("100 G.711 legs, 3 talking: % of a core a leg", "cpu_percent_per_leg", most=0.12, beside=True),
        Limit("  of Janus's", "ratio"),
    ),
    "compositor --tiles 16": (
        Limit("compositor, 16 tiles: of the libyuv loop", "ratio_to_libyuv", least=0.9),
        Limit("  half dirty, of all dirty", "half_dirty_ratio", least=1.8),
        Limit("  of ffmpeg's xstack", "ratio_to_xstack", least=1),
        Limit("  of GStreamer's compositor", lambda f: f["ratio_to_gstreamer"] or math.nan, least=1),
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", default="", help="commands that begin so, such as 'audio'")


def run(options: argparse.Namespace) -> Figures:
    table = Table("figure", "limit", "mcu", "Janus", "", title="python -m benchmarks all")
    runs: dict[str, Figures] = {}
    missed = []
    try:
        for command, limits in LIMITS.items():
            if not command.startswith(options.only):
                continue
            say(f"== {command}")
            figures = runs[command] = _run(command)
            for limit in limits:
                value = limit.of(figures)
                good = limit.holds(value)
                beside = f"{limit.of(figures['peer']):g}" if limit.beside and "peer" in figures else ""
                verdict = "" if not limit.bound else "ok" if good else "MISSED"
                table.add_row(limit.what, limit.bound, f"{value:g}", beside, verdict)
                if not good:
                    missed.append(limit.what.strip())
    finally:  # what was measured is not lost with what fails
        Console(stderr=True).print(table)
    return {"missed": missed, "runs": runs}


def _run(command: str) -> Figures:
    words = [sys.executable, "-m", "benchmarks", *command.split(), "--json"]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures
