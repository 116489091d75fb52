"""SIP and SDP that somebody has broken: by hand-made rules, from valid messages, in calls that are going on.

Each message goes to a whole agent that has calls in every state; its owner answers what it tells. Nothing may be
raised, and none may take longer than `SLOWEST_S` of processor time. The same seed gives the same messages, but for the
tags and branches of the agent's own. As many of BFCP go to floors (`broken_floors.py`).

    scripts/mutate [MESSAGES]
"""

import argparse
import contextlib
import json
import random
import time
from dataclasses import dataclass, field
from typing import Final

from broken_floors import torment as torment_floors
from fingerprints import FINGERPRINT
from mutator import SLOWEST_S, Mutator
from sip_wire import ANSWER, Way

from mcu.errors import McuError
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.sdp import description, exchange, floor, ice
from mcu.protocol.sip import keepalive
from mcu.protocol.sip.agent import Agent, Recipient
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.events import Asked, Changing, Established, Event, Invited, Sent, Within
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.gruu import Gruus
from mcu.protocol.sip.info import key_of
from mcu.protocol.sip.media_control import asks
from mcu.protocol.sip.message import Request, Response, read
from mcu.protocol.sip.registrar import Registrar
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.stream import Ping, Pong, Stream
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address

ROUND: Final = 200  # messages that one agent gets
OURS: Final = exchange.Ours(
    address="192.0.2.1",
    ports={
        kind: exchange.Ports(30_000, 30_001, "ours" * 8, ice.Credentials("oursours", "ours" * 6))
        for kind in exchange.Kind
    },
    fingerprint=FINGERPRINT,
    origin=description.Origin(1, 1, "192.0.2.1"),
)
FLOOR: Final = floor.Terms(Ids(1234, 7), 5070)
SDP: Final = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nb=AS:512\r\nt=0 0\r\n"
    "m=audio 4000 RTP/SAVP 96 9 8 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1;stereo=0\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=rtcp:4001\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd|2^31|1:1\r\n"
    "a=crypto:2 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDE=\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef012345\r\n"
    "a=candidate:1 1 UDP 2130706431 192.0.2.7 4000 typ host\r\na=sendrecv\r\n"
    "m=video 5000 UDP/TLS/RTP/SAVPF 97 98\r\na=rtpmap:97 H264/90000\r\na=setup:actpass\r\n"
    "a=tls-id:0123456789abcdefghijklmn\r\n"
    "a=fmtp:97 profile-level-id=42801f;packetization-mode=1;max-fs=8192;max-mbps=245000\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\n"
    "a=rtpmap:98 VP8/90000\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:97 ccm fir\r\na=content:slides\r\na=rtcp-mux\r\n"
    "m=application 5070 UDP/BFCP *\r\na=floorctrl:c-s\r\na=confid:1\r\na=userid:2\r\na=floorid:1 mstrm:11\r\n"
    "a=setup:actpass\r\na=connection:new\r\na=bfcpver:1 2\r\n"
)
HEADERS: Final = (
    'Contact: "Anna \\" Ek" <sip:anna@192.0.2.7:5060;transport=tcp>;+sip.instance="<urn:uuid:1>";reg-id=1;expires=60',
    "Record-Route: <sip:p1.example;lr>, <sip:[2001:db8::1]:5070;lr>",
    "Session-Expires: 1800;refresher=uas",
    "Min-SE: 90",
    "Supported: timer, 100rel, replaces, path, gruu, outbound",
    "Require: 100rel",
    "RAck: 1 1 INVITE",
    "RSeq: 1",
    "Replaces: c1@phone.example;to-tag=ours;from-tag=theirs",
    "Refer-To: <sip:bo@example.org?Replaces=c2%3Bto-tag%3Da%3Bfrom-tag%3Db>",
    'Authorization: Digest username="anna", realm="mcu.example", nonce="n", uri="sip:mcu.example", response="r", '
    "algorithm=SHA-256, qop=auth, nc=00000001, cnonce=c",
    'WWW-Authenticate: Digest realm="mcu.example", nonce="n", qop="auth,auth-int", algorithm=MD5, stale=true',
    'Proxy-Authenticate: Digest realm="mcu.example", nonce="n", algorithm=SHA-256',
    "Path: <sip:edge.example;lr;ob>",
    "Expires: 3600",
    "Event: refer;id=1",
    "Answer-Mode: Auto",
    'Reason: Q.850;cause=16;text="over"',
    "P-Asserted-Identity: <tel:+46-8-123;phone-context=x>",
    "Subject: a long\r\n\tone",
    "k: timer",
    "x: 90",
)
BODIES: Final = (
    ("application/sdp", SDP),
    ("application/sdp", SDP),
    ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
    ("application/media_control+xml", "<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder>"),
    ("message/sipfrag", "SIP/2.0 200 OK"),
)
METHODS: Final = (
    *("INVITE", "INVITE", "INVITE", "ACK", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "PRACK", "INFO"),
    *("REFER", "NOTIFY", "MESSAGE", "SUBSCRIBE", "PUBLISH"),
)
STATUSES: Final = (100, 180, 183, 200, 200, 200, 301, 401, 407, 408, 422, 486, 491, 500, 503, 603)
WAY: Final = Way("mcu.example")
STREAM: Final = Way("mcu.example", "TLS", 5061)
ANNA: Final = Address(SipUri("mcu.example", "anna"))


