"""Names for things: a prefix that says what it is, and a UUIDv7 (RFC 9562 section 5.7), so that names sort by age."""

import secrets
import time
from typing import NewType

MeetingId = NewType("MeetingId", str)  # mtg_…
ParticipantId = NewType("ParticipantId", str)  # pt_…, a booked participant
RoomId = NewType("RoomId", str)  # room_…, one run of a meeting
LegId = NewType("LegId", str)  # leg_…, a seat in a room: it outlives a lost connection
NoticeId = NewType("NoticeId", str)  # ntc_…
CallId = NewType("CallId", str)  # call_…, a telephone's or room system's: it may be in the reception or have a seat
EndpointId = NewType("EndpointId", str)  # ep_…, a telephone or room system of our own


def new_id(prefix: str) -> str:
    """`prefix_` and 32 hex digits of a fresh UUIDv7."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (milliseconds << 80) | (0x7 << 76) | ((random >> 62) << 64) | (0b10 << 62) | (random & ((1 << 62) - 1))
    return f"{prefix}_{value:032x}"
