"""What is taken of one leg's pictures: tells the plane which layer, and the far end how much to send in all."""

import asyncio
from collections.abc import Mapping

from mcu.clock import Clock
from mcu.media._native import Event, Plane
from mcu.media.seams import Wanted
from mcu.media.transport.layers import Layers


class Incoming:
    """Belongs to one event loop. `layers`: by the plane's number of each source that is received."""

    def __init__(self, plane: Plane, handle: int, layers: Mapping[int, int], clock: Clock) -> None:
        self._plane, self._handle, self._clock = plane, handle, clock
        self._layers = {source: Layers(count) for source, count in layers.items()}
        self._wanted: dict[int, Wanted] = {}
        self._told: dict[int, tuple[int, bool]] = {}
        self._limit = 0
        self._later: dict[int, asyncio.TimerHandle] = {}

    def want(self, source: int, wanted: Wanted) -> None:
        """What the views need of a source. Nothing of one that is not received."""
        if source in self._layers:
            self._wanted[source] = wanted
            self._choose(source, self._clock.monotonic())

    def on_layer(self, event: Event) -> None:
        """The plane's LAYER."""
        now = self._clock.monotonic()
        again = self._layers[event.a].heard(event.b, bool(event.c), (event.width, event.height), now)
        if again is not None:
            if event.a in self._later:
                self._later[event.a].cancel()
            # uvloop's timers may be 1 ms early: told the time that was meant, not what the clock says then.
            self._later[event.a] = asyncio.get_running_loop().call_later(again - now, self._choose, event.a, again)
        self._choose(event.a, now)

    def end(self) -> None:
        """The plane has no such leg any more."""
        for timer in self._later.values():
            timer.cancel()

    def _choose(self, source: int, now: float) -> None:
        wanted = self._wanted.get(source)
        if wanted is None:
            return
        choice = (self._layers[source].choose(wanted, now), wanted.thin)
        if self._told.get(source) != choice:
            self._told[source] = choice
            self._plane.choose(self._handle, source, *choice)
        limit = sum(self._layers[source].bits_per_second(what) for source, what in self._wanted.items())
        if limit != self._limit:  # one limit for the sum: a browser takes it for all that it sends
            self._limit = limit
            self._plane.limit(self._handle, limit)
