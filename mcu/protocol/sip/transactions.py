"""Which transaction a message belongs to, and when each has something to do (RFC 3261, section 17.1.3 and 17.2.3).

`Flow` is whatever the transport above knows a peer by: a connection, or a datagram socket and an address. It is carried
and never looked into. The number of transactions is bounded: over it, new requests are answered 503 without one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from mcu.protocol.sip.flow import tag
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.responses import response_to
from mcu.protocol.sip.timers import Schedule
from mcu.protocol.sip.transaction import (
    Client,
    Deliver,
    Failed,
    InviteClient,
    InviteServer,
    Output,
    Send,
    Server,
    State,
)
from mcu.protocol.sip.values import MAGIC

Flow = TypeVar("Flow")
Key = tuple[str, ...]
MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Sent(Generic[Flow]):
    """To put on the wire; `key` is told to `fault` where that fails."""

    message: Request | Response
    flow: Flow
    key: Key


@dataclass(frozen=True, slots=True)
class Asked(Generic[Flow]):
    """A new request. It is answered by `respond` with its key; an ACK has none to answer."""

    request: Request
    flow: Flow
    key: Key


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The INVITE of this key is taken back by who sent it; the CANCEL itself has been answered (section 9.2)."""

    key: Key
    cancel: Request


@dataclass(frozen=True, slots=True)
class Answered:
    """A response to the request of this key."""

    response: Response
    key: Key


