"""The threads that a worker's pictures are made on: some decode, others paint and encode.

They are apart so that what came is decoded while a picture is encoded, which takes ten times as long: it is in the next
picture then, and no stream falls behind, and asks its sender for a key frame, because encoders have too much to do.
Both are bounded: a stream has at most `decoder.QUEUE` pictures there, and a view one job.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from mcu.net.process import give_way, name_thread


class Pools(NamedTuple):
    """Who does what."""

    decode: Executor
    paint: Executor  # and encode


@contextmanager
def pools() -> Iterator[Pools]:
    """A thread of each kind for each core that we may use; they end with the block."""
    with _pool("mcu-decode") as decode, _pool("mcu-encode") as paint:
        yield Pools(decode, paint)


def _pool(name: str) -> ThreadPoolExecutor:
    def begin() -> None:
        name_thread(name)
        give_way()

    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), initializer=begin)