# -- messages -------------------------------------------------------------------------------------------------------


@dataclass
class Author:
    """Writes what might be valid, about the calls that there are."""

    chance: random.Random
    calls: list[Call] = field(default_factory=list)
    sent: list[Request] = field(default_factory=list)  # by the agent: what may be answered

    def message(self) -> bytes:
        """One, whole."""
        if self.sent and self.chance.random() < 0.35:
            return self._response(self.chance.choice(self.sent[-20:]))
        return self._request()

    def _request(self) -> bytes:
        pick, number = self.chance, self.chance.randrange(1, 40)
        method = pick.choice(METHODS)
        dialog = None
        if self.calls and pick.random() < 0.6:
            dialog = pick.choice(self.calls[-5:]).dialog
        branch = f"z9hG4bK{pick.randrange(30)}"
        call_id = dialog.call_id if dialog else f"c{pick.randrange(50)}@phone.example"
        their, our = ("theirs", "") if dialog is None else (dialog.remote.tag or "", f";tag={dialog.local.tag}")
        fields = [
            f"Via: SIP/2.0/UDP phone.example:5060;branch={branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:anna@phone.example>;tag={their}",
            f"To: <sip:482915370@mcu.example>{our}",
            f"Call-ID: {call_id}",
            f"CSeq: {number} {method}",
            "Contact: <sip:anna@192.0.2.7:5060>",
        ]
        return self._written(f"{method} sip:482915370@mcu.example SIP/2.0", fields)

    def _response(self, to: Request) -> bytes:
        fields = [f"{name}: {value}" for name, value in to.headers if name in ("Via", "From", "Call-ID", "CSeq")]
        fields += [f"To: {to.to.with_(tag='far')}", "Contact: <sip:bo@192.0.2.8>"]
        return self._written(f"SIP/2.0 {self.chance.choice(STATUSES)} Words", fields)

    def _written(self, start: str, fields: list[str]) -> bytes:
        pick = self.chance
        fields += pick.sample(HEADERS, pick.choice((0, 0, 1, 2, 4)))
        kind, body = pick.choice(BODIES) if pick.random() < 0.5 else ("", "")
        fields += [f"Content-Type: {kind}"] if kind else []
        fields.append(f"Content-Length: {len(body)}")
        return "\r\n".join([start, *fields, "", body]).encode(errors="surrogateescape")


# -- who gets them --------------------------------------------------------------------------------------------------


