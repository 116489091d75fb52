"""A call between two endpoints through a bridge: their agents and the server's, on a wire that takes no time."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from mcu.booking.endpoints import Endpoint
from mcu.errors import NotAcceptable
from mcu.ids import CallId, EndpointId
from mcu.protocol.sdp.description import parse
from mcu.protocol.sdp.opened import OpenedKeys
from mcu.protocol.sdp.sides import Lines
from mcu.protocol.sip.agent import Agent, Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Event, Invited, Progressed, Sent, Within
from mcu.protocol.sip.message import Response, read
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address
from mcu.signalling.sip.bridge import Bridge, Caller, Device, Ring
from mcu.signalling.sip.passage import Passage, Straight

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=%s\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
KEY = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + b"A" * 40 + b"\r\n"


def sdp(name: bytes, *, clear: bool = False) -> bytes:
    return HEAD % name + (b"m=audio 4000 RTP/AVP 0\r\n" if clear else b"m=audio 4000 RTP/SAVP 0\r\n" + KEY)


def known(*said: bytes | None) -> OpenedKeys:
    """What the two sides of a call have said before."""
    one, other = (None if words is None else parse(words.decode()) for words in said)
    return OpenedKeys(Lines((one, other)), (one, other), (one, other))


def endpoint(name: str) -> Endpoint:
    return Endpoint(
        id=EndpointId(f"ep_{name}"),
        name=name,
        number=None,
        display_name=name.title(),
        language="sv",
        secret=b"",
        created_at=datetime(2026, 12, 1, tzinfo=UTC),
    )


def caller(name: str) -> Caller:
    one = endpoint(name)
    return Caller(Address(SipUri("mcu.example", name), one.display_name), one, True)


@dataclass(frozen=True)
class Way:
    """To the peer of that name."""

    to: str
    host: str
    transport: str = "TCP"
    port: int = 5060
    alias: bool = False


class Party:
    """A telephone, and what its agent has told."""

    def __init__(self, name: str) -> None:
        self.name, self.agent = name, Agent()
        self.told: list[Event] = []

    def last(self, kind: type[Event]) -> Event:
        return [event for event in self.told if isinstance(event, kind)][-1]

    @property
    def call(self) -> Call:
        return next(event.call for event in self.told if isinstance(event, Invited))


class Exchange:
    """Anna, whose call comes to the bridge, and two devices of Bo; nothing takes any time."""

    def __init__(self, devices: int = 1) -> None:
        self.server = Agent()
        self.parties = {name: Party(name) for name in ("anna", "bo0", "bo1")}
        self.anna, self.bo, self.other = self.parties.values()
        self.devices = [
            Device(Way(f"bo{i}", "mcu.example"), SipUri(f"bo{i}.example", "bo"), Address(SipUri("mcu.example", "bo")))  # type: ignore[arg-type] # no socket
            for i in range(devices)
        ]
        self.bridge: Bridge | None = None
        self.responded: list[int] = []
        self.coming: Call | None = None  # when there is a bridge already
        self.slow: Party | None = None  # who has not come to its messages yet
        self.keys = known(None, None)
        self.opened: bool | None = None  # as a bridge has asked for

    async def way(self, opened: bool) -> Passage:
        self.opened = opened
        return Straight()

    def call(self, offer: bytes) -> Call:
        call = self.anna.agent.invite(self.to_server("anna"), offer, 0.0)
        self.run()
        return call

    def to_server(self, host: str) -> Recipient:
        room = SipUri("mcu.example", "bo")
        return Recipient(Way("mcu", f"{host}.example"), room, Address(SipUri("mcu.example", "anna")), Address(room))

    def run(self) -> None:
        moving = True
        while moving:
            moving = self._server()
            for party in self.parties.values():
                moving = self._party(party) or moving

    def _party(self, party: Party) -> bool:
        events = list(party.agent.take()) if party is not self.slow else []
        for event in events:
            if isinstance(event, Sent):
                self.server.receive(read(bytes(event.message)), Way(party.name, "mcu.example"), 0.0)
            else:
                party.told.append(event)
        return bool(events)

    def _server(self) -> bool:
        events = deque(self.server.take())
        for event in events:
            if isinstance(event, Sent):
                assert isinstance(event.flow, Way)
                there = self.parties[event.flow.to]
                there.agent.receive(read(bytes(event.message)), Way("mcu", f"{there.name}.example"), 0.0)
            elif isinstance(event, Invited) and self.bridge is None:
                self._connect(event.call)
            elif isinstance(event, Invited):
                self.coming = event.call
            elif isinstance(event, Progressed | Established | Changing | Changed | Ended | Within):
                assert self.bridge is not None
                self.bridge.tell(event)
        return bool(events)

    def _connect(self, call: Call) -> None:
        self.bridge = Bridge(self, CallId("call_1"), call, caller("anna"), encrypted=True)
        try:
            self.bridge.check(call.invite.body)
            self.bridge.start(self.rings(call.invite.body), endpoint("bo"))
        except NotAcceptable as error:
            call.refuse(error.sip)

    def rings(self, offer: bytes) -> list[Ring]:
        return [Ring(device, Straight(), offer) for device in self.devices]

    # -- bridge.Desk --------------------------------------------------------------------------------------------------

    def place(self, to: Recipient, body: bytes) -> Call:
        return self.server.invite(to, body, 0.0)

    def pump(self) -> None:
        """All is done in `run`."""

    def respond(self, key: Key, response: Response) -> None:
        self.responded.append(response.status)
        self.server.respond(key, response)


def up() -> tuple[Exchange, Call, Call]:
    here = Exchange()
    anna = here.call(sdp(b"anna"))
    here.bo.call.answer(sdp(b"bo"))
    here.run()
    return here, anna, here.bo.call
