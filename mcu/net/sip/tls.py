"""TLS of SIP's connections: who shows a certificate is who it is for (RFC 5922), and handshakes that end in time.

Whoever connects to the port of TLS is counted until the handshake is over, in all and by address, and nothing else is
kept of it until then.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final

from mcu.errors import Unavailable
from mcu.protocol.sip.certificate import Identities, identities
from mcu.protocol.sip.gate import address_key

HANDSHAKE_S: Final = 5.0
HANDSHAKES: Final = 500  # at a time
HANDSHAKES_OF_ONE: Final = 50  # by address: a house's telephones that start together
AGAIN_S: Final = 0.5  # when the machine has no file descriptor left
_REASONS: Final = {  # of OpenSSL's X509_V_ERR_*
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate is of an authority that is not trusted",
    20: "its certificate is of an authority that is not trusted",
    21: "its certificate is of an authority that is not trusted",
    23: "its certificate has been revoked",
}


class NotProven(Unavailable):
    """Who answers is not who was called. `detail` says why, and whom its certificate names."""

    code, title = "not-proven", "The other side cannot prove who it is"


def shown_by(transport: asyncio.BaseTransport) -> Identities:
    """What the certificate of the other side says, once it has been verified."""
    secure: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return identities(secure.getpeercert() if secure is not None else None)


def check(shown: Identities, name: str) -> None:
    """Raises `NotProven` where the certificate is for others than this name."""
    if not shown.is_for(name):
        raise NotProven(f"its certificate is for {shown}, and not for {name}")


def unreachable(error: OSError) -> Unavailable:
    """Why a connection did not come about, in words that an operator understands."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotProven(_REASONS.get(error.verify_code, f"its certificate is no good: {error.verify_message}"))
    if isinstance(error, ssl.SSLError):
        return NotProven(f"there is no TLS with it: {(error.reason or 'it fails').lower().replace('_', ' ')}")
    return Unavailable("it cannot be connected to")


class Door:
    """A port to which TLS connections come; `made` gives the protocol of each whose handshake is over."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        *,
        made: Callable[[], asyncio.Protocol],
        hears: Callable[[str], bool],
        refused: Counter[str],
    ) -> None:
        self._socket, self._context = listening, context
        self._made, self._hears, self._refused = made, hears, refused
        self._by_address: Counter[bytes] = Counter()
        self._shaking: set[asyncio.Task[None]] = set()
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
            if self._may(peer[0]):
                self._begin(sock, address_key(peer[0]))
            else:
                sock.close()
            await asyncio.sleep(0)  # those that wait already are taken without waiting

    def _may(self, host: str) -> bool:
        if len(self._shaking) >= HANDSHAKES:
            self._refused["too many handshakes"] += 1
            return False
        if self._by_address[address_key(host)] >= HANDSHAKES_OF_ONE:
            self._refused["too many handshakes of one address"] += 1
            return False
        return self._hears(host)

    def _begin(self, sock: socket.socket, address: bytes) -> None:
        self._by_address[address] += 1
        task = asyncio.create_task(self._shake(sock, address))
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _shake(self, sock: socket.socket, address: bytes) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._made, sock, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError:
            self._refused["no handshake"] += 1
        finally:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
