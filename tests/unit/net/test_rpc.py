"""Frames between the control process and a worker."""

import asyncio
import socket
from collections import deque

import msgspec
import pytest

from mcu import errors
from mcu.net import rpc
from mcu.net.rpc import FrameConnection


class Note(msgspec.Struct, frozen=True):
    text: str


class Other(msgspec.Struct, frozen=True):
    number: int


async def a_pair() -> tuple[FrameConnection[Note], FrameConnection[Note], socket.socket]:
    ours, theirs = socket.socketpair()
    return await FrameConnection.over(ours, Note), await FrameConnection.over(theirs, Note), theirs


async def test_frames_arrive_whole_and_in_order() -> None:
    one, other, _ = await a_pair()
    sent = [Note("å" * length) for length in (0, 1, 70_000, 3)]
    for note in sent:
        one.send(note)
    assert [await other.receive() for _ in sent] == sent
    await asyncio.gather(one.close(), other.close())


async def test_the_end_of_the_other_process_is_none() -> None:
    one, other, _ = await a_pair()
    await one.close()
    assert await other.receive() is None
    await other.close()


async def test_a_frame_that_is_cut_off_is_the_end() -> None:
    ours, theirs = socket.socketpair()
    connection = await FrameConnection.over(ours, Note)
    theirs.sendall((100).to_bytes(4, "big") + b"only this")
    theirs.close()
    assert await connection.receive() is None
    await connection.close()


async def test_a_frame_that_claims_too_much_is_refused_before_it_is_read() -> None:
    ours, theirs = socket.socketpair()
    connection = await FrameConnection.over(ours, Note)
    theirs.sendall((rpc.MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(errors.Invalid, match="at most"):
        await connection.receive()
    theirs.close()
    await connection.close()


async def test_a_frame_of_another_type_is_refused() -> None:
    one, other, _ = await a_pair()
    one.send(Other(7))
    with pytest.raises(errors.Invalid, match="does not decode"):
        await other.receive()
    await asyncio.gather(one.close(), other.close())


async def test_a_peer_that_does_not_read_ends_the_connection_instead_of_filling_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rpc, "MAX_UNREAD", 1_000_000)
    ours, theirs = socket.socketpair()
    connection = await FrameConnection.over(ours, Note)
    note = Note("x" * 100_000)
    with pytest.raises(errors.Unavailable):
        deque((connection.send(note) for _ in range(100)), maxlen=0)
    assert await connection.receive() is None
    theirs.close()
    await connection.close()
