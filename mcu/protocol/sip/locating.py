"""Which servers of a domain are tried, in which order (RFC 3263, section 4; RFC 2782). Pure: it looks nothing up."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Transport = Literal["udp", "tcp", "tls"]
ANY: Final[tuple[Transport, ...]] = ("tls", "tcp", "udp")  # the best first, where the domain does not say
PORTS: Final[dict[Transport, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}
SERVICES: Final[dict[Transport, str]] = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
_NAPTR: Final[dict[str, Transport]] = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}


@dataclass(frozen=True, slots=True)
class Naptr:
    """By which transports a domain wants to be reached, and the name of each one's SRV records (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """A server."""

    priority: int
    weight: int
    port: int
    target: str  # "": there is decidedly none


def services(records: Iterable[Naptr], allowed: Collection[Transport]) -> list[tuple[Transport, str]]:
    """The transports that the domain has and we may use, as it wants them, with the names of their SRV records."""
    fitting = [one for one in records if one.flags.lower() == "s" and _NAPTR.get(one.service.upper()) in allowed]
    fitting.sort(key=lambda one: (one.order, one.preference))
    return [(_NAPTR[one.service.upper()], one.replacement) for one in fitting]


def fallback(transports: Sequence[Transport]) -> Transport:
    """The transport of a name that has an address and nothing else."""
    return "udp" if "udp" in transports else transports[0]


def in_order(records: Iterable[Srv], below: Callable[[int], int]) -> list[Srv]:
    """By priority; within one, at random by weight. `below(n)`: a number of 0 to n - 1."""
    left = sorted(records, key=lambda one: (one.priority, one.weight))
    found = []
    while left:
        first = [one for one in left if one.priority == left[0].priority]
        chosen = _by_weight(first, below(1 + sum(one.weight for one in first)))
        left.remove(chosen)
        found.append(chosen)
    return found


def _by_weight(records: Sequence[Srv], drawn: int) -> Srv:
    """The first whose running sum is not less than what was drawn: those of weight 0 have a very small chance."""
    for one in records:
        drawn -= one.weight
        if drawn <= 0:
            return one
    return records[-1]
