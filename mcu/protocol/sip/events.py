"""What an agent tells the one above it, and what it asks to be sent."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcu.protocol.sip.flow import Flow
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transactions import Key

if TYPE_CHECKING:
    from mcu.protocol.sip.call import Call


@dataclass(frozen=True, slots=True)
class Sent:
    """To put on the wire. Where that fails, `Agent.fault` is told the key."""

    message: Request | Response
    flow: Flow
    key: Key | None  # None: the ACK of a 2xx, which nobody answers


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody calls: `call.ring`, `call.answer` or `call.refuse`. `call.invite` may have an offer as its body."""

    call: "Call"


@dataclass(frozen=True, slots=True)
class Progressed:
    """A call of ours rings, or has early media: a provisional response above 100."""

    call: "Call"
    response: Response


@dataclass(frozen=True, slots=True)
class Established:
    """The call stands: a 2xx to our INVITE, or the ACK of ours, which has the answer where the 2xx had the offer."""

    call: "Call"
    message: Request | Response


@dataclass(frozen=True, slots=True)
class Changing:
    """They offer a change (re-INVITE or UPDATE), or ask us for an offer where there is no body.

    `call.changes.accept` or `call.changes.refuse`.
    """

    call: "Call"
    request: Request


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of the change that we offered: a final response, or an ACK with the answer to our offer in a 2xx.

    A failure leaves the call as it was.
    """

    call: "Call"
    message: Request | Response


@dataclass(frozen=True, slots=True)
class Within:
    """INFO, REFER, NOTIFY, MESSAGE and the like within a call: `agent.respond`."""

    call: "Call"
    request: Request
    key: Key


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, whoever ended it; nothing more is told of it.

    `status` is 200 for a BYE, 487 for a CANCEL, what was answered to our INVITE, or what it would mean as an answer
    (408: nothing came any more; 503: nothing could be sent).
    """

    call: "Call"
    status: int
    message: Request | Response | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request outside any call: REGISTER, OPTIONS, MESSAGE and the like: `agent.respond`."""

    request: Request
    flow: Flow
    key: Key


@dataclass(frozen=True, slots=True)
class Answered:
    """The final response to a request of ours outside any call; None where there was none."""

    key: Key
    response: Response | None
    status: int


Event = Sent | Invited | Progressed | Established | Changing | Changed | Within | Ended | Asked | Answered
