"""A network of a test's own: a namespace with one host in it, which a cable joins to this machine.

with network() as there:                     # needs root; `there.here` is this machine's address on the cable
    Popen(["ip", "netns", "exec", there.name, …])
    there.cut()                              # the cable is out: no packet, no error, as when a Wi-Fi goes
    there.mend()
    there.throttle(150)                      # kbit/s each way, with a queue of 0.2 s
    there.unthrottle()
    there.block("meta l4proto udp")          # what it sends of this kind is lost without a word, as by a firewall
    there.unblock()
"""

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_made = itertools.count()


@dataclass(frozen=True)
class Network:
    """Both ends of the cable. Addresses are of 10.222.0.0/16, one /30 a network."""

    name: str
    here: str
    there: str

    def cut(self) -> None:
        _ip("link", "set", self._end, "down")

    def mend(self) -> None:
        _ip("link", "set", self._end, "up")

    def throttle(self, kilobits: int) -> None:
        shape = ("root", "tbf", "rate", f"{kilobits}kbit", "burst", "4kb", "latency", "200ms")
        for words in (("-n", self.name, "qdisc", "replace", "dev", "eth0"), ("qdisc", "replace", "dev", self._end)):
            _run("tc", *words, *shape)

    def unthrottle(self) -> None:
        for words in (("-n", self.name, "qdisc", "del", "dev", "eth0"), ("qdisc", "del", "dev", self._end)):
            _run("tc", *words, "root")

    def block(self, *rules: str) -> None:
        """Rules of nftables, without a verdict."""
        table = "add table inet wall; add chain inet wall out { type filter hook output priority 0; };"
        drops = " ".join(f"add rule inet wall out {rule} drop;" for rule in rules)
        _ip("netns", "exec", self.name, "nft", table + drops)

    def unblock(self) -> None:
        _ip("netns", "exec", self.name, "nft", "delete table inet wall")

    @property
    def _end(self) -> str:
        return f"{self.name}-h"

    def wrapper(self, directory: Path, program: str) -> Path:
        """A file that runs a program in there, for whoever takes only a path."""
        path = directory / f"{Path(program).name}-in-{self.name}"
        path.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        path.chmod(0o755)
        return path


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """One that nobody else has; gone afterwards, and whatever is left of it."""
    number = (os.getpid() * 16 + next(_made)) % 16384
    third, fourth = divmod(number * 4, 256)
    made = Network(f"mcu{number}", f"10.222.{third}.{fourth + 1}", f"10.222.{third}.{fourth + 2}")
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", f"{made.name}-h", "type", "veth", "peer", "name", "eth0", "netns", made.name)
        _ip("addr", "add", f"{made.here}/30", "dev", f"{made.name}-h")
        _ip("link", "set", f"{made.name}-h", "up")
        for words in (("link", "set", "lo", "up"), ("addr", "add", f"{made.there}/30", "dev", "eth0")):
            _ip("-n", made.name, *words)
        _ip("-n", made.name, "link", "set", "eth0", "up")
        yield made
    finally:
        subprocess.run(["ip", "link", "del", f"{made.name}-h"], check=False, capture_output=True)  # at once
        _ip("netns", "del", made.name)


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
