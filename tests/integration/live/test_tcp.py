"""Who comes by TCP gets to a media worker that stands behind its walls (ADR 0022), and harms it by nothing it sends."""

import contextlib
import re
import socket
import struct

import aiohttp
from aioice import stun
from offers import CHROMIUM
from running_server import RunningServer

WAIT_S = 20.0


async def answered(server: RunningServer) -> str:
    """The answer to a check's offer: a leg in no room."""
    async with (
        aiohttp.ClientSession(server.base_url) as api,
        api.post("/api/v1/network-check", data=CHROMIUM, headers={"Content-Type": "application/sdp"}) as said,
    ):
        assert said.status == 200
        return await said.text()


def of(sdp: str, pattern: str) -> str:
    found = re.search(pattern, sdp)
    assert found, pattern
    return found[1]


def tcp_port(sdp: str) -> tuple[str, int]:
    host, port = of(sdp, r"a=candidate:\w+ 1 tcp \d+ (\d\S+ \d+) typ host").split()
    return host, int(port)


def check(sdp: str) -> stun.Message:
    """A browser's connectivity check (RFC 8445 section 7.2.2)."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    theirs, ours = of(sdp, "a=ice-ufrag:(.+?)\r?\n"), of(CHROMIUM, "a=ice-ufrag:(.+?)\r?\n")
    message.attributes |= {"USERNAME": f"{theirs}:{ours}", "PRIORITY": 1, "ICE-CONTROLLING": 1, "USE-CANDIDATE": None}
    message.add_message_integrity(of(sdp, "a=ice-pwd:(.+?)\r?\n").encode())
    message.add_fingerprint()
    return message


def exact(sock: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        got = sock.recv(length - len(data))
        assert got, "it has closed the connection"
        data += got
    return data


def answer_to(message: stun.Message, sock: socket.socket) -> stun.Message:
    """Framed (RFC 4571); what else it sends is passed over."""
    data = bytes(message)
    sock.sendall(struct.pack("!H", len(data)) + data)
    while True:
        (length,) = struct.unpack("!H", exact(sock, 2))
        packet = exact(sock, length)
        if packet[8:20] == message.transaction_id and packet[0] == 1:
            return stun.parse_message(packet)


async def test_checks_by_tcp_are_answered_and_whoever_does_not_speak_so_is_hung_up_on(
    live_server: RunningServer,
) -> None:
    workers = live_server.worker_pids()
    for _ in range(2):  # the second comes after the first was closed
        sdp = await answered(live_server)
        with socket.create_connection(tcp_port(sdp), WAIT_S) as sock:
            for _ in range(2):
                said = answer_to(check(sdp), sock)
                assert said.message_class is stun.Class.RESPONSE
                assert said.attributes["XOR-MAPPED-ADDRESS"] == sock.getsockname()
        with socket.create_connection(tcp_port(sdp), WAIT_S) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b""
    assert live_server.worker_pids() == workers
