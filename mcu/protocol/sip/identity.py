"""Which number calls, by what the request says. Worth no more than whoever has passed it on."""

import re
from typing import Final

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri, TelUri
from mcu.protocol.sip.values import parse_address

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def calling_number(request: Request) -> str:
    """E.164, by P-Asserted-Identity (RFC 3325) before From; "": none."""
    for header in (*request.headers.listed("P-Asserted-Identity"), *request.headers.listed("From")):
        try:
            uri = parse_address(header).uri
        except Malformed:
            continue
        user = uri.user or "" if isinstance(uri, SipUri) else uri.number if isinstance(uri, TelUri) else ""
        if _E164.fullmatch(user):
            return user
    return ""
