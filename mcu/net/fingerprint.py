"""Of the certificate that a TLS context shows (RFC 8122, section 5)."""

import hashlib
import ssl
from contextlib import suppress
from typing import Final

ROUNDS: Final = 4  # of a handshake with ourselves, at most


def fingerprint_of(context: ssl.SSLContext) -> str:
    """As SDP has it: `sha-256 12:AB:…`. It is asked each time, for a certificate may be renewed under way."""
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
    return f"sha-256 {hashlib.sha256(certificate).digest().hex(':').upper()}"
