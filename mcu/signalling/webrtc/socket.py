"""The WebSocket of one browser, `GET /api/v1/ws`: its person's wishes in, what the room tells out.

It decides nothing; the room does. What cannot be read, comes too often or may not be done is answered with a `refusal`
and changes nothing. That the socket closes ends no leg: media does that.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from mcu.auth.relays import Relays
from mcu.auth.sealing import Seal
from mcu.auth.tokens import ReconnectToken, SessionToken, Tokens
from mcu.clock import Clock
from mcu.conference.conference import Conference
from mcu.conference.room import Room
from mcu.conference.roster import Language
from mcu.conference.tickets import read_seat_token, sealed
from mcu.conference.updates import Over, RosterNow, Seated, Update
from mcu.errors import Invalid, McuError, TooMany, Unauthenticated
from mcu.ids import LegId
from mcu.signalling.webrtc import messages as wire
from mcu.signalling.webrtc.outbox import Outbox, Overflow
from mcu.signalling.webrtc.texts import refusal_text
from mcu.signalling.webrtc.translation import act_of, message_of, roster_text

log = structlog.get_logger(__name__)

PATH = "/api/v1/ws"
HELLO_S = 5.0
HEARTBEAT_S = 20.0
MAX_MESSAGE = 72 * 1024  # bytes: an offer of the longest that is read, in JSON
RATE, BURST = 20.0, 60.0  # messages a second, and at once
MAX_SOCKETS = 5000  # of one control process

_decoder: msgspec.json.Decoder[wire.AnyFromBrowser] = msgspec.json.Decoder(wire.AnyFromBrowser)
_encoder = msgspec.json.Encoder()


class Allowance:
    """A token bucket: `RATE` a second, `BURST` at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock.monotonic()

    def spend(self) -> bool:
        now = self._clock.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * RATE)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Sockets:
    """Serves every WebSocket of this process. `handle` is the aiohttp handler for `PATH`."""

    def __init__(
        self,
        conference: Conference,
        tokens: Tokens,
        seal: Seal,
        clock: Clock,
        relays: Relays,
        *,
        resume_window_s: float,
        dropped: Callable[[str], None],
    ) -> None:
        self.conference, self.tokens, self.seal, self.clock = conference, tokens, seal, clock
        self.relays, self.resume_window_s = relays, resume_window_s
        self.dropped = dropped  # counts what is let go, by reason
        self._open: set[web.WebSocketResponse] = set()

    def __len__(self) -> int:
        return len(self._open)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE, compress=False)
        await ws.prepare(request)
        if len(self._open) >= MAX_SOCKETS:
            self.dropped("sockets_full")
            await ws.close(code=WSCloseCode.TRY_AGAIN_LATER)
            return ws
        self._open.add(ws)
        try:
            await Socket(ws, request.transport, self).run()
        finally:
            self._open.discard(ws)
        return ws

    async def close(self) -> None:
        """We are being stopped: the browsers come again."""
        for ws in list(self._open):
            with suppress(ConnectionError):
                await ws.close(code=WSCloseCode.SERVICE_RESTART)


