"""How the media of a call between two others goes: straight, or through a worker, as the zones say (`zones.py`)."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from mcu.conference.workers import Worker
from mcu.errors import McuError, NotAcceptable
from mcu.ids import CallId
from mcu.media.call_messages import EndRelay, RelayCall
from mcu.media.messages import Answered
from mcu.protocol.sdp.description import Description, parse
from mcu.protocol.sdp.relayed import hops, next_of
from mcu.signalling.sip.zones import Course, Zones

CALLER, CALLED = 0, 1  # the two sides

Then = Callable[[bytes], None]
Otherwise = Callable[[McuError], None]


class Passage(Protocol):
    """Of one call between two. What a side says (SDP) is made what the other is told."""

    @property
    def worker(self) -> Worker | None:
        """That carries it; None: nobody."""

    async def told(self, side: int, said: bytes) -> bytes:
        """Raises `McuError` where it cannot be passed on."""

    def tell(self, side: int, said: bytes, then: Then, otherwise: Otherwise) -> None:
        """The same, in the order in which it is asked. What `then` raises is told to `otherwise` too."""

    def end(self) -> None: ...


class Straight:
    """Media is the two sides' own."""

    worker: Worker | None = None

    async def told(self, side: int, said: bytes) -> bytes:
        return said

    def tell(self, side: int, said: bytes, then: Then, otherwise: Otherwise) -> None:
        try:
            then(said)
        except McuError as error:
            otherwise(error)

    def end(self) -> None:
        """There is nothing."""


@dataclass(frozen=True, slots=True)
class Between:
    """`hosts`: from which the signalling of the two sides comes."""

    zones: Zones
    course: Course
    hosts: tuple[str, str]


class Through:
    """By a relay of this worker's. `pump` is called whenever something was told."""

    def __init__(self, name: CallId, worker: Worker, between: Between, pump: Callable[[], None]) -> None:
        self.worker = worker
        self._name, self._between, self._pump = name, between, pump
        self._told: list[Description | None] = [None, None]  # what each side's other was told last
        self._tasks: set[asyncio.Task[None]] = set()

    def anew(self, worker: Worker) -> "Through":
        """By another's, whose ports must be told to both sides."""
        made = Through(self._name, worker, self._between, self._pump)
        made._told = list(self._told)
        return made

    async def told(self, side: int, said: bytes) -> bytes:
        text = said.decode(errors="replace")
        zones, hosts = self._between.zones, self._between.hosts
        media = [hop.address for hop in hops(parse(text)).values()]
        command = RelayCall(
            call=self._name,
            side=side,
            said=text,
            believed=zones.believes(hosts[side], media),
            addresses=self._between.course.addresses,
            ipv6=(":" in hosts[CALLER], ":" in hosts[CALLED]),
        )
        reply = await self.worker.ask(command)
        if not isinstance(reply, Answered):
            raise NotAcceptable("The media worker gave no SDP.")
        self._told[side] = told = next_of(self._told[side], parse(reply.answer))
        return str(told).encode()

    def tell(self, side: int, said: bytes, then: Then, otherwise: Otherwise) -> None:
        self._begin(self._tell(side, said, then, otherwise))

    async def _tell(self, side: int, said: bytes, then: Then, otherwise: Otherwise) -> None:
        try:
            then(await self.told(side, said))
        except McuError as error:
            otherwise(error)
        self._pump()

    def end(self) -> None:
        self._begin(self._end())

    async def _end(self) -> None:
        try:
            await self.worker.ask(EndRelay(call=self._name))
        except McuError:  # it is gone, and the relay with it
            return

    def _begin(self, what: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
