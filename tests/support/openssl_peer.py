"""A floor's client that is behind OpenSSL's own command, by TLS or DTLS, as who connects or as who waits.

async with openssl_peer(ids, "s_client", "-dtls1_2", "-connect", "127.0.0.1:5070", certificate=…) as client:
    client.ask(octets.HELLO)
    client.heard
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import floor_octets as octets


class Peer:
    """`heard`: what came of the server. `said`: what OpenSSL itself has to say."""

    def __init__(self, process: asyncio.subprocess.Process, ids: tuple[int, int], version: int) -> None:
        self.heard: list[octets.Told] = []
        self._process, self._ids, self._version = process, ids, version
        self._transaction = 0
        self._reading = asyncio.create_task(self._read())

    def ask(self, primitive: int, *attributes: bytes) -> None:
        self._transaction += 1
        said = octets.message(
            primitive, *attributes, version=self._version, ids=self._ids, transaction=self._transaction
        )
        assert self._process.stdin is not None
        self._process.stdin.write(said)

    @property
    def gone(self) -> bool:
        return self._reading.done()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                head = await self._process.stdout.readexactly(12)
                rest = await self._process.stdout.readexactly(4 * int.from_bytes(head[2:4]))
                self.heard.append(octets.told(head + rest))
        except asyncio.IncompleteReadError:
            return

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading


@asynccontextmanager
async def openssl_peer(
    ids: tuple[int, int], *command: str, certificate: tuple[Path, Path], version: int
) -> AsyncIterator[Peer]:
    """`version`: of BFCP, 1 over TLS and 2 over DTLS."""
    pipe = asyncio.subprocess.PIPE
    shown = ("-cert", str(certificate[0]), "-key", str(certificate[1]))
    process = await asyncio.create_subprocess_exec(
        *("openssl", *command, *shown, "-quiet"), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    peer = Peer(process, ids, version)
    try:
        yield peer
    finally:
        await peer.close()
