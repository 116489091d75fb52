"""Calls people into rooms: what a room asks for becomes a visit of its own, if the guard lets it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from mcu.conference.acts import CallOut
from mcu.conference.room import Room
from mcu.ids import CallId
from mcu.net.sip.names import Names
from mcu.signalling.sip import outgoing
from mcu.signalling.sip.guard import Caps
from mcu.signalling.sip.happenings import HungUp
from mcu.signalling.sip.outgoing import Outgoing, Patience
from mcu.signalling.sip.roads import Roads, Sockets
from mcu.signalling.sip.trunks import Trunk, Trunks
from mcu.signalling.sip.visit import House, Visit
from mcu.signalling.sip.ways import Endpoints, Ways

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class DialOptions:
    """See `mcu.config.sip.Sip`."""

    trunks: tuple[Trunk, ...]
    domains: tuple[str, ...]
    by_dtls: bool
    dns_server: tuple[str, int] | None
    at_once: int
    an_hour: int
    patience: Patience


class Desk(outgoing.Desk, Protocol):
    """Where visits live."""

    def begin(self, visit: Visit) -> asyncio.Task[None]: ...

    def visit(self, name: CallId) -> Visit | None: ...


class Dialling:
    """A `conference.invitations.Dialler`."""

    def __init__(self, options: DialOptions, desk: Desk, sockets: Sockets, endpoints: Endpoints, house: House) -> None:
        self.trunks = Trunks(options.trunks)
        self.roads = Roads(self.trunks, sockets, Names(options.dns_server))
        self.ways = Ways(
            self.roads,
            endpoints,
            domains=options.domains,
            encrypted=house.encrypted,
            by_dtls=options.by_dtls,
            organisations=house.organisations,
        )
        self._caps = Caps(options.at_once, options.an_hour)
        self._caps_of = {
            one.id: Caps(one.calls_out_max, one.calls_out_per_hour, within=self._caps) for one in house.organisations
        }
        self._desk, self._house, self._patience = desk, house, options.patience

    def call(self, out: CallOut, room: Room) -> None:
        now = self._house.clock.monotonic()
        organisation = self._house.organisations.get(room.meeting.organisation)
        by = self.ways.to(out.to, now, organisation)
        caps = self._caps if organisation is None else self._caps_of[organisation.id]
        caps.begin(now)
        house = self._house if organisation is None else replace(self._house, voice=organisation.id)
        visit = Outgoing(house, out, room, ways=self.ways, by=by, desk=self._desk, patience=self._patience)
        self._desk.begin(visit).add_done_callback(lambda _: caps.end())
        log.info("call_made", call=out.call, room=room.id)

    def hang_up(self, call: CallId) -> None:
        if (visit := self._desk.visit(call)) is not None:
            visit.tell(HungUp())
