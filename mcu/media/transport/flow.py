"""Whether a stream comes: whoever shares a screen by a line of its own says so by sending on it."""

import asyncio
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 0.5
STOPPED_AFTER: Final = 6  # looks at which nothing more had come
LEAST: Final = 3  # packets between two looks: a stray one, or one that keeps a hole open, is no screen


class Flow:
    """Belongs to one event loop. `end` it."""

    def __init__(self, packets: Callable[[], int], tell: Callable[[bool], None]) -> None:
        """`packets`: that have come in all. `tell`: that it comes, or comes no more."""
        self._packets, self._tell = packets, tell
        self._seen = packets()
        self._quiet = STOPPED_AFTER
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._look)

    def end(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._look)
        now = self._packets()
        came, self._seen = now - self._seen >= LEAST, now
        if came and self._quiet >= STOPPED_AFTER:
            self._tell(True)
        elif not came and self._quiet == STOPPED_AFTER - 1:
            self._tell(False)
        self._quiet = 0 if came else self._quiet + 1
