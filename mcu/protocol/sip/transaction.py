"""The four transactions of RFC 3261, section 17, as RFC 6026 mends them: what is sent again, and when each is over.

Whatever decides the next state is in the tables. A transaction is told what came and what time it is, and answers with
what is to be sent and what the user above it is to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from mcu.protocol.sip.flow import tag
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import HOPS, Request, Response
from mcu.protocol.sip.timers import GIVE_UP, KEPT, RINGING, T1, T2, T4, Alarms


class State(StrEnum):
    CALLING = "calling"  # INVITE sent, nothing heard
    TRYING = "trying"  # the same of any other request; or one received and not answered
    PROCEEDING = "proceeding"  # a provisional response
    COMPLETED = "completed"  # a final one, which may have to be repeated
    CONFIRMED = "confirmed"  # its ACK has come; others may follow
    ACCEPTED = "accepted"  # a 2xx, which the users above repeat and acknowledge
    TERMINATED = "terminated"


class Event(StrEnum):
    PROVISIONAL = "provisional"
    SUCCESS = "success"
    FAILURE = "failure"
    ACK = "ack"
    GIVE_UP = "give up"
    FAULT = "fault"  # the transport could not send it
    DONE = "done"  # nothing more can come


S, E = State, Event
Table = Mapping[State, Mapping[Event, State]]

_OVER: Final = {E.GIVE_UP: S.TERMINATED, E.FAULT: S.TERMINATED}
INVITE_CLIENT: Final[Table] = {
    S.CALLING: {E.PROVISIONAL: S.PROCEEDING, E.SUCCESS: S.ACCEPTED, E.FAILURE: S.COMPLETED, **_OVER},
    S.PROCEEDING: {E.PROVISIONAL: S.PROCEEDING, E.SUCCESS: S.ACCEPTED, E.FAILURE: S.COMPLETED, **_OVER},
    S.COMPLETED: {E.FAILURE: S.COMPLETED, E.DONE: S.TERMINATED, E.FAULT: S.TERMINATED},
    S.ACCEPTED: {E.SUCCESS: S.ACCEPTED, E.DONE: S.TERMINATED},
    S.TERMINATED: {},
}
CLIENT: Final[Table] = {
    S.TRYING: {E.PROVISIONAL: S.PROCEEDING, E.SUCCESS: S.COMPLETED, E.FAILURE: S.COMPLETED, **_OVER},
    S.PROCEEDING: {E.PROVISIONAL: S.PROCEEDING, E.SUCCESS: S.COMPLETED, E.FAILURE: S.COMPLETED, **_OVER},
    S.COMPLETED: {E.DONE: S.TERMINATED},
    S.TERMINATED: {},
}
INVITE_SERVER: Final[Table] = {
    S.PROCEEDING: {E.PROVISIONAL: S.PROCEEDING, E.SUCCESS: S.ACCEPTED, E.FAILURE: S.COMPLETED, E.FAULT: S.TERMINATED},
    S.COMPLETED: {E.ACK: S.CONFIRMED, **_OVER},
    S.CONFIRMED: {E.ACK: S.CONFIRMED, E.DONE: S.TERMINATED},
    S.ACCEPTED: {E.SUCCESS: S.ACCEPTED, E.ACK: S.ACCEPTED, E.DONE: S.TERMINATED},
    S.TERMINATED: {},
}
SERVER: Final[Table] = {
    S.TRYING: {E.PROVISIONAL: S.PROCEEDING, E.SUCCESS: S.COMPLETED, E.FAILURE: S.COMPLETED, E.FAULT: S.TERMINATED},
    S.PROCEEDING: {E.PROVISIONAL: S.PROCEEDING, E.SUCCESS: S.COMPLETED, E.FAILURE: S.COMPLETED, E.FAULT: S.TERMINATED},
    S.COMPLETED: {E.DONE: S.TERMINATED, E.FAULT: S.TERMINATED},
    S.TERMINATED: {},
}


@dataclass(frozen=True, slots=True)
class Send:
    """Put this on the wire."""

    message: Request | Response


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give this to the user above."""

    message: Request | Response


