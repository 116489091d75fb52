"""What a transport does not let in, and how it closes: strangers, nonsense, other keys, replays, too large pictures."""

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aioice import stun
from calls import Call, MakeCall, Server
from OpenSSL import SSL
from rtc import Relay, bars, is_rtp, until

from mcu.demo.client import MeetingClient
from mcu.demo.sources import LivePicture, LiveSound, tone
from mcu.ids import LegId

LEG = LegId("leg_1")
GARBAGE = [
    ("stun_malformed", b"\x00\x01\x00\x04\x21\x12\xa4\x42" + b"t" * 12 + b"\x00\x06\x00\x09"),
    ("stun_unknown", b"\x00\x01\x00\x04\x21\x12\xa4\x42" + b"t" * 12 + b"\x00\x20\x00\x00"),
    ("stun_malformed", b"\x00\x01\x00\x06\x21\x12\xa4\x42" + b"t" * 12 + b"\x00\x24\x00\x02\x00\x00"),
    ("stranger", b"\x00\x01\x00\x00"),
    ("stranger", b"\x80\x60" + bytes(40)),
    ("stranger", b"\x16\xfe\xfd" + bytes(100)),
    ("stranger", b"\xff\xff\xff"),
]


@contextmanager
def stranger() -> Iterator[socket.socket]:
    """A socket of nobody's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


def answered(sock: socket.socket) -> bool:
    """Whether anything at all was sent to it."""
    try:
        return bool(sock.recv(2048))
    except BlockingIOError:
        return False


def client_hello() -> bytes:
    """A real one, that a DTLS server would answer."""
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
    connection = SSL.Connection(context)
    connection.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(2048)


async def goes_on(talk: Call, ticks: int = 15) -> None:
    """Sound comes and goes."""
    heard, received = len(talk.heard), talk.client.packets_received()
    await until(lambda: len(talk.heard) > heard + ticks and talk.client.packets_received() > received + ticks, 5)
    assert talk.ear.lost == []


def talker() -> MeetingClient:
    return MeetingClient(sound=LiveSound(tone(440)), codecs=())


# -- strangers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "datagram"), GARBAGE)
async def test_garbage_from_a_stranger_is_counted_and_the_call_goes_on(
    call: MakeCall, server: Server, reason: str, datagram: bytes
) -> None:
    talk = call(talker())
    await talk.begin()
    before = server.dropped(reason)
    with stranger() as sock:
        sock.sendto(datagram, server.address)
        await until(lambda: server.dropped(reason) == before + 1, 2)
        await goes_on(talk)
        assert not answered(sock)


@pytest.mark.parametrize("server_is_dtls_client", [False, True])
@pytest.mark.parametrize("hellos", [1, 500])
async def test_a_strangers_hello_stops_none_of_fifty_calls_nor_is_it_answered(
    server: Server, hellos: int, server_is_dtls_client: bool
) -> None:
    """Some come before the leg is there, some while it shakes hands, some after."""
    hello = client_hello()
    with stranger() as sock:

        async def disturb() -> None:
            for sent in range(hellos):
                sock.sendto(hello, server.address)
                if sent % 10 == 9:
                    await asyncio.sleep(0.05)

        disturbing = asyncio.create_task(disturb())
        for _ in range(10):
            five = [Call(server, talker()) for _ in range(5)]
            for talk in five:
                talk.server_is_dtls_client = server_is_dtls_client
            await asyncio.gather(*(talk.begin() for talk in five))
            assert all(talk.ear.lost == [] for talk in five)
            await asyncio.gather(*(talk.end() for talk in five))
        await disturbing
        await until(lambda: server.dropped("stranger") >= hellos, 2)
        assert not answered(sock)


async def test_a_third_socket_that_speaks_as_a_leg_is_neither_heard_nor_sent_to(call: MakeCall, server: Server) -> None:
    relay, last = Relay(), [b""]

    def listen(data: bytes) -> bool:
        if is_rtp(data):
            last[0] = data
        return True

    relay.up = listen
    talk = call(MeetingClient(sound=LiveSound(tone(440, amplitude=300)), codecs=()), relay)
    await talk.begin()
    await until(lambda: last[0] and len(talk.heard) > 10)
    with stranger() as sock:
        header = last[0][:12]
        for number in range(1000):
            sequence = (int.from_bytes(header[2:4], "big") + number) % 65536
            sock.sendto(header[:2] + sequence.to_bytes(2, "big") + header[4:] + bytes(80), server.address)
            if number % 50 == 0:
                await asyncio.sleep(0.005)
        await until(lambda: server.dropped("stranger") >= 1000, 2)
        await goes_on(talk)
        assert not answered(sock)
    assert talk.leg.stats(LEG).dropped.get("srtp", 0) == 0


async def test_a_check_with_a_wrong_password_proves_nothing(call: MakeCall, server: Server) -> None:
    talk = call(talker())
    await talk.begin()
    ufrag = re.findall(r"a=ice-ufrag:(\S+)", talk.answer)[0]
    message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    message.attributes["USERNAME"] = f"{ufrag}:else"
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLING"] = 1
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(b"guessed")
    with stranger() as sock:
        sock.sendto(bytes(message), server.address)
        await until(lambda: server.dropped("stun_forged") == 1, 2)
        await goes_on(talk)


# -- the leg's own address ------------------------------------------------------------------------------------------


async def test_a_hundred_thousand_packets_with_bad_tags_leave_the_call_alone(call: MakeCall, server: Server) -> None:
    relay = Relay()
    talk = call(talker(), relay)
    await talk.begin()
    assert relay._inner is not None
    before = server.dropped("srtp") + server.dropped("skipped")
    bad = b"\x80\x60" + bytes(70)
    for number in range(100_000):
        relay._inner.sendto(bad[:2] + (number % 65536).to_bytes(2, "big") + bad[4:], relay._server)
        if number % 100 == 0:
            await asyncio.sleep(0)
        if number % 10_000 == 0:
            await asyncio.sleep(0.02)
    await goes_on(talk)
    refused = sum(server.dropped(reason) for reason in ("srtp", "skipped", "rtp_unknown")) - before
    assert refused > 50_000  # what the socket's buffer did not hold never came
    assert server.studio.levels[talk.leg.handle][-1] < 60


async def test_replayed_packets_are_dropped(call: MakeCall, server: Server) -> None:
    relay = Relay()
    talk = call(talker(), relay)
    await talk.begin()
    await until(lambda: len(talk.heard) > 10)
    inner = relay._inner
    assert inner is not None

    def twice(data: bytes) -> bool:
        if is_rtp(data):
            inner.sendto(data, relay._server)
        return True

    relay.up = twice
    before = talk.leg.stats(LEG)
    await goes_on(talk, 60)
    after = talk.leg.stats(LEG)
    replayed = sum(after.dropped.get(why, 0) - before.dropped.get(why, 0) for why in ("srtp", "duplicate"))
    assert replayed > 50
    assert after.receiving[0].packets - before.receiving[0].packets < 1.2 * replayed
    assert after.receiving[0].delay_ms < 150


async def test_packets_under_another_key_are_refused(call: MakeCall) -> None:
    relay = Relay()
    talk = call(MeetingClient(sound=LiveSound(tone(440)), codecs=()), relay)
    await talk.begin()
    relay.up = lambda data: not is_rtp(data)
    assert relay._inner is not None
    relay._inner.sendto(b"\x80\x60" + bytes(60), relay._server)
    await until(lambda: talk.leg.stats(LEG).dropped.get("srtp") == 1, 5)


# -- too much -------------------------------------------------------------------------------------------------------


def resident() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


VP8_BOMB = b"\x10\x02\x00\x9d\x01\x2a" + (16200).to_bytes(2, "little") * 2 + bytes(1200)


def exponential_golomb(number: int) -> str:
    """ITU-T H.264 section 9.1."""
    bits = f"{number + 1:b}"
    return "0" * (len(bits) - 1) + bits


def h264_bomb() -> bytes:
    """A parameter set of 1013 by 1013 macroblocks, and a slice."""
    fields = "".join(map(exponential_golomb, (0, 0, 2, 1))) + "0" + 2 * exponential_golomb(1012) + "11" + "00" + "1"
    body = int(fields.ljust(-len(fields) % 8 + len(fields), "0"), 2).to_bytes((len(fields) + 7) // 8, "big")
    start = b"\x00\x00\x00\x01"
    return start + b"\x67\x42\x00\x1f" + body + start + b"\x65" + b"\x88" * 1200


@pytest.mark.parametrize(("codec", "bomb"), [("VP8", VP8_BOMB), ("H264", h264_bomb())])
async def test_a_picture_that_claims_too_much_never_reaches_the_room_and_costs_nothing(
    call: MakeCall, codec: str, bomb: bytes
) -> None:
    class Bomb(LivePicture):
        def next(self, key: bool) -> bytes:
            return bomb

    talk = call(MeetingClient(camera=Bomb(bars(), 10), codecs=(codec,)))  # type: ignore[arg-type]
    await talk.begin()
    before = resident()
    await until(lambda: talk.leg.stats(LEG).dropped.get("picture", 0) > 5)
    assert talk.ear.pictures == []
    assert resident() - before < 20 * 1024 * 1024


# -- the end --------------------------------------------------------------------------------------------------------


async def test_closing_twice_and_while_it_ends_is_the_same_as_closing_once(call: MakeCall) -> None:
    talk = call(MeetingClient(codecs=()))
    await talk.begin()
    await talk.client.close()
    await asyncio.gather(talk.leg.close(), talk.leg.close())
    await talk.leg.close()


async def test_a_leg_that_is_closed_is_gone_from_the_plane_before_anything_else_happens(
    call: MakeCall, server: Server
) -> None:
    talk = call(MeetingClient(codecs=()))
    await talk.begin()
    closing = talk.leg.close()
    task = asyncio.ensure_future(closing)
    await asyncio.sleep(0)
    with pytest.raises(LookupError):
        server.engine.plane.hear(talk.leg.handle, 0)
    await task


async def test_twenty_legs_close_together(server: Server) -> None:
    calls = [Call(server, MeetingClient(codecs=())) for _ in range(20)]
    await asyncio.gather(*(one.begin() for one in calls))
    await server.transports.close()
    assert server.engine.stats()["legs"] == 0
    for one in calls:
        await one.client.close()
