"""What a transport does not let in, and how it closes: strangers, nonsense, another key, pictures too large."""

import asyncio
import re
import socket

import pytest
from calls import Call, MakeCall
from rtc import Ear, Relay, bars, is_rtp, until

from mcu.demo.client import MeetingClient
from mcu.demo.sources import LivePicture, LiveSound, tone
from mcu.ids import LegId
from mcu.media.transport.webrtc import WebRtcTransports

LEG = LegId("leg_1")


def server_port(talk: Call) -> tuple[str, int]:
    found = re.search(r"127\.0\.0\.1 (\d+) typ host", talk.answer)
    assert found is not None
    return ("127.0.0.1", int(found[1]))


GARBAGE = [
    ("stun_malformed", b"\x00\x01\x00\x00"),
    ("stun_malformed", b"\x00\x01\x00\x04\x21\x12\xa4\x42" + b"t" * 12 + b"\x00\x20\x00\x00"),
    ("stun_malformed", b"\x00\x01\x00\x06\x21\x12\xa4\x42" + b"t" * 12 + b"\x00\x24\x00\x02\x00\x00"),
    ("unchecked_address", b"\x80\x60" + bytes(40)),
    ("unchecked_address", b"\x16\xfe\xfd" + bytes(100)),
    ("unchecked_address", b"\xff\xff\xff"),
]


@pytest.mark.parametrize(("reason", "datagram"), GARBAGE)
async def test_garbage_from_a_stranger_is_counted_and_the_call_goes_on(
    call: MakeCall, reason: str, datagram: bytes
) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), video=False))
    await talk.begin()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(datagram, server_port(talk))
    await until(lambda: talk.leg.stats(LEG).dropped.get(reason) == 1, 2)
    heard = len(talk.ear.audio)
    await until(lambda: len(talk.ear.audio) > heard + 10)
    assert talk.server.dropped()[reason] == 1


async def test_a_client_hello_from_another_port_ends_no_call_even_before_it_is_up(server: WebRtcTransports) -> None:
    ear, client = Ear(), MeetingClient(sound=LiveSound(tone(440)), video=False)

    async def exchange(offer: str) -> str:
        ear.transport, answer = await server.answer(offer, ear)
        port = re.search(r"127\.0\.0\.1 (\d+) typ host", answer)
        assert port is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(200):
                stranger.sendto(b"\x16\xfe\xff" + bytes(200), ("127.0.0.1", int(port[1])))
        return answer

    await client.connect(exchange)
    await until(lambda: len(ear.audio) > 10)
    assert server.dropped()["unchecked_address"] == 200
    await client.close()
    assert ear.transport is not None
    await ear.transport.close()


@pytest.mark.parametrize(
    ("reason", "packet"),
    [
        ("rtp_short", b"\x80\x60\x00"),
        ("rtp_unknown_stream", b"\x80\x7e" + bytes(30)),
        ("rtcp_malformed", b"\x80\xc8\x00\x00"),
        ("rtcp_malformed", b"\x81\xc9\x00\xff" + bytes(8)),
        ("rtcp_malformed", b"\x8f\xce\x00\x04" + bytes(8) + b"REMB\xff\x00\x00\x00"),
    ],
)
async def test_nonsense_under_the_right_key_is_counted_and_the_call_goes_on(
    call: MakeCall, reason: str, packet: bytes
) -> None:
    talk = call(MeetingClient(sound=LiveSound(tone(440)), video=False))
    await talk.begin()
    await until(lambda: talk.ear.audio)
    if reason.startswith("rtcp"):
        talk.leg.on_rtcp(packet)
    else:
        talk.leg.on_rtp(packet)
    assert talk.leg.stats(LEG).dropped == {reason: 1}
    heard = len(talk.ear.audio)
    await until(lambda: len(talk.ear.audio) > heard + 10)


async def test_packets_under_another_key_are_refused(call: MakeCall) -> None:
    relay = Relay()
    talk = call(MeetingClient(sound=LiveSound(tone(440)), video=False), relay)
    await talk.begin()
    relay.up = lambda data: not is_rtp(data)
    assert relay._inner is not None
    relay._inner.sendto(b"\x80\x60" + bytes(60), relay._server)
    await until(lambda: talk.leg.stats(LEG).dropped.get("srtp_rejected") == 1)


async def test_a_picture_that_claims_too_much_never_reaches_the_room(call: MakeCall) -> None:
    class Bomb(LivePicture):
        def next(self, key: bool) -> bytes:
            return b"\x10\x02\x00\x9d\x01\x2a" + (16200).to_bytes(2, "little") * 2 + bytes(1200)

    talk = call(MeetingClient(camera=Bomb(bars(), 10), codecs=("VP8",)))
    await talk.begin()
    await until(lambda: talk.leg.stats(LEG).dropped.get("frame_oversize", 0) > 2)
    assert talk.ear.pictures == []


async def test_closing_twice_and_while_it_ends_is_the_same_as_closing_once(call: MakeCall) -> None:
    talk = call(MeetingClient(video=False))
    await talk.begin()
    await talk.client.close()
    await asyncio.gather(talk.leg.close(), talk.leg.close())
    await talk.leg.close()


async def test_twenty_legs_close_together(server: WebRtcTransports) -> None:
    calls = [Call(server, MeetingClient(video=False)) for _ in range(20)]
    await asyncio.gather(*(one.begin() for one in calls))
    await server.close()
    for one in calls:
        await one.client.close()
