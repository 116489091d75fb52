"""A call's right to share its screen: its system asks for it by BFCP, and the room grants it (ADR 33).

What the room allows, and who gives way, is the room's: asking for the floor is what pressing the page's button is. Who
is granted it and sends no picture loses it again, so that the room does not wait for a screen that never comes.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from mcu.net.bfcp.line import Client, FloorLine
from mcu.net.bfcp.server import FloorServer
from mcu.protocol.bfcp.floor import Asked, Released
from mcu.protocol.sdp import floor
from mcu.protocol.sdp.description import Description, parse
from mcu.protocol.sdp.floor import Taken, Terms
from mcu.signalling.sip.seat import Seat


@dataclass(frozen=True, slots=True)
class Unused:
    """It was granted the floor, and no picture came: the room is to have it back."""


class Slides:
    """Of one call. `tell` is told what its system asks for; `close` it."""

    def __init__(self, server: FloorServer, tell: Callable[[Asked | Released | Unused], None], unused_s: float) -> None:
        """`unused_s`: from the grant to the first picture."""
        self._server, self._tell, self._unused_s = server, tell, unused_s
        self._ids, self._tls_id = server.ids(), secrets.token_hex(16)
        self._line: FloorLine | None = None
        self._offer: Description | None = None  # ours, until it is answered
        self._added: int | None = None  # the place of our line in it, where the worker does not know of one
        self._in_room = False  # its seat is
        self._come = False  # pictures do, on its line for them
        self._unused: asyncio.TimerHandle | None = None

    # -- SDP ----------------------------------------------------------------------------------------------------------

    def answer(self, offer: str, reply: str, peer: str) -> str:
        """Our answer with the line for the floor in it. `peer`: from where their signalling comes."""
        if floor.NAME not in offer:
            self._take(None, peer)
            return reply
        said, taken = floor.answered(parse(offer), parse(reply), self._terms(offer, peer))
        self._take(taken, peer)
        return str(said)

    def offer(self, said: str) -> str:
        """Our offer with it. `accept` takes what comes back."""
        former = None if self._line is None else self._line.client.taken
        self._offer, self._added = floor.offered(parse(said), self._terms(said), former)
        return str(self._offer)

    def accept(self, answer: str, peer: str) -> str:
        """Their answer, as the worker that made the offer understands it. Raises `Invalid`."""
        said = parse(answer)
        if self._offer is None:
            return answer
        self._take(floor.accepted(self._offer, said, self._terms(answer, peer)), peer)
        return answer if self._added is None else str(floor.without(said, self._added))

    def _terms(self, said: str, peer: str = "") -> Terms:
        """What there is to say of the floor in an answer to that. Certificates are looked at where they are named."""
        server = self._server
        return Terms(
            ids=self._ids,
            port=server.port,
            tls_port=server.tls_port,
            fingerprint=server.fingerprint if floor.TLS in said else "",
            own=server.certificate.fingerprint if f"TLS/{floor.NAME}" in said else "",
            tls_id=self._tls_id,
            peer=peer,
        )

    def _take(self, taken: Taken | None, peer: str) -> None:
        client = None
        if taken is not None:
            client = Client(hosts=frozenset((taken.address[0], peer)), taken=taken)
        if client is not None and self._line is not None and self._line.client == client:
            return
        self.close()
        self._line = None if client is None else self._server.open(self._ids, client, self._tell)
        self._begin()

    def _begin(self) -> None:
        """Who waits for us to connect is one whom the door has let in."""
        if self._line is not None and self._in_room:
            self._line.begin()

    # -- the room -----------------------------------------------------------------------------------------------------

    @property
    def used(self) -> bool:
        """Its system asks: when it shares, and when no more, is known by that alone."""
        return self._line is not None and self._line.used

    async def follow(self, seat: Seat | None) -> None:
        """What the room has come to: who asks is answered once it is in the room, and others' sharing is told."""
        self._in_room = seat is not None and seat.in_room
        self._begin()
        line = self._line
        if line is None:
            return
        if seat is None:
            line.deny()
            line.revoke()
            line.others(False)
            return
        if line.granted and not seat.shares:
            line.revoke()
        line.others(seat.others_share)
        if line.asks and self._in_room:
            if await seat.share(True):
                line.grant()
                self._wait_for_pictures()
            else:
                line.deny()

    def pictures(self, *, come: bool) -> None:
        """On its line for slides, or no longer."""
        self._come = come
        if come:
            self._stop_waiting()

    def _wait_for_pictures(self) -> None:
        self._stop_waiting()
        self._unused = asyncio.get_running_loop().call_later(self._unused_s, self._give_back)

    def _stop_waiting(self) -> None:
        if self._unused is not None:
            self._unused.cancel()

    def _give_back(self) -> None:
        if self._line is not None and self._line.granted and not self._come:
            self._tell(Unused())

    def close(self) -> None:
        self._stop_waiting()
        if self._line is not None:
            self._line.close()
            self._line = None
