"""Who sends UDP to whom on the loopback, as the kernel sees it: proof of by which way packets went. Needs root.

with passing() as seen: …; assert seen[20_004, 15_000] > 100
"""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

IP = 0x0800
ETHERNET, PROTOCOL = 14, 23


@contextmanager
def passing() -> Iterator[Counter[tuple[int, int]]]:
    """Counts by the ports of source and destination while it lasts."""
    seen: Counter[tuple[int, int]] = Counter()
    over = threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(IP)) as raw:
        raw.bind(("lo", 0))
        raw.settimeout(0.1)
        thread = threading.Thread(target=_count, args=(raw, seen, over))
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()


def _count(raw: socket.socket, seen: Counter[tuple[int, int]], over: threading.Event) -> None:
    """Each packet passes twice: out, and in."""
    while not over.is_set():
        try:
            frame, (_, _, direction, *_) = raw.recvfrom(2048)
        except TimeoutError:
            continue
        if frame[PROTOCOL] == socket.IPPROTO_UDP and direction != socket.PACKET_OUTGOING:
            at = ETHERNET + 4 * (frame[ETHERNET] & 0xF)
            seen[struct.unpack_from("!HH", frame, at)] += 1
