"""What waits to be sent on one WebSocket: bounded, and of rosters only the newest, ten a second at most.

A browser that reads too slowly overflows its own outbox, and is closed; nobody else notices.
"""

import asyncio
from collections import deque

from mcu.clock import Clock

MAX_WAITING = 100  # messages
ROSTER_EVERY_S = 0.1


class Overflow(Exception):
    """More waits than the bound."""


class Outbox:
    """Messages in order; a roster replaces the one that waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._roster: bytes | None = None
        self._roster_at = float("-inf")  # when the last was taken
        self._filled = asyncio.Event()
        self._ended = False

    def end(self) -> None:
        """Nothing more is put: `take` gives what waits, and then `None`."""
        self._ended = True
        self._filled.set()

    def put(self, message: bytes) -> None:
        """Raises `Overflow`, and takes nothing, when too much waits."""
        if len(self._waiting) >= MAX_WAITING:
            raise Overflow
        self._waiting.append(message)
        self._filled.set()

    def put_roster(self, message: bytes) -> None:
        self._roster = message
        self._filled.set()

    async def take(self) -> bytes | None:
        """The next message, when it is due."""
        while True:
            if self._waiting:
                return self._waiting.popleft()
            if self._ended:
                return None
            now = self._clock.monotonic()
            if self._roster is not None and now - self._roster_at >= ROSTER_EVERY_S:
                message, self._roster, self._roster_at = self._roster, None, now
                return message
            self._filled.clear()
            await self._wait(None if self._roster is None else self._roster_at + ROSTER_EVERY_S - now)

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._filled.wait()
        except TimeoutError:
            pass
