"""One call: an INVITE's dialog from its first ring to its end, on either side of it (RFC 3261, sections 13 to 15).

With changes of it by re-INVITE and UPDATE (section 14, RFC 3311), reliable provisional responses (RFC 3262), and
session timers (RFC 4028). What may happen in which state is in `call_state`.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from mcu.errors import Conflict
from mcu.protocol.sip import dialog as dialogs
from mcu.protocol.sip import session_timer
from mcu.protocol.sip.call_state import TRANSITIONS, H, Happened, S
from mcu.protocol.sip.dialog import Dialog
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Event, Progressed, Within
from mcu.protocol.sip.flow import Flow, contact, is_secure, via
from mcu.protocol.sip.grammar import number
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.session_timer import Interval
from mcu.protocol.sip.timers import GIVE_UP, T1, T2, Alarms
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.values import CSeq, parse_credentials, parse_rack

METHODS: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY, MESSAGE"
SUPPORTED: Final = frozenset({"100rel", "timer", "replaces", "path", "gruu", "outbound", "norefersub"})
SDP: Final = "application/sdp"
_ATTEMPTS: Final = 3  # of one INVITE: with credentials, with a longer interval


class Line(Protocol):
    """What a call needs of its agent."""

    def ask(self, request: Request, flow: Flow, then: "Callable[[Response | int], None]") -> Key:
        """Sends a request. `then` is called with each response, or with the status that its absence means."""
        ...

    def respond(self, key: Key, response: Response) -> None: ...

    def acknowledge(self, ack: Request, flow: Flow) -> None: ...

    def tell(self, event: Event) -> None: ...

    def due(self, call: "Call", at: float | None) -> None:
        """When `handle_timer` of the call is to be called; None: not at all."""
        ...

    def over(self, call: "Call") -> None: ...

    @property
    def now(self) -> float: ...


@dataclass(slots=True)
class _Repeated:
    """A 2xx until its ACK, or a reliable provisional response until its PRACK, at doubling times."""

    key: Key
    response: Response
    cseq: CSeq
    since: float
    wait: float = T1


@dataclass(frozen=True, slots=True)
class Theirs:
    """A change that they asked for and that is not answered."""

    request: Request
    key: Key


class Call:
    """`invite` and `key` are of the INVITE that began it; `dialog` is there as soon as both tags are known."""

    def __init__(self, line: Line, flow: Flow, invite: Request, key: Key, tag: str, *, outgoing: bool) -> None:
        self.flow, self.invite, self.key, self.tag = flow, invite, key, tag
        self.outgoing = outgoing
        self.state = S.CALLING if outgoing else S.INVITED
        self.dialog: Dialog | None = None
        self.interval: Interval | None = None
        self._alarms = Alarms(lambda at: line.due(self, at))
        self._line = line
        self._accepted: _Repeated | None = None
        self._reliable: _Repeated | None = None
        self._rseq = secrets.randbelow(2**30) + 1
        self._their_rseq: int | None = None
        self._theirs: Theirs | None = None
        self._asking = False  # a change of ours waits for its answer
        self._again: Callable[[], None] | None = None  # offers once more what met a change of theirs
        self._sdp = b""  # the last that we sent
        self._their_methods: frozenset[str] = frozenset()
        self._rings = False  # a provisional response has come, so that a CANCEL may go (section 9.1)
        self._cancelled = False
        self._attempts = 0
        self._answerer: Answerer | None = None

    # -- they call ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Of an INVITE that came. Raises `Malformed`, `session_timer.TooBrief`."""
        self.interval = session_timer.of_request(self.invite)
        who = contact(self.flow)
        self.dialog = dialogs.of_request(self.invite, self.tag, who, secure=is_secure(self.flow))
        self._note_methods(self.invite)

    def ring(self, status: int = 180, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> None:
        """A provisional response: reliable where it has a body and they know how (RFC 3262, section 3)."""
        if self.state is not S.INVITED or self._reliable is not None:
            return
        tokens = self.invite.tokens("Require") | self.invite.tokens("Supported")
        response = self._response(self.invite, status, body, headers)
        if "100rel" not in tokens or not (body or "100rel" in self.invite.tokens("Require")):
            self._line.respond(self.key, response)
            return
        self._rseq += 1
        said = response.headers.with_("Require", "100rel").with_("RSeq", str(self._rseq))
        self._reliable = _Repeated(self.key, replace(response, headers=said), self.invite.cseq, self._line.now)
        self._line.respond(self.key, self._reliable.response)
        self._alarms.set("reliable", self._line.now + T1)

    def answer(self, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> None:
        """A 2xx: the answer to their offer, or an offer where they made none. Raises `Conflict`: it is too late."""
        if not self._move(H.TAKEN):
            raise Conflict("The call is not waiting for an answer.")
        self._take_up(self.invite, self.key, body, headers)

    def refuse(self, status: int, headers: Iterable[tuple[str, str]] = (), reason: str | None = None) -> None:
        """From 300 on. Nothing happens where the call is not waiting for an answer."""
        if self.state is S.INVITED:
            self._refuse(status, headers, reason)
            self._over(status)

    def _refuse(self, status: int, headers: Iterable[tuple[str, str]] = (), reason: str | None = None) -> None:
        response = response_to(self.invite, status, tag=self.tag, reason=reason, headers=headers)
        self._line.respond(self.key, response)

    def cancelled(self) -> None:
        """Their CANCEL has come in time."""
        if self.state is S.INVITED:
            self._refuse(487)
            self._over(487)

    def acknowledged(self, ack: Request) -> None:
        if self._accepted is None or ack.cseq.number != self._accepted.cseq.number:
            return
        self._accepted = None
        self._alarms.drop("accepted")
        if self._move(H.ACKNOWLEDGED):
            self._line.tell(Established(self, ack))
        else:
            self._line.tell(Changed(self, ack))

    # -- we call ------------------------------------------------------------------------------------------------------

    def place(self, answerer: Answerer | None = None) -> None:
        """Sends the INVITE. `answerer`: who we are, where they ask."""
        self._answerer, self._sdp = answerer, self.invite.body
        self._attempts += 1
        self.key = self._line.ask(self.invite, self.flow, self._answered)

    def _answered(self, response: Response | int) -> None:
        if isinstance(response, int):
            self._over(response)
        elif response.is_provisional:
            self._progressed(response)
        elif response.is_success:
            self._taken(response)
        elif self.state is S.CALLING and not self._try_again(response):
            self._over(response.status, response)

    def _progressed(self, response: Response) -> None:
        self._rings = True
        if self._cancelled:
            self._send_cancel()
            return
        if response.status == 100 or self.state is not S.CALLING:
            return
        if response.to.tag and response.contacts:
            self.dialog = dialogs.of_response(self.invite, response, contact(self.flow), secure=is_secure(self.flow))
            self._note_methods(response)
            if "100rel" in response.tokens("Require") and not self._prack(response):
                return
        self._line.tell(Progressed(self, response))

    def _prack(self, response: Response) -> bool:
        """Whether it is the next in order, and not one of before again (RFC 3262, section 4)."""
        rseq = number(response.headers.one("RSeq") or "", 2**32, "RSeq")
        if self._their_rseq is not None and rseq != self._their_rseq + 1:
            return False
        self._their_rseq = rseq
        self._request("PRACK", headers=[("RAck", f"{rseq} {response.cseq}")])
        return True

    def _taken(self, response: Response) -> None:
        """A 2xx: the first stands, again it is acknowledged again, and of another fork it is hung up (13.2.2.4)."""
        made = dialogs.of_response(self.invite, response, contact(self.flow), secure=is_secure(self.flow))
        ack = made.request("ACK", via(self.flow), number=self.invite.cseq.number)
        self._line.acknowledge(ack, self.flow)
        if self.state is S.CALLING and not self._cancelled:
            self.dialog = made
            self._note_methods(response)
            self._move(H.TAKEN)
            self._refresh(session_timer.of_response(response))
            self._line.tell(Established(self, response))
        elif self.state is not S.UP or self.dialog is None or made.id != self.dialog.id:
            self._line.ask(made.request("BYE", via(self.flow)), self.flow, _nothing)
            if self._cancelled:
                self._over(487)

    def _try_again(self, response: Response) -> bool:
        """With credentials where they are asked for, or with a longer interval (RFC 4028, section 7.4)."""
        if self._attempts >= _ATTEMPTS or self._cancelled:
            return False
        headers = self.invite.headers
        if response.status in (401, 407):
            said = self._credentials(response)
            if said is None:
                return False
            headers = headers.with_(*said)
        elif response.status == 422:
            headers = headers.with_("Session-Expires", response.headers.one("Min-SE") or "")
        else:
            return False
        again = CSeq(self.invite.cseq.number + 1, "INVITE")
        self.invite = self.invite.with_(headers.with_("CSeq", str(again)).with_("Via", via(self.flow)))
        self.place(self._answerer)
        return True

    def _credentials(self, response: Response) -> tuple[str, str] | None:
        asked, answered = (
            ("WWW-Authenticate", "Authorization")
            if response.status == 401
            else ("Proxy-Authenticate", "Proxy-Authorization")
        )
        challenges = [parse_credentials(text) for text in response.headers.all(asked)]
        if self._answerer is None or not self._answerer.challenged(challenges):
            return None
        made = self._answerer.answer("INVITE", self.invite.target)
        return None if made is None else (answered, made)

    # -- the end ------------------------------------------------------------------------------------------------------

    def hang_up(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Ends the call, in whatever way its state asks for. Nothing happens where it is over."""
        match self.state:
            case S.INVITED:
                self.refuse(480, headers)
            case S.CALLING:
                self._cancel()
            case S.ANSWERED | S.UP:
                self._request("BYE", headers=headers)
                self._over(200)

    def _cancel(self) -> None:
        """Nobody has heard of a call to which nothing was said: CANCEL waits for the first response (section 9.1)."""
        if not self._cancelled:
            self._cancelled = True
            if self._rings:
                self._send_cancel()

    def _send_cancel(self) -> None:
        kept = [(n, v) for n, v in self.invite.headers if n.lower() in ("route", "from", "to", "call-id")]
        cseq = CSeq(self.invite.cseq.number, "CANCEL")
        fields = [("Via", str(self.invite.via)), ("Max-Forwards", "70"), *kept, ("CSeq", str(cseq))]
        self._line.ask(Request("CANCEL", self.invite.target, headers=Headers(fields)), self.flow, _nothing)
        self._rings = False
        self._alarms.set("cancelled", self._line.now + GIVE_UP)

    def _over(self, status: int, message: Request | Response | None = None) -> None:
        if self._move(H.OVER):
            self._alarms.clear()
            self._line.tell(Ended(self, status, message))
            self._line.over(self)

    # -- requests of theirs within the call ---------------------------------------------------------------------------

    def receive(self, request: Request, key: Key) -> None:
        """Any but ACK and CANCEL, with our tag. Raises `dialog.OutOfOrder`, `Malformed`, and what else refuses it."""
        if self.dialog is None:
            raise Conflict
        self.dialog.accept(request)
        match request.method:
            case "BYE":
                self._respond(key, request, 200)
                if self.state is S.INVITED:
                    self._refuse(487)
                self._over(200, request)
            case "PRACK":
                self._pracked(request, key)
            case "INVITE" | "UPDATE":
                self._changing(request, key)
            case _:
                self._line.tell(Within(self, request, key))

    def _pracked(self, request: Request, key: Key) -> None:
        rack = parse_rack(request.headers.one("RAck") or "")
        waiting = self._reliable
        if waiting is None or (rack.rseq, rack.cseq) != (self._rseq, waiting.cseq):
            self._respond(key, request, 481)
            return
        self._reliable = None
        self._alarms.drop("reliable")
        self._respond(key, request, 200)

    def _changing(self, request: Request, key: Key) -> None:
        """One change at a time: 491 where ours is on its way, 500 where theirs is (14.2; RFC 3311, section 5.2)."""
        if self._asking:
            self._respond(key, request, 491)
        elif self._theirs is not None or self._accepted is not None or self.state in (S.INVITED, S.CALLING):
            self._respond(key, request, 500, [("Retry-After", str(secrets.randbelow(10)))])
        else:
            self.interval = session_timer.of_request(request)
            self._theirs = Theirs(request, key)
            if request.method == "UPDATE" and not request.body:
                self.accept_change(b"")  # the session lives: nothing else is said
            else:
                self._line.tell(Changing(self, request))

    def accept_change(self, body: bytes) -> None:
        """The answer to what is `Changing`, or an offer where they asked for one. Raises `Conflict`."""
        if self._theirs is None:
            raise Conflict("There is no change of the call to answer.")
        theirs, self._theirs = self._theirs, None
        self._take_up(theirs.request, theirs.key, body, [])

    def refuse_change(self, status: int) -> None:
        """The call goes on as it was."""
        if self._theirs is not None:
            theirs, self._theirs = self._theirs, None
            self._respond(theirs.key, theirs.request, status)

    # -- changes of ours ----------------------------------------------------------------------------------------------

    def change(self, body: bytes) -> None:
        """Offers something else, by re-INVITE. Raises `Conflict`: another change is on its way, or no call stands."""
        if self.state is not S.UP or self._is_changing or self._again is not None:
            raise Conflict("The call is being changed already, or does not stand.")
        self._sdp = body
        self._offer("INVITE", body)

    @property
    def _is_changing(self) -> bool:
        return self._asking or self._theirs is not None or self._accepted is not None

    def _offer(self, method: str, body: bytes) -> None:
        self._asking, self._again = True, None
        timer = [*session_timer.asking(), ("Supported", "timer"), ("Allow", METHODS)]
        sent = self._request(method, headers=timer, body=body, then=lambda response: self._changed(sent, response))

    def _changed(self, request: Request, response: Response | int) -> None:
        if isinstance(response, Response) and response.is_provisional:
            return
        self._asking = False
        status = response if isinstance(response, int) else response.status
        if isinstance(response, Response) and response.is_success:
            self._settled(request, response)
        elif status == 491:
            self._again = lambda: self._offer(request.method, request.body)
            self._alarms.set("again", self._line.now + self._glare_s())
            return
        if status in (408, 481):
            self.hang_up()  # the other side knows of no call (RFC 5057, section 5.1)
        elif isinstance(response, Response) and request.body:
            self._line.tell(Changed(self, response))

    def _try_change_again(self, again: Callable[[], None]) -> None:
        if self._is_changing:
            self._alarms.set("again", self._line.now + T1)
        else:
            again()

    def _settled(self, request: Request, response: Response) -> None:
        assert self.dialog is not None
        self.dialog.refresh(request.method, response)
        if request.method == "INVITE":
            ack = self.dialog.request("ACK", via(self.flow), number=request.cseq.number)
            self._line.acknowledge(ack, self.flow)
        self._refresh(session_timer.of_response(response))

    def _glare_s(self) -> float:
        """Who made the call waits longer, so that both do not meet again (section 14.1)."""
        return (2.1 + secrets.randbelow(190) / 100) if self.outgoing else secrets.randbelow(200) / 100

    # -- time ---------------------------------------------------------------------------------------------------------

    def handle_timer(self, now: float) -> None:
        for name in self._alarms.take(now):
            match name:
                case "accepted" if self._accepted is not None:
                    self._repeat(self._accepted, name, T2)
                case "reliable" if self._reliable is not None:
                    self._repeat(self._reliable, name, GIVE_UP)
                case "again" if self._again is not None:
                    self._try_change_again(self._again)
                case "session":
                    self._session_due()
                case "cancelled":
                    self._over(487)

    def _repeat(self, sent: _Repeated, alarm: str, longest: float) -> None:
        now = self._line.now
        if now - sent.since >= GIVE_UP:
            self._unheard(alarm)
            return
        self._line.respond(sent.key, sent.response)
        sent.wait = min(2 * sent.wait, longest)
        self._alarms.set(alarm, min(now + sent.wait, sent.since + GIVE_UP))

    def _unheard(self, alarm: str) -> None:
        """Their ACK or PRACK has not come for 32 s (sections 13.3.1.4; RFC 3262, section 3)."""
        if alarm == "reliable":
            self._refuse(504)
        else:
            self._request("BYE")
        self._over(408)

    def _session_due(self) -> None:
        if self.interval is None or self.state is not S.UP:
            return
        if not self.interval.ours:
            self._request("BYE", headers=[("Reason", 'SIP;cause=408;text="Session expired"')])
            self._over(408)
        elif not self._is_changing and self._again is None:
            self._offer(*(("UPDATE", b"") if "UPDATE" in self._their_methods else ("INVITE", self._sdp)))
        else:
            self._alarms.set("session", self._line.now + T2)

    def _refresh(self, interval: Interval | None) -> None:
        self.interval = interval
        self._alarms.drop("session")
        if interval is not None:
            self._alarms.set("session", self._line.now + interval.due_s)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _take_up(self, request: Request, key: Key, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
        """A 2xx to an INVITE is repeated until its ACK, whatever the transport (section 13.3.1.4)."""
        said = [*headers, *([] if self.interval is None else session_timer.answering(self.interval, request))]
        response = self._response(request, 200, body, said)
        self._refresh(self.interval)
        if body:
            self._sdp = body
        self._reliable = None
        self._alarms.drop("reliable")
        self._line.respond(key, response)
        if request.method == "INVITE":
            self._accepted = _Repeated(key, response, request.cseq, self._line.now)
            self._alarms.set("accepted", self._line.now + T1)

    def _response(self, to: Request, status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> Response:
        said = [
            ("Contact", contact(self.flow)),
            ("Allow", METHODS),
            ("Supported", ", ".join(sorted(SUPPORTED))),
            *headers,
        ]
        if body:
            said.append(("Content-Type", SDP))
        return response_to(to, status, tag=self.tag, headers=said, body=body)

    def _respond(self, key: Key, to: Request, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        self._line.respond(key, response_to(to, status, tag=self.tag, headers=headers))

    def _request(
        self,
        method: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        then: Callable[[Response | int], None] | None = None,
    ) -> Request:
        assert self.dialog is not None  # nothing is asked within a call before both tags are known
        said = [*headers, ("Content-Type", SDP)] if body else headers
        made = self.dialog.request(method, via(self.flow), headers=said, body=body)
        self._line.ask(made, self.flow, then or _nothing)
        return made

    def inform(self, content_type: str, body: bytes, method: str = "INFO") -> None:
        """INFO, MESSAGE or NOTIFY within the call. Raises `Conflict` where no call stands."""
        if self.state is not S.UP or self.dialog is None:
            raise Conflict("The call does not stand.")
        made = self.dialog.request(method, via(self.flow), headers=[("Content-Type", content_type)], body=body)
        self._line.ask(made, self.flow, _nothing)

    def _note_methods(self, message: Request | Response) -> None:
        self._their_methods = message.tokens("Allow")

    def _move(self, happened: Happened) -> bool:
        after = TRANSITIONS[self.state].get(happened)
        if after is None:
            return False
        self.state = after
        return True


def _nothing(_response: Response | int) -> None:
    """Whatever they answer changes nothing."""
