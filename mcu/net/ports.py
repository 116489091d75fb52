"""Sockets of UDP and TCP with one number, on each of some addresses."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

TRIES: Final = 100  # for a number that is free for all
BACKLOG: Final = 256  # connections that nobody has accepted yet


class Pair(NamedTuple):
    udp: socket.socket
    tcp: socket.socket  # listens

    def close(self) -> None:
        self.udp.close()
        self.tcp.close()


def pairs(addresses: Sequence[str], port: int) -> list[Pair]:
    """One for each address. `port` 0: any that is free for all; what one is given may be taken elsewhere.

    Raises `OSError`; then none is open.
    """
    for _ in range(0 if port else TRIES - 1):
        try:
            return _at(addresses, port)
        except OSError:
            continue
    return _at(addresses, port)


def _at(addresses: Sequence[str], port: int) -> list[Pair]:
    with ExitStack() as taken:
        made: list[Pair] = []
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            tcp = taken.enter_context(socket.create_server((address, port), family=family, backlog=BACKLOG))
            port = tcp.getsockname()[1]
            udp = taken.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            if family == socket.AF_INET6:
                udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as that of TCP: IPv4 has its own
            udp.bind((address, port))
            udp.setblocking(False)
            made.append(Pair(udp, tcp))
        taken.pop_all()
    return made
