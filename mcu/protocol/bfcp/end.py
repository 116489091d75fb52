"""One end of a floor's messages, its server's or its client's: what comes and goes by datagrams or a connection."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from mcu.protocol.bfcp.fragments import Assembly
from mcu.protocol.bfcp.message import RELIABLE, UNRELIABLE, Attribute, Header, Malformed, Message, Primitive
from mcu.protocol.bfcp.repeats import Repeats, Unanswered

News = TypeVar("News")


class State(IntEnum):
    """Of a request (section 5.2.5)."""

    PENDING = 1
    ACCEPTED = 2
    GRANTED = 3
    DENIED = 4
    CANCELLED = 5
    RELEASED = 6
    REVOKED = 7


@dataclass(frozen=True, slots=True)
class Ids:
    """By what the client is known, and shows that it is the one whose call this is."""

    conference: int
    user: int


class End(ABC, Generic[News]):
    """`reliable`: over a connection, else by datagrams. After each call `take` what is to be sent and told."""

    def __init__(self, ids: Ids, *, reliable: bool) -> None:
        self.ids, self.reliable = ids, reliable
        self._assembly, self._repeats = Assembly(), Repeats()
        self._out: list[bytes | News] = []

    @property
    def version(self) -> int:
        return RELIABLE if self.reliable else UNRELIABLE

    def take(self) -> list[bytes | News]:
        taken, self._out = self._out, []
        return taken

    def next_timer(self) -> float | None:
        return self._repeats.next_timer()

    def handle_timer(self, now: float) -> None:
        try:
            self._out += self._repeats.due(now)
        except Unanswered:
            self.lost()

    def datagram(self, data: bytes, now: float) -> None:
        """What is no message, or no question, is let go or answered by an error."""
        try:
            message = self._assembly.feed(data)
        except Malformed as error:
            self.unreadable(error, now)
        else:
            if message is not None:
                self.message(message, now)

    def message(self, message: Message, now: float) -> None:
        if self._is_answer(message):
            self._repeats.acknowledged(message.transaction)
            self._answered(message, now)
        elif not self.reliable and (said := self._repeats.answer(message.transaction, now)) is not None:
            self._out.append(said)
        else:
            self._asks(message, now)

    @abstractmethod
    def begin(self, now: float) -> None:
        """There is a way to the other end."""

    @abstractmethod
    def unreadable(self, error: Malformed, now: float) -> None:
        """A message that could not be read."""

    @abstractmethod
    def lost(self) -> None:
        """The other end is gone: its connection has ended, or it answers no more."""

    @abstractmethod
    def _is_answer(self, message: Message) -> bool: ...

    @abstractmethod
    def _answered(self, message: Message, now: float) -> None: ...

    @abstractmethod
    def _asks(self, message: Message, now: float) -> None: ...

    def _respond(self, to: Message | Header, primitive: Primitive, attributes: list[Attribute], now: float) -> None:
        data = self._written(primitive, attributes, to.transaction, response=not self.reliable)
        if not self.reliable:
            self._repeats.keep(to.transaction, data, now)
        self._out.append(data)

    def _say(self, primitive: Primitive, attributes: list[Attribute], transaction: int, now: float) -> None:
        """A transaction of ours."""
        data = self._written(primitive, attributes, transaction)
        if not self.reliable:
            self._repeats.say(primitive, transaction, data, now)
        self._out.append(data)

    def _written(
        self, primitive: Primitive, attributes: list[Attribute], transaction: int, *, response: bool = False
    ) -> bytes:
        message = Message(
            version=self.version,
            primitive=primitive,
            conference=self.ids.conference,
            transaction=transaction,
            user=self.ids.user,
            response=response,
            attributes=tuple(attributes),
        )
        return bytes(message)
