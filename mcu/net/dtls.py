"""One DTLS association (RFC 6347), whose datagrams somebody else carries: octets in, octets out.

Who is at the other end is known by the fingerprint of its certificate alone (RFC 8122). What is lost of a handshake is
sent again by OpenSSL's timer. No datagram is longer than what every path takes (RFC 8200 section 5), for a handshake
that needs fragments never ends where fragments are dropped.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Final

from OpenSSL import SSL

from mcu.net.certificate import OwnCertificate
from mcu.net.fingerprint import is_one_of
from mcu.protocol.sdp.dtls import Fingerprint

CIPHERS: Final = (  # the far end's certificate is of either kind
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
)
DATAGRAM_MAX: Final = 1232  # bytes: with UDP and IPv6 headers 1,280
BIO_BYTES: Final = 16_384  # read at a time
RECORD_HEADER: Final = 13  # bytes (RFC 6347 section 4.1)
FIRST_OCTETS: Final = range(20, 64)  # of DTLS (RFC 9443, section 3)


def datagrams(records: bytes) -> list[bytes]:
    """Whole records, as many in each datagram as fit."""
    found, begin, at = list[bytes](), 0, 0
    while at < len(records):
        end = at + RECORD_HEADER + int.from_bytes(records[at + 11 : at + 13])
        if end - begin > DATAGRAM_MAX and at > begin:
            found.append(records[begin:at])
            begin = at
        at = end
    return [*found, records[begin:]] if records else []


class Association:
    """After each call `take` what is to be sent. `connected`: who is there has the right certificate.

    `over`: it has failed, or the other side has ended it.
    """

    def __init__(self, certificate: OwnCertificate, theirs: Collection[Fingerprint], *, begins: bool) -> None:
        """`begins`: we are the client, and the first flight waits to be taken."""
        self.connected = self.over = False
        self._theirs = theirs
        self._ssl = SSL.Connection(_context(certificate), None)
        self._ssl.set_ciphertext_mtu(DATAGRAM_MAX)
        if begins:
            self._ssl.set_connect_state()
            self._shake()
        else:
            self._ssl.set_accept_state()

    def receive(self, datagram: bytes) -> list[bytes]:
        """What was said in it."""
        if self.over:
            return []
        self._ssl.bio_write(datagram)
        if not self.connected:
            self._shake()
        return list(self._said()) if self.connected else []

    def send(self, data: bytes) -> None:
        """Nothing where it is not connected."""
        if self.connected and not self.over:
            with suppress(SSL.Error):
                self._ssl.send(data)

    def close(self) -> None:
        """Says good-bye where somebody is there."""
        if self.connected and not self.over:
            with suppress(SSL.Error):
                self._ssl.shutdown()
        self.over = True

    def take(self) -> list[bytes]:
        waiting = b""
        with suppress(SSL.Error):  # nothing more
            while True:
                waiting += self._ssl.bio_read(BIO_BYTES)
        return datagrams(waiting)

    def next_timer(self) -> float | None:
        """Seconds from now."""
        return None if self.over or self.connected else self._ssl.DTLSv1_get_timeout()

    def handle_timer(self) -> None:
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:  # sent again too often
            self.over = True

    def _shake(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error:
            self.over = True
            return
        shown = self._ssl.get_peer_certificate(as_cryptography=True)
        self.connected = shown is not None and is_one_of(shown, self._theirs)
        self.over = not self.connected

    def _said(self) -> Iterator[bytes]:
        try:
            while True:
                yield self._ssl.recv(BIO_BYTES)
        except SSL.WantReadError:
            return
        except SSL.Error:  # also where it has been closed
            self.over = True


def _context(certificate: OwnCertificate) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.use_certificate(certificate.shown)
    context.use_privatekey(certificate.key)
    context.set_cipher_list(CIPHERS)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.set_options(SSL.OP_NO_QUERY_MTU)  # behind a memory BIO there is no path to ask
    return context
