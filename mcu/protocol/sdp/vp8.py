"""VP8 in SDP (RFC 7741, section 6): how much the other side can take."""

from collections.abc import Mapping
from typing import Final

from mcu.protocol.sdp.codecs import Limits, number

_ANY: Final = 10**9


def limits(params: Mapping[str, str]) -> Limits:
    """What `max-fs` and `max-fr` say (section 6.1); each is no limit where it is not there."""
    blocks, fps = number(params, "max-fs") or _ANY, number(params, "max-fr") or _ANY
    return Limits(min(blocks * fps, _ANY), blocks, _ANY)
