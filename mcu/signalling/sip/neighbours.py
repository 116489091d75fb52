"""Call controls that organisations have of their own (ADR 30): which of them a call comes from.

By the address that its connection has: that `call_control` leads to, where the call comes by the transport that it
names. Its names are looked up beforehand and again every now and then, never because somebody has called.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from mcu.booking.organisations import Organisation, Organisations
from mcu.errors import McuError
from mcu.net.sip.endpoint import Flow
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri, TelUri, parse_uri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip.roads import Roads
from mcu.signalling.sip.routing import e164
from mcu.signalling.sip.trunks import Host, spelt
from mcu.signalling.sip.ways import transports_of

AGAIN_S: Final = 300.0
MISSING_S: Final = 15.0  # until one whose names lead nowhere is looked for again
NOBODY: Final = "anonymous"  # RFC 3323, section 4.1


class Neighbours:
    """`start` it, and `stop` it."""

    def __init__(self, organisations: Organisations, roads: Roads) -> None:
        self._roads = roads
        controls = [(one, parse_uri(one.call_control)) for one in organisations if one.call_control]
        self._controls = [(one, uri) for one, uri in controls if isinstance(uri, SipUri)]
        self._found: dict[str, frozenset[str]] = {}  # by organisation: its addresses
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._look_for(one, uri)) for one, uri in self._controls]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def at(self, flow: Flow) -> Organisation | None:
        """Whose call control is at the other end."""
        for one, uri in self._controls:
            transports: Sequence[str] = transports_of(uri)
            if spelt(flow.peer.host) in self._found.get(one.id, ()) and flow.transport.lower() in transports:
                return one
        return None

    async def _look_for(self, one: Organisation, uri: SipUri) -> None:
        while True:
            with suppress(McuError):
                places = await self._roads.past_trunks(Host(uri.host.strip("[]"), uri.port), transports_of(uri))
                self._found[one.id] = frozenset(spelt(place.address) for place in places)
            await asyncio.sleep(AGAIN_S if self._found.get(one.id) else MISSING_S)


def shown(invite: Request, there: Organisation) -> Address:
    """Who calls, as far as their call control can know: a user of its own domains or numbers, with its name."""
    uri = invite.from_.uri
    host, user = (
        (uri.host, uri.user) if isinstance(uri, SipUri) else ("", uri.number if isinstance(uri, TelUri) else "")
    )
    if user and host in there.domains:
        return Address(SipUri(host, user), there.name)
    own = user and e164(user).startswith(there.prefixes)
    return Address(SipUri(there.domains[0], user if own else NOBODY), there.name)
