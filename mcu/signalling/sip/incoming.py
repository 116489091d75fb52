"""A call that dials in: answered in a worker's reception, led by the menu, and let through the door into its room."""

import asyncio

from mcu.booking.door import NotAdmitted
from mcu.conference.roster import Person
from mcu.errors import Unavailable
from mcu.ids import CallId
from mcu.media.call_messages import AnswerCall, CallTold
from mcu.protocol.sip.call import Call
from mcu.protocol.sip.events import Established
from mcu.signalling.sip.menu import Ask, HangUp, Menu, Say
from mcu.signalling.sip.visit import PICK_S, Happening, House, Visit, sdp_of

SEAT_NAMES = {"sv": "Telefon", "en": "Telephone"}  # a header's name is nobody's word (S5.3)


class Incoming(Visit):
    """`number`: the meeting's, where the call is made to one. `address`: of the peer, for the door's limits."""

    def __init__(self, house: House, name: CallId, call: Call, number: str, address: str) -> None:
        super().__init__(house, name, call)
        self._menu = Menu(house.language, number)
        self._address = address
        self._leaving = False  # when all is said

    async def _arrive(self) -> None:
        """Answers their offer, on any worker."""
        offer = self.call.invite.body.decode(errors="replace")
        if not offer:
            raise Unavailable("Calls without an offer are not taken.")
        worker = await self._house.workers.pick(PICK_S)
        reply = await worker.ask(AnswerCall(call=self.name, offer=offer, encrypted=self._house.encrypted))
        self.worker = worker
        answer = sdp_of(reply)
        self._agreed = (offer, answer)
        self.call.answer(answer.encode())
        self._house.line.pump()

    async def _step(self) -> None:
        due = self._menu.next_timer() if self._seat is None else None
        wait = None if due is None else max(0.0, due - self._house.clock.monotonic())
        try:
            async with asyncio.timeout(wait):
                happening = await self._queue.get()
        except TimeoutError:
            await self._do(self._menu.handle_timer(self._house.clock.monotonic()))
            return
        await self._happened(happening)

    async def _happened(self, happening: Happening) -> None:
        match happening:
            case Established():
                await self._do(self._menu.begin(self._house.clock.monotonic()))
            case CallTold():
                self._menu.said(self._house.clock.monotonic())
                self._over = self._leaving
            case _:
                await super()._happened(happening)

    async def _key(self, key: str) -> None:
        if self._seat is None:
            await self._do(self._menu.key(key, self._house.clock.monotonic()))

    async def _do(self, actions: list[Say | Ask | HangUp]) -> None:
        for action in actions:
            match action:
                case Say(prompts, language):
                    await self._say(prompts, language)
                case Ask(number, pin):
                    await self._ask(number, pin)
                case HangUp():
                    self._leaving = True

    async def _ask(self, number: str, pin: str | None) -> None:
        now = self._house.clock.monotonic()
        try:
            entrant = await self._house.door.by_pin(number, pin, self._address)
        except NotAdmitted:
            await self._do(self._menu.not_opened(now))
            return
        await self._do(self._menu.opened())
        name = SEAT_NAMES[self._menu.language]
        person = Person(name=name, role=entrant.role, language=self._menu.language, kind="sip")
        room, leg = await self._house.conference.join(entrant.meeting, person)
        await self._enter(room, leg)
