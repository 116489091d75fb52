"""A call's right to share its screen: its system asks for it by BFCP, and the room grants it (ADR 33).

What the room allows, and who gives way, is the room's: asking for the floor is what pressing the page's button is. Who
is granted it and sends no picture loses it again, so that the room does not wait for a screen that never comes.

A system that has a floor of its own is asked for it before it is shown what others share; who has that floor shares.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mcu.net.bfcp.line import FloorLine, News, Peer
from mcu.net.bfcp.server import FloorServer
from mcu.protocol.bfcp.floor import Asked, Floor
from mcu.protocol.bfcp.participant import Participant, TheyShow
from mcu.protocol.sdp import floor
from mcu.protocol.sdp.description import Description, parse
from mcu.protocol.sdp.floor import Taken, Terms
from mcu.signalling.sip.seat import Seat


@dataclass(frozen=True, slots=True)
class Unused:
    """It was granted the floor, and no picture came: the room is to have it back."""


class Slides:
    """Of one call. `tell` is told what its system asks for, or says of its own floor; `close` it."""

    def __init__(self, server: FloorServer, tell: Callable[[News | Unused], None], unused_s: float) -> None:
        """`unused_s`: from the grant to the first picture."""
        self._server, self._tell, self._unused_s = server, tell, unused_s
        self._ids, self._tls_id = server.ids(), secrets.token_hex(16)
        self._line: FloorLine | None = None
        self._end: Floor | Participant | None = None  # ours of that line
        self._used = self._they_show = self._shown = False
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
        former = None if self._line is None else self._line.peer.taken
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

    def _take(self, taken: Taken | None, peer_host: str) -> None:
        peer = None if taken is None else Peer(hosts=frozenset((taken.address[0], peer_host)), taken=taken)
        if peer is not None and self._line is not None and self._line.peer == peer:
            return
        self.close()
        if peer is not None:
            self._end = self._end_of(peer.taken)
            self._line = self._server.open(self._end, peer, self._told)
        self._begin()

    def _end_of(self, taken: Taken) -> Floor | Participant:
        if taken.theirs is None:
            return Floor(self._ids, reliable=taken.reliable)
        return Participant(taken.theirs.ids, taken.theirs.floor, reliable=taken.reliable)

    def _told(self, news: News) -> None:
        self._used = self._used or isinstance(news, Asked | TheyShow)
        if isinstance(news, TheyShow):
            self._they_show = news.on
        self._tell(news)

    def _begin(self) -> None:
        """Who waits for us to connect is one whom the door has let in."""
        if self._line is not None and self._in_room:
            self._line.begin()

    # -- the room -----------------------------------------------------------------------------------------------------

    @property
    def used(self) -> bool:
        """Its system asks, or says who has its floor: when it shares, and when no more, is known by that alone."""
        return self._used

    @property
    def allowed(self) -> bool:
        """Whether it may be sent what others share, on a line of its own."""
        return not isinstance(self._end, Participant) or self._end.granted

    async def follow(self, seat: Seat | None) -> None:
        """What the room has come to: who asks is answered once it is in the room, and others' sharing is told."""
        self._in_room = seat is not None and seat.in_room
        self._begin()
        match self._line, self._end:
            case FloorLine() as line, Floor() as ours:
                await self._serve(line, ours, seat)
            case FloorLine() as line, Participant() as ours:
                await self._take_part(line, ours, seat)

    async def _serve(self, line: FloorLine, ours: Floor, seat: Seat | None) -> None:
        if seat is None:
            line.do(ours.deny)
            line.do(ours.revoke)
            line.do(partial(ours.others, False))
            return
        if ours.granted and not seat.shares:
            line.do(ours.revoke)
        line.do(partial(ours.others, seat.others_share))
        if ours.asks and self._in_room:
            if await seat.share(True):
                line.do(ours.grant)
                self._wait_for_pictures()
            else:
                line.do(ours.deny)

    async def _take_part(self, line: FloorLine, ours: Participant, seat: Seat | None) -> None:
        """Who has its floor shares from its first picture on. Of a page that stands still hardly any come."""
        if seat is None or not self._in_room:
            line.do(partial(ours.wants, False))
            return
        shown = self._they_show and (self._come or self._shown)
        if shown != self._shown:
            self._shown = shown
            await seat.share(shown)
        line.do(partial(ours.wants, seat.others_share))

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
        if isinstance(self._end, Floor) and self._end.granted and not self._come:
            self._tell(Unused())

    def close(self) -> None:
        self._stop_waiting()
        if self._line is not None:
            self._line.close()
        self._line = self._end = None
        self._used = self._they_show = self._shown = False
