"""How the media of a call between two others goes: straight, or through a worker.

As the zones say (`zones.py`); and where the two have no keys in common, and take none, through a worker that opens it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from mcu.conference.workers import Worker, answered
from mcu.errors import McuError
from mcu.ids import CallId
from mcu.media.call_messages import EndRelay, RelayCall, RelayKeys
from mcu.protocol.sdp.description import parse
from mcu.protocol.sdp.opened import LineKeys, OpenedKeys, Pair
from mcu.protocol.sdp.relayed import hops
from mcu.protocol.sdp.sides import Lines, Versions
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


@dataclass(frozen=True, slots=True)
class Joint:
    """Of two calls that were made one: what each had known before."""

    lines: Lines
    versions: Versions
    keys: OpenedKeys

    @classmethod
    def of(cls, said: Pair, told: Pair) -> "Joint":
        """By side: what it had said last, and been told. Raises `Invalid`."""
        lines = Lines(said)
        return cls(lines, Versions((told[CALLED], told[CALLER])), OpenedKeys(lines, said, told))


class Straight:
    """Media is the two sides' own. Without a `joint` each is told the other's very words."""

    worker: Worker | None = None

    def __init__(self, joint: Joint | None = None) -> None:
        self._joint = joint

    async def told(self, side: int, said: bytes) -> bytes:
        return self._words(side, said)

    def _words(self, side: int, said: bytes) -> bytes:
        if self._joint is None:
            return said
        across = self._joint.lines.across(side, parse(said.decode(errors="replace")))
        return str(self._joint.versions.next(side, across)).encode()

    def tell(self, side: int, said: bytes, then: Then, otherwise: Otherwise) -> None:
        try:
            then(self._words(side, said))
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
    """By a relay of this worker's. `pump` is called whenever something was told.

    `opened`: each side has keys with us, and none with the other.
    """

    def __init__(
        self,
        name: CallId,
        worker: Worker,
        between: Between,
        pump: Callable[[], None],
        joint: Joint | None = None,
        *,
        opened: bool = False,
    ) -> None:
        self.worker = worker
        self._name, self._between, self._pump = name, between, pump
        self._joint = joint or Joint.of((None, None), (None, None))
        self._opened = opened
        self._tasks: set[asyncio.Task[None]] = set()

    def anew(self, worker: Worker) -> "Through":
        """By another's, whose ports must be told to both sides."""
        return Through(self._name, worker, self._between, self._pump, self._joint, opened=self._opened)

    async def told(self, side: int, said: bytes) -> bytes:
        """The relay counts lines as who is called does."""
        zones, hosts = self._between.zones, self._between.hosts
        words = parse(said.decode(errors="replace"))
        if side == CALLER:
            words = self._joint.lines.across(side, words)
        if self._opened:
            words = self._joint.keys.passed_on(side, words)
        media = [hop.address for hop in hops(words).values()]
        command = RelayCall(
            call=self._name,
            side=side,
            said=str(words),
            believed=zones.believes(hosts[side], media),
            addresses=self._between.course.addresses,
            ipv6=(":" in hosts[CALLER], ":" in hosts[CALLED]),
            opened=self._opened,
            keys=tuple(map(_relay_keys, self._joint.keys.agreed())) if self._opened else (),
        )
        told = parse(answered(await self.worker.ask(command)).answer)
        if side == CALLED:
            told = self._joint.lines.across(side, told)
        return str(self._joint.versions.next(side, told)).encode()

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


def _relay_keys(one: LineKeys) -> RelayKeys:
    keys = one.keys
    return RelayKeys(side=one.side, line=one.line, suite=keys.suite, ours=keys.ours, theirs=keys.theirs)
