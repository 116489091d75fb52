"""The user agent: every call and every request outside calls, over whatever flows there are (RFC 3261, section 8).

Feed it what came and the time; `take` gives what is to be sent and what has happened. It decides nothing that policy
decides: who may call, register or be called is its owner's.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mcu.errors import McuError
from mcu.protocol.sip import session_timer, transactions
from mcu.protocol.sip.call import METHODS, SDP, SUPPORTED, Call
from mcu.protocol.sip.check import check_request, check_response, is_answered_in_sdp, is_read, unsupported
from mcu.protocol.sip.dialog import DialogId
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.events import Answered, Asked, Event, Invited, Sent
from mcu.protocol.sip.flow import Flow, contact, is_reliable, tag, via
from mcu.protocol.sip.gate import Verdict
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import HOPS, Request, Response
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.timers import Schedule
from mcu.protocol.sip.transactions import Happening, Key, Transactions
from mcu.protocol.sip.uri import SipUri, Uri
from mcu.protocol.sip.values import Address

KNOWN: Final = frozenset(METHODS.split(", ")) | {"REGISTER"}
CALLS: Final = 10_000
RETRY_S: Final = 10  # what is refused for its number may come again

ENDS: Final = frozenset({"BYE", "CANCEL"})  # what is kept: they always may

Then = Callable[[Response | int], None]
Asks = Callable[[Flow, str], Verdict]  # whether a new request is taken that comes this way: its method


def _anybody(_flow: Flow, _method: str) -> Verdict:
    return Verdict.TAKE


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a request goes, by which way, and what it says of who sends it."""

    flow: Flow
    target: Uri
    from_: Address
    to: Address
    headers: Sequence[tuple[str, str]] = ()
    hops: int = HOPS  # that it may go on from here


