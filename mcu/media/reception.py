"""Calls that sit in no room: a telephone hears prompts, and its keys are told. A `Ticking` beside the rooms.

Nobody in any room hears or sees such a call, and it hears and sees nobody (S5.3-1): it has a sound of its own, in which
there is nothing but prompts, and where it takes pictures a card with words (`cards`). When it has found its meeting its
transport moves into the room's seat, and the room's gate decides from then on; until that lets it in it sees its card.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from mcu.errors import NotFound, Unavailable
from mcu.ids import CallId
from mcu.media.audio.outgoing import Outgoing, Said
from mcu.media.call_messages import CallKey, CallKeyed, CallLost, CallShares, CallTold, CallUnsighted, Card, OfferCall
from mcu.media.cards import Cards
from mcu.media.frames import AnyEvent
from mcu.media.messages import Cause, Source
from mcu.media.outside import OutsideListener
from mcu.media.prompts import Prompts
from mcu.media.seams import TICK_SAMPLES, CallTransport, Samples, SoundPlane, TransportListener
from mcu.media.transport.rtp import RtpTransport, RtpTransports
from mcu.protocol.sdp.exchange import by_ipv6

CALLS_MAX: Final = 500
_NOTHING: Final = np.zeros(0, np.int16)
_T = TypeVar("_T")


class _Caller(OutsideListener):
    """One call; a `TransportListener` for as long as it is here."""

    def __init__(
        self, call: CallId, transport: CallTransport, sound: int, cards: Cards, lost: Callable[["_Caller"], None]
    ) -> None:
        self.call, self.transport, self.sound = call, transport, sound
        self._cards = cards
        self.connected = self.routed = False
        self.left: Samples = _NOTHING  # of what is being said
        self._lost = lost

    def on_connected(self) -> None:
        self.connected = True

    def on_renewed(self) -> None:
        self.routed = False  # it may have another handle
        self._cards.again(self.call)

    def on_key_request(self, source: Source) -> None:
        self._cards.again(self.call)

    def on_bandwidth(self, bits_per_second: int) -> None:
        self._cards.carries(self.call, bits_per_second)

    def on_lost(self, cause: Cause) -> None:
        self._lost(self)


class Reception:
    """The calls of one worker that are in no room."""

    def __init__(
        self,
        transports: RtpTransports,
        plane: SoundPlane,
        prompts: Prompts,
        cards: Cards,
        emit: Callable[[AnyEvent], None],
        wake: Callable[["Reception"], None],
    ) -> None:
        self._transports, self._plane, self._prompts = transports, plane, prompts
        self._cards, self._emit, self._wake = cards, emit, wake
        self._callers: dict[CallId, _Caller] = {}
        self._outside = set[CallId]()  # that have a seat, and are not in the room yet
        self._coming: dict[CallId, RtpTransport] = {}
        self._carried = WeakValueDictionary[CallId, RtpTransport]()  # also those that sit in rooms
        self.sound_room = plane.add_room(1)  # in which nobody is heard

    # -- commands -----------------------------------------------------------------------------------------------------

    def answer(self, call: CallId, offer: str, *, encrypted: bool) -> str:
        """Raises `Invalid`, `NotAcceptable` or `Unavailable`; then the call is not here."""
        transport = self._new(call, ipv6=by_ipv6(offer), encrypted=encrypted)
        caller = self._caller(call, transport)
        try:
            reply = transport.answer(offer, caller)
        except Exception:
            self._let_go(caller)
            transport.release()
            raise
        self._callers[call] = caller
        self._wake(self)
        return reply

    def offer(self, command: OfferCall) -> str:
        """A call that we make, or one that comes from another worker. Raises as `answer`; then it is not here."""
        call, said = command.call, command.said
        ipv6 = by_ipv6(said) if said else command.ipv6
        transport = self._new(call, ipv6=ipv6, encrypted=command.encrypted, by_dtls=command.by_dtls)
        try:
            made = transport.offer(said, command.codecs, command.keys, anew=command.anew)
        except Exception:
            transport.release()
            raise
        self._coming[call] = transport
        return made

    def accept(self, call: CallId, answer: str) -> None:
        """What came back to our offer, or to one of `change`. Raises as `answer`, and `NotFound`: no such call here."""
        transport = self._coming.pop(call, None)
        if transport is None:
            self._transport(call).accept_change(answer)
            return
        caller = self._caller(call, transport)
        try:
            transport.accept(answer, caller)
        except Exception:
            self._let_go(caller)
            transport.release()
            raise
        self._callers[call] = caller
        self._wake(self)

    def refresh(self, call: CallId) -> None:
        """See `RtpTransport.refresh`. Nothing where the call is not on this worker."""
        if (transport := self._carried.get(call)) is not None:
            transport.refresh()

    def change(self, call: CallId, offer: str) -> str:
        """See `RtpTransport.change`: of a call in the reception or in a room. Raises `NotFound` too."""
        return self._transport(call).change(offer)

    def held(self, call: CallId) -> bool:
        """Whether its other side has it on hold. Raises `NotFound`."""
        return self._transport(call).held

    def hold(self, call: CallId, *, held: bool) -> None:
        """Raises `NotFound`."""
        self._transport(call).hold(held)

    def allow_slides(self, call: CallId, *, allowed: bool) -> None:
        """See `RtpTransport.allow_slides`. Raises `NotFound`."""
        self._transport(call).allow_slides(allowed)

    def say(self, call: CallId, prompts: Sequence[str], language: str, voice: str = "") -> None:
        """In place of what is being said. Raises `NotFound`: no such call, or no such prompt."""
        self._known(call).left = self._prompts.samples(prompts, language, voice)

    def show(self, call: CallId, card: Card) -> None:
        """In place of what it sees. Nothing where it is in a room by now. Raises `NotFound`."""
        transport = self._transport(call)
        if call in self._callers or call in self._outside:
            self._cards.show(call, transport, card)

    def seat(self, call: CallId, listener: TransportListener) -> CallTransport:
        """See `seams.Calls`."""
        caller = self._known(call)
        self._let_go(caller)
        self._outside.add(call)
        caller.transport.move(listener)
        return caller.transport

    def let_in(self, call: CallId) -> None:
        """See `seams.Calls`."""
        self._outside.discard(call)
        self._cards.drop(call)

    def take_back(self, call: CallId) -> None:
        """See `seams.Calls`."""
        self._outside.discard(call)
        transport = self._transport(call)
        caller = self._callers[call] = self._caller(call, transport)
        transport.move(caller)
        self._wake(self)

    def end(self, call: CallId) -> None:
        """Nothing where the call is not here."""
        if (coming := self._coming.pop(call, None)) is not None:
            coming.release()
        if (caller := self._callers.get(call)) is not None:
            self._let_go(caller)
            self._cards.drop(call)
            caller.transport.release()

    def close(self) -> None:
        for call in [*self._callers, *self._coming]:
            self.end(call)
        self._cards.close()
        self._plane.remove_room(self.sound_room)

    # -- ticker.Ticking -----------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        return not self._callers

    def tick(self, number: int, wall_ms: int, said: Said, out: Outgoing) -> None:
        """20 ms of what is being said, to each."""
        callers = [caller for caller in self._callers.values() if caller.connected]
        for row, caller in zip(out.rows([caller.sound for caller in callers]), callers, strict=True):
            if not caller.routed:
                caller.routed = True
                out.route(caller.transport.handle, caller.sound)
            piece, caller.left = caller.left[:TICK_SAMPLES], caller.left[TICK_SAMPLES:]
            row[:] = 0
            row[: len(piece)] = piece
            if len(piece) and not len(caller.left):
                self._emit(CallTold(call=caller.call))

    def not_sent(self, number: int) -> None:
        """A piece of a prompt was not heard: who did not understand it presses what says it again."""
        for caller in self._callers.values():
            caller.routed = False

    # -- parts --------------------------------------------------------------------------------------------------------

    def _new(self, call: CallId, *, ipv6: bool, encrypted: bool, by_dtls: bool = False) -> RtpTransport:
        if len(self._callers) + len(self._coming) >= CALLS_MAX:
            raise Unavailable("This media worker has as many calls as it can have.")
        if call in self._callers or call in self._coming:
            raise Unavailable("The call is here already.")
        made = self._carried[call] = self._transports.new(
            ipv6=ipv6,
            encrypted=encrypted,
            by_dtls=by_dtls,
            on_digit=lambda key: self._emit(CallKey(call=call, key=key)),
        )
        made.on_keys = lambda keys: self._emit(CallKeyed(call=call, keys=keys))
        made.on_slides = lambda come: self._emit(CallShares(call=call, on=come))
        made.on_unsighted = lambda: self._emit(CallUnsighted(call=call))
        made.on_gone = lambda cause: self._gone(call, cause)
        return made

    def _gone(self, call: CallId, cause: Cause) -> None:
        self.let_in(call)  # it sees nothing any more
        self._emit(CallLost(call=call, cause=cause))

    def _caller(self, call: CallId, transport: CallTransport) -> _Caller:
        return _Caller(call, transport, self._plane.add_sound(False), self._cards, self._lost)

    def _transport(self, call: CallId) -> RtpTransport:
        return _there(self._carried.get(call))

    def _known(self, call: CallId) -> _Caller:
        return _there(self._callers.get(call))

    def _lost(self, caller: _Caller) -> None:
        if self._callers.get(caller.call) is caller:
            self._let_go(caller)

    def _let_go(self, caller: _Caller) -> None:
        self._callers.pop(caller.call, None)
        self._plane.remove_sound(caller.sound)


def _there(found: _T | None) -> _T:
    if found is None:
        raise NotFound("There is no such call on this worker.")
    return found
