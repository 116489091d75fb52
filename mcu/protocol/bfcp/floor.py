"""The server of one floor with one client (RFC 8855, sections 8 and 13): a call's right to share its screen.

Whoever does not know the numbers of both has no business here: that is for the owner to see to, and nobody is told. It
decides nothing: `take` tells that the client has `Asked` or has `Released`, and whoever owns it says what comes of
that. Nobody is named in what is told: of others there is only whether one of them has the floor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mcu.protocol.bfcp.end import End, Ids, State
from mcu.protocol.bfcp.message import (
    Attribute,
    Code,
    Malformed,
    Message,
    Primitive,
    Type,
    grouped,
    number,
)

FLOOR: Final = 1  # its number: each client has a conference of its own, with one floor
_NO_QUESTIONS: Final = frozenset({Primitive.ERROR, Primitive.FLOOR_REQUEST_STATUS_ACK, Primitive.FLOOR_STATUS_ACK})


@dataclass(frozen=True, slots=True)
class Asked:
    """The client wants the floor: to be granted or denied."""


@dataclass(frozen=True, slots=True)
class Released:
    """The client wants it no more, or is gone."""


class _Refused(Exception):
    def __init__(self, code: Code, details: bytes = b"") -> None:
        super().__init__(code.name)
        self.code, self.details = code, details


class Floor(End[Asked | Released]):
    """See `End`."""

    def __init__(self, ids: Ids, *, reliable: bool) -> None:
        super().__init__(ids, reliable=reliable)
        self.state: State | None = None  # of the client's request, while there is one
        self._request = 0  # its number, or that of the last
        self._others = False  # one of them has it
        self._told = False  # the client wants to hear of it
        self._how: dict[int, Callable[[Message], tuple[Primitive, list[Attribute]]]] = {
            Primitive.HELLO: self._hello,
            Primitive.FLOOR_REQUEST: self._asked,
            Primitive.FLOOR_RELEASE: self._released,
            Primitive.FLOOR_REQUEST_QUERY: self._request_query,
            Primitive.FLOOR_QUERY: self._floor_query,
            Primitive.USER_QUERY: self._user_query,
            Primitive.CHAIR_ACTION: self._chair_action,
            Primitive.GOODBYE: self._goodbye,
        }

    @property
    def asks(self) -> bool:
        """It waits to be granted or denied."""
        return self.state is State.PENDING

    @property
    def granted(self) -> bool:
        return self.state is State.GRANTED

    # -- what comes ---------------------------------------------------------------------------------------------------

    def _is_answer(self, message: Message) -> bool:
        return message.primitive in _NO_QUESTIONS or (message.response and not self.reliable)

    def _answered(self, message: Message, now: float) -> None:
        """Its acknowledgement."""

    def begin(self, now: float) -> None:
        """The client speaks first."""

    def unreadable(self, error: Malformed, now: float) -> None:
        if error.header is not None and not error.header.response and error.header.primitive != Primitive.ERROR:
            self._respond(error.header, Primitive.ERROR, _error(error.code, error.details), now)

    def lost(self) -> None:
        """What the client had, it has no more."""
        self._told = False
        self._let_go()

    # -- what is decided ----------------------------------------------------------------------------------------------

    def grant(self, now: float) -> None:
        """Nothing where nobody asks any more."""
        if self.asks:
            self._becomes(State.GRANTED, now)

    def deny(self, now: float) -> None:
        if self.asks:
            self._becomes(State.DENIED, now)

    def revoke(self, now: float) -> None:
        """Somebody else has it, or the room has taken it."""
        if self.granted:
            self._becomes(State.REVOKED, now)

    def others(self, has_it: bool, now: float) -> None:
        """Whether one of them has the floor."""
        if has_it != self._others:
            self._others = has_it
            self._tell_floor(now)

    # -- questions ----------------------------------------------------------------------------------------------------

    def _asks(self, message: Message, now: float) -> None:
        before = self.state
        try:
            primitive, attributes = self._understood(message)(message)
        except Malformed as error:
            primitive, attributes = Primitive.ERROR, _error(error.code)
        except _Refused as error:
            primitive, attributes = Primitive.ERROR, _error(error.code, error.details)
        self._respond(message, primitive, attributes, now)
        if self.state is not before and State.GRANTED in (before, self.state):
            self._tell_floor(now)

    def _understood(self, message: Message) -> Callable[[Message], tuple[Primitive, list[Attribute]]]:
        """Raises `_Refused`."""
        if message.version != self.version:
            raise _Refused(Code.UNSUPPORTED_VERSION)
        unknown = {one.type for one in message.attributes if one.mandatory and one.type not in set(Type)}
        if unknown:
            raise _Refused(Code.UNKNOWN_MANDATORY_ATTRIBUTE, bytes(kind << 1 for kind in sorted(unknown)))
        if message.primitive not in self._how:
            raise _Refused(Code.UNKNOWN_PRIMITIVE)
        return self._how[message.primitive]

    def _hello(self, _message: Message) -> tuple[Primitive, list[Attribute]]:
        primitives = bytes(sorted(self._how.keys() | set(_SAID)))
        attributes = bytes(kind << 1 for kind in Type)
        return Primitive.HELLO_ACK, [
            Attribute(Type.SUPPORTED_PRIMITIVES, primitives),
            Attribute(Type.SUPPORTED_ATTRIBUTES, attributes),
        ]

    def _asked(self, message: Message) -> tuple[Primitive, list[Attribute]]:
        self._need_own(message)
        if message.numbers(Type.FLOOR_ID) != [FLOOR]:
            raise _Refused(Code.INVALID_FLOOR)
        if self.state is not None:
            raise _Refused(Code.TOO_MANY_REQUESTS)
        self._request = self._request % 0xFFFF + 1
        self.state = State.PENDING
        self._out.append(Asked())
        return self._status(State.PENDING)

    def _released(self, message: Message) -> tuple[Primitive, list[Attribute]]:
        self._need_request(message)
        end = State.RELEASED if self.granted else State.CANCELLED
        self._let_go()
        return self._status(end)

    def _request_query(self, message: Message) -> tuple[Primitive, list[Attribute]]:
        return self._status(self._need_request(message))

    def _floor_query(self, message: Message) -> tuple[Primitive, list[Attribute]]:
        """From now on it hears of the floors that it names (section 12.1)."""
        floors = message.numbers(Type.FLOOR_ID)
        if set(floors) - {FLOOR}:
            raise _Refused(Code.INVALID_FLOOR)
        self._told = bool(floors)
        return Primitive.FLOOR_STATUS, self._floor() if floors else []

    def _user_query(self, message: Message) -> tuple[Primitive, list[Attribute]]:
        self._need_own(message)
        about = [] if self.state is None else [self._information(self.state)]
        return Primitive.USER_STATUS, [grouped(Type.BENEFICIARY_INFORMATION, self.ids.user), *about]

    def _chair_action(self, _message: Message) -> tuple[Primitive, list[Attribute]]:
        """The room's hosts are its chairs, by the page and by keys."""
        raise _Refused(Code.UNAUTHORIZED_OPERATION)

    def _goodbye(self, _message: Message) -> tuple[Primitive, list[Attribute]]:
        self.lost()
        return Primitive.GOODBYE_ACK, []

    def _need_own(self, message: Message) -> None:
        """Nobody asks for others (third-party requests, section 10.1.1)."""
        if set(message.numbers(Type.BENEFICIARY_ID)) - {self.ids.user}:
            raise _Refused(Code.UNAUTHORIZED_OPERATION)

    def _need_request(self, message: Message) -> State:
        if self.state is None or message.numbers(Type.FLOOR_REQUEST_ID) != [self._request]:
            raise _Refused(Code.REQUEST_DOES_NOT_EXIST)
        return self.state

    # -- what is said -------------------------------------------------------------------------------------------------

    def _becomes(self, state: State, now: float) -> None:
        had = self.granted
        self.state = state if state is State.GRANTED else None
        self._notify(*self._status(state), now)
        if had or state is State.GRANTED:
            self._tell_floor(now)

    def _notify(self, primitive: Primitive, attributes: list[Attribute], now: float) -> None:
        """Over a connection it has no number (section 8.2)."""
        self._say(primitive, attributes, 0 if self.reliable else self._repeats.transaction(), now)

    def _let_go(self) -> None:
        if self.state is not None:
            self.state = None
            self._out.append(Released())

    def _tell_floor(self, now: float) -> None:
        if self._told:
            self._notify(Primitive.FLOOR_STATUS, self._floor(), now)

    def _status(self, state: State) -> tuple[Primitive, list[Attribute]]:
        return Primitive.FLOOR_REQUEST_STATUS, [self._information(state)]

    def _floor(self) -> list[Attribute]:
        """Who has it, or waits for it."""
        others = [_information(0xFFFF, State.GRANTED, self.ids.user % 0xFFFF + 1)] if self._others else []
        own = [] if self.state is None else [self._information(self.state)]
        return [number(Type.FLOOR_ID, FLOOR), *own, *others]

    def _information(self, state: State) -> Attribute:
        return _information(self._request, state, self.ids.user)


_SAID: Final = (
    *(Primitive.FLOOR_REQUEST_STATUS, Primitive.USER_STATUS, Primitive.FLOOR_STATUS, Primitive.HELLO_ACK),
    *(Primitive.ERROR, Primitive.FLOOR_REQUEST_STATUS_ACK, Primitive.FLOOR_STATUS_ACK, Primitive.GOODBYE_ACK),
)


def _information(request: int, state: State, user: int) -> Attribute:
    status = Attribute(Type.REQUEST_STATUS, bytes([state, 0]))  # there is no queue
    return grouped(
        Type.FLOOR_REQUEST_INFORMATION,
        request,
        grouped(Type.OVERALL_REQUEST_STATUS, request, status),
        grouped(Type.FLOOR_REQUEST_STATUS, FLOOR),
        grouped(Type.BENEFICIARY_INFORMATION, user),
    )


def _error(code: Code, details: bytes = b"") -> list[Attribute]:
    return [Attribute(Type.ERROR_CODE, bytes([code]) + details)]
