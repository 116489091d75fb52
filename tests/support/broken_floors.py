"""BFCP that somebody has broken: to a floor by datagrams and to one over a connection, in the middle of requests; and
to clients of a floor that somebody else has.

Nothing may be raised, none may take longer than `SLOWEST_S` of processor time, and all that is said can be read by
others. The same seed gives the same messages.
"""

import random
import time

import floor_octets as octets
from mutator import SLOWEST_S, Mutator

from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import Floor
from mcu.protocol.bfcp.message import Malformed
from mcu.protocol.bfcp.participant import Participant
from mcu.protocol.bfcp.stream import Stream

ROUND = 100  # messages that one pair of floors gets
NEWS = (octets.REQUEST_STATUS, octets.REQUEST_STATUS, octets.FLOOR_STATUS, octets.GOODBYE)
PRIMITIVES = (*range(1, 18), *(octets.REQUEST,) * 8, octets.RELEASE, octets.FLOOR_QUERY, 99)


class _Victims:
    """Two floors and two clients, whose owner does with each whatever comes to its mind."""

    def __init__(self, chance: random.Random) -> None:
        self.granted = self.shown = 0
        self._chance, self._now = chance, 0.0
        self._floors = [Floor(Ids(1234, 7), reliable=reliable) for reliable in (False, True)]
        self._clients = [Participant(Ids(1234, 7), 1, reliable=reliable) for reliable in (False, True)]
        self._stream = Stream()

    def receive(self, data: bytes) -> None:
        datagrams, connection = zip(self._floors, self._clients, strict=True)
        self._now += self._chance.choice((0.0, 0.01, 0.01, 0.05, 0.6))
        for one in datagrams:
            one.datagram(data, self._now)
        try:
            for message in self._stream.feed(data):
                for one in connection:
                    one.message(message, self._now)
        except Malformed as error:
            for one in connection:
                one.unreadable(error, self._now)
                one.lost()
            self._stream = Stream()
        for floor in self._floors:
            self._decide(floor)
        for client in self._clients:
            self._want(client)

    def _decide(self, floor: Floor) -> None:
        match self._chance.randrange(8):
            case 0 | 1:
                floor.grant(self._now)
            case 2:
                floor.deny(self._now)
            case 3:
                floor.revoke(self._now)
            case 4:
                floor.others(self._chance.random() < 0.5, self._now)
        self._go_on(floor)
        self.granted += floor.granted

    def _want(self, client: Participant) -> None:
        match self._chance.randrange(8):
            case 0:
                client.begin(self._now)
            case 1 | 2:
                client.wants(self._chance.random() < 0.8, self._now)
        self._go_on(client)
        self.shown += client.granted

    def _go_on(self, end: Floor | Participant) -> None:
        if (due := end.next_timer()) is not None and due <= self._now:
            end.handle_timer(self._now)
        for said in end.take():
            if isinstance(said, bytes):
                octets.told(said)


def _message(chance: random.Random) -> bytes:
    """What might be valid."""
    attributes = [
        octets.number(kind, chance.choice((1, 1, 1, 2, 7, 65535)))
        if chance.random() < 0.8
        else octets.attribute(chance.randrange(1, 30), bytes(chance.randrange(9)))
        for kind in chance.choices((1, 2, 2, 2, 3), k=chance.choice((0, 1, 1, 2, 5)))
    ]
    news = chance.random() < 0.3
    whole = octets.message(
        chance.choice(NEWS if news else PRIMITIVES),
        *attributes,
        *([_request(chance)] if news else []),
        version=chance.choice((1, 2, 2)),
        transaction=chance.randrange(0 if news else 1, 40 if chance.random() < 0.5 else 4),
        response=chance.random() < (0.5 if news else 0.1),
    )
    if chance.random() < 0.2:
        words = (len(whole) - 12) // 4
        cut = chance.randrange(words + 1)
        return chance.choice(octets.fragments(whole, cut, words - cut))
    return whole


def _request(chance: random.Random) -> bytes:
    """What a server says of one."""
    number = chance.choice((1, 1, 2)).to_bytes(2)
    status = octets.attribute(5, bytes([chance.randrange(9), 0][: chance.choice((2, 2, 2, 1, 0))]))
    state = octets.attribute(chance.choice((17, 18)), number + status)
    return octets.attribute(15, number + state + octets.number(14, chance.choice((7, 8))))


def torment(messages: int, seed: int) -> tuple[int, int]:
    """How often a floor was granted meanwhile, by us and to us. Raises what an end raises, and names the message."""
    chance = random.Random(seed)
    mutator, victims, granted, shown = Mutator(chance), _Victims(chance), 0, 0
    for number in range(messages):
        if number % ROUND == 0:
            granted, shown = granted + victims.granted, shown + victims.shown
            victims = _Victims(chance)
        data = _message(chance)
        data = mutator.broken(data) if chance.random() < 0.4 else data
        began = time.thread_time()
        try:
            victims.receive(data)
        except Exception as error:
            error.add_note(f"seed {seed}, message {number}: {data!r}")
            raise
        if time.thread_time() - began > SLOWEST_S:
            raise TimeoutError(f"seed {seed}, message {number}: {data!r}")
    return granted + victims.granted, shown + victims.shown