class Socket:
    """One browser. A `Watcher` of its seat."""

    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport | None, owner: Sockets) -> None:
        self._ws = ws
        self._transport = transport
        self._owner = owner
        self._outbox = Outbox(owner.clock)
        self._allowance = Allowance(owner.clock)
        self._language: Language = "en"
        self._over = False  # nothing more is to be sent than what waits

    def tell(self, update: Update) -> None:
        if self._over:
            return
        if isinstance(update, Seated):
            self._language = update.person.language
            self._put(self._welcome(update))
        elif isinstance(update, RosterNow):
            self._outbox.put_roster(roster_text(update))
        else:
            self._put(message_of(update, self._language))
        if isinstance(update, Over):
            self._end()

    async def run(self) -> None:
        """Until either side closes."""
        try:
            async with asyncio.timeout(HELLO_S):
                token = self._read_hello(await self._ws.receive())
            room = self._owner.conference.room(token.room)
            await room.attach(token.leg, self)
        except (McuError, TimeoutError):
            await self._bye(wire.Gone(cause="refused"), WSCloseCode.POLICY_VIOLATION)
            return
        with structlog.contextvars.bound_contextvars(room=room.id, leg=token.leg):
            await self._serve(room, token)

    async def _serve(self, room: Room, token: SessionToken | ReconnectToken) -> None:
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._offer_relays())]
        try:
            await self._listen(room, token)
        finally:
            room.detach(token.leg, self)
            self._end()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # -- in ---------------------------------------------------------------------------------------------------------

    def _read_hello(self, received: WSMessage) -> SessionToken | ReconnectToken:
        message = self._decode(received)
        if not isinstance(message, wire.Hello):
            raise Unauthenticated("Say hello first.")
        return read_seat_token(self._owner.tokens, message.token)

    async def _listen(self, room: Room, token: SessionToken | ReconnectToken) -> None:
        async for received in self._ws:
            try:
                if not self._allowance.spend():
                    self._owner.dropped("socket_flood")
                    raise TooMany("Wait a little.", retry_after=1)
                await self._do(room, token.leg, self._decode(received))
            except McuError as error:
                self._refuse(error)
                await asyncio.sleep(0)  # the writer's turn: many that came at once must not fill the outbox

    async def _do(self, room: Room, leg: LegId, message: wire.AnyFromBrowser) -> None:
        if isinstance(message, wire.ChooseLanguage):
            self._language = message.language
            return
        if isinstance(message, wire.RestartIce):
            self._put(wire.IceRestarted(answer=await self._restarted(room, leg, message.offer)))
            return
        act = act_of(message, leg)
        if act is None:
            raise Invalid("Hello has been said.")
        await room.act(leg, act)

    @staticmethod
    async def _restarted(room: Room, leg: LegId, offer: str) -> str | None:
        try:
            return await room.restart_ice(leg, offer)
        except McuError as error:
            log.info("ice_not_restarted", code=error.code)
            return None

    @staticmethod
    def _decode(received: WSMessage) -> wire.AnyFromBrowser:
        if received.type is not WSMsgType.TEXT:
            raise Invalid("Send text.")
        try:
            return _decoder.decode(received.data)
        except msgspec.DecodeError as error:
            raise Invalid("It is not a message that we know.") from error

    def _refuse(self, error: McuError) -> None:
        self._put(wire.Refusal(code=error.code, text=refusal_text(self._language, error.code)))

    # -- out --------------------------------------------------------------------------------------------------------

    def _put(self, message: wire.AnyToBrowser) -> None:
        try:
            self._outbox.put(_encoder.encode(message))
        except Overflow:
            self._owner.dropped("slow_socket")
            self._end()
            log.info("socket_too_slow")
            if self._transport is not None:
                self._transport.abort()

    def _end(self) -> None:
        self._over = True
        self._outbox.end()

    def _welcome(self, seated: Seated) -> wire.Welcome:
        person = sealed(self._owner.seal, seated.leg, seated.person)
        token = ReconnectToken(leg=seated.leg, room=seated.room, meeting=seated.meeting, person=person)
        return wire.Welcome(
            leg=seated.leg,
            role=seated.person.role,
            title=seated.title,
            language=seated.person.language,
            reconnect_token=self._owner.tokens.mint(token),
            resume_window_s=self._owner.resume_window_s,
        )

    async def _offer_relays(self) -> None:
        relays = self._owner.relays
        while (renew_s := relays.renew_s) is not None and not self._over:
            servers = [
                wire.IceServer(urls=one.urls, username=one.username, credential=one.credential)
                for one in relays.offered()
            ]
            self._put(wire.RelaysNow(ice_servers=servers))
            await asyncio.sleep(renew_s)

    async def _write(self) -> None:
        """Until what was the last message is sent, or the socket is gone."""
        with suppress(ConnectionError):
            while (message := await self._outbox.take()) is not None:
                await self._ws.send_frame(message, WSMsgType.TEXT)
            await self._ws.close()

    async def _bye(self, gone: wire.Gone, code: int) -> None:
        with suppress(ConnectionError):
            await self._ws.send_frame(_encoder.encode(gone), WSMsgType.TEXT)
            await self._ws.close(code=code)
