"""`python -m benchmarks sip`: calls by SIP, 50 begun in each second, and what else telephones ask of a server.

sipp calls the reception of a whole `mcu serve` by UDP and hangs up as soon as the call stands: INVITE, 200, ACK, BYE.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import sipp
from benchmarks.contestants import Ours, ours, pin_load
from benchmarks.processes import cpu_seconds
from benchmarks.progress import say
from mcu.demo.server import free_port

MEDIA: Final = {"MCU_MEDIA__RTP_FIRST_PORT": "20000", "MCU_MEDIA__RTP_LAST_PORT": "29999"}
RECEPTION: Final = "reception"
OVER_S: Final = 5.0  # for the last call to be over


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--calls-per-second", type=int, default=50, help="how many are begun in each second")
    parser.add_argument("--seconds", type=float, default=60, help="for how long")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.calls_per_second, options.seconds))


def settings(port: int) -> dict[str, str]:
    """A server that takes SIP at this port, in the clear; this machine's calls are no stranger's."""
    return MEDIA | {
        "MCU_SIP__ADDRESSES": "127.0.0.1",
        "MCU_SIP__PORT": str(port),
        "MCU_SIP__FLOOR_PORT": "0",
        "MCU_SIP__ENCRYPTION": "offered",
        "MCU_SIP__KNOWN": "127.0.0.1",
        "MCU_MEDIA__ADDRESSES": "127.0.0.1",
    }


async def _run(per_second: int, seconds: float) -> dict[str, Any]:
    prefix, port = pin_load(), free_port()
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        async with ours(prefix, settings(port)) as contestant:
            say(f"{per_second} calls a second for {seconds:g} s")
            before = cpu_seconds(contestant.pid)
            called = await sipp.call(
                f"127.0.0.1:{port}", RECEPTION, Path(folder), per_second=per_second, seconds=seconds
            )
            spent = cpu_seconds(contestant.pid) - before
            left = await _left(contestant)
    return {
        "calls": called.calls,
        "failed": called.failed,
        "good_percent": called.good_percent,
        "setup_p50_ms": percentile(called.setup_ms, 50),
        "setup_p99_ms": percentile(called.setup_ms, 99),
        "setup_longest_ms": max(called.setup_ms),
        "cpu_ms_per_call": round(1000 * spent / called.calls, 2),
        "dialogs_left": left,
    }


def percentile(values: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 1)


async def _left(contestant: Ours) -> int:
    """Calls that the server still has when there should be none."""
    left = 0
    for _ in range(int(OVER_S / 0.1)):
        if not (left := int(await contestant.metric("mcu_sip_calls"))):
            break
        await asyncio.sleep(0.1)
    return left
