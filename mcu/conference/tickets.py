"""Who may take which seat: given when somebody joins, used with each offer, taken back when somebody leaves for good.

A ticket outlives the seat: who lost it to a bad network may sit down again, by the rules for those who are new. It
outlives the process too: a room that was opened again after a kill has none, and takes them back from its people, whose
reconnect tokens hold them sealed.
"""

from base64 import b64decode, b64encode
from collections import OrderedDict, deque
from collections.abc import Collection
from typing import cast

import msgspec

from mcu.auth.sealing import Seal
from mcu.auth.tokens import ReconnectToken, SessionToken, Tokens
from mcu.conference.roster import Person
from mcu.errors import Unauthenticated
from mcu.ids import LegId, new_id


class SeatGone(Unauthenticated):
    """The token was right once, but the seat is nobody's any more, or its person was sent away."""

    code, title = "seat-gone", "This seat is no longer yours"


MAX_TICKETS = 500  # of one room; then the oldest that nobody sits on is void


class Tickets:
    """Those of one room."""

    def __init__(self) -> None:
        self._people: OrderedDict[LegId, Person] = OrderedDict()
        self._void: deque[LegId] = deque(maxlen=MAX_TICKETS)  # taken back

    def of(self, person: Person) -> LegId | None:
        """The ticket of one who came by a personal link or PIN before, in the same way: a telephone has its own."""
        if person.participant is None:
            return None
        same = (person.participant, person.kind)
        held = (leg for leg, other in self._people.items() if (other.participant, other.kind) == same)
        return next(held, None)

    def give(self, person: Person, leg: LegId | None, *, keep: Collection[LegId]) -> LegId:
        """A ticket, for `leg` or a new seat. `keep`: the seats that are taken."""
        leg = leg or LegId(new_id("leg"))
        self._people[leg] = person
        self._people.move_to_end(leg)
        if len(self._people) > MAX_TICKETS:
            oldest = next((one for one in self._people if one not in keep and one != leg), None)
            if oldest is not None:
                del self._people[oldest]
        return leg

    def show(self, leg: LegId, person: Person, *, keep: Collection[LegId]) -> None:
        """One that was given by a process that is no more. It does not bring back what was taken back here."""
        if leg not in self._people and leg not in self._void:
            self.give(person, leg, keep=keep)

    def person(self, leg: LegId) -> Person:
        """Raises `SeatGone` for a ticket that was never given, or that was taken back."""
        try:
            return self._people[leg]
        except KeyError:
            raise SeatGone("Join again.") from None

    def update(self, leg: LegId, person: Person) -> None:
        """What became of the person meanwhile (a role), if the ticket still holds."""
        if leg in self._people:
            self._people[leg] = person

    def take_back(self, leg: LegId) -> None:
        self._people.pop(leg, None)
        self._void.append(leg)


def sealed(seal: Seal, leg: LegId, person: Person) -> str:
    """`person` as the reconnect token for `leg` holds it: only this server can read it."""
    return b64encode(seal.close(msgspec.json.encode(person), leg.encode())).decode()


def opened(seal: Seal, token: SessionToken | ReconnectToken) -> Person | None:
    """Who sits in the token's seat; `None` where it does not say."""
    if isinstance(token, SessionToken):
        return None
    return msgspec.json.decode(seal.open(b64decode(token.person), token.leg.encode()), type=Person)


def read_seat_token(tokens: Tokens, text: str) -> SessionToken | ReconnectToken:
    """The seat that a browser's token names. Raises `TokenInvalid`."""
    return cast("SessionToken | ReconnectToken", tokens.read(text, SessionToken, ReconnectToken))
