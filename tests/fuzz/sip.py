"""Any bytes as SIP, over UDP and over a stream, are answered or dropped; nothing is raised: `scripts/fuzz 60 sip`."""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["mcu.protocol"]):
    from fingerprints import FINGERPRINT
    from sip_wire import Way

    from mcu.errors import McuError
    from mcu.protocol.sdp import description, exchange
    from mcu.protocol.sip.agent import Agent
    from mcu.protocol.sip.events import Invited, Sent
    from mcu.protocol.sip.grammar import Malformed
    from mcu.protocol.sip.message import Request, Response, read
    from mcu.protocol.sip.stream import Ping, Pong, Stream

OURS = exchange.Ours(
    address="192.0.2.1",
    ports={kind: exchange.Ports(30_000, 30_001) for kind in exchange.Kind},
    fingerprint=FINGERPRINT,
    origin=description.Origin(1, 1, "192.0.2.1"),
)
WAY = Way("mcu.example")


def try_one(data: bytes) -> None:
    agent = Agent()
    for message in (*datagram(data), *streamed(data)):
        agent.receive(message, WAY, 0.0)
        for event in agent.take():
            if isinstance(event, Sent):
                read(bytes(event.message))
            elif isinstance(event, Invited):
                event.call.answer(answer_to(event.call.invite.body))
    while (due := agent.next_timer()) is not None and due < 100:
        agent.handle_timer(due)
        list(agent.take())


def datagram(data: bytes) -> list[Request | Response]:
    try:
        return [read(data)]
    except Malformed:
        return []


def streamed(data: bytes) -> list[Request | Response]:
    found: list[Request | Response] = []
    with contextlib.suppress(Malformed):
        found.extend(one for one in Stream().feed(data) if not isinstance(one, Ping | Pong))
    return found


def answer_to(offer: bytes) -> bytes:
    try:
        reply, _ = exchange.answer(description.parse(offer.decode(errors="replace")), OURS)
    except McuError:
        return b""
    description.parse(str(reply))
    return str(reply).encode()


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
