"""What the control process and a media worker say to each other of calls by telephone: see `messages`.

A call is in the worker's reception until a room has seated it.
"""

import msgspec

from mcu.ids import CallId
from mcu.media.messages import Cause, Command, Event
from mcu.protocol.sdp.exchange import Kind


class LineKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Of SRTP, that a line of a call has by DTLS. Who moves with its call may not know how to shake hands once more: it
    goes on with these, until it has done so."""

    kind: Kind
    rtcp: bool  # of RTCP alone, which had a port of its own
    profile: str  # as the plane calls it
    ours: bytes
    theirs: bytes

    def __repr__(self) -> str:
        return f"LineKeys({self.kind})"


class AnswerCall(Command, frozen=True, kw_only=True):
    """A telephone or a room system calls: it is in the reception from now on. Answered by `Answered`."""

    call: CallId
    offer: str  # SDP
    encrypted: bool  # it must be


class OfferCall(Command, frozen=True, kw_only=True):
    """Somebody is called, or a call comes here from another worker. Answered by `Answered`: our offer."""

    call: CallId
    said: str  # our SDP to them, of the former worker; "" where there is no call yet
    anew: bool = False  # what they were told was another's words: codecs and keys are ours from now on
    encrypted: bool
    codecs: tuple[str, ...] = ()  # of sound, that may be offered to whom we call; none named: all
    by_dtls: bool = False  # what is offered to them has its keys by that, not in the SDP
    ipv6: bool = False  # the address that is offered, where there is no call yet
    keys: tuple[LineKeys, ...] = ()  # that a call from another worker has


class AcceptCall(Command, frozen=True, kw_only=True):
    """What came back to our offer. A call that was not here is in the reception from now on. Answered by `Answered`,
    with no answer."""

    call: CallId
    answer: str  # SDP


class ChangeCall(Command, frozen=True, kw_only=True):
    """The other side offers something else, or asks us to (an empty `offer`); the call is in the reception or a room.

    Answered by `Answered`: our answer, or an offer, to which `AcceptCall` brings what comes back. Where it is refused
    all is as it was.
    """

    call: CallId
    offer: str  # SDP


class HoldCall(Command, frozen=True, kw_only=True):
    """Nothing is sent to the call while it is held, and that nothing comes of it is no loss."""

    call: CallId
    held: bool


class AllowSlides(Command, frozen=True, kw_only=True):
    """Whether what others share may go to the call on a line of its own; else it sees that in its one picture."""

    call: CallId
    allowed: bool


class SayToCall(Command, frozen=True, kw_only=True):
    """Say these prompts to a call in the reception, in place of what is being said. Then comes `CallTold`."""

    call: CallId
    prompts: list[str]  # names of files, without their ending
    language: str
    voice: str = ""  # the organisation whose recordings go before all


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a call in the reception sees, in words. `typed`: what has been pressed; of a PIN only how much."""

    title: str
    note: str = ""
    typed: str = ""
    keys: tuple[tuple[str, str], ...] = ()  # and what each does

    def __repr__(self) -> str:
        return "Card()"  # there may be a meeting's number on it


class ShowToCall(Command, frozen=True, kw_only=True):
    """A call in the reception sees this from now on, where it takes pictures."""

    call: CallId
    card: Card


class RefreshCall(Command, frozen=True, kw_only=True):
    """The call needs a key frame of what it sees, and its signalling says so."""

    call: CallId


class EndCall(Command, frozen=True, kw_only=True):
    """A call in the reception is over, or goes on elsewhere. One that is not there is no error."""

    call: CallId


class RelayKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Of SRTP, that one side of a call between two others has with us, on one line."""

    side: int
    line: int
    suite: str  # as SDP calls it
    ours: bytes
    theirs: bytes

    def __repr__(self) -> str:
        return f"RelayKeys({self.side}, {self.line})"


class RelayCall(Command, frozen=True, kw_only=True):
    """What one side of a call between two others says to the other (SDP): their packets go through this worker.

    Answered by `Answered`: what the other side is to be told. The first makes the relay.
    """

    call: CallId
    side: int  # who says it: 0 or 1
    said: str  # SDP
    believed: bool  # it may be at the addresses that it says; else only authentic packets show where it is
    addresses: tuple[str, str]  # ours, by which each side reaches us; "": the first
    ipv6: tuple[bool, bool]  # of each side, where it has ""
    opened: bool = False  # what comes from the one is encrypted anew for the other
    keys: tuple[RelayKeys, ...] = ()  # of what is opened: all that are known


class EndRelay(Command, frozen=True, kw_only=True):
    """A call between two others is over, or goes on elsewhere. One that is not there is no error."""

    call: CallId


CallCommand = (
    AnswerCall
    | OfferCall
    | AcceptCall
    | ChangeCall
    | HoldCall
    | AllowSlides
    | SayToCall
    | ShowToCall
    | RefreshCall
    | EndCall
)
RelayCommand = RelayCall | EndRelay


# -- events ---------------------------------------------------------------------------------------------------------


class CallKey(Event, frozen=True, kw_only=True):
    """A key of a telephone, wherever its call is: one of 0-9, *, #, A-D."""

    call: CallId
    key: str

    def __repr__(self) -> str:
        return "CallKey()"  # it may be of a PIN


class CallKeyed(Event, frozen=True, kw_only=True):
    """A call has keys by DTLS: all that its lines have now."""

    call: CallId
    keys: tuple[LineKeys, ...]


class CallTold(Event, frozen=True, kw_only=True):
    """All that was to be said to a call in the reception has been."""

    call: CallId


class CallUnsighted(Event, frozen=True, kw_only=True):
    """A key frame of its picture is needed, and its far end understands neither PLI nor FIR."""

    call: CallId


class CallShares(Event, frozen=True, kw_only=True):
    """A screen is shared by the call's line for slides, or no longer."""

    call: CallId
    on: bool


class CallLost(Event, frozen=True, kw_only=True):
    """A call has no media any more, in the reception or in a room: nothing came of it for too long, or it failed."""

    call: CallId
    cause: Cause


CallEvent = CallKey | CallKeyed | CallTold | CallUnsighted | CallShares | CallLost
