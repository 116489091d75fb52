"""One call: an INVITE's dialog from its first ring to its end, on either side of it (RFC 3261, sections 13 to 15).

With reliable provisional responses (RFC 3262). Changes of it are in `changes`, and what may happen in which state in
`call_state`.
"""

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from mcu.errors import Conflict
from mcu.protocol.sip import dialog as dialogs
from mcu.protocol.sip import session_timer
from mcu.protocol.sip.call_state import TRANSITIONS, H, Happened, S
from mcu.protocol.sip.changes import Changes
from mcu.protocol.sip.credentials import credentials, given, once_more
from mcu.protocol.sip.dialog import Dialog
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.events import Changed, Changing, Ended, Established, Progressed, Within
from mcu.protocol.sip.flow import Flow, contact, via
from mcu.protocol.sip.gate import Bucket
from mcu.protocol.sip.grammar import Malformed, number
from mcu.protocol.sip.line import Line
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.pending import Early, Repeated
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.timers import GIVE_UP, T1, T2, Alarms
from mcu.protocol.sip.transaction import cancel_of
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.values import CSeq, parse_rack

METHODS: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, INFO, REFER, NOTIFY, MESSAGE"
SUPPORTED: Final = frozenset({"100rel", "timer", "replaces", "path", "gruu", "outbound", "norefersub"})
SDP: Final = "application/sdp"
_ATTEMPTS: Final = 3  # of one INVITE: with credentials, with a longer interval
REQUESTS_PER_S: Final = 20.0  # of theirs within one call: each is kept for up to 32 s
REQUESTS_AT_ONCE: Final = 100.0
_FORKS: Final = 16  # that may ring for one call


