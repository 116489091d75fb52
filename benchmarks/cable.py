"""A network namespace with one cable to this machine, which narrows and widens again. Needs root."""

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

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


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=20)
