"""Why somebody does not come into a meeting, as a telephone is told: with what to do next."""

from collections.abc import Mapping
from typing import Final

from mcu.booking.rules import MeetingLocked, MeetingOver, NotOpen
from mcu.errors import McuError, MeetingFull, NotAcceptable, TooMany
from mcu.signalling.sip.prompts import Prompt, Words


class NotSecured(NotAcceptable):
    """The meeting's organisation takes encrypted calls alone."""

    code, title = "not-secured", "The meeting takes encrypted calls alone"


_WHY: Final[Mapping[type[McuError], Prompt]] = {
    NotOpen: Prompt.NOT_OPEN,
    MeetingOver: Prompt.MEETING_OVER,
    MeetingLocked: Prompt.MEETING_LOCKED,
    MeetingFull: Prompt.MEETING_FULL,
    TooMany: Prompt.TOO_MANY,
    NotSecured: Prompt.NOT_SECURED,
}


def why(error: McuError) -> Words:
    """The last that is said to them."""
    words = (_WHY[type(error)],) if type(error) in _WHY else (Prompt.CANNOT, Prompt.CALL_LATER)
    return (*words, Prompt.GOODBYE)
