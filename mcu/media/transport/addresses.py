"""The addresses that a worker binds, and the candidates that an answer offers of them."""

import socket
from collections.abc import Sequence
from contextlib import closing

from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import get_host_addresses
from aiortc import RTCIceCandidate

from mcu.media.transport.options import MediaOptions


def host_addresses() -> list[str]:
    """Every address of this machine; loopback where there is no other."""
    return get_host_addresses(use_ipv4=True, use_ipv6=True) or ["127.0.0.1"]


def bindable(address: str, port: int = 0) -> bool:
    """Whether a UDP socket can be had there now."""
    with closing(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        try:
            sock.bind((address, port))
        except OSError:
            return False
    return True


def bound_addresses(options: MediaOptions) -> list[str]:
    """Those that were asked for; otherwise those of the machine's own that can be bound."""
    return list(options.addresses) or [address for address in host_addresses() if bindable(address)]


def candidates(options: MediaOptions, bound: Sequence[str], port: int) -> list[RTCIceCandidate]:
    """Host candidates (RFC 8445 section 5.1.1.1), the public addresses first, for a browser that can reach both."""
    offered = dict.fromkeys([*options.public, *(() if options.only_public else bound)])
    return [
        RTCIceCandidate(
            component=1,
            foundation=candidate_foundation("host", "udp", address),
            ip=address,
            port=port,
            priority=candidate_priority(1, "host", local_pref=65535 - number),
            protocol="udp",
            type="host",
        )
        for number, address in enumerate(offered)
    ]
