"""Typed frames over a local stream socket: four bytes of length (big endian), then msgpack.

It moves frames and knows nothing of what they mean. Nothing waits without bound: a frame over `MAX_FRAME` bytes, or a
peer that leaves more than `MAX_UNREAD` bytes unread, ends the connection.
"""

import asyncio
import socket
from typing import Generic, TypeVar

import msgspec

from mcu import errors

MAX_FRAME = 4 * 1024 * 1024  # bytes; the largest real one is an SDP offer
MAX_UNREAD = 16 * 1024 * 1024  # bytes

In = TypeVar("In")


class FrameConnection(Generic[In]):
    """One end of a socket that carries frames of type `In` towards us."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, incoming: type[In]) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = msgspec.msgpack.Decoder(incoming)
        self._encoder = msgspec.msgpack.Encoder()

    @classmethod
    async def over(cls, sock: socket.socket, incoming: type[In]) -> "FrameConnection[In]":
        """A connection over a connected socket, which it owns from now on."""
        sock.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=sock)
        return cls(reader, writer, incoming)

    async def receive(self) -> In | None:
        """The next frame; `None` when the other end is gone.

        Raises `errors.Invalid` for a frame that is too long or is not what was agreed: the connection is spent.
        """
        try:
            size = int.from_bytes(await self._reader.readexactly(4), "big")
            if size > MAX_FRAME:
                raise errors.Invalid(f"a frame of {size} bytes; at most {MAX_FRAME} are allowed")
            return self._decoder.decode(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except msgspec.DecodeError as error:
            raise errors.Invalid(f"a frame that does not decode: {error}") from error

    def send(self, frame: msgspec.Struct) -> None:
        """Queue a frame. Raises `errors.Unavailable`, and ends the connection, when the other end does not read."""
        if self._writer.transport.get_write_buffer_size() > MAX_UNREAD:
            self._writer.transport.abort()
            raise errors.Unavailable("the other process does not read what it is sent")
        body = self._encoder.encode(frame)
        self._writer.write(len(body).to_bytes(4, "big") + body)

    async def close(self) -> None:
        """Send what is queued, then end."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
