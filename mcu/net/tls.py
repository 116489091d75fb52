"""A port of TLS whose handshakes end: whoever begins one and says no more stands in nobody's way.

Whoever connects is counted until the handshake is over, and nothing else is kept of it until then. When there are too
many, the address that has most of them loses the one it began first: a handshake takes a moment, so it is theirs who
wait with it on purpose that go, and never those of another address.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final

from mcu.networks import network_of
from mcu.tally import one_less

HANDSHAKE_S: Final = 15.0  # packets are lost, and sent again after 1, 3 and 7 s
HANDSHAKES: Final = 500  # at a time
AGAIN_S: Final = 0.5  # when the machine has no file descriptor left
TOO_MANY: Final = "too many handshakes"
NONE: Final = "no handshake"


class Door:
    """`made` gives the protocol of each connection whose handshake is over. `close` it, and its socket is closed.

    `refused` is told of each that is let go, and why. `hears`: whether that address is served at all.
    """

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        *,
        made: Callable[[], asyncio.Protocol],
        refused: Callable[[str], None],
        hears: Callable[[str], bool] = lambda _host: True,
    ) -> None:
        listening.setblocking(False)
        self._socket, self._context = listening, context
        self._made, self._hears, self._refused = made, hears, refused
        self._shaking: dict[asyncio.Task[None], str] = {}  # who is at it, in the order in which they came
        self._by_network: Counter[str] = Counter()
        self._task = asyncio.create_task(self._accept())

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def handshakes(self) -> int:
        """That are not over."""
        return len(self._shaking)

    async def close(self) -> None:
        tasks = [self._task, *self._shaking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, peer = await loop.sock_accept(self._socket)
            except OSError:
                await asyncio.sleep(AGAIN_S)
                continue
            if self._hears(peer[0]):
                self._begin(sock, network_of(peer[0]))
            else:
                sock.close()
            await asyncio.sleep(0)  # those that wait already are taken without waiting

    def _begin(self, sock: socket.socket, network: str) -> None:
        if len(self._shaking) >= HANDSHAKES:
            self._make_room()
        task = asyncio.create_task(self._shake(sock))
        self._shaking[task] = network
        self._by_network[network] += 1
        task.add_done_callback(self._forget)

    def _make_room(self) -> None:
        [(most, _)] = self._by_network.most_common(1)
        oldest = next(task for task, network in self._shaking.items() if network == most)
        self._forget(oldest)
        oldest.cancel()
        self._refused(TOO_MANY)

    def _forget(self, task: asyncio.Task[None]) -> None:
        network = self._shaking.pop(task, None)
        if network is not None:
            one_less(self._by_network, network)

    async def _shake(self, sock: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._made, sock, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError:
            self._refused(NONE)
