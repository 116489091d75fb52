"""The threads that a worker's pictures are made on: some decode, others paint and encode.

They are apart so that what came is decoded while a picture is encoded, which takes ten times as long: it is in the next
picture then, and no stream falls behind, and asks its sender for a key frame, because encoders have too much to do.
Both are bounded: a stream has at most `decoder.QUEUE` pictures there, and a view one job.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, NamedTuple

import structlog

from mcu.media.picture.decoder import Pool
from mcu.net.process import give_way, name_thread

_log = structlog.get_logger(__name__)


class Pools(NamedTuple):
    """Who does what."""

    decode: Pool
    paint: Executor  # and encode


class Crew:
    """A `decoder.Pool`: threads that take work in its order. Nobody waits for a single piece: a future for each would
    cost more than it takes to hand it over, and decoders get hundreds in a second."""

    def __init__(self, threads: int, begin: Callable[[], None]) -> None:
        self._work: SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = SimpleQueue()
        self._begin = begin
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[..., None], /, *arguments: Any) -> None:
        self._work.put((work, arguments))

    def close(self) -> None:
        """What it was given is done first."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        self._begin()
        while (given := self._work.get()) is not None:
            work, arguments = given
            try:
                work(*arguments)
            except Exception:  # the outermost loop of all decoders: what one of them left undone is its stream's alone
                _log.exception("decoding_failed")
            del given, work, arguments  # not kept until the next is there


class Share:
    """A `decoder.Pool`: what one room has done by another, and when that is all done. Belongs to one event loop."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._left = 0  # pieces of work
        self._done: asyncio.Future[None] | None = None  # somebody waits

    def submit(self, work: Callable[..., None], /, *arguments: Any) -> None:
        with self._lock:
            self._left += 1
        self._pool.submit(self._run, work, arguments)

    async def done(self, at_most: float) -> None:
        """Returns once nothing is left, or after so many seconds."""
        with self._lock:
            if not self._left:
                return
            self._done = done = asyncio.get_running_loop().create_future()
        await asyncio.wait([done], timeout=at_most)

    def _run(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            work(*arguments)
        finally:
            with self._lock:
                self._left -= 1
                done = None if self._left else self._done
                if done is not None:
                    self._done = None
            if done is not None:  # one wake-up for them all
                done.get_loop().call_soon_threadsafe(done.set_result, None)


@contextmanager
def pools() -> Iterator[Pools]:
    """A thread of each kind for each core that we may use; they end with the block."""
    threads = len(os.sched_getaffinity(0))
    decode = Crew(threads, lambda: _begin("mcu-decode"))
    try:
        with ThreadPoolExecutor(threads, initializer=_begin, initargs=("mcu-encode",)) as paint:
            yield Pools(decode, paint)
    finally:
        decode.close()


def _begin(name: str) -> None:
    name_thread(name)
    give_way()
