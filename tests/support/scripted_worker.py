"""A real process that speaks the workers' protocol and misbehaves as it is told, for tests of those who look after it.

Rooms are orders: opening room_hang stops it from reading, room_die ends it, room_babble breaks the protocol, and so on.
Run as a module: `python -m scripted_worker --fd 5 --name w0.1 [--die-at-start | --mute]`.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import time

from mcu.media.frames import ToControl, ToWorker
from mcu.media.messages import AddLeg, Answered, Done, Failed, OpenRoom, WorkerReport
from mcu.net.process import die_with_parent
from mcu.net.rpc import FrameConnection


def report(legs: int) -> WorkerReport:
    return WorkerReport(
        rooms=1,
        legs=legs,
        ticks=1,
        late_ticks=0,
        audio_encodes=0,
        video_encodes=0,
        frames_composed=0,
        dropped={},
        cpu_seconds=0.0,
        tick_late_ms=[1, 0, 0, 0, 0, 0, 0],
        loop_late_ms=[1, 0, 0, 0, 0, 0, 0],
    )


async def obey(control: FrameConnection[ToWorker], frame: ToWorker) -> None:
    done = ToControl(frame.id, Done())
    match frame.command:
        case OpenRoom(room="room_hang"):
            control.send(done)
            await asyncio.sleep(0.05)
            time.sleep(60)  # noqa: ASYNC251  # to hang is what it is for
        case OpenRoom(room="room_die"):
            os._exit(3)
        case OpenRoom(room="room_slow"):
            await asyncio.sleep(0.3)
            control.send(done)
        case OpenRoom(room="room_refuse"):
            control.send(ToControl(frame.id, Failed(code="conflict", detail="the room is open already")))
        case OpenRoom(room="room_babble"):
            control._writer.write(b"\x00\x00\x00\x04abcd")
        case OpenRoom(room="room_news"):
            control.send(done)
            control.send(ToControl(None, report(legs=9)))
        case OpenRoom(room="room_talk"):
            print(json.dumps({"event": "said", "level": "warning", "codec": "H264"}), flush=True)
            print("KeyError: 'Anna Canary'", file=sys.stderr, flush=True)
            control.send(done)
        case AddLeg(leg=leg):
            control.send(ToControl(frame.id, Answered(answer=leg)))
        case _:
            control.send(done)


async def serve(fd: int, mute: bool) -> None:
    control = await FrameConnection.over(socket.socket(fileno=fd), ToWorker)
    while (frame := await control.receive()) is not None:
        if not mute:
            await obey(control, frame)
    print(json.dumps({"event": "left_by_itself"}), flush=True)
    await control.close()


def main() -> None:
    die_with_parent()
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--die-at-start", action="store_true")
    parser.add_argument("--mute", action="store_true")
    options = parser.parse_args()
    if options.die_at_start:
        raise SystemExit("no codec")
    asyncio.run(serve(options.fd, options.mute))


if __name__ == "__main__":
    main()
