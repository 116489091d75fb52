"""What changes a call that stands: re-INVITE and UPDATE of either side, and the session timer that asks for them.

RFC 3261, section 14; RFC 3311; RFC 4028. One change at a time: what meets another is asked to come again.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from mcu.errors import Conflict
from mcu.protocol.sip import session_timer
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.session_timer import Interval
from mcu.protocol.sip.timers import GIVE_UP, T1, T2, Alarms
from mcu.protocol.sip.transactions import Key

EXPIRED = [("Reason", 'SIP;cause=408;text="Session expired"')]

Headers = Iterable[tuple[str, str]]


class Changeable(Protocol):
    """What changes need of their call."""

    outgoing: bool

    @property
    def answered(self) -> bool:
        """With a 2xx, by either side; not over."""

    @property
    def stands(self) -> bool:
        """Answered, and acknowledged."""

    @property
    def is_repeating(self) -> bool:
        """A 2xx of ours waits for its ACK."""

    @property
    def now(self) -> float: ...

    def takes(self, method: str) -> bool:
        """Whether the other side says that it knows it."""

    def ask(self, method: str, body: bytes, then: Callable[[Response | int], None]) -> Request:
        """A re-INVITE or an UPDATE. `then` is called with each response, or with what its absence means."""

    def respond(self, key: Key, to: Request, status: int, headers: Headers = ()) -> None: ...

    def take_up(self, request: Request, key: Key, body: bytes) -> None:
        """Answers it with a 2xx."""

    def settle(self, request: Request, response: Response, body: bytes = b"") -> None:
        """Their 2xx to a change of ours: acknowledged where it asks for it, with our answer to what they offer."""

    def tell_changing(self, request: Request) -> None: ...

    def tell_changed(self, response: Response) -> None: ...

    def hang_up(self, headers: Headers = ()) -> None: ...

    def expire(self, headers: Headers = ()) -> None:
        """The other side has vanished: it is told, and the call is over."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """A change that they asked for and that is not answered."""

    request: Request
    key: Key


class Changes:
    """Those of one `call`, with whose `alarms` it shares the names "again" and "session"."""

    def __init__(self, call: Changeable, alarms: Alarms) -> None:
        self.interval: Interval | None = None
        self.sdp = b""  # the last of ours that was taken
        self._call, self._alarms = call, alarms
        self._theirs: Theirs | None = None
        self._asking = False  # a change of ours waits for its answer
        self._offered: tuple[Request, Response] | None = None  # an offer that we asked for, not answered yet
        self._answer = b""  # to the last such
        self._again: Callable[[], None] | None = None  # offers once more what met a change of theirs
        self._lost_at = 0.0  # where the session has not been refreshed by then

    # -- theirs -------------------------------------------------------------------------------------------------------

    def receive(self, request: Request, key: Key) -> None:
        """491 where ours is on its way, 500 where theirs is (section 14.2; RFC 3311, section 5.2).

        An UPDATE that offers nothing meets nothing. Raises `session_timer.TooBrief`, `Malformed`.
        """
        if request.method == "UPDATE" and not request.body:
            if self._call.answered:
                self.interval = session_timer.of_request(request)  # the session lives
            self._call.take_up(request, key, b"")
        elif self._asking:
            self._call.respond(key, request, 491)
        elif self._theirs is not None or self._call.is_repeating or not self._call.answered:
            self._call.respond(key, request, 500, [("Retry-After", str(secrets.randbelow(10)))])
        else:
            self.interval = session_timer.of_request(request)
            self._theirs = Theirs(request, key)
            if request.method == "INVITE":
                self._call.respond(key, request, 100)  # whoever is to say what becomes of it may take its time (17.2.1)
            self._call.tell_changing(request)

    @property
    def asked(self) -> Request | None:
        """What of theirs waits for `accept` or `refuse`."""
        return None if self._theirs is None else self._theirs.request

    def accept(self, body: bytes) -> None:
        """The answer to what is `Changing`, or an offer where they asked for one. Raises `Conflict`."""
        if self._theirs is None:
            raise Conflict("There is no change of the call to answer.")
        theirs, self._theirs = self._theirs, None
        self._call.take_up(theirs.request, theirs.key, body)

    def refuse(self, status: int) -> None:
        """The call goes on as it was."""
        if self._theirs is not None:
            theirs, self._theirs = self._theirs, None
            self._call.respond(theirs.key, theirs.request, status)

    # -- ours ---------------------------------------------------------------------------------------------------------

    def offer(self, body: bytes) -> None:
        """Something else, by re-INVITE. Raises `Conflict`: another change is on its way, or no call stands."""
        if not self._call.stands or self._is_changing or self._again is not None:
            raise Conflict("The call is being changed already, or does not stand.")
        self._offer("INVITE", body)

    def ask(self) -> None:
        """For an offer of theirs, which `Changed` brings; `acknowledge` has our answer. Raises as `offer`."""
        self.offer(b"")

    @property
    def offered(self) -> bytes | None:
        """What they have offered when asked, while it waits for `acknowledge`."""
        return None if self._offered is None else self._offered[1].body

    def acknowledge(self, body: bytes) -> None:
        """Our answer to what they have offered when asked. Nothing where they have not, or the call is over."""
        if self._offered is None or not self._call.stands:
            return
        (request, response), self._offered = self._offered, None
        self._asking, self._answer = False, body
        self.sdp = body
        self._call.settle(request, response, body)

    @property
    def _is_changing(self) -> bool:
        return self._asking or self._theirs is not None or self._call.is_repeating

    def _offer(self, method: str, body: bytes) -> None:
        self._asking, self._again = True, None
        self._offered, self._answer = None, b""
        sent = self._call.ask(method, body, lambda response: self._answered(sent, response))

    def _answered(self, request: Request, response: Response | int) -> None:
        if isinstance(response, Response) and response.is_provisional:
            return
        if self._offered is not None:
            return  # their offer again, which is not answered yet
        status = response if isinstance(response, int) else response.status
        asked = request.method == "INVITE" and not request.body and not self._answer
        self._asking = asked and status < 300
        if isinstance(response, Response) and response.is_success:
            if asked:
                self._offered = request, response
            else:
                self._call.settle(request, response, self._answer)
            self.sdp = request.body or self.sdp
            self.refresh(session_timer.of_response(response) or self._own_interval)
        elif status == 491:
            self._again = lambda: self._offer(request.method, request.body)
            self._alarms.set("again", self._call.now + self._glare_s())
            return
        if status in (408, 481):
            self._call.hang_up()  # the other side knows of no call (RFC 5057, section 5.1)
        elif isinstance(response, Response) and (request.body or asked):
            self._call.tell_changed(response)

    def _glare_s(self) -> float:
        """Who made the call waits longer, so that both do not meet again (section 14.1)."""
        return (2.1 + secrets.randbelow(190) / 100) if self._call.outgoing else secrets.randbelow(200) / 100

    # -- time ---------------------------------------------------------------------------------------------------------

    @property
    def _own_interval(self) -> Interval | None:
        """Of a session that we refresh though they know nothing of it."""
        return self.interval if self.interval is not None and self.interval.ours else None

    def refresh(self, interval: Interval | None) -> None:
        """The session has been agreed anew, for so long."""
        self.interval = interval
        self._alarms.drop("session")
        if interval is not None:
            self._lost_at = self._call.now + interval.lost_s
            self._alarms.set("session", self._call.now + interval.due_s)

    def handle_again(self) -> None:
        if self._again is None:
            return
        if self._is_changing:
            self._alarms.set("again", self._call.now + T1)
        else:
            self._again()

    def handle_session(self) -> None:
        """A refresh that fails, of whatever cause, is tried again until the session is over (RFC 4028, section 10)."""
        now = self._call.now
        if self.interval is None or not self._call.stands:
            return
        if now >= self._lost_at:
            self._call.expire(EXPIRED)
        elif not self._is_changing and self._again is None:
            self._alarms.set("session", min(now + GIVE_UP, self._lost_at))
            self._offer(*(("UPDATE", b"") if self._call.takes("UPDATE") else ("INVITE", self.sdp)))
        else:
            self._alarms.set("session", min(now + T2, self._lost_at))
