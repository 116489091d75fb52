"""Calls made by sipp (Debian's `sip-tester`): its scenarios are in `load/`, and what it counts is read here."""

import asyncio
import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CALL: Final = Path(__file__).parent / "load/call.xml"
LINGER_S: Final = 40  # for calls that are not over: longer than any transaction


@dataclass(frozen=True)
class Called:
    """`setup_ms`: from INVITE to 200, of each call that was answered, where the scenario takes it."""

    calls: int
    failed: int
    setup_ms: Sequence[float]

    @property
    def good_percent(self) -> float:
        return round(100 * (self.calls - self.failed) / self.calls, 2)


async def call(
    target: str, user: str, directory: Path, *, per_second: int, seconds: float, scenario: Path = CALL
) -> Called:
    """INVITE, 200, ACK, BYE, so many times a second; or another scenario. `target`: host and port.

    Raises `RuntimeError` where sipp cannot do it at all.
    """
    calls = max(1, round(per_second * seconds))
    written = shutil.copy(scenario, directory)  # beside which it writes
    words = (
        *("sipp", target, "-sf", written, "-s", user, "-i", "127.0.0.1", "-r", per_second, "-m", calls),
        *(
            "-l",
            10_000,
            "-deadcall_wait",
            0,
            "-nostdin",
            "-recv_timeout",
            1000 * LINGER_S,
            "-timeout",
            round(seconds) + LINGER_S,
        ),
        *("-trace_stat", "-fd", 1, "-stf", directory / "counts.csv", "-trace_rtt", "-rtt_freq", 1),
    )
    process = await asyncio.create_subprocess_exec(
        *map(str, words), cwd=directory, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in (0, 1):  # 1: some calls failed
        raise RuntimeError(f"sipp: {said.decode(errors='replace')[-400:]}")
    return _read(directory)


def _read(directory: Path) -> Called:
    last = _rows(directory / "counts.csv")[-1]
    times = [row for path in directory.glob("*_rtt.csv") for row in _rows(path)]
    return Called(
        calls=int(last["TotalCallCreated"]),
        failed=int(last["FailedCall(C)"]),
        setup_ms=[float(row["response_time_ms"]) for row in times],
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))