@dataclass(frozen=True, slots=True)
class Failed:
    """There will be no answer, or no ACK: what it means is what a response of this status means (section 8.1.3.1)."""

    status: int  # 408: nothing came; 503: it could not be sent


Output = Send | Deliver | Failed


def kind(response: Response) -> Event:
    if response.is_provisional:
        return Event.PROVISIONAL
    return Event.SUCCESS if response.is_success else Event.FAILURE


class Transaction:
    """What the four share: a state from a table, and alarms. `reliable`: the transport repeats by itself."""

    table: Table
    request: Request

    def __init__(self, state: State, *, reliable: bool) -> None:
        self.state = state
        self._reliable = reliable
        self._alarms = Alarms()
        self._wait = T1  # until the next repeat

    @property
    def is_over(self) -> bool:
        return self.state is State.TERMINATED

    def next_timer(self) -> float | None:
        return self._alarms.next()

    def fault(self) -> list[Output]:
        """The transport could not send what it was given."""
        return [Failed(503)] if self._move(Event.FAULT) else []

    def goes(self, request: Request, now: float, *, reliable: bool) -> None:
        """Another way: it is repeated from now on, or no more."""
        self.request, self._reliable = request, reliable
        self._alarms.drop("repeat")
        if self.state in (State.CALLING, State.TRYING):
            self._repeat_at(now + self._wait)

    def handle_timer(self, now: float) -> list[Output]:
        return [output for name in self._alarms.take(now) for output in self._rang(name, now)]

    def _rang(self, name: str, now: float) -> list[Output]:
        if name == "repeat":
            return self._repeat(now)
        if name == "done":
            self._move(Event.DONE)
            return []
        return [Failed(408)] if self._move(Event.GIVE_UP) else []

    def _repeat(self, now: float) -> list[Output]:
        """Nothing, where the transaction sets no such alarm."""
        return []

    def _move(self, event: Event) -> bool:
        """Whether the event means anything in this state."""
        after = self.table[self.state].get(event)
        if after is None:
            return False
        self.state = after
        if after is State.TERMINATED:
            self._alarms.clear()
        return True

    def _repeat_at(self, due: float) -> None:
        if not self._reliable:
            self._alarms.set("repeat", due)

    def _later(self, now: float, longest: float = T2) -> None:
        self._wait = min(2 * self._wait, longest)
        self._repeat_at(now + self._wait)

    def _done_in(self, now: float, seconds: float) -> None:
        """Over a transport that repeats by itself nothing can follow."""
        self._alarms.drop("repeat", "give up")
        self._alarms.set("done", now if self._reliable else now + seconds)


class InviteClient(Transaction):
    """An INVITE that we send (section 17.1.1; RFC 6026, section 7.2)."""

    table = INVITE_CLIENT

    def __init__(self, request: Request, *, reliable: bool) -> None:
        super().__init__(State.CALLING, reliable=reliable)
        self.request = request
        self._ack: Request | None = None

    def start(self, now: float) -> list[Output]:
        self._repeat_at(now + self._wait)  # A
        self._alarms.set("give up", now + GIVE_UP)  # B
        return [Send(self.request)]

    def receive(self, response: Response, now: float) -> list[Output]:
        event, before = kind(response), self.state
        if not self._move(event):
            return []
        if event is Event.PROVISIONAL:
            self._alarms.drop("repeat")
            self._alarms.set("give up", now + RINGING)
            return [Deliver(response)]
        if event is Event.SUCCESS:
            if before is not State.ACCEPTED:
                self._alarms.drop("repeat", "give up")
                self._alarms.set("done", now + GIVE_UP)  # M: over any transport, for forks answer one by one
            return [Deliver(response)]
        return self._refused(response, now, again=before is State.COMPLETED)

    def _refused(self, response: Response, now: float, *, again: bool) -> list[Output]:
        if again and self._ack is not None:
            return [Send(self._ack)]
        self._ack = ack_of_refusal(self.request, response)
        self._done_in(now, KEPT)  # D
        return [Send(self._ack), Deliver(response)]

    def _repeat(self, now: float) -> list[Output]:
        self._later(now, longest=GIVE_UP)
        return [Send(self.request)]


