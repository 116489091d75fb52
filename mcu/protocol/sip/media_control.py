"""Asking for a whole picture by INFO (RFC 5168): for those who understand neither PLI nor FIR."""

import re
from typing import Final

from mcu.protocol.sip.message import Request

TYPE: Final = "application/media_control+xml"
FAST_UPDATE: Final = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b"<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>"
)
_ASKS: Final = re.compile(rb"<\s*picture_fast_update[\s/>]")


def asks(request: Request) -> bool:
    """Whether they need a whole picture. What else such a message may say is not known here, and nobody sends it."""
    said = request.content_type
    return request.method == "INFO" and said is not None and said.value == TYPE and bool(_ASKS.search(request.body))