class Agent:
    """One server's. `asks` decides of new requests outside calls, before anything of them is kept."""

    def __init__(self, *, most_calls: int = CALLS, asks: Asks = _anybody) -> None:
        self.now = 0.0
        self.dropped = 0  # messages that could not even be answered
        self._most, self._asks = most_calls, asks
        self._transactions = Transactions[Flow]()
        self._events: deque[Event] = deque()
        self._calls: dict[tuple[str, str], Call] = {}  # by Call-ID and our tag
        self._inviting: dict[Key, Call] = {}  # by the INVITE's transaction
        self._waiting: dict[Key, Then] = {}  # for the response to a request of ours
        self._due = Schedule[Call]()

    def __len__(self) -> int:
        """Calls that are not over."""
        return len(self._calls)

    @property
    def transactions(self) -> int:
        return len(self._transactions)

    def take(self) -> Iterable[Event]:
        """What has happened since, in order."""
        while self._events:
            yield self._events.popleft()

    def uses(self, flow: Flow) -> bool:
        """Whether a call that is not over came, or was made, by this."""
        return any(call.flow == flow for call in self._calls.values())

    @property
    def leaving(self) -> list[Call]:
        """Calls that are over but for their BYE."""
        return [call for call in self._calls.values() if call.is_leaving]

    def call(self, dialog: DialogId) -> Call | None:
        """The call of this dialog, as Replaces names it (RFC 3891)."""
        found = self._calls.get(dialog[:2])
        matches = found is not None and found.dialog is not None and found.dialog.id == dialog
        return found if matches else None

    # -- in ------------------------------------------------------------------------------------------------------------

    def receive(self, message: Request | Response, flow: Flow, now: float) -> None:
        """What `message.read` or `stream` made. Nothing is raised: what is wrong is answered or counted."""
        self.now = now
        try:
            if isinstance(message, Response):
                check_response(message)
            else:
                check_request(message)
        except Malformed as error:
            self._malformed(message, error, flow)
            return
        if isinstance(message, Response) or self._is_taken(message, flow):
            self._handle(self._transactions.receive(message, flow, now, reliable=is_reliable(flow)))

    def _is_taken(self, request: Request, flow: Flow) -> bool:
        """What is not may be answered, and nothing of it is kept."""
        if request.method == "ACK" or self._transactions.has(request):
            return True
        call = None if request.to.tag is None else self._calls.get((request.call_id, request.to.tag))
        if call is not None:
            taken = request.method in ENDS or call.requests.take(self.now)
            verdict, status = Verdict.TAKE if taken else Verdict.REFUSE, 500  # as what meets a change, section 14.2
        else:
            verdict, status = self._asks(flow, request.method), 503
        if verdict is Verdict.REFUSE:
            refusal = response_to(request, status, tag=tag(), headers=[("Retry-After", str(RETRY_S))])
            self.tell(Sent(refusal, flow, None))
        return verdict is Verdict.TAKE

    def fault(self, key: Key, now: float) -> None:
        """What was `Sent` with this key could not be put on the wire."""
        self.now = now
        self._handle(self._transactions.fault(key))

    def goes(self, key: Key, request: Request, flow: Flow, now: float) -> None:
        """What was `Sent` with this key goes another way than by the flow that it was for."""
        self._transactions.goes(key, request, flow, now, reliable=is_reliable(flow))

    def next_timer(self) -> float | None:
        both = self._transactions.next_timer(), self._due.next()
        return min((due for due in both if due is not None), default=None)

    def handle_timer(self, now: float) -> None:
        self.now = now
        self._handle(self._transactions.handle_timer(now))
        while (call := self._due.take(now)) is not None:
            call.handle_timer(now)

    def _malformed(self, message: Request | Response, error: Malformed, flow: Flow) -> None:
        """A request that can be answered is; its transaction is not kept."""
        if isinstance(message, Response) or message.method == "ACK" or not message.headers.all("Via"):
            self.dropped += 1
            return
        self.tell(Sent(response_to(message, error.sip, tag=tag(), headers=[]), flow, None))

    # -- out -----------------------------------------------------------------------------------------------------------

    def invite(self, to: Recipient, body: bytes, now: float, answerer: Answerer | None = None) -> Call:
        """Calls somebody, with an offer. `answerer`: who we are, where they ask."""
        self.now = now
        ours = tag()
        fields = [
            *_fields(to, "INVITE", ours),
            ("Contact", contact(to.flow, sips=isinstance(to.target, SipUri) and to.target.secure)),
            ("Allow", METHODS),
            ("Supported", ", ".join(sorted(SUPPORTED))),
            *session_timer.asking(),
            *to.headers,
            ("Content-Type", SDP),
        ]
        request = Request("INVITE", str(to.target), headers=Headers(fields), body=body)
        call = Call(self, to.flow, request, (), ours, outgoing=True)
        self._calls[request.call_id, ours] = call
        call.place(answerer)
        return call

    def request(self, method: str, to: Recipient, now: float, body: bytes = b"") -> Key:
        """Any request outside a call but INVITE. `Answered` tells what came of it."""
        self.now = now
        fields = Headers([*_fields(to, method, tag()), *to.headers])
        return self.send(Request(method, str(to.target), headers=fields, body=body), to.flow, now)

    def send(self, request: Request, flow: Flow, now: float) -> Key:
        """As `request`, where somebody has made it: its top Via has a branch of its own."""
        self.now = now
        key, happened = self._transactions.request(request, flow, now, reliable=is_reliable(flow))
        self._handle(happened)
        return key

    def respond(self, key: Key, response: Response) -> None:
        """Answers what was `Asked` or came `Within` a call."""
        self._handle(self._transactions.respond(key, response, self.now))

    # -- what a call needs ---------------------------------------------------------------------------------------------

    def ask(self, request: Request, flow: Flow, then: Then) -> Key:
        key, happened = self._transactions.request(request, flow, self.now, reliable=is_reliable(flow))
        self._waiting[key] = then
        self._handle(happened)
        return key

    def as_sent(self, key: Key) -> tuple[Request, Flow] | None:
        return self._transactions.as_sent(key)

    def acknowledge(self, ack: Request, flow: Flow) -> None:
        self.tell(Sent(ack, flow, None))

    def tell(self, event: Event) -> None:
        self._events.append(event)

    def due(self, call: Call, at: float | None) -> None:
        self._due.set(call, at)

    def over(self, call: Call) -> None:
        self._calls.pop((call.invite.call_id, call.tag), None)
        self._inviting.pop(call.key, None)
        self._due.set(call, None)

    # -- what the transactions say -------------------------------------------------------------------------------------

    def _handle(self, happened: Iterable[Happening[Flow]]) -> None:
        for one in happened:
            match one:
                case transactions.Sent(message, flow, key):
                    self.tell(Sent(message, flow, key))
                case transactions.Asked(request, flow, key):
                    self._asked(request, flow, key)
                case transactions.Cancelled(key):
                    if (call := self._inviting.get(key)) is not None:
                        call.cancelled()
                case transactions.Answered(response, key):
                    self._answered(response, key)
                case transactions.Gone(status, key):
                    self._gone(status, key)
                case transactions.Over(key):
                    self._waiting.pop(key, None)

    def _answered(self, response: Response, key: Key) -> None:
        then = self._waiting.get(key)
        if then is None:
            if not response.is_provisional:
                self.tell(Answered(key, response, response.status))
            return
        try:
            then(response)
        except McuError:
            self.dropped += 1  # a response that is not whole is as none: the transaction goes on to its end

    def _gone(self, status: int, key: Key) -> None:
        """Of a request of ours that had no response; that an ACK did not come is noticed by the call itself."""
        if key[0] != "client":
            return
        then = self._waiting.get(key)
        if then is None:
            self.tell(Answered(key, None, status))
        else:
            then(status)

    def _asked(self, request: Request, flow: Flow, key: Key) -> None:
        try:
            self._route(request, flow, key)
        except McuError as error:
            self._refuse(request, error, key)

    def _refuse(self, request: Request, error: McuError, key: Key) -> None:
        if request.method == "ACK":
            self.dropped += 1
            return
        headers = [("Min-SE", str(session_timer.LEAST))] if isinstance(error, session_timer.TooBrief) else []
        self.respond(key, response_to(request, error.sip, tag=tag(), headers=headers))

    def _route(self, request: Request, flow: Flow, key: Key) -> None:
        ours = request.to.tag
        if request.method not in KNOWN:
            self.respond(key, response_to(request, 405, tag=tag(), headers=[("Allow", METHODS)]))
        elif request.method != "ACK" and (missing := unsupported(request, SUPPORTED)):
            said = [("Unsupported", ", ".join(sorted(missing)))]
            self.respond(key, response_to(request, 420, tag=tag(), headers=said))
        elif not is_read(request):
            said = [("Accept", SDP), ("Accept-Encoding", "identity")]
            self.respond(key, response_to(request, 415, tag=tag(), headers=said))
        elif not is_answered_in_sdp(request):
            self.respond(key, response_to(request, 406, tag=tag()))
        elif request.method == "INFO" and "Info-Package" in request.headers:  # of which none is taken (RFC 6086)
            self.respond(key, response_to(request, 469, tag=tag(), headers=[("Recv-Info", "")]))
        elif ours is not None:
            self._within(request, key, ours)
        elif request.method == "INVITE":
            self._invited(request, flow, key)
        elif request.method in ("BYE", "PRACK", "UPDATE", "INFO", "NOTIFY"):
            self.respond(key, response_to(request, 481, tag=tag()))
        elif request.method != "ACK":
            self.tell(Asked(request, flow, key))

    def _within(self, request: Request, key: Key, ours: str) -> None:
        call = self._calls.get((request.call_id, ours))
        theirs = None if call is None or call.dialog is None else call.dialog.remote.tag
        if call is None or (theirs or "") != (request.from_.tag or ""):
            if request.method != "ACK":
                self.respond(key, response_to(request, 481))
        elif request.method == "ACK":
            call.acknowledged(request)
        else:
            call.receive(request, key)

    def _invited(self, request: Request, flow: Flow, key: Key) -> None:
        if len(self._calls) >= self._most:
            self.respond(key, response_to(request, 503, tag=tag(), headers=[("Retry-After", str(RETRY_S))]))
            return
        ours = self._transactions.tag_of(key)
        call = Call(self, flow, request, key, ours, outgoing=False)
        call.begin()
        self._calls[request.call_id, ours] = call
        self._inviting[key] = call
        self.respond(key, response_to(request, 100))
        self.tell(Invited(call))


def _fields(to: Recipient, method: str, ours: str) -> list[tuple[str, str]]:
    """What every request outside a dialog begins with (section 8.1.1)."""
    return [
        ("Via", via(to.flow)),
        ("Max-Forwards", str(to.hops)),
        ("From", str(to.from_.with_(tag=ours))),
        ("To", str(to.to)),
        ("Call-ID", tag() + tag()),
        ("CSeq", f"1 {method}"),
    ]