class Victim:
    """A server's agent with an owner that does what it is asked, one way or another."""

    def __init__(self, chance: random.Random) -> None:
        self.now = 0.0
        self._chance = chance
        self._agent = Agent(most_calls=40)
        self._registrar = Registrar[Way](Gruus("mcu.example", b"key" * 11))
        self.author = Author(chance)
        self._offered = exchange.offer(OURS)
        self._with_floor, _ = floor.offered(self._offered.description, FLOOR)

    def receive(self, data: bytes) -> None:
        """Over UDP and over a stream, and as SDP alone."""
        self.now += self._chance.choice((0.0, 0.01, 0.6, 5.0))
        keepalive.answer(data, "192.0.2.7", 5060)
        for message, way in (*_datagram(data), *self._streamed(data)):
            self._agent.receive(message, way, self.now)
            self._drain()
        if self._chance.random() < 0.2:
            self._place_call()
        if (due := self._agent.next_timer()) is not None and due <= self.now:
            self._agent.handle_timer(self.now)
        self._drain()

    def _streamed(self, data: bytes) -> list[tuple[Request | Response, Way]]:
        """In two pieces, after a whole one."""
        if self._chance.random() < 0.7:
            return []
        stream, cut, found = Stream(), self._chance.randrange(len(data) + 1), []
        with contextlib.suppress(Malformed):
            for piece in (data[:cut], data[cut:]):
                found += [(one, STREAM) for one in stream.feed(piece) if not isinstance(one, Ping | Pong)]
        return found

    def _place_call(self) -> None:
        to = Recipient(self._chance.choice((WAY, STREAM)), SipUri("far.example", "bo"), ANNA, Address(SipUri("far")))
        call = self._agent.invite(to, SDP.encode(), self.now, Answerer("anna", "secret"))
        self.author.calls.append(call)

    def _drain(self) -> None:
        for event in self._agent.take():
            if isinstance(event, Sent):
                read(bytes(event.message))  # what we write can be read
                if isinstance(event.message, Request):
                    self.author.sent = [*self.author.sent[-20:], event.message]
            else:
                with contextlib.suppress(McuError):
                    self._told(event)

    def _told(self, event: Event) -> None:
        match event:
            case Invited(call):
                self.author.calls = [*self.author.calls[-10:], call]
                self._chance.choice((self._ring, self._answer, self._answer, self._refuse, self._leave))(call)
            case Changing(call, request):
                if self._chance.random() < 0.5:
                    call.changes.refuse(488)
                else:
                    call.changes.accept(self._answered(request.body))
            case Within(_, request, key) | Asked(request, _, key):
                self._do(request)
                self._agent.respond(key, response_to(request, self._chance.choice((200, 202, 403)), tag="ours"))
            case Established(call) if self._chance.random() < 0.3:
                call.changes.offer(SDP.encode())
            case _ if self.author.calls and self._chance.random() < 0.2:
                self._chance.choice(self.author.calls).hang_up()

    def _ring(self, call: Call) -> None:
        call.ring(self._chance.choice((180, 183)), self._answered(call.invite.body))

    def _answer(self, call: Call) -> None:
        call.answer(self._answered(call.invite.body))

    def _refuse(self, call: Call) -> None:
        call.refuse(486)

    def _leave(self, call: Call) -> None:
        """It rings until somebody takes it back."""

    def _do(self, request: Request) -> None:
        asks(request)
        for work in (lambda: key_of(request), lambda: self._registrar.register("anna", request, WAY, self.now)):
            with contextlib.suppress(McuError):
                work()

    def _answered(self, offer: bytes) -> bytes:
        """Their offer as an offer, and as an answer to ours."""
        with contextlib.suppress(McuError):
            theirs = description.parse(offer.decode(errors="replace"))
            floor.accepted(self._with_floor, theirs, FLOOR)
            exchange.accepted(self._offered, floor.without(theirs, 3), OURS)
        try:
            theirs = description.parse(offer.decode(errors="replace"))
            reply, _ = exchange.answer(theirs, OURS)
            reply, _ = floor.answered(theirs, reply, FLOOR)
        except McuError:
            return ANSWER
        description.parse(str(reply))
        return str(reply).encode()


def _datagram(data: bytes) -> list[tuple[Request | Response, Way]]:
    try:
        return [(read(data), WAY)]
    except Malformed:
        return []


@dataclass(frozen=True)
class Survived:
    """`in_calls`: messages while there was a call."""

    messages: int
    in_calls: int
    slowest_ms: float


def torment(messages: int, seed: int) -> Survived:
    """Raises what an agent raises, with the message that did it as a note; `TimeoutError` for one that takes long."""
    chance = random.Random(seed)
    mutator, victim = Mutator(chance), Victim(chance)
    slowest, in_calls = 0.0, 0
    for number in range(messages):
        if number % ROUND == 0:
            victim = Victim(chance)
        data = mutator.broken(victim.author.message())
        in_calls += bool(victim.author.calls)
        began = time.thread_time()
        try:
            victim.receive(data)
        except Exception as error:
            error.add_note(f"seed {seed}, message {number}: {data!r}")
            raise
        slowest = max(slowest, took := time.thread_time() - began)
        if took > SLOWEST_S:
            raise TimeoutError(f"{1000 * took:.0f} ms: seed {seed}, message {number}: {data!r}")
    return Survived(messages, in_calls, round(1000 * slowest, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("messages", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    survived = {
        **vars(torment(options.messages, options.seed)),
        "floors": torment_floors(options.messages, options.seed),
    }
    print(json.dumps({"seed": options.seed, **survived}))


if __name__ == "__main__":
    main()
