"""One call's floor at the sockets: by which way its client comes, and what is told of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from mcu.clock import Clock
from mcu.protocol.bfcp.floor import Asked, Floor, Ids, Released
from mcu.protocol.bfcp.message import Malformed, Message
from mcu.protocol.sdp.floor import Taken

A_SECOND: Final = 50  # messages of one call
AGAIN_S: Final = (1.0, 60.0)  # until we connect again: at first, and at most

Told = Callable[[Asked | Released], None]


class Way(Protocol):
    """What messages come and go by: a peer's address, a connection, an association."""

    def write(self, data: bytes, /) -> None: ...
    def close(self) -> None: ...


class Reaches(Protocol):
    """Whose line it is."""

    def forget(self, line: "FloorLine", /) -> None: ...

    async def reach(self, line: "FloorLine", /) -> None:
        """Connects to its client, or shakes hands with it. Returns when that is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Whose floor it is: from where it may come, and how."""

    hosts: frozenset[str]
    taken: Taken


class FloorLine:
    """`close` it. What its client asks for is `told`."""

    def __init__(self, server: Reaches, ids: Ids, client: Client, told: Told, clock: Clock) -> None:
        self.client = client
        self.used = False  # its client has asked for the floor
        self.way: Way | None = None  # by which it came last
        self._floor = Floor(ids, reliable=client.taken.reliable)
        self._server, self._told, self._clock = server, told, clock
        self._timer: asyncio.TimerHandle | None = None
        self._reaching: asyncio.Task[None] | None = None
        self._second, self._read = 0.0, 0  # of messages

    @property
    def ids(self) -> Ids:
        return self._floor.ids

    @property
    def asks(self) -> bool:
        """It waits to be granted or denied."""
        return self._floor.asks

    @property
    def granted(self) -> bool:
        return self._floor.granted

    def begin(self) -> None:
        """Its call is one that we connect for, where its client waits for that: from now on, and again if it ends."""
        if self.client.taken.begins and self._reaching is None:
            self._reaching = asyncio.create_task(self._keep_reaching())

    def grant(self) -> None:
        self._floor.grant(self._now)
        self._pump()

    def deny(self) -> None:
        self._floor.deny(self._now)
        self._pump()

    def revoke(self) -> None:
        self._floor.revoke(self._now)
        self._pump()

    def others(self, has_it: bool) -> None:
        """See `Floor.others`."""
        self._floor.others(has_it, self._now)
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

    def datagram(self, data: bytes, way: Way) -> None:
        if self.may_say_more():
            self._comes_by(way)  # the address of a router in between may change
            self._floor.datagram(data, self._now)
            self._pump()

    def message(self, message: Message, way: Way) -> None:
        if not self.may_say_more():
            way.close()
            return
        self._comes_by(way)
        self._floor.message(message, self._now)
        self._pump()

    def unreadable(self, error: Malformed) -> None:
        self._floor.unreadable(error, self._now)
        self._pump()

    def lost(self, way: Way) -> None:
        if way is self.way:
            self.way = None
            self._floor.lost()
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
        for one in self._floor.take():
            if not isinstance(one, bytes):
                self.used = True
                self._told(one)
            elif self.way is not None:
                self.way.write(one)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._floor.next_timer()
        loop = asyncio.get_running_loop()
        self._timer = None if due is None else loop.call_later(max(0.0, due - self._now), self._time_came)

    def _time_came(self) -> None:
        self._floor.handle_timer(self._now)
        self._pump()

    async def _keep_reaching(self) -> None:
        wait, longest = AGAIN_S
        while True:
            await self._server.reach(self)
            await asyncio.sleep(wait)
            wait = min(2 * wait, longest)
