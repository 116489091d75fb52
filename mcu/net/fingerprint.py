"""Certificates by their fingerprints (RFC 8122, section 5)."""

import hashlib
import ssl
from collections.abc import Collection
from contextlib import suppress
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mcu.protocol.sdp.dtls import Fingerprint

ROUNDS: Final = 4  # of a handshake with ourselves, at most


def fingerprint_of(context: ssl.SSLContext) -> str:
    """Of what it shows, as SDP has it: `sha-256 12:AB:…`. It is asked each time: a certificate may be renewed."""
    asker = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asker.check_hostname, asker.verify_mode = False, ssl.CERT_NONE
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    shows, sees = context.wrap_bio(there, here, server_side=True), asker.wrap_bio(here, there)
    for _ in range(ROUNDS):
        for end in (sees, shows):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    certificate = sees.getpeercert(binary_form=True)
    assert certificate is not None  # a context that serves has one
    return f"sha-256 {hexadecimal(certificate, 'sha-256')}"


def hexadecimal(certificate: bytes, algorithm: str) -> str:
    """Of its DER; `algorithm` by the name that SDP has for it."""
    return hashlib.new(algorithm.replace("-", ""), certificate).digest().hex(":").upper()


def is_one_of(certificate: bytes | x509.Certificate, fingerprints: Collection[Fingerprint]) -> bool:
    """Whether it is the certificate of one of them."""
    der = certificate if isinstance(certificate, bytes) else certificate.public_bytes(Encoding.DER)
    return any(hexadecimal(der, one.algorithm) == one.value for one in fingerprints)
