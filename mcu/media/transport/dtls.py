"""DTLS-SRTP for one leg: aiortc's handshake over the plane's datagrams, and keys that go to the plane.

Datagrams come from the leg's proved address alone. A hello from elsewhere is answered for a leg that may be behind a
NAT, by an association of its own that sends nothing but a short cookie before that has come back from there (RFC 6347,
section 4.2.1), so that nobody is sent more than has been sent in that name. No packet of media passes here. Profiles:
AEAD first (RFC 7714), nothing weaker than AES-128 with an 80-bit tag; the side that is DTLS server chooses among them,
so we are it whenever the offer lets us (see `answer.py`). What is lost of a handshake is sent again by OpenSSL's timer,
after 1 s, 2 s and 4 s. No datagram is longer than what every path takes (RFC 8200 section 5), for a handshake that
needs fragments never ends where fragments are dropped.
"""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import cast

from aiortc import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTPProtectionProfile,
    State,
)
from OpenSSL import SSL

from mcu.media._native import Plane
from mcu.net.dtls import BIO_BYTES, CIPHERS, DATAGRAM_MAX, datagrams

RENEW = timedelta(days=7)  # a certificate is replaced when it has less than this left
COOKIE_BYTES = 16
RECORDS_MAX = 64  # datagrams that wait to be read
_NAMES = {  # the plane's, the best first
    SRTP_AEAD_AES_256_GCM: "AEAD_AES_256_GCM",
    SRTP_AEAD_AES_128_GCM: "AEAD_AES_128_GCM",
    SRTP_AES128_CM_SHA1_80: "AES128_CM_SHA1_80",
}
_EXPORTED_AS = b"EXTRACTOR-dtls_srtp"  # RFC 5764 section 4.2


class Certificate(RTCCertificate):
    """One whose contexts do not ask the path for its MTU: behind a memory BIO there is none to ask.

    And as a client it takes a server with a certificate by RSA, as many telephones have.
    """

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        context.set_cipher_list(CIPHERS)
        return context


class Cookied(Certificate):
    """The same, for whoever is not known to be where it says: it is asked to send a cookie back first."""

    @classmethod
    def of(cls, certificate: RTCCertificate) -> "Cookied":
        return cls(key=certificate._key, cert=certificate._cert)

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        assert SSL.OP_COOKIE_EXCHANGE is not None  # only of an OpenSSL without DTLS
        context.set_options(SSL.OP_COOKIE_EXCHANGE)
        cookie = secrets.token_bytes(COOKIE_BYTES)
        context.set_cookie_generate_callback(lambda _: cookie)
        context.set_cookie_verify_callback(lambda _, said: hmac.compare_digest(said, cookie))
        return context


class Certificates:
    """A worker's, for all its legs; replaced before it ends."""

    def __init__(self) -> None:
        self._made = new_certificate()

    @property
    def current(self) -> RTCCertificate:
        if self._made.expires - datetime.now(UTC) < RENEW:
            self._made = new_certificate()
        return self._made


def fingerprint(certificate: RTCCertificate) -> str:
    """As SDP has it: by SHA-256, which all understand (RFC 8122 section 5)."""
    found = next(print_ for print_ in certificate.getFingerprints() if print_.algorithm == "sha-256")
    return f"{found.algorithm} {found.value}"


def new_certificate() -> RTCCertificate:
    """For many legs. OpenSSL makes its first context in 10 ms, the next in 0.3: the first is made here, for nobody."""
    certificate = Certificate.generateCertificate()
    certificate._create_ssl_context(list(_NAMES))
    return certificate


class Records:
    """A leg's DTLS datagrams: what aiortc's transport has in place of ICE. Bounded; DTLS sends again what is lost."""

    def __init__(self, plane: Plane, handle: int, *, rtcp: bool, greeted: int) -> None:
        self._plane, self._handle, self._rtcp, self._greeted = plane, handle, rtcp, greeted
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()

    def put(self, record: bytes) -> bool:
        """False where too many wait."""
        if self._queue.qsize() >= RECORDS_MAX:
            return False
        self._queue.put_nowait(record)
        return True

    async def _recv(self) -> bytes:
        return await self._queue.get()

    async def _send(self, data: bytes) -> None:
        try:
            if self._greeted:
                self._plane.answer_greeting(self._handle, self._rtcp, self._greeted, data)
            else:
                self._plane.send_dtls(self._handle, data, self._rtcp)
        except LookupError:  # the leg has ended, or that place is forgotten
            raise ConnectionError from None

    def believe(self) -> None:
        """They are where the datagrams come from. Raises `LookupError` where that is forgotten."""
        if self._greeted:
            self._plane.believe(self._handle, self._rtcp, self._greeted)
            self._greeted = 0