class Client(Transaction):
    """Any other request that we send (section 17.1.2)."""

    table = CLIENT

    def __init__(self, request: Request, *, reliable: bool) -> None:
        super().__init__(State.TRYING, reliable=reliable)
        self.request = request

    def start(self, now: float) -> list[Output]:
        self._repeat_at(now + self._wait)  # E
        self._alarms.set("give up", now + GIVE_UP)  # F
        return [Send(self.request)]

    def receive(self, response: Response, now: float) -> list[Output]:
        event = kind(response)
        if not self._move(event):
            return []
        if event is not Event.PROVISIONAL:
            self._done_in(now, T4)  # K
        return [Deliver(response)]

    def _repeat(self, now: float) -> list[Output]:
        if self.state is State.PROCEEDING:
            self._wait = T2
        self._later(now)
        return [Send(self.request)]


class InviteServer(Transaction):
    """An INVITE that we are sent (section 17.2.1; RFC 6026, section 7.1)."""

    table = INVITE_SERVER

    def __init__(self, request: Request, *, reliable: bool) -> None:
        super().__init__(State.PROCEEDING, reliable=reliable)
        self.request = request
        self.tag = tag()  # of our side of the dialog that it would begin
        self._last: Response | None = None

    def receive(self, request: Request, now: float) -> list[Output]:
        """The INVITE again, or its ACK."""
        if request.method == "ACK":
            return self._acknowledged(request, now)
        again = self.state in (State.PROCEEDING, State.COMPLETED) and self._last is not None
        return [Send(self._last)] if again and self._last is not None else []

    def _acknowledged(self, ack: Request, now: float) -> list[Output]:
        before = self.state
        if not self._move(Event.ACK):
            return []
        if self.state is State.ACCEPTED:
            return [Deliver(ack)]
        if before is State.COMPLETED:
            self._done_in(now, T4)  # I
        return []

    def respond(self, response: Response, now: float) -> list[Output]:
        """Nothing is sent where the transaction has answered for good."""
        event, before = kind(response), self.state
        if not self._move(event):
            return []
        self._last = response
        if event is Event.FAILURE:
            self._repeat_at(now + self._wait)  # G
            self._alarms.set("give up", now + GIVE_UP)  # H
        elif event is Event.SUCCESS and before is not State.ACCEPTED:
            self._alarms.set("done", now + GIVE_UP)  # L
        return [Send(response)]

    def _repeat(self, now: float) -> list[Output]:
        assert self._last is not None  # there is no alarm before
        self._later(now)
        return [Send(self._last)]


class Server(Transaction):
    """Any other request that we are sent (section 17.2.2)."""

    table = SERVER

    def __init__(self, request: Request, *, reliable: bool) -> None:
        super().__init__(State.TRYING, reliable=reliable)
        self.request = request
        self._last: Response | None = None

    def receive(self, _request: Request, _now: float) -> list[Output]:
        """The same again."""
        return [] if self._last is None else [Send(self._last)]

    def respond(self, response: Response, now: float) -> list[Output]:
        event = kind(response)
        if not self._move(event):
            return []
        self._last = response
        if event is not Event.PROVISIONAL:
            self._done_in(now, GIVE_UP)  # J
        return [Send(response)]


def cancel_of(invite: Request) -> Request:
    """What takes it back, in a transaction that has its branch (section 9.1)."""
    kept = [(name, value) for name, value in invite.headers if name.lower() in ("route", "from", "to", "call-id")]
    cseq = replace(invite.cseq, method="CANCEL")
    fields = [("Via", str(invite.via)), ("Max-Forwards", str(HOPS)), *kept, ("CSeq", str(cseq))]
    return Request("CANCEL", invite.target, headers=Headers(fields))


def ack_of_refusal(invite: Request, response: Response) -> Request:
    """The ACK of a response from 300 on, in the INVITE's own transaction (section 17.1.1.3)."""
    headers = Headers(
        [
            ("Via", str(invite.via)),
            *(("Route", value) for value in invite.headers.all("Route")),
            ("Max-Forwards", str(HOPS)),
            ("From", str(invite.from_)),
            ("To", str(response.to)),
            ("Call-ID", invite.call_id),
            ("CSeq", str(replace(invite.cseq, method="ACK"))),
        ]
    )
    return Request("ACK", invite.target, headers=headers)
