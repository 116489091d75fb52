"""A participant from the outside: joins by number over REST, connects a `MeetingClient`, and talks on the WebSocket.

What the browser page does, step by step, for tests, the demo and the benchmarks. Keeps every message that it is told.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import aiohttp
import msgspec

from mcu.demo.client import MeetingClient
from mcu.ids import LegId
from mcu.signalling.webrtc.messages import AnyFromBrowser, AnyToBrowser, Hello, Welcome

KEPT = 1_000  # messages
_decode = msgspec.json.Decoder(AnyToBrowser).decode
_encode = msgspec.json.Encoder().encode

M = TypeVar("M", bound=msgspec.Struct)


class JoinError(Exception):
    """The server said no. `status` and `problem` are its answer (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, object]) -> None:
        super().__init__(f"{status} {problem.get('type', '')} {problem.get('detail', '')}".strip())
        self.status, self.problem = status, problem


class Joined(msgspec.Struct):
    """The answer to `POST /join/{number}`."""

    session_token: str
    leg: LegId
    role: str
    title: str
    language: str


class Guest:
    """One person at a meeting. Use as `async with`, or call `close`."""

    def __init__(self, base_url: str) -> None:
        self._http = aiohttp.ClientSession(base_url)
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self.joined: Joined | None = None
        self.reconnect_token: str | None = None
        self.client: MeetingClient | None = None
        self.messages: deque[AnyToBrowser] = deque(maxlen=KEPT)

    async def __aenter__(self) -> "Guest":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    @property
    def leg(self) -> LegId:
        assert self.joined is not None, "join first"
        return self.joined.leg

    # -- coming in ------------------------------------------------------------------------------------------------

    async def join(self, number: str, name: str, client: MeetingClient, **how: str) -> Joined:
        """All three steps. `how`: `pin` or `token`, `language`. Raises `JoinError`, `ConnectionError`."""
        await self.ask(number, name, **how)
        await self.sit(client)
        await self.hello()
        assert self.joined is not None
        return self.joined

    async def ask(self, number: str, name: str, **how: str) -> Joined:
        """`POST /join/{number}`: a session and a seat. Raises `JoinError`."""
        async with self._http.post(f"/api/v1/join/{number}", json={"name": name, **how}) as response:
            if response.status != 200:
                raise JoinError(response.status, await response.json(content_type=None))
            self.joined = msgspec.json.decode(await response.read(), type=Joined)
        return self.joined

    async def sit(self, client: MeetingClient, *, muted: bool = False) -> None:
        """`POST /legs` with the client's offer; returns when it is connected. Raises `JoinError`, `ConnectionError`."""
        self.client = client
        await client.connect(lambda offer: self._offer(offer, muted))

    async def _offer(self, offer: str, muted: bool) -> str:
        headers = {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/sdp"}
        if muted:
            headers["X-Mcu-Muted"] = "true"
        async with self._http.post("/api/v1/legs", data=offer.encode(), headers=headers) as response:
            if response.status != 201:
                raise JoinError(response.status, await response.json(content_type=None))
            return await response.text()

    def _token(self) -> str:
        assert self.joined is not None, "join first"
        return self.reconnect_token or self.joined.session_token

    async def hello(self) -> Welcome:
        """Opens the WebSocket and returns the `welcome`."""
        await self._shut()
        self._socket = await self._http.ws_connect("/api/v1/ws")
        await self.send(Hello(token=self._token()))
        before = len(self.messages)
        self._reader = asyncio.create_task(self._read(self._socket))
        welcome = await self.told(Welcome, after=before)
        self.reconnect_token = welcome.reconnect_token
        return welcome

    async def come_back(self, client: MeetingClient) -> None:
        """The same seat with a new connection, as after a reload."""
        await self._shut()
        await self.sit(client)
        await self.hello()

    # -- the socket -----------------------------------------------------------------------------------------------

    async def send(self, message: AnyFromBrowser) -> None:
        assert self._socket is not None, "hello first"
        await self._socket.send_str(_encode(message).decode())

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                async with self._news:
                    self.messages.append(_decode(frame.data))
                    self._news.notify_all()

    async def told(
        self, kind: type[M], that: Callable[[M], bool] = lambda _message: True, *, after: int = 0, within: float = 10.0
    ) -> M:
        """The first message of a kind, from number `after` on, that is so. Raises `TimeoutError`."""
        async with asyncio.timeout(within), self._news:
            while True:
                for message in list(self.messages)[after:]:
                    if isinstance(message, kind) and that(message):
                        return message
                await self._news.wait()

    # -- going ----------------------------------------------------------------------------------------------------

    async def leave(self) -> None:
        """`DELETE /legs/{leg}`, then closes; closes also where the server is gone."""
        headers = {"Authorization": f"Bearer {self._token()}"}
        with suppress(aiohttp.ClientConnectionError):
            async with self._http.delete(f"/api/v1/legs/{self.leg}", headers=headers):
                pass
        await self.close()

    async def close(self) -> None:
        """Leaves no task or socket. Hangs up where nobody has left yet."""
        await self._shut()
        if self.client is not None:
            await self.client.close()
        await self._http.close()

    async def _shut(self) -> None:
        """Closes the WebSocket that there is."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._socket is not None:
            await self._socket.close()
