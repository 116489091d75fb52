"""May this person come in now, and as what: pure, from the meeting and what the room says of itself.

Who the person is (PIN, join token) is settled before (`mcu.auth`); what happens to a leg that comes in is the room's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from mcu.booking.meeting import Meeting, MeetingState, Role
from mcu.errors import Conflict, MeetingFull, Refused


class NotOpen(Conflict):
    """The meeting has not opened yet."""

    code, title = "meeting-not-open", "The meeting has not opened yet"
    q850: ClassVar[int] = 31  # normal, unspecified


class MeetingOver(Conflict):
    """The meeting is closed: cancelled, or its time is past."""

    code, title = "meeting-over", "The meeting is over"
    q850: ClassVar[int] = 31


class MeetingLocked(Refused):
    """A host has locked the room: nobody new comes in."""

    code, title = "meeting-locked", "The meeting is locked"


@dataclass(frozen=True, kw_only=True)
class RoomNow:
    """What the rules must know of the room that runs. `present` counts those let in, not the lobby."""

    present: int = 0
    host_present: bool = False  # some host is in the room, not in its lobby
    locked: bool = False


Wait = Literal["host", "admission"]


def entry(meeting: Meeting, role: Role, now: datetime, room: RoomNow | None = None) -> Wait | None:
    """`None`: straight in. `"host"`, `"admission"`: into the lobby, and why.

    Raises `NotOpen`, `MeetingOver`, `MeetingLocked` or `MeetingFull`. A host comes into a locked meeting.
    """
    room = room or RoomNow(locked=meeting.access.locked)
    check_open(meeting, now)
    if room.locked and role != "host":
        raise MeetingLocked("Ask a host to unlock it.")
    if room.present >= meeting.access.max_participants:
        raise MeetingFull("Somebody has to leave first.")
    return waits(meeting, role, host_present=room.host_present)


def check_open(meeting: Meeting, now: datetime) -> None:
    """Raises `NotOpen` or `MeetingOver` where nobody may come in because of the time or the cancellation."""
    state = meeting.state(now)
    if state is MeetingState.SCHEDULED and meeting.opens_at is not None:
        raise NotOpen(f"It opens at {meeting.opens_at.isoformat(timespec='seconds')}.")
    if state not in (MeetingState.OPEN, MeetingState.ACTIVE):
        raise MeetingOver("It was cancelled." if state is MeetingState.CANCELLED else "Its time is past.")


def waits(meeting: Meeting, role: Role, *, host_present: bool) -> Wait | None:
    """Why somebody waits in the lobby; `None` if not. Asked again when a host comes: `"host"` may then be over."""
    if role == "host":
        return "admission" if meeting.access.lobby == "all" and host_present else None
    if meeting.access.lobby != "none":
        return "admission"
    return "host" if meeting.access.wait_for_host and not host_present else None
