"""Who is listened to: strangers by measure, those who are known as they come.

Known are the networks of the settings, trunks, and the addresses from which an endpoint of ours has registered lately.
All others are strangers, each address for itself (of IPv6 each /64, which is what one customer is given). A stranger's
message is dropped unread where it sends too many, looks like a scanner's or has asked too often for what is not here.
What it asks for anew is refused, or dropped, above what all strangers together may ask: no flood of forged addresses
takes the transactions and calls from those who are known. What is kept is bounded; who was silent longest is forgotten.
"""

import ipaddress
import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from mcu.networks import machine, network_of

ADDRESSES: Final = 4000  # that are remembered
BURST_S: Final = 4.0  # how many seconds' worth may come at once: a house's telephones that start together
REQUESTS_PER_S: Final = 200.0  # of all strangers: transactions last 32 s, and there are 20,000
REFUSALS_PER_S: Final = 50.0  # an answer to a forged address is a stray packet to somebody else
UNPROVED: Final = 32  # calls of strangers that nobody has acknowledged: a forged address never does
FAILURES: Final = 10  # of one address, before nothing of it is heard
FORGIVEN_S: Final = 30.0  # until one of them counts no more
SILENCE_S: Final = 300.0
TRUSTED_S: Final = 7200.0  # longer than between two refreshes of a registration
SHARE: Final = 0.5  # of what strangers may call, that one address may
_SCANNERS: Final = (
    *(b"friendly-scanner", b"friendly-request", b"sipvicious", b"sip-vicious", b"sipcli", b"sip-scan", b"sipscan"),
    *(b"sundayddr", b"vaxsipuseragent", b"pplsip", b"siparmyknife", b"iwar", b"sivus", b"sipptk"),
)
_NAMING: Final = re.compile(rb"\n(?:user-agent|from|f|to|t|subject|s)[ \t]*:([^\r\n]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """See `mcu.config.sip.Sip`."""

    known: Sequence[str] = ()  # networks
    calls_per_second: float = 10.0
    calls_of_one: int = 30
    messages_per_second: float = 50.0


class Verdict(Enum):
    TAKE = "take"
    REFUSE = "refuse"  # 503, with Retry-After
    DROP = "drop"


class Bucket:
    """So many a second, and so many at once."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, max(1.0, burst)
        self._left, self._at = self._burst, now

    def take(self, now: float) -> bool:
        self._left = min(self._burst, self._left + self._rate * (now - self._at))
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class _Address:
    """What is known of one."""

    __slots__ = ("calls", "failed_at", "failures", "invites", "messages", "silent_until")

    def __init__(self, limits: Limits, now: float) -> None:
        self.messages = Bucket(limits.messages_per_second, BURST_S * limits.messages_per_second, now)
        self.invites = Bucket(SHARE * limits.calls_per_second, limits.calls_per_second, now)
        self.calls = 0
        self.failures, self.failed_at = 0.0, now
        self.silent_until = now


class Gate:
    """One server's. `dropped` counts by reason."""

    def __init__(self, limits: Limits, now: float, is_ours: Callable[[str], bool] = lambda _: False) -> None:
        """`is_ours`: whether it is the address of a trunk."""
        self.dropped: Counter[str] = Counter()
        self._limits, self._is_ours = limits, is_ours
        self._networks = [ipaddress.ip_network(network) for network in limits.known]
        self._trusted: OrderedDict[str, float] = OrderedDict()  # until when; who is forgotten first comes first
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self._requests = Bucket(REQUESTS_PER_S, REQUESTS_PER_S, now)
        self._refusals = Bucket(REFUSALS_PER_S, REFUSALS_PER_S, now)
        self._invites = Bucket(limits.calls_per_second, BURST_S * limits.calls_per_second, now)
        self._unproved = 0
        self._full_until = now  # not even a refusal of an INVITE can be sent before
        self._is_listed = lru_cache(maxsize=ADDRESSES)(self._look_up)

    # -- who is known -------------------------------------------------------------------------------------------------

    def trust(self, host: str, now: float) -> None:
        """Somebody there has proved who they are. Who does so is among our endpoints, of whom there are so many."""
        network = network_of(host)
        self._trusted[network] = now + TRUSTED_S
        self._trusted.move_to_end(network)
        while next(iter(self._trusted.values())) <= now:
            self._trusted.popitem(last=False)

    def is_known(self, host: str, now: float) -> bool:
        return self._trusted.get(network_of(host), now) > now or self._is_listed(host) or self._is_ours(host)

    def _look_up(self, host: str) -> bool:
        address = machine(host.partition("%")[0])
        return any(address in network for network in self._networks)

    # -- what comes ---------------------------------------------------------------------------------------------------

    def hears(self, host: str, data: bytes, now: float) -> bool:
        """Whether a message is read at all. `data`: as much of it as there is."""
        if self.is_known(host, now):
            return True
        if now < self._full_until and data.startswith(b"INVITE ") and not self._is_calling(host):
            return self._drop("too many calls")
        found = self._address(host, now)
        if found.silent_until > now:
            return self._drop("silenced")
        if not found.messages.take(now):
            return self._drop("too many messages")
        if _is_scanner(data):
            found.silent_until = now + SILENCE_S
            return self._drop("scanner")
        return True

    def asks(self, host: str, method: str, now: float) -> Verdict:
        """What becomes of a new request that belongs to no call of ours."""
        if self.is_known(host, now):
            return Verdict.TAKE
        if not self._requests.take(now):
            return self._refuse(method, "too many requests", now)
        if method != "INVITE":
            return Verdict.TAKE
        found = self._address(host, now)
        if found.calls >= self._limits.calls_of_one:
            return self._refuse(method, "too many calls of one address", now)
        if self._unproved >= UNPROVED or not found.invites.take(now) or not self._invites.take(now):
            return self._refuse(method, "too many calls", now)
        return Verdict.TAKE

    def failed(self, host: str, now: float) -> None:
        """It has asked for what is not here, or has given wrong credentials."""
        if self.is_known(host, now):
            return
        found = self._address(host, now)
        found.failures = max(0.0, found.failures - (now - found.failed_at) / FORGIVEN_S) + 1
        found.failed_at = now
        if found.failures > FAILURES - 1:
            found.failures, found.silent_until = 0.0, now + SILENCE_S

    def _refuse(self, method: str, reason: str, now: float) -> Verdict:
        self._drop(reason)
        if method == "INVITE" and self._refusals.take(now):
            return Verdict.REFUSE
        self._full_until = now + 1 / REFUSALS_PER_S
        return Verdict.DROP

    def _is_calling(self, host: str) -> bool:
        found = self._addresses.get(network_of(host))
        return found is not None and found.calls > 0

    def _drop(self, reason: str) -> bool:
        self.dropped[reason] += 1
        return False

    # -- calls --------------------------------------------------------------------------------------------------------

    def began(self, host: str, now: float) -> "Ticket":
        """A call of this address, which is to be told what becomes of it."""
        found = self._address(host, now)
        found.calls += 1
        return Ticket(self, found, stranger=not self.is_known(host, now))

    def unproved(self, more: int) -> None:
        self._unproved += more

    def _address(self, host: str, now: float) -> _Address:
        key = network_of(host)
        found = self._addresses.get(key)
        if found is None:
            found = self._addresses[key] = _Address(self._limits, now)
            self._forget_oldest()
        else:
            self._addresses.move_to_end(key)
        return found

    def _forget_oldest(self) -> None:
        """Of those that are in no call: the newest is in none yet."""
        while len(self._addresses) > ADDRESSES:
            key, oldest = self._addresses.popitem(last=False)
            if oldest.calls:
                self._addresses[key] = oldest


class Ticket:
    """A call's place in the counts of its address. `proved`, then `over`; each once or not at all."""

    __slots__ = ("_address", "_gate", "_unproved")

    def __init__(self, gate: Gate, address: _Address, *, stranger: bool) -> None:
        self._gate, self._address = gate, address
        self._unproved = stranger
        gate.unproved(stranger)

    def proved(self) -> None:
        """Somebody there has heard our answer: the address is no forged one."""
        self._gate.unproved(-self._unproved)
        self._unproved = False

    def over(self) -> None:
        self.proved()
        self._address.calls -= 1


def _is_scanner(data: bytes) -> bool:
    """By the name that it gives itself, or its victim."""
    head = data.partition(b"\r\n\r\n")[0].lower()
    if not any(name in head for name in _SCANNERS):
        return False
    said = b"\n".join(_NAMING.findall(head))
    return any(name in said for name in _SCANNERS)
