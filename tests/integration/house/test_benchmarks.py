"""Each benchmark runs, and prints one JSON object on standard output. How fast anything is, is not looked at here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SMALLEST = {
    "audio": ("--legs", "3", "--talkers", "1", "--seconds", "2", "--peer", "none"),
    "video": ("--legs", "2", "--seconds", "2"),
    "join": ("--joins", "1"),
    "compositor": ("--tiles", "4", "--canvas", "640x360", "--source", "640x360", "--frames", "100", "--repeats", "1"),
}
KEYS = {
    "audio": {"legs", "talkers", "cpu_percent_per_leg", "packets_received_percent_least", "legs_per_core"},
    "video": {"legs", "size", "cpu_percent", "cpu_percent_per_leg", "legs_per_core", "pictures_per_s"},
    "join": {"joins", "first_sound", "first_picture"},
    "compositor": {
        *("tiles", "canvas", "source", "frames", "repeats", "spread"),
        *("fps", "libyuv_fps", "xstack_fps", "xstack_scaler", "ratio_to_libyuv", "ratio_to_xstack"),
    },
}

Printed = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def printed() -> Printed:
    """What each wrote to standard output and standard error. They mostly wait, so they run side by side."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    running = {
        name: subprocess.Popen(
            [sys.executable, "-m", "benchmarks", name, "--json", *options],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, options in SMALLEST.items()
    }
    try:
        said = {name: process.communicate(timeout=110) for name, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
    assert {name: process.returncode for name, process in running.items()} == dict.fromkeys(SMALLEST, 0), said
    return said


def numbers(figures: Any) -> list[float]:
    """All of them, however deep."""
    if isinstance(figures, dict):
        return [number for figure in figures.values() for number in numbers(figure)]
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
    assert all(number >= 0 for number in numbers(figures))


def test_what_a_benchmark_counts_has_happened(printed: Printed) -> None:
    figures = {name: json.loads(out) for name, (out, _) in printed.items()}
    assert (figures["audio"]["legs"], figures["audio"]["talkers"]) == (3, 1)
    assert figures["audio"]["cpu_percent_per_leg"] > 0
    assert figures["audio"]["packets_received_percent_least"] > 10
    assert figures["video"]["pictures_per_s"] > 0
    assert 0 < figures["join"]["first_sound"]["p50_ms"] < 10_000
    assert 0 < figures["join"]["first_picture"]["p50_ms"] < 10_000
    assert min(figures["compositor"][key] for key in ("fps", "libyuv_fps", "xstack_fps")) > 0
