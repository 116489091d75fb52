"""Each benchmark runs, and prints one JSON object on standard output. How fast anything is, is not looked at here."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.all import LIMITS

ROOT = Path(__file__).parents[3]
SMALLEST = {
    "audio": ("--legs", "3", "--talkers", "1", "--seconds", "2", "--peer", "none"),
    "growth": ("--sizes", "2,4", "--seconds", "1", "--repeats", "1"),
    "ticks": ("--rooms", "2", "--legs", "4", "--seconds", "2", "--machine-seconds", "0.5"),
    "packets": ("--legs", "3", "--seconds", "2"),
    "delay": ("--seconds", "3", "--peer", "none"),
    "loss": ("--percent", "10", "--seconds", "4"),
    "strangers": ("--per-second", "2000", "--seconds", "1"),
    "idle": ("--rooms", "20", "--seconds", "2"),  # an idle worker wakes once a second
    "registrar": ("--endpoints", "10", "--every", "1", "--seconds", "1"),
    "video": ("--legs", "2", "--seconds", "1", "--repeats", "1", "--personal"),
    "rooms": ("--sizes", "2,3", "--seconds", "1"),
    "inputs": ("--legs", "2", "--seconds", "1"),
    "quality": ("--legs", "2", "--frames", "3"),
    "glass": ("--seconds", "2"),
    "sync": ("--seconds", "2", "--jitter", "80", "--pace", "1250"),
    "repair": ("--seconds", "3"),
    "freezes": ("--percent", "10", "--seconds", "4"),
    "bottleneck": ("--seconds", "3", "--around", "2"),
    "join": ("--joins", "1"),
    "sip": ("--calls-per-second", "10", "--seconds", "1"),
    "scanners": ("--per-second", "500", "--seconds", "1", "--before", "2"),
    "telephones": ("--legs", "4", "--talkers", "1", "--seconds", "1", "--peer", "none"),
    "compositor": ("--tiles", "4", "--canvas", "640x360", "--source", "640x360", "--frames", "100", "--repeats", "1"),
}
OF_PICTURES = ("video", "rooms", "inputs", "quality", "glass", "sync", "repair", "freezes", "bottleneck", "compositor")
KEYS = {
    "audio": {
        *("legs", "talkers", "cpu_percent_per_leg", "legs_per_core"),
        *("packets_received_percent_least", "longest_gap_ms", "encodes_per_tick", "legs_served"),
    },
    "growth": {
        *("legs", "cpu_percent", "cpu_percent_base", "cpu_percent_per_more_leg"),
        *("r_squared", "encodes_per_tick", "machine_us", "spread"),
    },
    "ticks": {
        *("rooms", "legs", "cpu_percent", "ticks_within_5_ms_percent", "loop_within_5_ms_percent"),
        *("longest_gap_ms", "machine_within_5_ms_percent", "machine_longest_late_ms"),
    },
    "packets": {
        *("legs", "packets", "packets_received_percent_least", "us_per_packet", "us_with_coding", "us_of_coding"),
        *("us_by_thread", "us_of_the_kernel"),
    },
    "delay": {"p50_ms", "p95_ms", "longest_ms", "packets"},
    "loss": {
        *("percent", "rooms", "lost", "longest_gap_ms", "concealed_percent", "pesq"),
        *("delay_p50_ms", "delay_p95_ms", "delay_last_ms", "legs_closed"),
    },
    "strangers": {"strays", "longest_gap_ms", "lost", "resident_more_mb"},
    "idle": {"rooms", "cpu_percent"},
    "registrar": {"endpoints", "refreshes", "failed", "cpu_percent", "idle_cpu_percent"},
    "video": {
        *("legs", "size", "layout", "sent", "cpu_percent", "cpu_percent_per_leg", "legs_per_core", "pictures_per_s"),
        *("encode_percent", "encodes_worth", "encodes_per_picture", "longest_picture_gap_ms", "longest_audio_gap_ms"),
        *("personal", "ratio", "cpu_percent_by_thread", "machine_longest_late_ms"),
    },
    "rooms": {
        *("legs", "cpu_percent", "encodes_worth", "encodes_worth_base", "encodes_worth_per_more_leg", "r_squared"),
        *("encodes_per_picture", "pictures_per_s"),
    },
    "inputs": {
        *("legs", "simulcast_cpu_percent", "small_cpu_percent", "still_cpu_percent", "pictures_per_s"),
        *("simulcast_encodes_worth", "small_encodes_worth", "still_encodes_worth"),
        *("simulcast_of_small", "still_of_simulcast"),
    },
    "quality": {
        *("legs", "size", "mbit_per_s", "psnr_db", "psnr_db_worst", "ssim", "encode_ms", "encodes_per_core_s"),
    },
    "glass": {"p50_ms", "p95_ms", "longest_ms", "pictures"},
    "sync": {
        *("jitter_ms", "pace_kbit_per_s", "apart_p50_ms", "apart_p95_ms", "beeps"),
        *("sound_later_p50_ms", "sound_late_p50_ms", "picture_late_p50_ms"),
    },
    "repair": {"losses", "repair_p50_ms", "repair_longest_ms", "keys_wanted", "keys_to_others"},
    "freezes": {
        *("percent", "freezes", "freezes_per_minute", "longest_freeze_ms", "pictures_per_s"),
        *("keys", "keys_to_others", "freezes_of_others"),
    },
    "bottleneck": {
        *("kilobits", "queue_ms", "step_down_s", "step_up_s", "narrowing_audio_gap_ms", "longest_audio_gap_ms"),
        *(
            "line_audio_gap_ms",
            "audio_lost",
            "pictures_per_s",
            "kbit_per_s",
            "others_longest_audio_gap_ms",
            "others_longest_picture_gap_ms",
        ),
        *("others_pictures_per_s", "others_kbit_per_s", "others_keys", "machine_longest_late_ms"),
    },
    "join": {"joins", "first_sound", "first_picture"},
    "sip": {
        *("calls", "failed", "good_percent", "setup_p50_ms", "setup_p99_ms", "setup_longest_ms"),
        *("cpu_ms_per_call", "dialogs_left"),
    },
    "scanners": {
        *("asked", "dropped", "trunk_calls", "trunk_good_percent", "trunk_setup_p99_ms"),
        *("resident_more_mb", "cpu_percent", "processes_died"),
    },
    "telephones": {
        *("legs", "talkers", "legs_seated", "cpu_percent_per_leg", "legs_per_core", "encodes_per_tick"),
        *("packets_received_percent_least", "longest_gap_ms"),
    },
    "compositor": {
        *("tiles", "canvas", "source", "frames", "repeats", "spread"),
        *("fps", "libyuv_fps", "xstack_fps", "xstack_scaler", "ratio_to_libyuv", "ratio_to_xstack"),
        *("gstreamer_fps", "ratio_to_gstreamer", "half_dirty_ratio"),
    },
}

Figures = dict[str, Any]
HAPPENED: dict[str, Callable[[Figures], bool]] = {  # what it counts
    "audio": lambda of: (
        (of["legs"], of["talkers"]) == (3, 1)
        and of["cpu_percent_per_leg"] > 0
        and of["packets_received_percent_least"] > 10
        and of["encodes_per_tick"] >= 1
    ),
    "growth": lambda of: of["legs"] == [2, 4],
    "ticks": lambda of: of["ticks_within_5_ms_percent"] > 0,
    "packets": lambda of: of["us_with_coding"] > max(of["us_per_packet"], of["us_of_the_kernel"]) > 0,
    "delay": lambda of: 0 < of["p50_ms"] < 1000,
    "loss": lambda of: of["lost"] > 0 and of["legs_closed"] == 0,
    "strangers": lambda of: of["strays"] > 500,
    "idle": lambda of: of["cpu_percent"] > 0,
    "registrar": lambda of: of["refreshes"] > 5 and of["failed"] == 0,
    # A picture that is composed as the worker tells its counters is encoded after that.
    "video": lambda of: of["pictures_per_s"] > 0 and of["encodes_worth"] > 0 and of["encodes_per_picture"] > 0.5,
    "rooms": lambda of: of["legs"] == [2, 3] and min(of["pictures_per_s"]) > 0,
    "inputs": lambda of: of["pictures_per_s"]["still"] < 5 < min(map(of["pictures_per_s"].get, ("simulcast", "small"))),
    "quality": lambda of: of["psnr_db"] > 30 and 0.8 < of["ssim"] <= 1,
    "glass": lambda of: 0 < of["p50_ms"] < 1000,
    "sync": lambda of: of["beeps"] > 1 and min(of["sound_late_p50_ms"], of["picture_late_p50_ms"]) > 10,
    "repair": lambda of: of["losses"] > 0 and 45 < of["repair_p50_ms"] < 1000,
    "freezes": lambda of: of["pictures_per_s"] > 0,
    "bottleneck": lambda of: 0 < of["kbit_per_s"][1] < 0.5 * min(of["kbit_per_s"][0], of["others_kbit_per_s"][1]),
    "join": lambda of: all(0 < of[first]["p50_ms"] < 10_000 for first in ("first_sound", "first_picture")),
    "sip": lambda of: (of["calls"], of["failed"], of["dialogs_left"]) == (10, 0, 0),
    "scanners": lambda of: of["asked"] > 200 and of["dropped"] > 100 and of["trunk_good_percent"] == 100,
    "telephones": lambda of: (
        of["legs_seated"] == 4 and of["packets_received_percent_least"] > 50 and of["encodes_per_tick"] < 2.5
    ),
    "compositor": lambda of: min(of[key] for key in ("fps", "libyuv_fps", "xstack_fps")) > 0,
}

pytestmark = pytest.mark.timeout(200)


def run(name: str) -> tuple[str, str]:
    """What it wrote to standard output and standard error."""
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


def prints_its_figures(name: str) -> None:
    """One JSON object on standard output, and on standard error how far it is."""
    out, progress = run(name)
    figures = json.loads(out)
    assert out.count("\n") == 1
    assert figures.pop("benchmark") == name
    assert figures.keys() == KEYS[name]
    assert progress.strip()
    assert all(map(math.isfinite, numbers(figures)))
    assert HAPPENED[name](figures), out


def test_every_figure_of_the_table_of_all_is_one_that_its_benchmark_prints() -> None:
    of_a_peer = {"ratio"}  # of Janus's, which the runs here do without
    wanted = {(command.split()[0], limit.figure) for command, limits in LIMITS.items() for limit in limits}
    named = {(command, figure) for command, figure in wanted if isinstance(figure, str)}
    assert {figure for command, figure in named if figure not in KEYS[command] | of_a_peer} == set()


class TestOfSound:
    """A class for each half: pytest-xdist gives a class to one process, and all of them to one would take longest."""

    @pytest.mark.parametrize("name", [name for name in SMALLEST if name not in OF_PICTURES])
    def test_a_benchmark_prints_one_json_object_with_its_figures_and_says_elsewhere_how_far_it_is(
        self, name: str
    ) -> None:
        prints_its_figures(name)


class TestOfPictures:
    """See `TestOfSound`."""

    @pytest.mark.parametrize("name", OF_PICTURES)
    def test_a_benchmark_prints_one_json_object_with_its_figures_and_says_elsewhere_how_far_it_is(
        self, name: str
    ) -> None:
        prints_its_figures(name)
