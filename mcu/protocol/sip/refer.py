"""REFER: whom a call is to be led to (RFC 3515; RFC 4488), and whether that replaces another (RFC 3891)."""

from dataclasses import dataclass

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri, Uri
from mcu.protocol.sip.values import parse_address


@dataclass(frozen=True, slots=True)
class Refer:
    """`replaces`: a call of theirs is to give way to it."""

    target: Uri
    replaces: bool
    notifies: bool  # whoever refers wants to be told what came of it


def parse_refer(request: Request) -> Refer:
    """Raises `Malformed`."""
    text = request.headers.one("Refer-To")
    if text is None:
        raise Malformed("Refer-To is missing")
    target = parse_address(text).uri
    headers = {name.lower() for name in target.headers} if isinstance(target, SipUri) else set()
    notifies = (request.headers.one("Refer-Sub") or "").strip().lower() != "false"
    return Refer(target, "replaces" in headers, notifies)
