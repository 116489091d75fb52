"""Hanging or starved: what the kernel counted decides."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from mcu.cluster.starvation import RunQueue

SPIN = "import os\nos.sched_setaffinity(0, {0})\nwhile True: pass"


def test_a_process_that_others_keep_from_running_is_seen_to_wait() -> None:
    """Three that want one processor: each waits two thirds of the time."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(3)]
    try:
        time.sleep(1)
        queue = RunQueue(spinning[0].pid)
        time.sleep(1)
        assert queue.waited_s() > 0.4
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def test_a_process_that_is_stopped_waits_for_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", SPIN])
    try:
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.1)
        queue = RunQueue(process.pid)
        time.sleep(0.5)
        assert queue.waited_s() < 0.1
    finally:
        process.kill()
        process.wait()


def test_without_the_kernels_word_nobody_is_excused(tmp_path: Path) -> None:
    assert RunQueue(1, tmp_path).waited_s() == 0
