"""What may happen to a call into a meeting, one thing after the other (`visit.py`)."""

from dataclasses import dataclass

from mcu.conference.updates import Update
from mcu.media.call_messages import CallKeyed, CallLost, CallShares, CallTold, CallUnsighted
from mcu.net.bfcp.line import News
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Progressed
from mcu.signalling.sip.slides import Unused


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key, by whichever way: one of 0-9, A-D, * and #."""

    key: str

    def __repr__(self) -> str:
        return "Pressed()"  # it may be of a PIN


@dataclass(frozen=True, slots=True)
class HungUp:
    """A host, or the API, wants a call of ours no more that has no seat yet."""


@dataclass(frozen=True, slots=True)
class Unsighted:
    """They ask for a whole picture."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The media worker that had the call has died."""


Signalled = Progressed | Established | Changing | Changed | Unsighted | Ended
OfMedia = CallTold | CallKeyed | CallLost | CallUnsighted | CallShares | WorkerLost
OfFloor = News | Unused
Happening = Signalled | OfMedia | OfFloor | Pressed | Update | HungUp
