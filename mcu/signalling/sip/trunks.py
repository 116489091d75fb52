"""Trunks: which of them take a number, in which order, and how each is doing. Pure: it is given the time."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from mcu.errors import TooMany, Unavailable
from mcu.networks import machine
from mcu.protocol.sip.locating import Transport
from mcu.signalling.sip.guard import NotAllowed, is_dear

ASIDE_S: Final = 30.0  # a trunk that failed is tried last for so long
SPELLINGS: Final = 4000  # that are remembered
ASIDE_MOST_S: Final = 600.0  # whatever its Retry-After says


@dataclass(frozen=True, slots=True)
class Host:
    """Where a trunk listens: a name, or an address, IPv6 without brackets. A name without a port has SRV records."""

    name: str
    port: int | None = None

    def __str__(self) -> str:
        return self.name if self.port is None else f"{self.name}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """See `mcu.config.sip.Trunk`."""

    name: str
    hosts: tuple[Host, ...]
    transport: Transport
    registers: bool
    domain: str  # of its users, and what its digest knows us by
    user: str
    password: str = field(repr=False)
    caller_id: str = field(repr=False)
    priority: int
    prefixes: tuple[str, ...]
    dear: bool
    codecs: tuple[str, ...]
    encrypted: bool
    by_dtls: bool  # the keys of what is
    verifies: bool  # the numbers of those who call
    calls_max: int

    def takes(self, number: str, *, dear: bool) -> bool:
        return (self.dear or not dear) and number.startswith(self.prefixes)


@dataclass(slots=True)
class Health:
    """How a trunk is doing. `None`: nothing is known yet."""

    answers: bool | None = None  # OPTIONS
    reason: str = ""  # why a host of it does not
    registered: bool | None = None  # `None` too for one that does not register
    going: int = 0  # calls
    aside_until: float = 0.0

    @property
    def up(self) -> bool:
        return self.answers is not False and self.registered is not False


class Trunks:
    """All of the settings'."""

    def __init__(self, trunks: Iterable[Trunk]) -> None:
        self.all: Sequence[Trunk] = sorted(trunks, key=lambda one: one.priority)
        self.health = {one.name: Health() for one in self.all}
        self._addresses = {one.name: {spelt(host.name) for host in one.hosts} for one in self.all}

    def for_number(self, number: str, now: float, names: Collection[str] = ()) -> list[Trunk]:
        """Those that may take it, the best first; of `names` alone, where there are any.

        Raises `NotAllowed`, `TooMany` (all are full) or `Unavailable`.
        """
        if not self.all:
            raise Unavailable("There is no trunk: see sip.trunks in the configuration.")
        dear = is_dear(number)
        open_ = [one for one in self.all if not names or one.name in names]
        allowed = [one for one in open_ if one.takes(number, dear=dear)]
        if not allowed:
            raise NotAllowed("No trunk takes numbers that begin so: see sip.trunks in the configuration.")
        free = [one for one in allowed if not self._is_full(one)]
        if not free:
            raise TooMany("The trunk has as many calls as it takes.", retry_after=10)
        return sorted(free, key=lambda one: self._last(one, now))

    def _last(self, trunk: Trunk, now: float) -> bool:
        """One that seems to be down is tried all the same, after the others."""
        health = self.health[trunk.name]
        return not health.up or health.aside_until > now

    def _is_full(self, trunk: Trunk) -> bool:
        return self.health[trunk.name].going >= trunk.calls_max

    def take(self, trunk: Trunk) -> bool:
        """One of its lines, to `give_back`: false where others have taken them all since it was looked for."""
        if self._is_full(trunk):
            return False
        self.health[trunk.name].going += 1
        return True

    def give_back(self, trunk: Trunk) -> None:
        self.health[trunk.name].going -= 1

    def failed(self, trunk: Trunk, now: float, retry_after: float | None = None) -> None:
        """503, or nothing at all."""
        health = self.health[trunk.name]
        health.aside_until = now + min(retry_after or ASIDE_S, ASIDE_MOST_S)

    def found_at(self, trunk: Trunk, addresses: Iterable[str]) -> None:
        """What its names resolve to: calls from there are its own, and no URI leads there."""
        self._addresses[trunk.name].update(map(spelt, addresses))

    def at(self, host: str) -> Trunk | None:
        """Whose host or address it is, however it is spelt."""
        here = spelt(host)
        return next((one for one in self.all if here in self._addresses[one.name]), None)


@lru_cache(maxsize=SPELLINGS)
def spelt(host: str) -> str:
    """A name or an address as every spelling of it is known; an IPv4 address within one of IPv6 is the same."""
    try:
        return str(machine(host))
    except ValueError:
        return host.lower().removesuffix(".")
