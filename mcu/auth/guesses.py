"""How often a PIN may be guessed. In memory: a restart forgets, and argon2id still makes each guess dear.

Three limits. An address that fails too often waits, for all meetings (ADDRESS) and for one (PAIR). A meeting that is
guessed at too often, from however many addresses (MEETING), lets *new* addresses try only one at a time, with a wait
between that doubles with each failure up to a minute and falls back when somebody comes in, until an hour has passed
without a failure. So does the service as a whole (ALL), a second apart.

Nobody can be locked out of their own meeting by another's guessing: an address that once gave a right PIN of a meeting
is not new to it and is held up by PAIR alone; whoever comes with a personal link or a join token guesses nothing and is
never counted. A newcomer with a PIN may be held up while an attack goes on. Asking without a
PIN is no guess at one, but may be at a number: BARE limits it, by address.
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from mcu.clock import Clock
from mcu.errors import TooMany

PAIR = RateLimitItemPerMinute(10, 5)
BARE = RateLimitItemPerMinute(100, 10)
ADDRESS = RateLimitItemPerMinute(20, 10)
MEETING = RateLimitItemPerMinute(20, 10)
ALL = RateLimitItemPerMinute(500, 10)
LONGEST_WAIT_S: dict[RateLimitItem, float] = {MEETING: 60.0, ALL: 1.0}
ATTACK_LASTS_S = 3600.0  # since its last failure
KNOWN_MAX = 50_000  # (meeting, address) pairs that are remembered; the one longest unused goes first


@dataclass
class Turn:
    """New addresses come one at a time: when the next may, how long the wait is by now, when one last failed."""

    longest: float
    failed_at: float
    at: float = 0.0
    wait: float = 1.0


class Guesses:
    """Look at a PIN inside `attempt`, and say there what became of it with `failed` or `succeeded`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits = FixedWindowRateLimiter(MemoryStorage())
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._turns: OrderedDict[str, Turn] = OrderedDict()
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, number: str, address: str, *, bare: bool = False) -> AsyncIterator[None]:
        """One at a time from an address, or many at once would all be let through. `bare`: without a PIN.

        Raises `TooMany`. `number` need not be a meeting's: guessing numbers is guessing too.
        """
        who = network(address)
        queue = self._queues.setdefault(who, asyncio.Lock())
        async with queue:
            if bare:
                self._hold(BARE, who)
            else:
                self._check(number, who)
            yield

    def _check(self, number: str, who: str) -> None:
        self._hold(PAIR, number, who)
        if (number, who) in self._known:
            return
        self._hold(ADDRESS, who)
        for limit, name in ((MEETING, number), (ALL, "all")):
            self._take_turn(limit, name)

    def failed(self, number: str, address: str, *, bare: bool = False) -> None:
        who = network(address)
        if bare:
            self._limits.hit(BARE, who)
            return
        for limit, *names in ((PAIR, number, who), (ADDRESS, who), (MEETING, number), (ALL, "all")):
            self._limits.hit(limit, *names)
        for turn in self._turns_of(number):
            turn.failed_at = self._clock.monotonic()
            turn.at, turn.wait = turn.failed_at + turn.wait, min(turn.wait * 2, turn.longest)

    def succeeded(self, number: str, address: str) -> None:
        for turn in self._turns_of(number):
            turn.wait = 1.0
        pair = (number, network(address))
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def _hold(self, limit: RateLimitItem, *names: str) -> None:
        if not self._limits.test(limit, *names):
            reset = self._limits.get_window_stats(limit, *names).reset_time
            raise _too_many(reset - self._clock.now().timestamp())

    def _take_turn(self, limit: RateLimitItem, name: str) -> None:
        """One new address at a time while an attack lasts. Raises `TooMany` for those that come before their turn."""
        now = self._clock.monotonic()
        turn = self._turns.get(name)
        if turn is None or now - turn.failed_at > ATTACK_LASTS_S:
            if self._limits.test(limit, name):
                return
            turn = self._turns[name] = Turn(longest=LONGEST_WAIT_S[limit], failed_at=now)
            if len(self._turns) > KNOWN_MAX:
                self._turns.popitem(last=False)
        if now < turn.at:
            raise _too_many(turn.at - now)
        turn.at = now + turn.wait

    def _turns_of(self, number: str) -> list[Turn]:
        return [turn for turn in (self._turns.get(number), self._turns.get("all")) if turn is not None]


def network(address: str) -> str:
    """Whom an address stands for: one IPv4 address, or an IPv6 /64, which is one subscriber's."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _too_many(seconds: float) -> TooMany:
    return TooMany("Wait, or use the personal link of the invitation.", retry_after=max(1, int(seconds + 0.999)))
