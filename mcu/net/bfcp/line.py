"""One call's floor at the sockets: by which way its other side comes, and what is told of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from mcu.clock import Clock
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import Asked, Floor, Released
from mcu.protocol.bfcp.message import Malformed, Message
from mcu.protocol.bfcp.participant import MayShow, Participant, TheyShow
from mcu.protocol.sdp.floor import UDP, Taken

A_SECOND: Final = 50  # messages of one call
AGAIN_S: Final = (1.0, 60.0)  # until we connect again: at first, and at most

News = Asked | Released | MayShow | TheyShow
Told = Callable[[News], None]


class Way(Protocol):
    """What messages come and go by: a peer's address, a connection, an association."""

    def write(self, data: bytes, /) -> None: ...
    def close(self) -> None: ...


class Reaches(Protocol):
    """Whose line it is."""

    def forget(self, line: "FloorLine", /) -> None: ...

    def plain(self, line: "FloorLine", /) -> Way:
        """By datagrams in the clear, to where its SDP says."""

    async def reach(self, line: "FloorLine", /) -> None:
        """Connects to its other side, or shakes hands with it. Returns when that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The other side: from where it may come, and how."""

    hosts: frozenset[str]
    taken: Taken


class FloorLine:
    """`close` it. What its other side asks for, or says of its own floor, is `told`."""

    def __init__(self, server: Reaches, end: Floor | Participant, peer: Peer, told: Told, clock: Clock) -> None:
        self.peer = peer
        self.way: Way | None = None  # by which it came last
        self._end = end
        self._server, self._told, self._clock = server, told, clock
        self._timer: asyncio.TimerHandle | None = None
        self._reaching: asyncio.Task[None] | None = None
        self._second, self._read = 0.0, 0  # of messages

    @property
    def ids(self) -> Ids:
        return self._end.ids

    def begin(self) -> None:
        """Who waits for us is connected to, from now on and again when that ends; of a floor of theirs we ask first."""
        taken = self.peer.taken
        if taken.begins and self._reaching is None:
            self._reaching = asyncio.create_task(self._keep_reaching())
        elif taken.theirs is not None and taken.protocol == UDP and self.way is None:
            self.reached(self._server.plain(self))

    def do(self, act: Callable[[float], None]) -> None:
        """An act of its end, which is told the time."""
        act(self._now)
        self._pump()

    def close(self) -> None:
        self._server.forget(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._reaching is not None:
            self._reaching.cancel()
        if self.way is not None:
            self.way.close()

    # -- of the sockets -----------------------------------------------------------------------------------------------

    def reached(self, way: Way) -> None:
        """There is one, before anything has come by it."""
        if self.peer.taken.theirs is not None:
            self._comes_by(way)
        self.do(self._end.begin)

    def datagram(self, data: bytes, way: Way) -> None:
        if self.may_say_more():
            self._comes_by(way)  # the address of a router in between may change
            self._end.datagram(data, self._now)
            self._pump()

    def message(self, message: Message, way: Way) -> None:
        if not self.may_say_more():
            way.close()
            return
        self._comes_by(way)
        self._end.message(message, self._now)
        self._pump()

    def unreadable(self, error: Malformed) -> None:
        self._end.unreadable(error, self._now)
        self._pump()

    def lost(self, way: Way) -> None:
        if way is self.way:
            self.way = None
            self._end.lost()
            self._pump()

    def _comes_by(self, way: Way) -> None:
        former, self.way = self.way, way
        if former is not None and former is not way:
            former.close()

    def may_say_more(self) -> bool:
        """It is counted."""
        if self._now - self._second >= 1:
            self._second, self._read = self._now, 0
        self._read += 1
        return self._read <= A_SECOND

    @property
    def _now(self) -> float:
        return self._clock.monotonic()

    def _pump(self) -> None:
        for one in self._end.take():
            if not isinstance(one, bytes):
                self._told(one)
            elif self.way is not None:
                self.way.write(one)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._end.next_timer()
        loop = asyncio.get_running_loop()
        self._timer = None if due is None else loop.call_later(max(0.0, due - self._now), self._time_came)

    def _time_came(self) -> None:
        self._end.handle_timer(self._now)
        self._pump()

    async def _keep_reaching(self) -> None:
        wait, longest = AGAIN_S
        while True:
            await self._server.reach(self)
            await asyncio.sleep(wait)
            wait = min(2 * wait, longest)
