"""Meeting PINs: made, hashed (argon2id), checked. Off the event loop, a few at a time, and always the same work.

A check costs one hash whether the meeting exists, has a PIN, or the guess is right: the time tells nothing.
"""

import asyncio
import hmac
import os
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from argon2.low_level import Type, hash_secret_raw

from mcu.errors import Unavailable

SALT_BYTES = 16
NEW_PIN_DIGITS = 6
MAX_WAITING = 256  # more checks than this are refused; as many run as there are threads, each at 64 MiB and a core


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Argon2id's parameters (RFC 9106 section 4, the second recommended set). Memory in KiB."""

    time: int = 3
    memory: int = 65536
    lanes: int = 4


class PinHasher:
    """Hashes PINs in threads of its own. `close()` ends them."""

    def __init__(self, cost: Cost | None = None, threads: int = 2) -> None:
        self._cost = cost or Cost()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pins")
        self._waiting = 0

    def close(self) -> None:
        self._threads.shutdown()

    async def hash(self, pin: str, salt: bytes) -> bytes:
        """32 bytes. Raises `Unavailable` when too many wait."""
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many PINs are being checked.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._hash, pin, salt)
        finally:
            self._waiting -= 1

    async def which(self, pin: str, salt: bytes, hashes: Iterable[bytes | None]) -> int | None:
        """The place in `hashes` of the one that is the PIN's. An empty salt costs as much and finds nothing."""
        found = await self.hash(pin, salt or os.urandom(SALT_BYTES))
        same = [one is not None and hmac.compare_digest(found, one) for one in hashes]
        return same.index(True) if salt and any(same) else None

    def _hash(self, pin: str, salt: bytes) -> bytes:
        cost = self._cost
        return hash_secret_raw(pin.encode(), salt, cost.time, cost.memory, cost.lanes, 32, Type.ID)


def new_salt() -> bytes:
    return os.urandom(SALT_BYTES)


def new_pin(digits: int = NEW_PIN_DIGITS) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(digits))
