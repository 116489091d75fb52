"""A client of a floor that is somebody else's (RFC 8855, sections 10 and 12): theirs, who will be its server alone.

It asks for the floor when its owner `wants` it, and lets it go when not. Told are whether the owner `MayShow`, and
whether another of theirs shows (`TheyShow`). Who is refused asks again when the floor is free once more, or when its
owner wants it anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mcu.protocol.bfcp.end import End, Ids, State
from mcu.protocol.bfcp.message import Attribute, Malformed, Message, Primitive, Type, inside, number

_ACKS: Final = {
    Primitive.FLOOR_REQUEST_STATUS: Primitive.FLOOR_REQUEST_STATUS_ACK,
    Primitive.FLOOR_STATUS: Primitive.FLOOR_STATUS_ACK,
    Primitive.GOODBYE: Primitive.GOODBYE_ACK,
}
_STATUSES: Final = (Type.OVERALL_REQUEST_STATUS, Type.FLOOR_REQUEST_STATUS)
_STATES: Final = {bytes([state]) for state in State}
_WAITING: Final = (State.PENDING, State.ACCEPTED)


@dataclass(frozen=True, slots=True)
class MayShow:
    """We have been granted the floor, or have it no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class TheyShow:
    """Another of theirs has the floor, or no longer."""

    on: bool


@dataclass(frozen=True, slots=True)
class _Request:
    """What is said of one: in FLOOR-REQUEST-INFORMATION (section 5.2.15)."""

    number: int
    user: int | None
    state: State


class Participant(End[MayShow | TheyShow]):
    """See `End`."""

    def __init__(self, ids: Ids, floor: int, *, reliable: bool) -> None:
        super().__init__(ids, reliable=reliable)
        self._floor = floor
        self._begun = self._wants = self._theirs = False
        self._state: State | None = None  # of our request, while there is one
        self._request: int | None = None  # its number, once they have said it
        self._asked: dict[Primitive, int] = {}  # transactions that are not answered yet

    @property
    def granted(self) -> bool:
        return self._state is State.GRANTED

    def begin(self, now: float) -> None:
        """Asks who has the floor, and to be told of it from now on."""
        self._begun = True
        self._ask(Primitive.FLOOR_QUERY, number(Type.FLOOR_ID, self._floor), now)
        self._pursue(now)

    def wants(self, on: bool, now: float) -> None:
        """Whether the owner has something to show."""
        if on == self._wants:
            return
        self._wants = on
        if not self._begun and on and not self.reliable:
            self.begin(now)  # they had ceased to answer
        else:
            self._pursue(now)

    def lost(self) -> None:
        self._begun = False
        self._repeats.forget()
        self._asked.clear()
        self._becomes(None, None)
        self._others(False)

    def unreadable(self, error: Malformed, now: float) -> None:
        """The errors are the server's to tell (section 13.8)."""

    # -- what comes ---------------------------------------------------------------------------------------------------

    def _is_answer(self, message: Message) -> bool:
        return message.transaction != 0 if self.reliable else message.response

    def _answered(self, message: Message, now: float) -> None:
        asked = next((kind for kind, transaction in self._asked.items() if transaction == message.transaction), None)
        if asked is None:
            return
        del self._asked[asked]
        if asked is Primitive.FLOOR_RELEASE:
            self._becomes(None, None)  # whatever they say
            self._pursue(now)
            return
        first = asked is Primitive.FLOOR_REQUEST
        self._hear(message, now, first=first)
        if first and self._request is None:
            self._becomes(None, None)  # an error, or nothing that could be followed
        elif first and not self._wants:
            self._release(now)

    def _asks(self, message: Message, now: float) -> None:
        """News of theirs. Only over datagrams they are acknowledged (section 10.1.2)."""
        try:
            kind = Primitive(message.primitive)
        except ValueError:
            return
        if kind in _ACKS and not self.reliable:
            self._respond(message, _ACKS[kind], [], now)
        if kind is Primitive.GOODBYE:
            self.lost()
        else:
            self._hear(message, now)

    def _hear(self, message: Message, now: float, *, first: bool = False) -> None:
        """`first`: it is the answer to our request, whose number we learn by it."""
        try:
            said = list(_requests(message))
            floors = message.numbers(Type.FLOOR_ID)
        except Malformed:
            return
        if message.primitive == Primitive.FLOOR_REQUEST_STATUS:
            first = first or (self._request is None and self._state is State.PENDING)  # news may overtake the answer
            for one in said:
                if first or one.number == self._request:
                    self._follow(one)
        elif message.primitive == Primitive.FLOOR_STATUS and floors == [self._floor]:
            had = self._theirs
            self._others(any(one.state is State.GRANTED and not self._is_ours(one) for one in said))
            if had and not self._theirs:
                self._pursue(now)

    def _is_ours(self, one: _Request) -> bool:
        return one.number == self._request or one.user == self.ids.user

    def _follow(self, one: _Request) -> None:
        if one.state is State.GRANTED or (one.state in _WAITING and not self.granted):
            self._becomes(one.state, one.number)
        elif one.state not in _WAITING:
            self._becomes(None, None)

    # -- what follows -------------------------------------------------------------------------------------------------

    def _pursue(self, now: float) -> None:
        """Asks for the floor, or lets it go, where that is not under way."""
        if self._wants and self._begun and self._state is None:
            self._state = State.PENDING
            self._ask(Primitive.FLOOR_REQUEST, number(Type.FLOOR_ID, self._floor), now)
        elif not self._wants:
            self._release(now)

    def _release(self, now: float) -> None:
        if self._request is not None and Primitive.FLOOR_RELEASE not in self._asked:
            self._ask(Primitive.FLOOR_RELEASE, number(Type.FLOOR_REQUEST_ID, self._request), now)

    def _ask(self, primitive: Primitive, about: Attribute, now: float) -> None:
        transaction = self._asked[primitive] = self._repeats.transaction()
        self._say(primitive, [about], transaction, now)

    def _becomes(self, state: State | None, request: int | None) -> None:
        had = self.granted
        self._state, self._request = state, request
        if had != self.granted:
            self._out.append(MayShow(self.granted))

    def _others(self, show: bool) -> None:
        if show != self._theirs:
            self._theirs = show
            self._out.append(TheyShow(show))


def _requests(message: Message) -> Iterator[_Request]:
    """Those that a message is about. Raises `Malformed`. What is said of all its floors goes before one floor's."""
    for group in message.attributes:
        if group.type != Type.FLOOR_REQUEST_INFORMATION:
            continue
        its_number, about = inside(group)
        users = [inside(one)[0] for one in about if one.type == Type.BENEFICIARY_INFORMATION]
        groups = [one for kind in _STATUSES for one in about if one.type == kind]
        states = [one.content[0] for group in groups for one in inside(group)[1] if _is_state(one)]
        if states:
            yield _Request(its_number, next(iter(users), None), State(states[0]))


def _is_state(one: Attribute) -> bool:
    return one.type == Type.REQUEST_STATUS and one.content[:1] in _STATES
