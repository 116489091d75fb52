"""A network of a test's own: a namespace with one host in it, which a cable joins to this machine.

with network() as there:                     # needs root; `there.here`, `there.here6`: this machine on the cable
    Popen(["ip", "netns", "exec", there.name, …])
    there.cut()                              # the cable is out: no packet, no error, as when a Wi-Fi goes
    there.mend()
    there.throttle(150)                      # kbit/s each way, with a queue of 0.2 s
    there.unthrottle()
    there.block("meta l4proto udp")          # what it sends of this kind is lost without a word, as by a firewall
    there.unblock()
    there.without_ipv4()                     # IPv6 is what it has left
    there.with_ipv4()
    there.narrow(1280)                       # longer packets do not reach it, and nobody is told
    there.behind_nat("40000-44999")          # what it sends by UDP comes from these ports
    there.forget()                           # … and from another from now on, as when the NAT forgot
    there.without_nat()
"""

import contextlib
import itertools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rights import need_root

_made = itertools.count()


@dataclass(frozen=True)
class Network:
    """Both ends of the cable. Addresses: a /30 of 10.222.0.0/16, and a /64 of fd22::/48."""

    name: str
    here: str
    there: str
    here6: str

    def cut(self) -> None:
        _ip("link", "set", self.end, "down")

    def mend(self) -> None:
        _ip("link", "set", self.end, "up")

    def throttle(self, kilobits: int) -> None:
        shape = ("root", "tbf", "rate", f"{kilobits}kbit", "burst", "4kb", "latency", "200ms")
        for words in (("-n", self.name, "qdisc", "replace", "dev", "eth0"), ("qdisc", "replace", "dev", self.end)):
            _run("tc", *words, *shape)

    def unthrottle(self) -> None:
        for words in (("-n", self.name, "qdisc", "del", "dev", "eth0"), ("qdisc", "del", "dev", self.end)):
            _run("tc", *words, "root")

    def block(self, *rules: str) -> None:
        """Rules of nftables, without a verdict."""
        table = "add table inet wall; add chain inet wall out { type filter hook output priority 0; };"
        drops = " ".join(f"add rule inet wall out {rule} drop;" for rule in rules)
        _ip("netns", "exec", self.name, "nft", table + drops)

    def unblock(self) -> None:
        _ip("netns", "exec", self.name, "nft", "delete table inet wall")

    def without_ipv4(self) -> None:
        _ip("-n", self.name, "addr", "del", f"{self.there}/30", "dev", "eth0")

    def with_ipv4(self) -> None:
        _ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", "eth0")

    def narrow(self, mtu: int) -> None:
        """It knows, we do not: as where a tunnel is on the way. IPv6 needs 1280."""
        _ip("-n", self.name, "link", "set", "eth0", "mtu", str(mtu))

    def behind_nat(self, ports: str) -> None:
        """`ports`: first-last."""
        rule = f"add rule inet nat out meta l4proto udp masquerade to :{ports} random"
        table = f"add table inet nat; add chain inet nat out {{ type nat hook postrouting priority 100; }}; {rule}"
        _ip("netns", "exec", self.name, "nft", table)

    def forget(self) -> None:
        command = ["ip", "netns", "exec", self.name, "conntrack", "-D", "-p", "udp", "-f"]
        ends = [subprocess.run([*command, family], check=False, capture_output=True) for family in ("ipv4", "ipv6")]
        assert any(each.returncode == 0 for each in ends), "nothing went through the NAT"

    def without_nat(self) -> None:
        _ip("netns", "exec", self.name, "nft", "delete table inet nat")

    @property
    def end(self) -> str:
        return f"{self.name}-h"

    def wrapper(self, directory: Path, program: Path) -> Path:
        """A file that runs a program in there, for whoever takes only a path."""
        path = directory / f"{program.name}-in-{self.name}"
        path.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        path.chmod(0o755)
        return path


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """One that nobody else has; gone afterwards, and whatever is left of it."""
    need_root("a network of its own")
    number = (os.getpid() * 16 + next(_made)) % 16384
    third, fourth = divmod(number * 4, 256)
    subnet, subnet6 = f"10.222.{third}", f"fd22:0:0:{number:x}"
    made = Network(f"mcu{number}", f"{subnet}.{fourth + 1}", f"{subnet}.{fourth + 2}", f"{subnet6}::1")
    here, there = (f"{made.here}/30", f"{made.here6}/64"), (f"{made.there}/30", f"{subnet6}::2/64")
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", made.end, "type", "veth", "peer", "name", "eth0", "netns", made.name)
        _ip("link", "set", made.end, "gso_max_segs", "1")  # a bundle of packets would pass where none of them does
        _ip("-n", made.name, "link", "set", "lo", "up")
        for where, device, addresses in (((), made.end, here), (("-n", made.name), "eth0", there)):
            for address in addresses:
                _ip(*where, "addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
            _ip(*where, "link", "set", device, "up")
        Path(f"/proc/sys/net/ipv6/conf/{made.end}/keep_addr_on_down").write_text("1", "ascii")
        yield made
    finally:
        subprocess.run(["ip", "link", "del", made.end], check=False, capture_output=True)  # at once
        _ip("netns", "del", made.name)


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
