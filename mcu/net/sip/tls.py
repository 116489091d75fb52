"""TLS of SIP's connections: who shows a certificate is who it is for (RFC 5922)."""

import asyncio
import ssl
from typing import Final

from mcu.errors import Unavailable
from mcu.protocol.sip.certificate import Identities, identities

_REASONS: Final = {  # of OpenSSL's X509_V_ERR_*
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate is of an authority that is not trusted",
    20: "its certificate is of an authority that is not trusted",
    21: "its certificate is of an authority that is not trusted",
    23: "its certificate has been revoked",
}


class NotProven(Unavailable):
    """Who answers is not who was called. `detail` says why, and whom its certificate names."""

    code, title = "not-proven", "The other side cannot prove who it is"


def shown_by(transport: asyncio.BaseTransport) -> Identities:
    """What the certificate of the other side says, once it has been verified."""
    secure: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return identities(secure.getpeercert() if secure is not None else None)


def check(shown: Identities, name: str) -> None:
    """Raises `NotProven` where the certificate is for others than this name."""
    if not shown.is_for(name):
        raise NotProven(f"its certificate is for {shown}, and not for {name}")


def unreachable(error: OSError) -> Unavailable:
    """Why a connection did not come about, in words that an operator understands."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotProven(_REASONS.get(error.verify_code, f"its certificate is no good: {error.verify_message}"))
    if isinstance(error, ssl.SSLError):
        return NotProven(f"there is no TLS with it: {(error.reason or 'it fails').lower().replace('_', ' ')}")
    return Unavailable("it cannot be connected to")
