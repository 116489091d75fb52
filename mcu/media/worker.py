"""A media worker: the process that owns some rooms' media. The control process starts it with one end of a socket pair.

It obeys commands, reports events, and runs the 20 ms tick of its rooms. When the socket closes, so does the worker: no
worker outlives its control process.

    python -m mcu.media.worker --fd 5 --name w0 [--media '{"addresses": ["192.0.2.1"]}'] [--log-level info]
"""

import argparse
import asyncio
import os
import socket
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import structlog
import uvloop

from mcu import errors
from mcu.clock import Clock, SystemClock
from mcu.ids import CallId, RoomId
from mcu.media import cost
from mcu.media.call_messages import (
    AcceptCall,
    AllowSlides,
    AnswerCall,
    CallCommand,
    ChangeCall,
    EndCall,
    HoldCall,
    OfferCall,
    RefreshCall,
    RelayCall,
    RelayCommand,
    SayToCall,
    ShowToCall,
)
from mcu.media.cards import Cards
from mcu.media.frames import AnyCommand, AnyEvent, AnyReply, ToControl, ToWorker
from mcu.media.messages import (
    AddLeg,
    Answered,
    CheckNetwork,
    CloseRoom,
    Done,
    Failed,
    GetLegMedia,
    LegMediaReply,
    OpenRoom,
    Ping,
    RestartIce,
    SayToLeg,
    Source,
    WorkerReport,
)
from mcu.media.picture.pools import Pools
from mcu.media.picture.pools import pools as picture_pools
from mcu.media.probe import Probes
from mcu.media.prompts import BUILT, Prompts
from mcu.media.quality import EVERY_S
from mcu.media.reception import Reception
from mcu.media.room import Room
from mcu.media.seams import EncodedPicture, Transport, TransportFactory
from mcu.media.ticker import Ticker
from mcu.media.transport.engine import Engine
from mcu.media.transport.options import MediaOptions, options_from
from mcu.media.transport.relay import Relays
from mcu.media.transport.rtp import RtpTransports
from mcu.media.transport.webrtc import WebRtcTransports
from mcu.media.walls import memory_used_up, prepare, put_up
from mcu.net.process import die_with_parent, hurry
from mcu.net.rpc import FrameConnection
from mcu.telemetry.logging import configure_logging
from mcu.telemetry.writer import LineWriter

log = structlog.get_logger(__name__)

MEMORY_S = 1.0  # between two looks at how much it keeps
COMMANDS_AT_ONCE = 64  # a command more waits for one to end
SWITCH_S = 0.001  # after which a thread that runs Python lets the event loop have its turn


