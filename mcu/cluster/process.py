"""One media worker process: started with one end of a socket pair, asked, watched, and ended.

It is dead when its socket ends, when it breaks the protocol, or when it has not answered for a second. A dead worker
is killed to be sure; another is a new `WorkerProcess`. It never outlives us: the kernel kills it when we die.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeGuard

import msgspec
import structlog

from mcu import errors
from mcu.clock import Clock
from mcu.cluster.output import WorkerOutput
from mcu.cluster.starvation import RunQueue
from mcu.media.frames import AnyCommand, AnyEvent, AnyReply, ToControl, ToWorker
from mcu.media.messages import CloseRoom, Done, Event, Failed, OpenRoom, Ping, Reply, WorkerReport
from mcu.media.transport.options import MediaOptions
from mcu.net.rpc import FrameConnection

log = structlog.get_logger(__name__)

PING_S: Final = 0.25
MISSED_PINGS: Final = 4  # in a row: a second without an answer
SILENCES: Final = 40  # intervals in a row without an answer, even if it waits for a processor all that time
START_S: Final = 30.0  # to load the codecs and answer for the first time, on a busy machine
ANSWER_S: Final = 10.0  # for a command; an offer takes ICE gathering
LEAVE_S: Final = 5.0  # to end its rooms and go, when asked
PENDING: Final = 1024  # commands under way; one more is refused
PROMISE_S: Final = 5.0  # how long a pick counts as a room to come


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """How worker processes are started."""

    arguments: tuple[str, ...] = ()  # after --fd and --name
    module: str = "mcu.media.worker"


class WorkerProcess:
    """One living (or lately living) worker. Implements `mcu.conference.workers.Worker`."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, connection: FrameConnection[ToControl], clock: Clock
    ) -> None:
        self._name = name
        self._process = process
        self._connection = connection
        self._clock = clock
        self._pending: dict[int, asyncio.Future[AnyReply]] = {}
        self._next = 0
        self._answered = 0  # frames that came; a worker that sends anything is alive
        self._rooms: set[str] = set()
        self._promised: list[float] = []  # until when each counts
        self._legs = 0
        self._leaving = False
        self.dead = False

    @classmethod
    async def start(cls, name: str, start: Start, clock: Clock) -> "WorkerProcess":
        """A process that has been started, but has not answered yet. Raises `OSError` when it cannot be."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    start.module,
                    *("--fd", str(theirs.fileno()), "--name", name, *start.arguments),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    env=_environment(),
                    start_new_session=True,  # Ctrl-C is for the control process: it ends the rooms first
                )
            except BaseException:
                ours.close()
                raise
        try:
            return cls(name, process, await FrameConnection.over(ours, ToControl), clock)
        except BaseException:
            process.kill()
            raise

    @property
    def id(self) -> str:
        return self._name

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def load(self) -> int:
        """How much it has to do, to compare workers by: its legs, and its rooms with those that are to come."""
        now = self._clock.monotonic()
        self._promised = [until for until in self._promised if until > now]
        return self._legs + 2 * (len(self._rooms) + len(self._promised))

    def promise_room(self) -> None:
        """Count a room that somebody is about to open here."""
        self._promised.append(self._clock.monotonic() + PROMISE_S)

    async def ask(self, command: AnyCommand) -> AnyReply:
        """See `mcu.conference.workers.Worker`."""
        return await self._ask(command, ANSWER_S)

    async def run(self, on_alive: Callable[[], None], on_event: Callable[[AnyEvent], None]) -> None:
        """Until it is dead and gone. Events are told after the replies that came before them, never after this ends."""
        output = asyncio.create_task(self._forward_output())
        watch = asyncio.create_task(self._watch(on_alive))
        try:
            await self._receive(on_event)
        finally:
            self.dead = True
            watch.cancel()
            self._fail_pending()
            await self._connection.close()
            if self._leaving:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), LEAVE_S)
            self.kill()
            await self._process.wait()
            await asyncio.gather(watch, output, return_exceptions=True)

    async def leave(self) -> None:
        """Have it end by closing the socket: `run` then gives it `LEAVE_S` to end its rooms before it is killed."""
        self._leaving = True
        await self._connection.close()

    def kill(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _ask(self, command: AnyCommand, timeout_s: float) -> AnyReply:
        if self.dead or len(self._pending) >= PENDING:
            raise errors.Unavailable("the media worker is gone" if self.dead else "the media worker is busy")
        self._next += 1
        number = self._next
        answer: asyncio.Future[AnyReply] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            self._connection.send(ToWorker(number, command))
            async with asyncio.timeout(timeout_s):
                reply = await answer
        except TimeoutError:
            raise errors.Unavailable("the media worker did not answer in time") from None
        finally:
            self._pending.pop(number, None)
        if isinstance(reply, Failed):
            raise _error_of(reply)
        self._count_rooms(command)
        return reply

    def _count_rooms(self, command: AnyCommand) -> None:
        if isinstance(command, OpenRoom):
            self._rooms.add(command.room)
            self._promised[:1] = []
        elif isinstance(command, CloseRoom):
            self._rooms.discard(command.room)

    async def _receive(self, on_event: Callable[[AnyEvent], None]) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (frame := await self._connection.receive()) is not None and not self.dead:
                self._answered += 1
                if isinstance(frame.body, Event):
                    if isinstance(frame.body, WorkerReport):
                        self._legs = frame.body.legs
                    loop.call_soon(self._tell, on_event, frame.body)  # after whoever awaits an earlier reply
                else:
                    self._resolve(frame.id, frame.body)
        except errors.Invalid as error:
            log.error("worker_broke_protocol", worker=self._name, detail=error.detail)

    def _tell(self, on_event: Callable[[AnyEvent], None], event: AnyEvent) -> None:
        if not self.dead:
            on_event(event)

    def _resolve(self, number: int | None, reply: Reply) -> None:
        answer = self._pending.get(number) if number is not None else None
        if answer is not None and not answer.done():
            answer.set_result(reply)  # type: ignore[arg-type]  # the decoder lets only AnyReply through

    def _fail_pending(self) -> None:
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(errors.Unavailable("the media worker died"))

    async def _watch(self, on_alive: Callable[[], None]) -> None:
        """Kill it when it does not answer; its socket then ends, and with it `run`."""
        try:
            reply = await self._ask(Ping(), START_S)
        except errors.Unavailable:
            if not self.dead:
                log.error("worker_did_not_start", worker=self._name)
            self.kill()
            return
        assert isinstance(reply, Done)
        on_alive()
        await self._until_silent()
        log.error("worker_hangs", worker=self._name)
        self.kill()

    async def _until_silent(self) -> None:
        """Counts silent intervals rather than time: when it is we who were held up, its answers are read first.

        An interval in which it mostly waited for a processor is not held against it, but `SILENCES` ends that too.
        """
        queue, missed, silent = RunQueue(self.pid), 0, 0
        while missed < MISSED_PINGS and silent < SILENCES:
            heard = self._answered
            self._next += 1
            with suppress(errors.Unavailable):
                self._connection.send(ToWorker(self._next, Ping()))
            await asyncio.sleep(PING_S)
            starved = queue.waited_s() > PING_S / 2
            silent = silent + 1 if heard == self._answered else 0
            missed = missed + (not starved) if silent else 0

    async def _forward_output(self) -> None:
        assert self._process.stdout is not None
        output = WorkerOutput(self._name, self._clock.monotonic)
        while data := await self._process.stdout.read(64 * 1024):
            output.feed(data)
        output.close()


def _environment() -> dict[str, str]:
    """Ours without the settings: a worker is told what it must know, and needs no database password.

    Its C library takes memory in pages of 2 MB where the kernel gives them to who asks: what is known of each leg is
    looked at 50 times a second, and lies in so many pages of 4 kB that the processor forgets in between where they are.
    """
    ours = {name: value for name, value in os.environ.items() if not name.upper().startswith("MCU_")}
    return {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", **ours}


def _error_of(failed: Failed) -> errors.McuError:
    """The error that the worker raised: its code is that of a class in `mcu.errors`, and of no other module's."""
    kinds = {kind.code: kind for kind in vars(errors).values() if _is_error(kind)}
    return kinds.get(failed.code, errors.McuError)(failed.detail)


def _is_error(kind: object) -> TypeGuard[type[errors.McuError]]:
    return isinstance(kind, type) and issubclass(kind, errors.McuError)


def start_arguments(media: MediaOptions, log_level: str) -> tuple[str, ...]:
    """What `mcu.media.worker` is started with."""
    return ("--media", media.as_argument(), "--log-level", log_level)
