"""`python -m benchmarks idle`: what rooms cost in which nobody is: CPU time of a worker that has so many of them."""

import argparse
import asyncio
import socket
import sys
from typing import Any

from benchmarks.contestants import pin_load
from benchmarks.processes import cpu_seconds
from benchmarks.progress import say
from mcu.ids import RoomId
from mcu.media.frames import ToControl, ToWorker
from mcu.media.messages import Failed, OpenRoom, RoomProfile
from mcu.net.rpc import FrameConnection

SETTLE_S = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rooms", type=int, default=1000, help="open, and empty")
    parser.add_argument("--seconds", type=float, default=15, help="how long the worker is weighed")


def run(options: argparse.Namespace) -> dict[str, Any]:
    return asyncio.run(_run(options.rooms, options.seconds))


async def _run(rooms: int, seconds: float) -> dict[str, Any]:
    prefix = pin_load()
    ours, theirs = socket.socketpair()
    words = (*prefix, sys.executable, "-m", "mcu.media.worker", "--fd", str(theirs.fileno()), "--name", "idle")
    process = await asyncio.create_subprocess_exec(*words, pass_fds=[theirs.fileno()])
    theirs.close()
    control = await FrameConnection.over(ours, ToControl)
    try:
        say(f"{rooms} rooms")
        for number in range(rooms):
            control.send(ToWorker(number, OpenRoom(room=RoomId(f"room_{number}"), profile=RoomProfile())))
        await _answered(control, rooms)
        draining = asyncio.create_task(_drain(control))
        await asyncio.sleep(SETTLE_S)
        before = cpu_seconds(process.pid)
        await asyncio.sleep(seconds)
        percent = 100 * (cpu_seconds(process.pid) - before) / seconds
        draining.cancel()
    finally:
        await control.close()  # and the worker with it
        await process.wait()
    return {"rooms": rooms, "cpu_percent": round(percent, 2)}


async def _answered(control: FrameConnection[ToControl], rooms: int) -> None:
    left = rooms
    while left:
        frame = await control.receive()
        if frame is None or isinstance(frame.body, Failed):
            raise RuntimeError("the worker does not open its rooms")
        left -= frame.id is not None


async def _drain(control: FrameConnection[ToControl]) -> None:
    while await control.receive() is not None:
        pass
