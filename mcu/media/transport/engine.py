"""The event loop's side of a worker's native plane: takes its events and hands each to the leg that it is about.

What concerns the tick goes before everything else, in its order: sound that did not go out, then what was collected
for the mixer. The rest is handed out for at most `TURN_S` at a time, and no more is taken from the plane while
`WAITING_MAX` wait here: then the plane's own bounds hold, which drop pictures first and count them. A leg that fails on
an event is told so and ends alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import structlog

from mcu.clock import Clock
from mcu.errors import NotAcceptable, Unavailable
from mcu.media._native import COLLECTED, UNSENT, Event, Plane
from mcu.media.messages import NetworkReport
from mcu.media.transport.addresses import bound_addresses, candidates
from mcu.media.transport.dtls import Certificates
from mcu.media.transport.options import MediaOptions

log = structlog.get_logger(__name__)

TURN_S = 0.002  # of events, before others get the loop
WAITING_MAX = 256  # events


class LegEvents(Protocol):
    """What hears of one leg."""

    def on_event(self, event: Event) -> None: ...

    def on_failure(self) -> None:
        """`on_event` raised: the leg is of no use any more."""


NO_PORTS: Final = "This media worker has no free ports: raise media.rtp_last_port in the configuration."


class RelayAddress(NamedTuple):
    told: str
    bound: str


class Engine:
    """Owns `plane` and watches it on the running loop. `close` ends both.

    Raises `OSError` where a socket cannot be had.
    """

    def __init__(self, options: MediaOptions, clock: Clock) -> None:
        bound = bound_addresses(options.addresses)
        self.plane = Plane(
            bound,
            port=options.port,
            tcp_port=options.tcp_port,
            ports=options.rtp_ports,
            silent_s=options.rtp_lost_s,
        )
        if not self.plane.tcp_port:
            log.warning("tcp_port_taken", port=self.plane.port)  # who cannot send UDP cannot come here
        self.candidates = candidates(options, bound, self.plane.port, self.plane.tcp_port)
        self.certificates = Certificates()
        self._addresses, self._bound = (*options.public, *bound), tuple(bound)
        self.on_collected: Callable[[int, int], None] = lambda _tick, _since: None
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._legs: dict[int, LegEvents] = {}
        self._waiting: deque[Event] = deque()
        self._closed = self._reading = self._turn_due = False
        self._read(True)

    def rtp_address(self, *, ipv6: bool) -> str:
        """Ours, as peers reach it, for legs with ports of their own. Raises `NotAcceptable`: none of that family."""
        found = next((address for address in self._addresses if (":" in address) == ipv6), None)
        if found is None:
            raise NotAcceptable(f"There is no {'IPv6' if ipv6 else 'IPv4'} address here: see media.addresses.")
        return found

    def relay_address(self, address: str, *, ipv6: bool) -> RelayAddress:
        """By which one side of a relay reaches us: this one, or "": as `rtp_address`. Raises so, or `Unavailable`."""
        if not address:
            told = self.rtp_address(ipv6=ipv6)
            bound = next((one for one in self._bound if (":" in one) == ipv6), None)
        else:
            told, bound = address, address if address in self._bound else None
        if bound is None:
            raise Unavailable("An address of a zone is none of media.addresses: see sip.zones in the configuration.")
        return RelayAddress(told, bound)

    def listen(self, handle: int, leg: LegEvents) -> None:
        """From now on `leg` hears of the leg that the plane calls `handle`."""
        self._legs[handle] = leg

    def remove(self, handle: int) -> None:
        """Ends a leg in the plane; what it still had to say is let go. A leg that is gone stays gone."""
        if self._legs.pop(handle, None) is not None:
            self.plane.remove(handle)

    def take(self) -> None:
        """What has come by now, also what waits for other events to be told of."""
        if self._reading:
            self._take()

    def stats(self) -> dict[str, Any]:
        """The plane's totals: see `struct mcu_plane_stats` in plane.h."""
        return self.plane.stats()

    def network(self) -> NetworkReport:
        """What went over the network, for the worker's report."""
        stats = self.plane.stats()
        return NetworkReport(**{name: stats[name] for name in NetworkReport.__struct_fields__})

    def close(self) -> None:
        """Ends the plane's threads and sockets."""
        self._closed = True
        self._read(False)
        self._waiting.clear()
        self._legs.clear()
        self.plane.close()

    # -- events ---------------------------------------------------------------------------------------------------

    def _read(self, on: bool) -> None:
        if on == self._reading:
            return
        self._reading = on
        if on:
            self._loop.add_reader(self.plane.fileno(), self._take)
        else:
            self._loop.remove_reader(self.plane.fileno())

    def _take(self) -> None:
        for event in self.plane.events():
            if event.kind == COLLECTED:
                self.on_collected(event.a, event.b)
            elif event.kind == UNSENT:
                self._hand_out(event)
            else:
                self._waiting.append(event)
        if not self._turn_due:
            self._turn()

    def _turn(self) -> None:
        self._turn_due = False
        until = self._clock.monotonic() + TURN_S
        while self._waiting and self._clock.monotonic() < until:
            self._hand_out(self._waiting.popleft())
        if self._waiting:
            self._turn_due = True
            self._loop.call_soon(self._turn)
        self._read(not self._closed and len(self._waiting) < WAITING_MAX)

    def _hand_out(self, event: Event) -> None:
        leg = self._legs.get(event.leg)
        if leg is None:
            return
        try:
            leg.on_event(event)
        except Exception:  # the loop of all legs: one leg's defect ends that leg alone
            log.exception("leg_event_failed", kind=event.kind)
            leg.on_failure()
