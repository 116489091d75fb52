"""DTLS datagrams: whole records, none longer than what every path takes."""

import asyncio
import secrets
from contextlib import suppress
from typing import cast

from aiortc import RTCCertificate, RTCDtlsParameters
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL

from mcu.media import _native
from mcu.media._native import Event, Plane
from mcu.media.transport.association import Association
from mcu.media.transport.dtls import _NAMES, SecureTransport, new_certificate
from mcu.net.dtls import DATAGRAM_MAX, datagrams
from mcu.protocol.sdp.dtls import Association as Agreed
from mcu.protocol.sdp.dtls import Fingerprint


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


class Street:
    """A plane at whose leg's port some greet us, each from where nobody said that they are: by number."""

    def __init__(self, *certificates: RTCCertificate) -> None:
        self.sent: dict[int, list[int]] = {0: []}  # to whom: how long
        self.believed: list[int] = []
        self.far: dict[int, SSL.Connection] = {}
        for number, certificate in enumerate(certificates, 1):
            far = self.far[number] = SSL.Connection(certificate._create_ssl_context(list(_NAMES)))
            far.set_ciphertext_mtu(DATAGRAM_MAX)
            far.set_connect_state()
            self.sent[number] = []

    def send_dtls(self, _handle: int, data: bytes, _rtcp: bool) -> None:
        self.sent[0].append(len(data))

    def answer_greeting(self, _handle: int, _rtcp: bool, number: int, data: bytes) -> None:
        self.sent[number].append(len(data))
        self.far[number].bio_write(data)

    def believe(self, _handle: int, _rtcp: bool, number: int) -> None:
        self.believed.append(number)

    def set_keys(self, *_keys: object) -> None:
        assert self.believed

    def say(self, number: int) -> bytes:
        """What this one says next."""
        with suppress(SSL.Error):
            self.far[number].do_handshake()
        with suppress(SSL.Error):
            return self.far[number].bio_read(16_384)
        return b""


def greeting(number: int, data: bytes) -> Event:
    return Event(_native.DTLS, 1, 0, number, 0, 0, 0, False, data)


def associated(street: Street, theirs: RTCCertificate, told: list[tuple[bool, bool]]) -> Association:
    prints = frozenset(Fingerprint(one.algorithm, one.value) for one in theirs.getFingerprints())
    agreed = Agreed(prints, "server", "", None)
    made = Association(
        cast(Plane, street), 1, new_certificate(), agreed, muxed=True, tell=lambda *said: told.append(said)
    )
    made.begin()
    return made


async def test_who_greets_from_elsewhere_is_sent_a_cookie_alone_and_less_than_it_said_until_that_comes_back() -> None:
    theirs = new_certificate()
    street = Street(theirs)
    ours = associated(street, theirs, [])
    hello = street.say(1)
    for _ in range(3):
        ours.put_of(greeting(1, hello))
        await asyncio.sleep(0.02)
    assert street.sent[1]
    assert sum(street.sent[1]) < 3 * len(hello)
    assert max(street.sent[1]) < 100
    assert street.believed == []
    ours.end()


async def test_of_all_who_greet_the_one_with_the_certificate_that_was_told_is_believed() -> None:
    theirs, told = new_certificate(), list[tuple[bool, bool]]()
    street = Street(new_certificate(), theirs)
    ours = associated(street, theirs, told)
    async with asyncio.timeout(5):
        while not told:
            for number in street.far:
                if said := street.say(number):
                    ours.put_of(greeting(number, said))
            await asyncio.sleep(0.005)
    assert (street.believed, told) == ([2], [(False, True)])
    assert ours.connected
    assert ours.profile
    assert street.sent[0]  # from then on to where the leg is
    ours.put_of(greeting(1, street.say(1) or b"x"))  # nobody is to greet us any more
    assert ours._greeted == {}
    ours.end()