class SecureTransport(RTCDtlsTransport):
    """A leg's DTLS association. Tells `on_closed` once, when the far end closes it or it fails.

    `rtcp`: one of RTCP alone, which has a port of its own (RFC 5764 section 4.1). `greeted`: the plane's number of
    where the datagrams come from, if that is elsewhere than the leg is.
    """

    def __init__(
        self,
        plane: Plane,
        handle: int,
        certificate: RTCCertificate,
        role: str,
        *,
        rtcp: bool = False,
        greeted: int = 0,
    ) -> None:
        self.records = Records(plane, handle, rtcp=rtcp, greeted=greeted)
        certificate = Cookied.of(certificate) if greeted else certificate
        super().__init__(cast(RTCIceTransport, self.records), [certificate])
        self._srtp_profiles = list(_NAMES)
        self._set_role(role)
        self._plane, self._handle, self._rtcp = plane, handle, rtcp
        self._profile = ""
        self.keys: tuple[str, bytes, bytes] | None = None  # profile as the plane calls it, ours, theirs
        self.on_closed: Callable[[], None] = lambda: None

    @property
    def connected(self) -> bool:
        return self._state is State.CONNECTED

    @property
    def profile(self) -> str:
        """The SRTP profile that was agreed on, by its IANA name; empty before that."""
        return self._profile

    def end(self) -> None:
        """Says good-bye where there is somebody to say it to; nothing is read any more."""
        self.drop()
        if self._ssl is not None and self._state in (State.CONNECTING, State.CONNECTED):
            with suppress(SSL.Error):
                self._ssl.shutdown()
            with suppress(SSL.Error, LookupError):
                self._plane.send_dtls(self._handle, self._ssl.bio_read(1500), self._rtcp)

    def drop(self) -> None:
        """Nothing is read any more."""
        if self._task is not None:
            self._task.cancel()

    async def _do_handshake(self) -> None:
        assert self._ssl is not None
        self._ssl.set_ciphertext_mtu(DATAGRAM_MAX)
        await super()._do_handshake()

    async def start(self, remoteParameters: RTCDtlsParameters) -> None:
        """Our last flight leaves when the plane has the keys: the far end sends media as soon as it has that."""
        await super().start(remoteParameters)
        with suppress(ConnectionError):
            await self._write_ssl()

    async def _write_ssl(self) -> None:
        """All that waits: of a flight that is sent again, or two, there can be more than one datagram."""
        assert self._ssl is not None
        if self._state is State.CONNECTING and self._ssl.get_peer_finished():
            return
        waiting = b""
        with suppress(SSL.Error):  # nothing more
            while True:
                waiting += self._ssl.bio_read(BIO_BYTES)
        for datagram in datagrams(waiting):
            await self.transport._send(datagram)

    def _setup_srtp(self) -> None:
        """Gives the plane the keys. aiortc's own sessions are not made."""
        assert self._ssl is not None
        agreed = self._ssl.get_selected_srtp_profile()
        profile = next((profile for profile in _NAMES if profile.openssl_profile == agreed), None)
        if profile is None:
            self._set_state(State.FAILED)
            return
        size = 2 * (profile.key_length + profile.salt_length)
        exported = self._ssl.export_keying_material(_EXPORTED_AS, size)
        client, server = (profile.get_key_and_salt(exported, side) for side in (0, 1))
        sending, receiving = (server, client) if self._role == "server" else (client, server)
        try:
            self.records.believe()  # their certificate is the one that was told
        except LookupError:
            self._set_state(State.FAILED)
            return
        self.keys = _NAMES[profile], sending, receiving
        self._plane.set_keys(self._handle, *self.keys, self._rtcp)
        self._profile = agreed.decode()

    def _set_state(self, state: State) -> None:
        was_connected = self._state is State.CONNECTED
        super()._set_state(state)
        if was_connected and state is State.CLOSED:
            self.on_closed()
