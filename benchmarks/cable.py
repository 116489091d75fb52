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
    """`here`, `there`: the addresses of both ends, of 10.223.0.0/16."""

    name: str  # of the namespace
    here: str
    there: str

    def narrow(self, kilobits: int, queue_ms: int) -> None:
        """Towards the namespace: so much a second. What a queue cannot hold that takes so long to empty is lost."""
        shape = ("rate", f"{kilobits}kbit", "burst", "2kb", "latency", f"{queue_ms}ms")
        _run("tc", "qdisc", "add", "dev", self._end, "root", "tbf", *shape)

    def widen(self) -> None:
        _run("tc", "qdisc", "del", "dev", self._end, "root")

    @property
    def _end(self) -> str:
        return f"{self.name}-h"


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """One that nobody else has; gone afterwards."""
    number = (os.getpid() * 4 + next(_made)) % 16384
    third, fourth = divmod(number * 4, 256)
    made = Cable(f"load{number}", f"10.223.{third}.{fourth + 1}", f"10.223.{third}.{fourth + 2}")
    _run("ip", "netns", "add", made.name)
    try:
        _run("ip", "link", "add", f"{made.name}-h", "type", "veth", "peer", "name", "eth0", "netns", made.name)
        for words in (
            ("addr", "add", f"{made.here}/30", "dev", f"{made.name}-h"),
            ("link", "set", f"{made.name}-h", "up"),
            ("-n", made.name, "addr", "add", f"{made.there}/30", "dev", "eth0"),
            ("-n", made.name, "link", "set", "eth0", "up"),
        ):
            _run("ip", *words)
        yield made
    finally:
        subprocess.run(["ip", "link", "del", f"{made.name}-h"], check=False, capture_output=True)
        _run("ip", "netns", "del", made.name)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