class Worker:
    """The rooms of this process, and the commands that reach them."""

    def __init__(
        self,
        control: FrameConnection[ToWorker],
        engine: Engine,
        transports: TransportFactory,
        pools: Pools,
        clock: Clock,
        options: MediaOptions,
    ) -> None:
        self._control = control
        self._engine = engine
        self._transports = transports
        self._probes = Probes(transports)
        self._pools = pools
        self._cores = options.cores
        self._rooms: dict[RoomId, Room] = {}
        self._ticker = Ticker(clock, engine.plane)
        engine.on_collected = self._ticker.on_collected
        calls = RtpTransports(engine, clock=clock)
        own = [Path(options.prompts)] if options.prompts else []
        self._prompts = Prompts([*own, BUILT], {name: Path(folder) for name, folder in options.voices.items()})
        self._reception = Reception(
            calls, engine.plane, self._prompts, Cards(self._send_card, pools.paint, clock), self.emit, self._ticker.wake
        )
        self._relays = Relays(engine)
        self._ended = Counter[str]()  # drops of rooms that are no more
        self._video_encodes = self._frames_composed = 0  # theirs

    async def run(self) -> None:
        """Until the control process closes the socket.

        When the tick or the reporting fails the worker ends with it: the control process sees that, and not a worker
        that answers and does not mix.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                chores = (self._ticker.run(), self._report(), self._judge_networks())
                background = [tasks.create_task(chore) for chore in chores]
                await self._listen(tasks)
                for task in background:
                    task.cancel()
        finally:
            for room in list(self._rooms):
                await self._close_room(room)
            self._reception.close()
            self._relays.close()
            await self._transports.close()

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        slots = asyncio.Semaphore(COMMANDS_AT_ONCE)
        while (frame := await self._control.receive()) is not None:
            await slots.acquire()
            tasks.create_task(self._obey(frame)).add_done_callback(lambda _: slots.release())

    # -- room.RoomOwner -----------------------------------------------------------------------------------------------

    def emit(self, event: AnyEvent) -> None:
        self._control.send(ToControl(None, event))

    def wake(self, room: Room) -> None:
        self._ticker.wake(room)

    def fits(self, cores: float) -> bool:
        return sum(room.cores for room in self._rooms.values()) + cores <= self._cores * cost.FULL

    # -- commands -----------------------------------------------------------------------------------------------------

    async def _obey(self, frame: ToWorker) -> None:
        try:
            reply = await self._carry_out(frame.command)
        except errors.McuError as error:
            reply = Failed(code=error.code, detail=error.detail)
        except Exception:
            log.exception("command_failed", command=type(frame.command).__name__)
            reply = Failed(code=errors.McuError.code, detail="the worker could not carry this out; its log says why")
        self._control.send(ToControl(frame.id, reply))

    async def _carry_out(self, command: AnyCommand) -> AnyReply:
        match command:
            case Ping():
                return Done()
            case OpenRoom():
                self._open_room(command)
                return Done()
            case CheckNetwork():
                return Answered(answer=await self._probes.answer(command.offer))
        if isinstance(command, SayToCall):
            await self._prompts.read(command.prompts, command.language, command.voice)
        if isinstance(command, CallCommand):
            return self._receive(command)
        if isinstance(command, RelayCommand):
            return self._relay(command)
        room = self._room(command.room)
        async with room.turn:  # a room's commands are carried out in the order in which they came
            return await self._carry_out_in(room, command)

    def _send_card(self, transport: Transport, picture: EncodedPicture) -> None:
        self._transports.send_picture([transport], Source.CAMERA, picture)

    def _relay(self, command: RelayCommand) -> AnyReply:
        if isinstance(command, RelayCall):
            return Answered(answer=self._relays.carry(command))
        self._relays.end(command.call)
        return Done()

    def _receive(self, command: CallCommand) -> AnyReply:
        call, reception = command.call, self._reception
        match command:
            case AnswerCall():
                answer = reception.answer(call, command.offer, encrypted=command.encrypted)
                return Answered(answer=answer, held=reception.held(call))
            case OfferCall():
                return Answered(answer=reception.offer(command))
            case AcceptCall():
                reception.accept(call, command.answer)
                return Answered(answer="", held=reception.held(call))
            case ChangeCall():
                return Answered(answer=reception.change(call, command.offer), held=reception.held(call))
        self._treat(call, command)
        return Done()

    def _treat(self, call: CallId, command: CallCommand) -> None:
        reception = self._reception
        match command:
            case HoldCall():
                reception.hold(call, held=command.held)
            case AllowSlides():
                reception.allow_slides(call, allowed=command.allowed)
            case SayToCall():
                reception.say(call, command.prompts, command.language, command.voice)
            case ShowToCall():
                reception.show(call, command.card)
            case RefreshCall():
                reception.refresh(call)
            case EndCall():
                reception.end(call)

    async def _carry_out_in(self, room: Room, command: AnyCommand) -> AnyReply:
        match command:
            case CloseRoom():
                await self._close_room(command.room)
            case AddLeg():
                return Answered(answer=await room.add_leg(command))
            case RestartIce():
                return Answered(answer=await room.restart_ice(command))
            case SayToLeg():
                await room.say(command, self._prompts)
            case GetLegMedia():
                return LegMediaReply(media=room.leg_media(command.leg))
            case _:
                room.obey(command)
        return Done()

    def _open_room(self, command: OpenRoom) -> None:
        if command.room in self._rooms:
            raise errors.Conflict("the room is open already")
        room = Room(
            command.room,
            command.profile,
            transports=self._transports,
            calls=self._reception,
            plane=self._engine.plane,
            pools=self._pools,
            owner=self,
        )
        for seat in command.absent:
            room.restore(seat)
        self._rooms[command.room] = room

    async def _close_room(self, room_id: RoomId) -> None:
        room = self._rooms.pop(room_id, None)
        if room is not None:
            self._ticker.forget(room)
            await room.close()
            self._ended.update(room.dropped())
            self._video_encodes += room.video_encodes
            self._frames_composed += room.frames_composed

    def _room(self, room_id: RoomId) -> Room:
        try:
            return self._rooms[room_id]
        except KeyError:
            raise errors.NotFound("no such room on this worker") from None

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.emit(self._snapshot())

    async def _judge_networks(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            for room in list(self._rooms.values()):
                await room.judge_networks()

    def _snapshot(self) -> WorkerReport:
        rooms, plane = self._rooms.values(), self._engine.stats()
        dropped = self._ended + Counter(self._transports.dropped())
        dropped.update(ticks_skipped=self._ticker.skipped_ticks, ticks_failed=self._ticker.failed_ticks)
        for room in rooms:
            for reason, count in room.dropped().items():
                dropped[reason] += count
        return WorkerReport(
            rooms=len(self._rooms),
            legs=sum(room.size for room in rooms),
            ticks=self._ticker.ticks,
            late_ticks=self._ticker.late_ticks,
            audio_encodes=plane["audio_encodes"],
            video_encodes=self._video_encodes + sum(room.video_encodes for room in rooms),
            frames_composed=self._frames_composed + sum(room.frames_composed for room in rooms),
            dropped=dict(dropped),
            cpu_seconds=time.process_time(),
            tick_late_ms=list(self._ticker.late_histogram),
            loop_late_ms=list(self._ticker.waited_histogram),
            audio_decodes=plane["audio_decodes"],
            audio_coding_seconds=plane["audio_coding_seconds"],
            network=self._engine.network(),
        )


async def serve(fd: int, options: MediaOptions, logged: LineWriter) -> None:
    """Run a worker over the inherited socket `fd`, behind its walls."""
    control = await FrameConnection.over(socket.socket(fileno=fd), ToWorker)
    clock = SystemClock()
    with closing(Engine(options, clock)) as engine, picture_pools() as pools:
        put_up(options)
        watch = asyncio.create_task(_end_when_full(options, logged))
        await Worker(control, engine, WebRtcTransports(engine, clock=clock), pools, clock, options).run()
        watch.cancel()
    await control.close()


async def _end_when_full(options: MediaOptions, logged: LineWriter) -> NoReturn:
    """As a crash would: the rooms are not closed, but go on in another worker."""
    while True:
        await asyncio.sleep(MEMORY_S)
        if memory_used_up(options):
            log.error("memory_used_up", limit_mb=options.memory_mb)
            logged.close()
            os._exit(1)


def main() -> NoReturn:
    die_with_parent()
    hurry()
    sys.setswitchinterval(SWITCH_S)
    prepare()
    parser = argparse.ArgumentParser(prog="mcu.media.worker", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="our end of the socket pair")
    parser.add_argument("--name", required=True, help="what the control process calls us")
    parser.add_argument("--media", type=options_from, default=MediaOptions(), help="where it takes media, as JSON")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    options = parser.parse_args()
    logged = configure_logging(options.log_level, "json")
    structlog.contextvars.bind_contextvars(worker=options.name)
    uvloop.run(serve(options.fd, options.media, logged))
    raise SystemExit(0)


if __name__ == "__main__":
    main()
