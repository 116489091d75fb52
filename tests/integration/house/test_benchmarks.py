"""Each benchmark runs, and prints one JSON object on standard output. How fast anything is, is not looked at here."""

import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
AT_ONCE = 3
SMALLEST = {
    "audio": ("--legs", "3", "--talkers", "1", "--seconds", "2", "--peer", "none"),
    "growth": ("--sizes", "2,4,6", "--seconds", "1"),
    "ticks": ("--rooms", "2", "--legs", "4", "--seconds", "2"),
    "packets": ("--legs", "3", "--seconds", "2"),
    "delay": ("--seconds", "3", "--peer", "none"),
    "loss": ("--percent", "5", "--seconds", "8"),
    "strangers": ("--per-second", "2000", "--seconds", "1"),
    "idle": ("--rooms", "20", "--seconds", "1"),
    "video": ("--legs", "2", "--seconds", "2"),
    "join": ("--joins", "1"),
    "compositor": ("--tiles", "4", "--canvas", "640x360", "--source", "640x360", "--frames", "100", "--repeats", "1"),
}
KEYS = {
    "audio": {
        *("legs", "talkers", "cpu_percent_per_leg", "legs_per_core"),
        *("packets_received_percent_least", "longest_gap_ms", "encodes_per_tick", "legs_served"),
    },
    "growth": {
        *("legs", "cpu_percent", "cpu_percent_base", "cpu_percent_per_more_leg"),
        *("r_squared", "encodes_per_tick"),
    },
    "ticks": {"rooms", "legs", "cpu_percent", "ticks_within_5_ms_percent", "longest_gap_ms"},
    "packets": {"legs", "packets", "us_per_packet", "us_by_thread"},
    "delay": {"p50_ms", "p95_ms", "longest_ms", "packets"},
    "loss": {
        *("percent", "lost", "longest_gap_ms", "concealed_percent", "pesq"),
        *("delay_p50_ms", "delay_p95_ms", "delay_last_ms", "legs_closed"),
    },
    "strangers": {"strays", "longest_gap_ms", "lost", "resident_more_mb"},
    "idle": {"rooms", "cpu_percent"},
    "video": {"legs", "size", "cpu_percent", "cpu_percent_per_leg", "legs_per_core", "pictures_per_s"},
    "join": {"joins", "first_sound", "first_picture"},
    "compositor": {
        *("tiles", "canvas", "source", "frames", "repeats", "spread"),
        *("fps", "libyuv_fps", "xstack_fps", "xstack_scaler", "ratio_to_libyuv", "ratio_to_xstack"),
    },
}

pytestmark = pytest.mark.timeout(400)  # the first test waits for all of them
Printed = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def printed() -> Printed:
    """What each wrote to standard output and standard error. They mostly wait, so some run side by side."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(SMALLEST, pool.map(run, SMALLEST), strict=True))


def run(name: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", name, "--json", *SMALLEST[name]],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def numbers(figures: Any) -> list[float]:
    """All of them, however deep."""
    if isinstance(figures, dict | list):
        inner = figures.values() if isinstance(figures, dict) else figures
        return [number for figure in inner for number in numbers(figure)]
    return [figures] if isinstance(figures, int | float) else []


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_prints_one_json_object_with_its_figures_and_says_elsewhere_how_far_it_is(
    printed: Printed, name: str
) -> None:
    out, progress = printed[name]
    figures = json.loads(out)
    assert out.count("\n") == 1
    assert figures.pop("benchmark") == name
    assert figures.keys() == KEYS[name]
    assert progress.strip()
    assert all(map(math.isfinite, numbers(figures)))


def test_what_a_benchmark_counts_has_happened(printed: Printed) -> None:
    figures = {name: json.loads(out) for name, (out, _) in printed.items()}
    assert (figures["audio"]["legs"], figures["audio"]["talkers"]) == (3, 1)
    assert figures["audio"]["cpu_percent_per_leg"] > 0
    assert figures["audio"]["packets_received_percent_least"] > 10
    assert figures["audio"]["encodes_per_tick"] >= 1
    assert figures["growth"]["legs"] == [2, 4, 6]
    assert figures["ticks"]["ticks_within_5_ms_percent"] > 0
    assert figures["packets"]["us_per_packet"] > 0
    assert 0 < figures["delay"]["p50_ms"] < 1000
    assert figures["loss"]["lost"] > 0
    assert figures["loss"]["legs_closed"] == 0
    assert figures["strangers"]["strays"] > 500
    assert figures["idle"]["cpu_percent"] > 0
    assert figures["video"]["pictures_per_s"] > 0
    assert 0 < figures["join"]["first_sound"]["p50_ms"] < 10_000
    assert 0 < figures["join"]["first_picture"]["p50_ms"] < 10_000
    assert min(figures["compositor"][key] for key in ("fps", "libyuv_fps", "xstack_fps")) > 0
