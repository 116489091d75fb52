"""A call that dials in: answered in a worker's reception, led by the menu, and let through the door into its room."""

from collections.abc import Mapping
from typing import Final

from mcu.booking.door import Entrant, NotAdmitted
from mcu.booking.endpoints import Endpoint
from mcu.booking.meeting import Meeting
from mcu.booking.rules import MeetingLocked, MeetingOver, NotOpen
from mcu.conference.roster import Person
from mcu.errors import McuError, MeetingFull, TooMany, Unavailable
from mcu.ids import CallId
from mcu.media.call_messages import AnswerCall, CallTold
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Established
from mcu.signalling.sip.menu import Action, Ask, HangUp, Menu, Say
from mcu.signalling.sip.prompts import Prompt
from mcu.signalling.sip.routing import Route
from mcu.signalling.sip.visit import PICK_S, Happening, House, Pressed, Visit, answered

SEAT_NAMES = {"sv": "Telefon", "en": "Telephone"}  # a header's name is nobody's word (S5.3)

REFUSALS: Final[Mapping[type[McuError], Prompt]] = {
    NotOpen: Prompt.NOT_OPEN,
    MeetingOver: Prompt.MEETING_OVER,
    MeetingLocked: Prompt.IS_LOCKED,
    MeetingFull: Prompt.MEETING_FULL,
    TooMany: Prompt.TOO_MANY,
    Unavailable: Prompt.CANNOT,
}


class Incoming(Visit):
    """`route`: to a meeting's number, or to the reception. `address`: of the peer, for the door's limits.

    `caller`: the endpoint of ours that has shown to be it, by whose name the others know it. `number`: from which it is
    made, "" where nobody has checked that.
    """

    def __init__(
        self, house: House, name: CallId, call: Call, route: Route, address: str, caller: Endpoint | None, number: str
    ) -> None:
        super().__init__(house, name, call)
        language = route.language or (house.language if caller is None else caller.language)
        self._menu = Menu(language, str(route.to))
        self._address, self._caller, self._number = address, caller, number

    async def _arrive(self) -> None:
        """Answers their offer, on any worker."""
        call = self.call
        assert call is not None
        offer = call.invite.body.decode(errors="replace")
        if not offer:
            raise Unavailable("Calls without an offer are not taken.")
        worker = await self._house.workers.pick(PICK_S)
        reply = await worker.ask(AnswerCall(call=self.name, offer=offer, encrypted=self._house.encrypted))
        self.worker = worker
        answer = answered(reply)
        self._agreed = (offer, answer.answer)
        await self._hold(answer.held)
        call.answer(answer.answer.encode())
        self._house.line.pump()

    async def _come_back(self) -> None:
        if self._in_menu:
            await self._do(self._menu.again(self._house.clock.monotonic()))
        else:
            await super()._come_back()

    @property
    def _in_menu(self) -> bool:
        return self._seat is None and self._leaving_at is None

    def _next_timer(self) -> float | None:
        return self._menu.next_timer() if self._in_menu else super()._next_timer()

    async def _time_came(self) -> None:
        if self._in_menu:
            await self._do(self._menu.handle_timer(self._house.clock.monotonic()))
        else:
            await super()._time_came()

    async def _happened(self, happening: Happening) -> None:
        match happening:
            case Established():
                await self._do(self._menu.begin(self._house.clock.monotonic()))
            case Pressed(key) if self._in_menu:
                await self._do(self._menu.key(key, self._house.clock.monotonic()))
            case CallTold() if self._in_menu:
                self._menu.said(self._house.clock.monotonic())
            case _:
                await super()._happened(happening)

    async def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Say(words, language):
                    await self._say(words, language)
                case Ask(number, pin):
                    await self._ask(number, pin)
                case HangUp(words, language):
                    await self._leave_after(words, language)

    async def _ask(self, number: str, pin: str | None) -> None:
        now = self._house.clock.monotonic()
        try:
            await self._admit(await self._house.door.by_pin(number, pin, self._address))
        except NotAdmitted:
            await self._do(self._menu.not_opened(now))
        except tuple(REFUSALS) as error:
            await self._leave_after((REFUSALS[type(error)], Prompt.GOODBYE), self._menu.language)

    def _name(self, meeting: Meeting) -> str:
        """Of who has no PIN of their own. A number is not a right: the role is that of the PIN."""
        booked = [one.name for one in meeting.participants if self._number and one.phone == self._number]
        if len(booked) == 1:
            return booked[0]
        return SEAT_NAMES[self._language] if self._caller is None else self._caller.display_name

    async def _admit(self, entrant: Entrant) -> None:
        self._menu.opened()
        self._language = self._menu.language
        booked = entrant.participant
        person = Person(
            name=self._name(entrant.meeting) if booked is None else booked.name,
            role=entrant.role,
            language=self._language,
            participant=None if booked is None else booked.id,
            kind="sip",
        )
        room, leg = await self._house.conference.join(entrant.meeting, person)
        await self._enter(room, leg)
