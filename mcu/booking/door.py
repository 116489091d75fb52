"""Who is it that wants to join: a join token, or a meeting number with a PIN, becomes a meeting and a role.

Whether they may come in now is `rules.entry`. A wrong number, a wrong PIN and a missing PIN get the same answer after
the same work, so that nobody learns which numbers are meetings.
"""

from dataclasses import dataclass
from typing import Final

from mcu.auth.guesses import Guesses
from mcu.auth.pins import PinHasher
from mcu.auth.tokens import JoinToken, TokenInvalid, Tokens
from mcu.booking.meeting import BookedParticipant, Meeting, Role
from mcu.booking.store import Store
from mcu.errors import NotFound, Unauthenticated

ROLES: Final[tuple[Role, ...]] = ("host", "guest")  # by the meeting's own PINs


class NotAdmitted(Unauthenticated):
    """The number, or the PIN, or both, are wrong."""

    code, title = "number-or-pin-wrong", "The meeting number or the PIN is wrong"


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """Somebody who has shown a right to the meeting. `participant`: with a personal link or PIN."""

    meeting: Meeting
    role: Role
    participant: BookedParticipant | None = None


class Door:
    """Settles who somebody is. Changes nothing but the counts of guesses."""

    def __init__(self, store: Store, tokens: Tokens, pins: PinHasher, guesses: Guesses) -> None:
        self._store, self._tokens, self._pins, self._guesses = store, tokens, pins, guesses

    async def by_token(self, number: str, text: str) -> Entrant:
        """Raises `TokenInvalid`, also if the meeting is another or the participant is booked no more."""
        token = self._tokens.read(text, JoinToken)
        async with self._store.reading() as tx:
            try:
                meeting = await tx.meetings.get(token.meeting)
            except NotFound as error:
                raise TokenInvalid("Its meeting is no more.") from error
        if meeting.number != number:
            raise TokenInvalid("It is for another meeting.")
        if token.participant is None:
            return Entrant(meeting=meeting, role=token.role)
        if (person := meeting.participant(token.participant)) is None:
            raise TokenInvalid("The invitation was withdrawn: ask for a new link.")
        return Entrant(meeting=meeting, role=person.role, participant=person)

    async def by_pin(self, number: str, pin: str | None, address: str, caller: str = "") -> Entrant:
        """`pin` `None`: none was given, which is right where guests need none. `caller`: see `Guesses.attempt`.

        Raises `NotAdmitted` or `TooMany`.
        """
        async with self._guesses.attempt(number, address, caller, bare=pin is None):
            async with self._store.reading() as tx:
                meeting = await tx.meetings.by_number(number)
            entrant = await self._entrant(meeting, pin)
            if entrant is None:
                self._guesses.failed(number, address, caller, bare=pin is None)
                raise NotAdmitted("Look at the invitation and try again.")
            if pin is not None:
                self._guesses.succeeded(number, address, caller)
            return entrant

    async def _entrant(self, meeting: Meeting | None, pin: str | None) -> Entrant | None:
        if meeting is None:
            await self._pins.which(pin or "", b"", ())
            return None
        pins, people = meeting.access.pins, meeting.participants
        if pin is None and pins.guest is None:
            return Entrant(meeting=meeting, role="guest")
        which = await self._pins.which(pin or "", pins.salt, (pins.host, pins.guest, *(one.pin for one in people)))
        if pin is None or which is None:
            return None
        if which < len(ROLES):
            return Entrant(meeting=meeting, role=ROLES[which])
        person = people[which - len(ROLES)]
        return Entrant(meeting=meeting, role=person.role, participant=person)
