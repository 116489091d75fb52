"""Ports for telephones' sound and picture that no other server of tests on this machine has meanwhile.

with media_ports() as ports: ...  # a range, of which two workers have half each

What a telephone still sends to a call that is over would else come to another server's call. They are none of those
that the system gives to whoever asks for any, and none of the telephones' own (`baresip.py`).
"""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

COUNT = 196
_BLOCK = 200
_FIRST = [*range(10_000, 20_000, _BLOCK), *range(24_200, 29_800, _BLOCK)]


@contextmanager
def media_ports() -> Iterator[range]:
    """They are held by a socket at the last port of their block. Raises `RuntimeError` where all are held."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        for first in random.sample(_FIRST, len(_FIRST)):
            with suppress(OSError):
                holder.bind(("127.0.0.1", first + _BLOCK - 1))
                break
        else:
            raise RuntimeError("all ports for telephones' media are in use")
        yield range(first, first + COUNT)
