"""The addresses that a worker binds, and the candidates that an answer offers of them."""

import os
import socket
from collections.abc import Sequence
from contextlib import closing

from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import get_host_addresses
from aiortc import RTCIceCandidate

from mcu.media.transport.options import MediaOptions

SSLTCP = "ssltcp"  # Chromium's and Safari's name for it; no RFC has it
TCP_HOST = 90  # type preference; 126 is UDP's
PASSIVE = 4  # direction preference of a host candidate


def host_addresses() -> list[str]:
    """Every address of this machine; loopback where there is no other."""
    return get_host_addresses(use_ipv4=True, use_ipv6=True) or ["127.0.0.1"]


def bind_problem(address: str, port: int = 0, *, tcp: bool = False) -> str | None:
    """Why no UDP socket, or no listening TCP one, can be had there now, or `None`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)) as sock:
        try:
            if tcp:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the plane does
            sock.bind((address, port))
            if tcp:
                sock.listen()
        except OSError as error:
            return os.strerror(error.errno or 0)
    return None


def bound_addresses(configured: Sequence[str]) -> list[str]:
    """Those that were asked for; otherwise those of the machine's own that can be bound."""
    return list(configured) or [address for address in host_addresses() if not bind_problem(address)]


def candidates(options: MediaOptions, bound: Sequence[str], port: int, tcp_port: int) -> list[RTCIceCandidate]:
    """Host candidates (RFC 8445 section 5.1.1.1), the public addresses first, for a browser that can reach both.

    UDP before TCP, and that before TCP with a false TLS greeting (`SSLTCP`), which is for networks that look for one.
    `tcp_port` 0: there are those of UDP alone.
    """
    offered = list(dict.fromkeys([*options.public, *(() if options.only_public else bound)]))
    made = [_candidate(address, port, "udp", number) for number, address in enumerate(offered)]
    for number, protocol in enumerate(("tcp", SSLTCP) if tcp_port else ()):
        made += [
            _candidate(address, tcp_port, protocol, number * len(offered) + place)
            for place, address in enumerate(offered)
        ]
    return made


def _candidate(address: str, port: int, protocol: str, number: int) -> RTCIceCandidate:
    """The `number`th of its kind."""
    udp = protocol == "udp"
    return RTCIceCandidate(
        component=1,
        foundation=candidate_foundation("host", protocol, address),
        ip=address,
        port=port,
        priority=candidate_priority(1, "host", local_pref=65535 - number) if udp else _tcp_priority(number),
        protocol=protocol,
        type="host",
        tcpType="passive" if protocol == "tcp" else None,
    )


def _tcp_priority(number: int) -> int:
    """RFC 6544 section 4.2: a type preference below that of UDP, and a local one that says we are passive."""
    local = (PASSIVE << 13) + 8191 - number
    return (TCP_HOST << 24) + (local << 8) + 255
