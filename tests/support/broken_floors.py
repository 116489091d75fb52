"""BFCP that somebody has broken: to a floor by datagrams and to one over a connection, in the middle of requests.

Nothing may be raised, none may take longer than `SLOWEST_S` of processor time, and all that is said can be read by
others. The same seed gives the same messages.
"""

import random
import time

import floor_octets as octets
from mutator import SLOWEST_S, Mutator

from mcu.protocol.bfcp.floor import Floor, Ids
from mcu.protocol.bfcp.message import Malformed
from mcu.protocol.bfcp.stream import Stream

ROUND = 100  # messages that one pair of floors gets
PRIMITIVES = (*range(1, 18), *(octets.REQUEST,) * 8, octets.RELEASE, octets.FLOOR_QUERY, 99)


class _Victims:
    """The two floors, whose owner does with each whatever comes to its mind."""

    def __init__(self, chance: random.Random) -> None:
        self.granted, self._chance, self._now = 0, chance, 0.0
        self._floors = [Floor(Ids(1234, 7), reliable=reliable) for reliable in (False, True)]
        self._stream = Stream()

    def receive(self, data: bytes) -> None:
        datagrams, connection = self._floors
        self._now += self._chance.choice((0.0, 0.01, 0.6, 5.0))
        datagrams.datagram(data, self._now)
        try:
            for message in self._stream.feed(data):
                connection.message(message, self._now)
        except Malformed as error:
            connection.unreadable(error, self._now)
            connection.lost()
            self._stream = Stream()
        for floor in self._floors:
            self._decide(floor)

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
        if (due := floor.next_timer()) is not None and due <= self._now:
            floor.handle_timer(self._now)
        self.granted += floor.granted
        for said in floor.take():
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
    whole = octets.message(
        chance.choice(PRIMITIVES),
        *attributes,
        version=chance.choice((1, 2, 2)),
        transaction=chance.randrange(1, 40),
        response=chance.random() < 0.1,
    )
    if chance.random() < 0.2:
        words = (len(whole) - 12) // 4
        cut = chance.randrange(words + 1)
        return chance.choice(octets.fragments(whole, cut, words - cut))
    return whole


def torment(messages: int, seed: int) -> int:
    """How many times a floor was granted meanwhile. Raises what a floor raises, with the message as a note."""
    chance = random.Random(seed)
    mutator, victims, granted = Mutator(chance), _Victims(chance), 0
    for number in range(messages):
        if number % ROUND == 0:
            granted += victims.granted
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
    return granted + victims.granted