@dataclass(frozen=True, slots=True)
class Gone:
    """The request of this key will have no response, or the response of this key no ACK."""

    status: int
    key: Key


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing more can come of the request of this key, which was ours."""

    key: Key


Happening = Sent[Flow] | Asked[Flow] | Cancelled | Answered | Gone | Over


@dataclass(slots=True)
class _Entry(Generic[Flow]):
    transaction: InviteClient | Client | InviteServer | Server
    flow: Flow


class Transactions(Generic[Flow]):
    """All of one server's. Every method is given the time, and answers with what has happened, in order."""

    def __init__(self, most: int = MAX) -> None:
        self._most = most
        self._entries: dict[Key, _Entry[Flow]] = {}
        self._due = Schedule[Key]()
        self._merging: dict[Key, Key] = {}  # a request without a dialog, however it came, to its transaction

    def __len__(self) -> int:
        return len(self._entries)

    def request(self, request: Request, flow: Flow, now: float, *, reliable: bool) -> tuple[Key, list[Happening[Flow]]]:
        """Sends a request of ours, any but ACK. Its top Via has a branch of its own."""
        kind = InviteClient if request.method == "INVITE" else Client
        transaction = kind(request, reliable=reliable)
        key = _client_key(request)
        self._entries[key] = _Entry(transaction, flow)
        return key, self._happened(key, transaction.start(now))

    def goes(self, key: Key, request: Request, flow: Flow, now: float, *, reliable: bool) -> None:
        """A request of ours goes by another flow, with what its Via says of it."""
        if (entry := self._entries.get(key)) is not None:
            entry.flow = flow
            entry.transaction.goes(request, now, reliable=reliable)
            self._due.set(key, entry.transaction.next_timer())

    def as_sent(self, key: Key) -> tuple[Request, Flow] | None:
        """A request and its flow, as they are now; None: its transaction is over."""
        entry = self._entries.get(key)
        return None if entry is None else (entry.transaction.request, entry.flow)

    def receive(self, message: Request | Response, flow: Flow, now: float, *, reliable: bool) -> list[Happening[Flow]]:
        """What the wire brought, checked. A response that answers nothing of ours is dropped."""
        if isinstance(message, Response):
            return self._response(message, now)
        key = _server_key(message)
        entry = self._entries.get(key)
        if entry is not None:
            assert isinstance(entry.transaction, InviteServer | Server)
            return self._happened(key, entry.transaction.receive(message, now))
        if message.method == "ACK":
            return [Asked(message, flow, key)]  # of a 2xx: it has a branch of its own (section 13.2.2.4)
        return self._new(message, flow, key, now, reliable=reliable)

    def has(self, request: Request) -> bool:
        """Whether it is one of before again, or is about one: CANCEL, and the ACK of a refusal."""
        return _server_key(request) in self._entries or (
            request.method == "CANCEL" and _server_key(request, "INVITE") in self._entries
        )

    def tag_of(self, key: Key) -> str:
        """Ours, of the INVITE that was `Asked`: its CANCEL is answered with the same (section 9.2)."""
        transaction = self._entries[key].transaction
        assert isinstance(transaction, InviteServer)
        return transaction.tag

    def respond(self, key: Key, response: Response, now: float) -> list[Happening[Flow]]:
        """Answers a request that was `Asked`. Nothing happens where its transaction is over."""
        entry = self._entries.get(key)
        if entry is None:
            return []
        assert isinstance(entry.transaction, InviteServer | Server)
        return self._happened(key, entry.transaction.respond(response, now))

    def fault(self, key: Key) -> list[Happening[Flow]]:
        """What was `Sent` with this key could not be put on the wire."""
        entry = self._entries.get(key)
        return [] if entry is None else self._happened(key, entry.transaction.fault())

    def next_timer(self) -> float | None:
        return self._due.next()

    def handle_timer(self, now: float) -> list[Happening[Flow]]:
        happened: list[Happening[Flow]] = []
        while (key := self._due.take(now)) is not None:
            happened += self._happened(key, self._entries[key].transaction.handle_timer(now))
        return happened

    def _response(self, response: Response, now: float) -> list[Happening[Flow]]:
        key = _client_key(response)
        entry = self._entries.get(key)
        if entry is None:
            return []
        assert isinstance(entry.transaction, InviteClient | Client)
        return self._happened(key, entry.transaction.receive(response, now))

    def _new(self, request: Request, flow: Flow, key: Key, now: float, *, reliable: bool) -> list[Happening[Flow]]:
        if len(self._entries) >= self._most:
            return [Sent(response_to(request, 503, tag=tag(), headers=[("Retry-After", "5")]), flow, key)]
        merged = _merge_key(request)
        if merged in self._merging:
            return [Sent(response_to(request, 482, tag=tag()), flow, key)]  # it came by two ways (section 8.2.2.2)
        kind = InviteServer if request.method == "INVITE" else Server
        self._entries[key] = _Entry(kind(request, reliable=reliable), flow)
        if merged is not None:
            self._merging[merged] = key
        if request.method == "CANCEL":
            return self._cancel(request, key, now)
        return [Asked(request, flow, key)]

    def _cancel(self, cancel: Request, key: Key, now: float) -> list[Happening[Flow]]:
        invited = _server_key(cancel, "INVITE")
        entry = self._entries.get(invited)
        if entry is None:
            return self.respond(key, response_to(cancel, 481, tag=tag()), now)
        assert isinstance(entry.transaction, InviteServer)
        happened = self.respond(key, response_to(cancel, 200, tag=entry.transaction.tag), now)
        return [*happened, Cancelled(invited, cancel)] if entry.transaction.state is State.PROCEEDING else happened

    def _happened(self, key: Key, outputs: list[Output]) -> list[Happening[Flow]]:
        entry = self._entries[key]
        happened = list(self._told(key, entry, outputs))
        if entry.transaction.is_over:
            self._forget(key, entry)
            if isinstance(entry.transaction, InviteClient | Client):
                happened.append(Over(key))
        else:
            self._due.set(key, entry.transaction.next_timer())
        return happened

    def _told(self, key: Key, entry: _Entry[Flow], outputs: list[Output]) -> Iterator[Happening[Flow]]:
        for output in outputs:
            match output:
                case Send(message):
                    yield Sent(message, entry.flow, key)
                case Failed(status):
                    yield Gone(status, key)
                case Deliver(Request() as request):
                    yield Asked(request, entry.flow, key)
                case Deliver(Response() as response):
                    yield Answered(response, key)

    def _forget(self, key: Key, entry: _Entry[Flow]) -> None:
        del self._entries[key]
        self._due.set(key, None)
        if isinstance(entry.transaction, InviteServer | Server):
            merged = _merge_key(entry.transaction.request)
            if merged is not None and self._merging.get(merged) == key:
                del self._merging[merged]


def _client_key(message: Request | Response) -> Key:
    return "client", message.via.branch or "", message.cseq.method


def _server_key(request: Request, method: str | None = None) -> Key:
    """By branch, host and method where the branch is of RFC 3261; else by what RFC 2543 had (section 17.2.3)."""
    via = request.via
    asked = method or ("INVITE" if request.method == "ACK" else request.method)
    host, port = via.sent_by
    if via.branch is not None and via.branch.startswith(MAGIC) and via.branch != MAGIC:
        return "server", via.branch.lower(), host, str(port), asked
    old = (request.target, request.from_.tag or "", request.call_id, str(request.cseq.number))
    return "server", *old, host, str(port), asked


def _merge_key(request: Request) -> Key | None:
    """What is the same of a request that came twice by different ways; None where it has a dialog already."""
    if request.to.tag is not None or request.method == "CANCEL":
        return None
    return request.from_.tag or "", request.call_id, str(request.cseq)
