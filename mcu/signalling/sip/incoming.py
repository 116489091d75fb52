"""A call that dials in: answered in a worker's reception, led by the menu, and let through the door into its room."""

import asyncio
from dataclasses import dataclass, field

import structlog

from mcu.booking.door import Entrant, NotAdmitted
from mcu.booking.endpoints import Endpoint
from mcu.booking.meeting import Meeting
from mcu.conference.roster import Person
from mcu.conference.workers import answered
from mcu.errors import McuError, Unavailable
from mcu.ids import CallId
from mcu.media.call_messages import AnswerCall, CallTold, Card, OfferCall
from mcu.media.messages import Answered
from mcu.protocol.sdp.secured import is_keyed
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Established
from mcu.protocol.sip.message import Request, Response
from mcu.signalling.sip import cards
from mcu.signalling.sip.happenings import Happening, Pressed
from mcu.signalling.sip.menu import Action, Ask, HangUp, Menu, Say, State
from mcu.signalling.sip.prompts import Words
from mcu.signalling.sip.refusals import NotSecured, why
from mcu.signalling.sip.routing import Route
from mcu.signalling.sip.visit import MOVE_AGAIN_S, PICK_S, House, Visit

log = structlog.get_logger(__name__)

SEAT_NAMES = {"sv": "Telefon", "en": "Telephone"}  # a header's name is nobody's word (S5.3)


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who calls. `address`: of the peer, for the door's limits, and over a trunk the `caller`: see `callers`.

    `endpoint`: of ours, that has shown to be it, and by whose name the others know it. `number`: from which it is made,
    "" where nobody has checked that.
    """

    address: str
    caller: str
    endpoint: Endpoint | None
    number: str = field(repr=False)
    by_trunk: bool


class Incoming(Visit):
    """`route`: to a meeting's number, or to the reception."""

    def __init__(self, house: House, name: CallId, call: Call, route: Route, who: Who) -> None:
        super().__init__(house, name, call)
        language = route.language or (house.language if who.endpoint is None else who.endpoint.language)
        self._menu, self._who = Menu(language, str(route.to)), who
        self._words: Words = ()  # that were said last
        self._shown: Card | None = None

    @property
    def endpoint(self) -> Endpoint | None:
        return self._who.endpoint

    async def _arrive(self) -> None:
        """Answers their offer, on any worker; on another where that one dies."""
        call = self.call
        assert call is not None
        offer = call.invite.body.decode(errors="replace")
        try:
            reply = await self._taken_by_one(offer)
        except Unavailable:
            await asyncio.sleep(MOVE_AGAIN_S)  # as in `_move`
            reply = await self._taken_by_one(offer)
        if offer:
            said = self._answer_to(offer, reply.answer)
            self._agreed = (offer, said)
            await self._hold(reply.held)
        else:
            said = self._offered = self._slides.offer(reply.answer)
        call.answer(said.encode())
        self._house.line.pump()

    async def _taken_by_one(self, offer: str) -> Answered:
        """Its answer; or, where they have left it to us, its offer, which their ACK answers (RFC 3261, 13.2.1)."""
        encrypted = self._house.encrypted
        command: AnswerCall | OfferCall = AnswerCall(call=self.name, offer=offer, encrypted=encrypted)
        if not offer:
            command = OfferCall(call=self.name, said="", encrypted=encrypted, ipv6=":" in self._peer)
        worker = await self._house.workers.pick(PICK_S)
        reply = await worker.ask(command)
        self.worker = worker
        return answered(reply)

    async def _established(self, ack: Request | Response) -> None:
        await self._changed(ack)
        if self._agreed[0]:
            await self._do(self._menu.begin(self._house.clock.monotonic()))
        else:  # what was offered has no answer
            self._over = True

    async def _come_back(self) -> None:
        self._shown = None
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
            case Established(message=ack):
                await self._established(ack)
            case Pressed(key) if self._in_menu:
                await self._do(self._menu.key(key, self._house.clock.monotonic()))
            case CallTold() if self._in_menu:
                self._menu.said(self._house.clock.monotonic())
            case _:
                await super()._happened(happening)

    async def _do(self, actions: list[Action]) -> None:
        self._words = next((one.prompts for one in actions if isinstance(one, Say)), self._words)
        await self._show_menu()
        for action in actions:
            match action:
                case Say(words, language):
                    await self._say(words, language)
                case Ask(number, pin):
                    await self._ask(number, pin)
                case HangUp(words, language):
                    await self._leave_after(words, language)

    async def _show_menu(self) -> None:
        """As it is now: who sees it need not have heard it."""
        card = cards.of_menu(self._menu, self._words)
        if card != self._shown and self._menu.state is not State.DONE:
            self._shown = card
            await self._display(card)

    async def _ask(self, number: str, pin: str | None) -> None:
        now = self._house.clock.monotonic()
        try:
            entrant = await self._house.door.by_pin(number, pin, self._who.address, self._who.caller)
            self._check_secured(entrant.meeting)
            await self._admit(entrant)
        except NotAdmitted:
            await self._do(self._menu.not_opened(now))
        except McuError as error:
            log.info("call_not_let_in", call=self.name, code=error.code)
            await self._leave_after(why(error), self._menu.language)

    def _check_secured(self, meeting: Meeting) -> None:
        """A call in the clear that no trunk's settings allow comes in where the meeting's organisation does.

        Raises `NotSecured`.
        """
        organisation = self._house.organisations.get(meeting.organisation)
        clear = not (self._who.by_trunk or is_keyed(self._agreed[1]))
        if clear and organisation is not None and organisation.encrypted:
            raise NotSecured

    def _name(self, meeting: Meeting) -> str:
        """Of who has no PIN of their own. A number is not a right: the role is that of the PIN."""
        booked = [one.name for one in meeting.participants if self._who.number and one.phone == self._who.number]
        if len(booked) == 1:
            return booked[0]
        endpoint = self._who.endpoint
        return SEAT_NAMES[self._language] if endpoint is None else endpoint.display_name

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
