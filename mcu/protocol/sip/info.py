"""Keys of a telephone in INFO (RFC 6086; the bodies are older than it and of no RFC).

`application/dtmf-relay` has lines, `Signal=5` and `Duration=160`; `application/dtmf` the key alone, or such lines.
"""

import re
from typing import Final

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request

TYPES: Final = ("application/dtmf-relay", "application/dtmf")
_LINE: Final = re.compile(rb"^[ \t]*Signal[ \t]*=[ \t]*([0-9]{1,2}|[*#A-Da-d])[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_ALONE: Final = re.compile(rb"\s*([0-9]{1,2}|[*#A-Da-d])\s*")
_EVENTS: Final = "0123456789*#ABCD"  # as RFC 4733 numbers them: some say 10 for a star


def key_of(request: Request) -> str | None:
    """One of 0-9, A-D, * and #; None where it is about something else. Raises `Malformed`."""
    media_type = request.content_type
    if media_type is None or media_type.value not in TYPES:
        return None
    found = _LINE.search(request.body)
    if found is None and media_type.value == "application/dtmf":
        found = _ALONE.fullmatch(request.body)
    if found is None:
        raise Malformed("INFO names no key")
    key = found[1].decode().upper()
    if len(key) == 1:
        return key
    if int(key) >= len(_EVENTS):
        raise Malformed("INFO names no key")
    return _EVENTS[int(key)]
