"""Names into flows: what leads to a trunk, and what leads elsewhere."""

from collections.abc import Sequence
from typing import Protocol

from mcu.net.sip.endpoint import Endpoint, Flow
from mcu.net.sip.names import Names, Place
from mcu.protocol.sip.locating import Transport
from mcu.signalling.sip.guard import NotAllowed
from mcu.signalling.sip.trunks import Host, Trunk, Trunks


class Sockets(Protocol):
    """What leads to a peer."""

    @property
    def endpoint(self) -> Endpoint: ...


class Roads:
    """By the sockets and the names that there are."""

    def __init__(self, trunks: Trunks, sockets: Sockets, names: Names) -> None:
        self.trunks, self._sockets, self._names = trunks, sockets, names

    async def to_trunk(self, trunk: Trunk, host: Host) -> Sequence[Place]:
        """Whatever comes from there is the trunk's own from now on. Raises `Unavailable`."""
        places = await self._names.places(host.name, host.port, [trunk.transport])
        self.trunks.found_at(trunk, [one.address for one in places])
        return places

    async def past_trunks(self, host: Host, transports: Sequence[Transport]) -> Sequence[Place]:
        """Raises `Unavailable`; `NotAllowed` where its name is that of a trunk's address."""
        places = await self._names.places(host.name, host.port, transports)
        if any(self.trunks.at(one.address) is not None for one in places):
            raise NotAllowed("A trunk is called by number alone.")
        return places

    async def flow(self, place: Place) -> Flow:
        """Raises `Unavailable` where nobody is, or where it is not who was called."""
        endpoint = self._sockets.endpoint
        if place.transport == "udp":
            return endpoint.datagrams_to(place.address, place.port)
        return await endpoint.connection_to(place.address, place.port, place.name if place.transport == "tls" else "")
