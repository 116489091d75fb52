"""Whom an IP address stands for: what is counted by address is counted by this."""

import ipaddress
from functools import lru_cache
from typing import Final

KEPT: Final = 4096
UNKNOWN: Final = "unknown"


@lru_cache(maxsize=KEPT)
def network_of(address: str) -> str:
    """One IPv4 address, however it is written, or an IPv6 /64, which is one subscriber's; all else is `UNKNOWN`."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
