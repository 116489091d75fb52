"""Names looked up: a domain's servers by NAPTR and SRV, and their addresses (RFC 3263, section 4).

Nothing is looked up but a name that is called. Answers are kept for as long as they hold, so many of them.
"""

import asyncio
import ipaddress
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.resolver

from mcu.errors import Unavailable
from mcu.protocol.sip.locating import PORTS, SERVICES, Naptr, Srv, Transport, fallback, in_order, services

ANSWER_S: Final = 2.0  # for one kind of records
ALL_S: Final = 5.0
KEPT: Final = 1000  # answers
RECORDS: Final = 16  # of one kind, that are looked at
PLACES: Final = 8  # of one name, that are tried


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is. `name`: what it must prove to be, where its transport is TLS."""

    transport: Transport
    address: str
    port: int
    name: str


class Names:
    """`server`: the DNS server's address and port. `None`: as this machine does, by its files of hosts first."""

    def __init__(self, server: tuple[str, int] | None = None) -> None:
        self._own = server is not None
        self._resolver = _resolver(server)

    async def places(self, name: str, port: int | None, transports: Sequence[Transport]) -> Sequence[Place]:
        """The best first. `transports`: that may be used; only where there are several is the domain asked which.

        Raises `Unavailable` where there is none.
        """
        try:
            async with asyncio.timeout(ALL_S):
                found = await self._found(name, port, transports)
        except TimeoutError:
            found = []
        if not found:
            raise Unavailable("its name has no address")
        return found

    async def _found(self, name: str, port: int | None, transports: Sequence[Transport]) -> list[Place]:
        usual = fallback(transports)
        if _is_address(name):
            return [Place(usual, name, port or PORTS[usual], name)]
        servers = [] if port is not None else await self._servers(name, transports)
        if not servers:
            servers = [(usual, Srv(0, 0, port or PORTS[usual], name))]
        found: list[Place] = []
        for transport, one in servers:
            if one.target and len(found) < PLACES:
                found += [Place(transport, each, one.port, name) for each in await self._addresses(one.target)]
        return found[:PLACES]

    async def _servers(self, name: str, transports: Sequence[Transport]) -> list[tuple[Transport, Srv]]:
        """None: it has addresses alone, if anything."""
        wanted = services(await self._naptr(name), transports) if len(transports) > 1 else []
        wanted = wanted or [(one, f"{SERVICES[one]}.{name}") for one in transports]
        each = await asyncio.gather(*(self._srv(where) for _, where in wanted))
        return [(transport, one) for (transport, _), records in zip(wanted, each, strict=True) for one in records]

    async def _naptr(self, name: str) -> list[Naptr]:
        return [
            Naptr(one.order, one.preference, one.flags.decode(), one.service.decode(), _text(one.replacement))
            for one in await self._records(name, "NAPTR")
        ]

    async def _srv(self, name: str) -> list[Srv]:
        records = await self._records(name, "SRV")
        return in_order(
            [Srv(one.priority, one.weight, one.port, _text(one.target)) for one in records], secrets.randbelow
        )

    async def _addresses(self, name: str) -> list[str]:
        if self._own:
            both = await asyncio.gather(self._records(name, "AAAA"), self._records(name, "A"))
            return [one.address for records in both for one in records]
        try:
            found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            return []
        return list(dict.fromkeys(str(one[4][0]) for one in found))

    async def _records(self, name: str, kind: str) -> list[Any]:
        """Of one kind; none where nobody can be asked, or nobody answers."""
        if self._resolver is None:
            return []
        try:
            answer = await self._resolver.resolve(name + ".", kind, search=False, lifetime=ANSWER_S)
        except (dns.exception.DNSException, OSError, UnicodeError):
            return []
        return list(islice(answer, RECORDS))


def _resolver(server: tuple[str, int] | None) -> dns.asyncresolver.Resolver | None:
    try:
        resolver = dns.asyncresolver.Resolver(configure=server is None)
    except dns.resolver.NoResolverConfiguration:
        return None  # this machine has none
    if server is not None:
        resolver.nameservers, resolver.port = [server[0]], server[1]
    resolver.cache = dns.resolver.LRUCache(KEPT)
    return resolver


def _text(name: Any) -> str:
    return str(name.to_text(omit_final_dot=True)).lower().removeprefix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