class Call:
    """`invite` and `key` are of the INVITE that began it; `dialog` is there as soon as both tags are known."""

    def __init__(self, line: Line, flow: Flow, invite: Request, key: Key, tag: str, *, outgoing: bool) -> None:
        self.flow, self.invite, self.key, self.tag = flow, invite, key, tag
        self.outgoing = outgoing
        self._contact = contact(flow, sips=invite.target.lower().startswith("sips:"))
        self.requests = Bucket(REQUESTS_PER_S, REQUESTS_AT_ONCE, line.now)
        self.state = S.CALLING if outgoing else S.INVITED
        self.dialog: Dialog | None = None
        self._alarms = Alarms(lambda at: line.due(self, at))
        self.changes = Changes(self, self._alarms)
        self._line = line
        self._accepted: Repeated | None = None
        self._reliable: Repeated | None = None
        self._rseq = secrets.randbelow(2**30) + 1
        self._early: dict[str, Early] = {}  # by their tags
        self._their_methods: frozenset[str] = frozenset()
        self.is_heard = False  # a provisional response to ours has come, so that a CANCEL may go (section 9.1)
        self._cancelled = False
        self._goodbye: list[tuple[str, str]] | None = None  # of a BYE that waits for their ACK
        self._attempts = 0
        self._answerer: Answerer | None = None
        self._given: list[tuple[str, str]] = []  # credentials of the last request that needed some
        self._unacknowledged: tuple[int, CSeq] | None = None  # the last reliable response
        self._taking: tuple[bytes, list[tuple[str, str]]] | None = None  # as soon as that is acknowledged

    # -- they call ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Of an INVITE that came. Raises `Malformed`, `session_timer.TooBrief`."""
        self.changes.interval = session_timer.of_request(self.invite)
        self.dialog = dialogs.of_request(self.invite, self.tag, self._contact)
        self._note_methods(self.invite)
        with suppress(Malformed):  # such as there is none
            expires = number(self.invite.headers.one("Expires") or "", 2**32, "Expires")
            self._alarms.set("expired", self._line.now + expires)

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
        self._reliable = Repeated(self.key, replace(response, headers=said), self.invite.cseq, self._line.now)
        self._unacknowledged = self._rseq, self.invite.cseq
        self._line.respond(self.key, self._reliable.response)
        self._alarms.set("reliable", self._line.now + T1)

    def answer(self, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> None:
        """A 2xx: the answer to their offer, or an offer where they made none. Raises `Conflict`: it is too late.

        What has been answered early must be acknowledged before (RFC 3262, section 3).
        """
        if self.state is not S.INVITED or self._taking is not None:
            raise Conflict("The call is not waiting for an answer.")
        if self._reliable is not None and self._reliable.response.body:
            self._taking = body, list(headers)
            return
        self._move(H.TAKEN)
        self.take_up(self.invite, self.key, body, headers)

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
        if self.is_leaving:
            self.say_goodbye()
        elif self._move(H.ACKNOWLEDGED):
            self._line.tell(Established(self, ack))
        else:
            self._line.tell(Changed(self, ack))

    # -- we call ------------------------------------------------------------------------------------------------------

    def place(self, answerer: Answerer | None = None) -> None:
        """Sends the INVITE. `answerer`: who we are, where they ask."""
        self._answerer, self.changes.sdp = answerer, self.invite.body
        self._attempts += 1
        self.is_heard = False
        self.key = self._line.ask(self.invite, self.flow, self._answered)

    def _answered(self, response: Response | int) -> None:
        if isinstance(response, int):
            if self.is_heard and not self._cancelled:
                self._send_cancel()  # it may ring there still (section 16.8)
            self._over(response)
        elif response.is_provisional:
            self._progressed(response)
        elif response.is_success:
            self._taken(response)
        elif self.state is S.CALLING and not self._try_again(response):
            self._over(response.status, response)

    def _progressed(self, response: Response) -> None:
        first, self.is_heard = not self.is_heard, True
        if self._cancelled:
            if first:
                self._send_cancel()
            return
        if response.status == 100 or self.state is not S.CALLING:
            return
        if response.to.tag and response.contacts:
            early = self._early_of(response, response.to.tag)
            if early is None:
                return
            self.dialog, early.answer = early.dialog, early.answer or response.body
            self._note_methods(response)
            if "100rel" in response.tokens("Require") and not self._prack(early, response):
                return
        self._line.tell(Progressed(self, response))

    def _early_of(self, response: Response, tag: str) -> Early | None:
        """Each fork has a dialog of its own (section 12.1.2); None: there are too many of them."""
        made = dialogs.of_response(self.invite, response, self._contact)
        if tag not in self._early and len(self._early) >= _FORKS:
            return None
        early = self._early.setdefault(tag, Early(made))
        early.dialog.target = made.target
        return early

    def _prack(self, early: Early, response: Response) -> bool:
        """Whether it is the next in order, and not one of before again (RFC 3262, section 4)."""
        rseq = number(response.headers.one("RSeq") or "", 2**32, "RSeq")
        if early.rseq is not None and rseq != early.rseq + 1:
            return False
        early.rseq = rseq
        self.request("PRACK", headers=[("RAck", f"{rseq} {response.cseq}")])
        return True

    def _taken(self, response: Response) -> None:
        """A 2xx: the first stands, again it is acknowledged again, and of another fork it is hung up (13.2.2.4).

        It need not say again what a provisional response has answered (RFC 3262, section 5).
        """
        made = dialogs.of_response(self.invite, response, self._contact)
        if (early := self._early.get(response.to.tag or "")) is not None:
            made.cseq = max(made.cseq, early.dialog.cseq)  # a PRACK has had its number
            response = response if response.body else replace(response, body=early.answer)
        ack = made.request("ACK", via(self.flow), number=self.invite.cseq.number, headers=given(self.invite))
        self._line.acknowledge(ack, self.flow)
        if self.state is S.CALLING and not self._cancelled:
            self.dialog = made
            self._note_methods(response)
            self._move(H.TAKEN)
            self.changes.refresh(session_timer.of_response(response))
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
            said = credentials(self.invite, response, self._answerer)
            if said is None:
                return False
            headers = headers.with_(*said)
        elif response.status == 422:
            for name, value in session_timer.asking(session_timer.least_of(response)):
                headers = headers.with_(name, value)
        else:
            return False
        again = CSeq(self.invite.cseq.number + 1, "INVITE")
        self.invite = self.invite.with_(headers.with_("CSeq", str(again)).with_("Via", via(self.flow)))
        self.place(self._answerer)
        return True

    # -- the end ------------------------------------------------------------------------------------------------------

    def hang_up(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Ends the call, in whatever way its state asks for. Nothing happens where it is over."""
        match self.state:
            case S.INVITED:
                self.refuse(480, headers)
            case S.CALLING:
                self._cancel()
            case S.ANSWERED:
                self._goodbye = list(headers)
                self._over(200)
            case S.UP:
                self.changes.acknowledge(self.changes.sdp)  # what they have offered is not left open
                self.request("BYE", headers=headers)
                self._over(200)

    def _cancel(self) -> None:
        """Nobody has heard of a call to which nothing was said: CANCEL waits for the first response (section 9.1)."""
        if not self._cancelled:
            self._cancelled = True
            if self.is_heard:
                self._send_cancel()

    def _send_cancel(self) -> None:
        """The way that the INVITE went."""
        invite, flow = self._line.as_sent(self.key) or (self.invite, self.flow)
        self._line.ask(cancel_of(invite), flow, _nothing)
        self._alarms.set("cancelled", self._line.now + GIVE_UP)

    def _over(self, status: int, message: Request | Response | None = None) -> None:
        if self._move(H.OVER):
            self.changes.refuse(487)  # what of theirs waits for an answer (section 15.1.2)
            self._alarms.drop("reliable", "again", "session", "cancelled", "expired")
            self._line.tell(Ended(self, status, message))
        if self.state is S.ENDED and not self.is_leaving:
            self._alarms.clear()
            self._line.over(self)

    @property
    def is_leaving(self) -> bool:
        """It is over, and BYE waits for their ACK."""
        return self._goodbye is not None

    def say_goodbye(self) -> None:
        """Who has answered says BYE no earlier than their ACK comes, or can come no more (section 15)."""
        headers, self._goodbye = self._goodbye, None
        self.request("BYE", headers=headers or ())
        self._over(200)

    # -- requests of theirs within the call ---------------------------------------------------------------------------

    def receive(self, request: Request, key: Key) -> None:
        """Any but ACK and CANCEL, with our tag. Raises `dialog.OutOfOrder`, `Malformed`, and what else refuses it."""
        if self.dialog is None:
            raise Conflict
        self.dialog.accept(request)
        match request.method:
            case "BYE":
                self.respond(key, request, 200)
                if self.state is S.INVITED:
                    self._refuse(487)
                self._goodbye = None  # they have said it
                self._over(200, request)
            case "PRACK":
                self._pracked(request, key)
            case "INVITE" | "UPDATE":
                self.changes.receive(request, key)
            case _:
                self._line.tell(Within(self, request, key))

    def _pracked(self, request: Request, key: Key) -> None:
        rack = parse_rack(request.headers.one("RAck") or "")
        if (rack.rseq, rack.cseq) != self._unacknowledged:
            self.respond(key, request, 481)
            return
        self._reliable = self._unacknowledged = None
        self._alarms.drop("reliable")
        self.respond(key, request, 200)
        taking, self._taking = self._taking, None
        if taking is not None:
            self.answer(*taking)

    # -- time ---------------------------------------------------------------------------------------------------------

    def handle_timer(self, now: float) -> None:
        for name in self._alarms.take(now):
            match name:
                case "accepted" if self._accepted is not None:
                    self._repeat(self._accepted, name, T2)
                case "reliable" if self._reliable is not None:
                    self._repeat(self._reliable, name, GIVE_UP)
                case "again":
                    self.changes.handle_again()
                case "session":
                    self.changes.handle_session()
                case "cancelled":
                    self._over(487)
                case "expired":
                    self.cancelled()  # they wait for it no longer (section 13.3.1)

    def _repeat(self, sent: Repeated, alarm: str, longest: float) -> None:
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
            self._over(408)
        elif self.is_leaving:
            self.say_goodbye()
        else:
            self.expire()

    # -- what its changes need ----------------------------------------------------------------------------------------

    @property
    def answered(self) -> bool:
        """With a 2xx, by either side; not over."""
        return self.state in (S.ANSWERED, S.UP)

    @property
    def stands(self) -> bool:
        """Answered, and acknowledged."""
        return self.state is S.UP

    @property
    def is_repeating(self) -> bool:
        """A 2xx of ours waits for its ACK."""
        return self._accepted is not None

    @property
    def now(self) -> float:
        return self._line.now

    def tell_changing(self, request: Request) -> None:
        self._line.tell(Changing(self, request))

    def tell_changed(self, response: Response) -> None:
        self._line.tell(Changed(self, response))

    def takes(self, method: str) -> bool:
        """Whether the other side says that it knows it."""
        return method in self._their_methods

    def take_up(self, request: Request, key: Key, body: bytes, headers: Iterable[tuple[str, str]] = ()) -> None:
        """A 2xx to an INVITE is repeated until its ACK, whatever the transport (section 13.3.1.4)."""
        interval = self.changes.interval if self.answered else None  # there is no session before
        said = [*headers, *([] if interval is None else session_timer.answering(interval, request))]
        response = self._response(request, 200, body, said)
        if interval is not None:
            self.changes.refresh(interval)
        if body:
            self.changes.sdp = body
        self._line.respond(key, response)
        if request.method == "INVITE":
            self._reliable = None
            self._alarms.drop("reliable")
            self._accepted = Repeated(key, response, request.cseq, self._line.now)
            self._alarms.set("accepted", self._line.now + T1)

    def ask(self, method: str, body: bytes, then: Callable[[Response | int], None]) -> Request:
        """A re-INVITE or an UPDATE. `then` is called with each response, or with what its absence means."""
        asked = session_timer.asking(session_timer.least_of(self.invite))
        said = [*asked, ("Supported", "timer"), ("Allow", METHODS)]
        return self.request(method, headers=said, body=body, then=then)

    def settle(self, request: Request, response: Response, body: bytes = b"") -> None:
        """Their 2xx to a change of ours: acknowledged where it asks for it, with our answer to what they offer."""
        assert self.dialog is not None
        self.dialog.refresh(request.method, response)
        if request.method == "INVITE":
            said = [("Content-Type", SDP)] if body else []
            said += self._given
            ack = self.dialog.request("ACK", via(self.flow), number=response.cseq.number, headers=said, body=body)
            self._line.acknowledge(ack, self.flow)

    def expire(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        """The other side has vanished: it is told, and the call is over."""
        self.request("BYE", headers=headers)
        self._over(408)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _response(self, to: Request, status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> Response:
        said = [
            ("Contact", self._contact),
            ("Allow", METHODS),
            ("Supported", ", ".join(sorted(SUPPORTED))),
            *headers,
        ]
        if body:
            said.append(("Content-Type", SDP))
        return response_to(to, status, tag=self.tag, headers=said, body=body)

    def respond(self, key: Key, to: Request, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        self._line.respond(key, response_to(to, status, tag=self.tag, headers=headers))

    def request(
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
        self._ask(made, then or _nothing)
        return made

    def _ask(self, request: Request, then: Callable[[Response | int], None]) -> None:
        """Of a call in which they ask who we are it is asked of each request, and once more with the answer."""

        def answered(response: Response | int) -> None:
            assert self.dialog is not None
            again = once_more(request, response, self._answerer, self.dialog.next_cseq, via(self.flow))
            if again is None:
                then(response)
            else:
                self._given = given(again)
                self._line.ask(again, self.flow, then)

        self._line.ask(request, self.flow, answered)

    def inform(self, content_type: str, body: bytes, method: str = "INFO") -> None:
        """INFO or MESSAGE within the call. Raises as `notify`."""
        self.notify(method, [("Content-Type", content_type)], body)

    def notify(self, method: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Any request within the call to which no answer matters. Raises `Conflict` where none has been answered."""
        if not self.answered or self.dialog is None:
            raise Conflict("The call does not stand.")
        self._ask(self.dialog.request(method, via(self.flow), headers=headers, body=body), _nothing)

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
