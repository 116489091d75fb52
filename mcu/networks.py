"""Whom an IP address stands for: what is counted by address is counted by this."""

import ipaddress
from functools import lru_cache
from typing import Final

KEPT: Final = 4096
UNKNOWN: Final = "unknown"


def machine(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Whose address it is, in brackets or not: one of IPv4 within one of IPv6 is the same. Raises `ValueError`."""
    parsed = ipaddress.ip_address(address.strip("[]"))
    return getattr(parsed, "ipv4_mapped", None) or parsed


@lru_cache(maxsize=KEPT)
def network_of(address: str) -> str:
    """One IPv4 address, however it is written, or an IPv6 /64, which is one subscriber's; all else is `UNKNOWN`."""
    try:
        found = machine(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    return str(found if found.version == 4 else ipaddress.ip_network((found, 64), strict=False))
