"""DTLS datagrams: whole records, none longer than what every path takes."""

import asyncio
import secrets
from contextlib import suppress
from typing import cast

from aiortc import RTCDtlsParameters
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL

from mcu.media._native import Plane
from mcu.media.transport.dtls import _NAMES, SecureTransport, new_certificate
from mcu.net.dtls import DATAGRAM_MAX, datagrams


def record(size: int) -> bytes:
    return b"\x16\xfe\xfd" + bytes(8) + size.to_bytes(2) + secrets.token_bytes(size)


@given(st.lists(st.integers(0, DATAGRAM_MAX - 13), max_size=40))
def test_records_are_neither_cut_nor_lost(sizes: list[int]) -> None:
    records = [record(size) for size in sizes]
    made = datagrams(b"".join(records))
    assert b"".join(made) == b"".join(records)
    assert all(0 < len(one) <= DATAGRAM_MAX for one in made)
    begins, at = set[int](), 0
    for one in records:
        begins.add(at)
        at += len(one)
    at = 0
    for one in made:
        assert at in begins
        at += len(one)


def test_a_handshake_with_the_longest_chain_is_in_records_that_fit() -> None:
    """A certificate that needs more than one datagram: OpenSSL cuts the message, we cut between its records."""
    certificate = new_certificate()
    context = certificate._create_ssl_context(list(_NAMES))
    for _ in range(4):
        context.add_extra_chain_cert(certificate._cert)
    server, client = SSL.Connection(context), SSL.Connection(SSL.Context(SSL.DTLS_METHOD))
    server.set_ciphertext_mtu(DATAGRAM_MAX)
    server.set_accept_state()
    client.set_connect_state()
    with suppress(SSL.WantReadError):
        client.do_handshake()
    server.bio_write(client.bio_read(16_384))
    with suppress(SSL.WantReadError):
        server.do_handshake()
    flight = server.bio_read(16_384)
    made = datagrams(flight)
    assert len(flight) > 1500
    assert len(made) > 1
    assert all(len(one) <= DATAGRAM_MAX for one in made)


class Notebook:
    """A plane that writes down what it is given, and hands DTLS to a far end."""

    def __init__(self, far: SSL.Connection) -> None:
        self.given: list[str] = []
        self._far = far

    def send_dtls(self, _handle: int, data: bytes, _rtcp: bool) -> None:
        self.given.append("dtls")
        self._far.bio_write(data)

    def set_keys(self, _handle: int, *_keys: object) -> None:
        self.given.append("keys")


async def test_the_plane_has_the_keys_before_the_far_end_knows_that_it_may_send() -> None:
    certificate = new_certificate()
    far = SSL.Connection(certificate._create_ssl_context(list(_NAMES)))
    far.set_ciphertext_mtu(DATAGRAM_MAX)
    far.set_connect_state()
    plane = Notebook(far)
    ours = SecureTransport(cast(Plane, plane), 1, new_certificate(), "server")
    began = asyncio.create_task(ours.start(RTCDtlsParameters(fingerprints=certificate.getFingerprints())))
    async with asyncio.timeout(5):
        while not far.get_peer_finished():
            with suppress(SSL.Error):  # nothing to read
                far.do_handshake()
            with suppress(SSL.Error):  # nothing to send
                ours.records.put(far.bio_read(16_384))
            await asyncio.sleep(0)
        await began
    assert plane.given == ["dtls", "keys", "dtls"]
    ours.end()
