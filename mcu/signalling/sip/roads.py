"""Names into flows: what leads to a trunk, and what leads elsewhere."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Final, Protocol

from mcu.errors import Unavailable
from mcu.net.sip.endpoint import Endpoint, Flow
from mcu.signalling.sip.guard import NotAllowed
from mcu.signalling.sip.trunks import Host, Transport, Trunk, Trunks

RESOLVE_S: Final = 4.0


class Sockets(Protocol):
    """What leads to a peer."""

    @property
    def endpoint(self) -> Endpoint: ...


class Roads:
    """By the sockets that there are."""

    def __init__(self, trunks: Trunks, sockets: Sockets) -> None:
        self.trunks, self._sockets = trunks, sockets

    async def to_trunk(self, trunk: Trunk, host: Host) -> Flow:
        """Whatever comes from there is the trunk's own from now on. Raises `Unavailable`."""
        addresses = await resolved(host)
        self.trunks.found_at(trunk, addresses)
        return await self._flow(addresses, host, trunk.transport)

    async def past_trunks(self, host: Host, transport: Transport) -> Flow:
        """Raises `Unavailable`; `NotAllowed` where its name is that of a trunk's address."""
        addresses = await resolved(host)
        if any(self.trunks.at(one) is not None for one in addresses):
            raise NotAllowed("A trunk is called by number alone.")
        return await self._flow(addresses, host, transport)

    async def _flow(self, addresses: Sequence[str], host: Host, transport: Transport) -> Flow:
        endpoint, port = self._sockets.endpoint, host.port
        name = host.name if transport == "tls" else ""
        last = Unavailable("its name has no address")
        for address in addresses:
            try:
                if transport == "udp":
                    return endpoint.datagrams_to(address, port)
                return await endpoint.connection_to(address, port, name)
            except Unavailable as error:
                last = error
        raise last


async def resolved(host: Host) -> list[str]:
    """Its addresses, in the order in which to try them. Raises `Unavailable`."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await loop.getaddrinfo(host.name, host.port, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise Unavailable("its name has no address") from error
    return list(dict.fromkeys(str(one[4][0]) for one in found))
