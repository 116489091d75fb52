"""Networks that are kept apart: which zone an address is in, which zones reach which, and how their media goes (S11).

Pure. Where there are no zones, everybody reaches everybody and media goes straight.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mcu.errors import Refused
from mcu.networks import machine


class Apart(Refused):
    """Neither media nor a call goes from the one zone to the other."""

    code, title = "zones-apart", "The network of whoever is called is not reached from this one"


@dataclass(frozen=True, kw_only=True)
class Zone:
    """See `mcu.config.sip.SipZone`."""

    name: str
    networks: tuple[str, ...]
    direct: bool
    reaches: frozenset[str]
    address: str


@dataclass(frozen=True, slots=True)
class Course:
    """How the media of a call goes, from the caller's network to that of whom it calls.

    `addresses`: ours, as each reaches us; "": the first.
    """

    direct: bool
    addresses: tuple[str, str] = ("", "")


class Zones:
    def __init__(self, zones: Sequence[Zone]) -> None:
        self._zones = zones
        networks = [(ipaddress.ip_network(network), zone) for zone in zones for network in zone.networks]
        self._networks = sorted(networks, key=lambda one: -one[0].prefixlen)

    def of(self, address: str) -> Zone | None:
        """By the smallest network that it is in; None where it is in none."""
        try:
            host = machine(address)
        except ValueError:
            return None
        return next((zone for network, zone in self._networks if host in network), None)

    def course(self, caller: str, called: str) -> Course:
        """Between two addresses. Raises `Apart`: also where one is in no zone, and there are any."""
        if not self._zones:
            return Course(direct=True)
        one, other = self.of(caller), self.of(called)
        if one is None or other is None or not _reaches(one, other):
            raise Apart("The zones of the two may not reach each other: see sip.zones in the configuration.")
        return Course(direct=one is other and one.direct, addresses=(one.address, other.address))

    def believes(self, signalling: str, media: Sequence[str]) -> bool:
        """Whether who calls from the one address may take media at the others: they are in one zone."""
        return not self._zones or all(self.of(one) is self.of(signalling) for one in media)

    def explained(self, called: Sequence[str]) -> Iterator[str]:
        """In words, how calls reach whoever is registered at these addresses."""
        if not self._zones:
            yield "There are no zones: media goes straight between the two."
        elif not called:
            yield "Registered nowhere now: the zone is that of the address by which it comes."
        for address in dict.fromkeys(called) if self._zones else ():
            other = self.of(address)
            if other is None:
                yield "Registered from an address that is in no zone: refused from everywhere."
                continue
            how = ", ".join(f"from {one.name} {_how(one, other)}" for one in self._zones)
            yield f"Registered in the zone {other.name}: {how}."


def _reaches(one: Zone, other: Zone) -> bool:
    return one is other or other.name in one.reaches


def _how(one: Zone, other: Zone) -> str:
    if not _reaches(one, other):
        return "refused"
    return "media goes straight" if one is other and one.direct else "media goes through this server"


OPEN: Final = Zones(())
