"""A network namespace with one cable to this machine, which narrows and widens again; and being in it. Needs root."""

import contextlib
import ctypes
import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CLONE_NEWNET: Final = 0x40000000
_libc: Final = ctypes.CDLL(None, use_errno=True)
_made = itertools.count()


@dataclass(frozen=True)
class Cable:
    """`here`, `there`: the addresses of both ends, a /30 of 10.223.0.0/16; `end` and eth0 are their devices."""

    number: int

    @property
    def name(self) -> str:
        """Of the namespace."""
        return f"mcu{self.number}"

    @property
    def end(self) -> str:
        return f"{self.name}-h"

    @property
    def here(self) -> str:
        return self._address(1)

    @property
    def there(self) -> str:
        return self._address(2)

    def _address(self, host: int) -> str:
        third, fourth = divmod(self.number * 4 + host, 256)
        return f"10.223.{third}.{fourth}"

    def narrow(self, kilobits: int, queue_ms: int) -> None:
        """Towards the namespace: so much a second. What a queue cannot hold that takes so long to empty is lost."""
        shape = ("rate", f"{kilobits}kbit", "burst", "2kb", "latency", f"{queue_ms}ms")
        run("tc", "qdisc", "add", "dev", self.end, "root", "tbf", *shape)

    def widen(self) -> None:
        run("tc", "qdisc", "del", "dev", self.end, "root")


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """One that nobody else has; gone afterwards, and whatever is left of it."""
    made = Cable((os.getpid() * 16 + next(_made)) % 16384)
    run("ip", "netns", "add", made.name)
    try:
        run("ip", "link", "add", made.end, "type", "veth", "peer", "name", "eth0", "netns", made.name)
        for words in (
            ("addr", "add", f"{made.here}/30", "dev", made.end),
            ("link", "set", made.end, "up"),
            ("-n", made.name, "addr", "add", f"{made.there}/30", "dev", "eth0"),
            ("-n", made.name, "link", "set", "eth0", "up"),
        ):
            run("ip", *words)
        yield made
    finally:
        subprocess.run(["ip", "link", "del", made.end], check=False, capture_output=True)  # at once
        run("ip", "netns", "del", made.name)


@contextlib.contextmanager
def inside(network: str) -> Iterator[None]:
    """Sockets that this thread makes meanwhile are in this network namespace, and stay there. Needs root."""
    if not network:
        yield
        return
    with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{network}").open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=20)
