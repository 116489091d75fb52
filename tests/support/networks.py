"""A network of a test's own: a namespace with one host in it, which a cable joins to this machine.

with network() as there:                     # needs root; `there.here`, `there.here6`: this machine on the cable
    Popen(["ip", "netns", "exec", there.name, …])
    there.cut()                              # the cable is out: no packet, no error, as when a Wi-Fi goes
    there.mend()
    with there.throttled(150):               # kbit/s each way, with a queue of 0.2 s
        there.throttle(60)                   # … and now so much
    with there.walled("meta l4proto udp"):   # what it sends of this kind is lost without a word, as by a firewall
        there.block("tcp dport 80")          # … and this too
        there.unblock()                      # … and now nothing
    with there.ipv6_alone():
        …
    there.shorten(1280)                      # longer packets do not reach it, and nobody is told
    with there.behind_nat("40000-44999"):    # what it sends by UDP comes from these ports
        there.forget()                       # … and from another from now on, as when the NAT forgot
"""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rights import need_root

from benchmarks.cable import Cable, cable, run


class Network(Cable):
    """Both ends of the cable, which have a /64 of fd22::/48 too."""

    @property
    def here6(self) -> str:
        return f"{self._subnet6}::1"

    @property
    def there6(self) -> str:
        return f"{self._subnet6}::2"

    @property
    def _subnet6(self) -> str:
        return f"fd22:0:0:{self.number:x}"

    def cut(self) -> None:
        _ip("link", "set", self.end, "down")

    def mend(self) -> None:
        _ip("link", "set", self.end, "up")

    def throttle(self, kilobits: int) -> None:
        shape = ("root", "tbf", "rate", f"{kilobits}kbit", "burst", "4kb", "latency", "200ms")
        self._queues("replace", *shape)

    @contextlib.contextmanager
    def throttled(self, kilobits: int) -> Iterator[None]:
        self.throttle(kilobits)
        try:
            yield
        finally:
            self._queues("del", "root")

    def _queues(self, act: str, *words: str) -> None:
        """Of both ends."""
        run("tc", "-n", self.name, "qdisc", act, "dev", "eth0", *words)
        run("tc", "qdisc", act, "dev", self.end, *words)

    @contextlib.contextmanager
    def walled(self, *rules: str) -> Iterator[None]:
        self.block(*rules)
        try:
            yield
        finally:
            self.unblock()

    def block(self, *rules: str) -> None:
        """Rules of nftables, without a verdict."""
        chain = "add table inet wall; add chain inet wall out { type filter hook output priority 0; };"
        self._nft(chain + " ".join(f"add rule inet wall out {rule} drop;" for rule in rules))

    def unblock(self) -> None:
        self._nft("add table inet wall; delete table inet wall")  # also where there is none

    def _nft(self, rules: str) -> None:
        _ip("netns", "exec", self.name, "nft", rules)

    @contextlib.contextmanager
    def ipv6_alone(self) -> Iterator[None]:
        address = (f"{self.there}/30", "dev", "eth0")
        _ip("-n", self.name, "addr", "del", *address)
        try:
            yield
        finally:
            _ip("-n", self.name, "addr", "add", *address)

    def shorten(self, mtu: int) -> None:
        """It knows, we do not: as where a tunnel is on the way. IPv6 needs 1280."""
        _ip("-n", self.name, "link", "set", "eth0", "mtu", str(mtu))

    @contextlib.contextmanager
    def behind_nat(self, ports: str, home: str = "") -> Iterator[None]:
        """`ports`: first-last. `home`: an address that it has too, and that nobody else can reach."""
        rule = f"add rule inet nat out meta l4proto udp masquerade to :{ports} random;"
        if home:
            _ip("-n", self.name, "addr", "add", f"{home}/32", "dev", "lo")
            rule += f"add rule inet nat out ip saddr {home} masquerade;"
        chain = "add table inet nat; add chain inet nat out { type nat hook postrouting priority 100; };"
        self._nft(f"{chain} {rule}")
        try:
            yield
        finally:
            self._nft("delete table inet nat")

    def forget(self) -> None:
        command = ["ip", "netns", "exec", self.name, "conntrack", "-D", "-p", "udp", "-f"]
        ends = [subprocess.run([*command, family], check=False, capture_output=True) for family in ("ipv4", "ipv6")]
        assert any(each.returncode == 0 for each in ends), "nothing went through the NAT"

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
    with cable() as line:
        made = Network(line.number)
        _ip("link", "set", made.end, "gso_max_segs", "1")  # a bundle of packets would pass where none of them does
        _ip("-n", made.name, "link", "set", "lo", "up")
        _ip("addr", "add", f"{made.here6}/64", "dev", made.end, "nodad")
        _ip("-n", made.name, "addr", "add", f"{made.there6}/64", "dev", "eth0", "nodad")
        Path(f"/proc/sys/net/ipv6/conf/{made.end}/keep_addr_on_down").write_text("1", "ascii")
        yield made


def _ip(*words: str) -> None:
    run("ip", *words)
