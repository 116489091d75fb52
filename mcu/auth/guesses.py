"""How often a PIN may be guessed. In memory: a restart forgets, and argon2id still makes each guess dear.

Whoever fails is slowed down and never shut out: a hospital is one address, and what one there gets wrong must not cost
the others their meeting. After so many failures an address has one more each so many seconds, at one meeting (PAIR) and
at all (ADDRESS); a right PIN uses nothing up. A meeting that is guessed at too often, from however many addresses
(MEETING), lets *new* addresses try only one at a time, with a wait between that doubles with each failure up to a
minute and falls back when somebody comes in, until an hour has passed without a failure. So does the service as a whole
(ALL), a second apart. An address that once gave a right PIN of a meeting is not new to it and is slowed by PAIR alone.
Whoever comes with a personal link or a join token guesses nothing and is never counted, nor held up. Asking without a
PIN is no guess at one, but may be at a number: BARE slows it, by address, and the right PIN of that meeting then makes
up for it.

Those who call over a trunk share its address: each is an address of its own here, by the number that the trunk says
(`signalling.sip.callers`), and all of them together are slowed by TRUNK, for a number is soon made up.

How many of the million PINs of six digits can be tried at a meeting: from all new addresses together 1440 a day,
0.14 %; from an address where somebody has come in, 2890 a day, 0.3 %. One address that tries its luck at all meetings
has 4350 a day. Two attempts of an address are looked at side by side, so each may be exceeded by one.
"""

import asyncio
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
from mcu.networks import network_of
from mcu.tally import remember

MEETING = RateLimitItemPerMinute(20, 10)
ALL = RateLimitItemPerMinute(500, 10)
LONGEST_WAIT_S: dict[RateLimitItem, float] = {MEETING: 60.0, ALL: 1.0}
ATTACK_LASTS_S = 3600.0  # since its last failure
KNOWN_MAX = 50_000  # of anything that is remembered here; the one longest unused goes first
SIDE_BY_SIDE = 2  # attempts of one address: as many as there are threads for hashing


@dataclass(frozen=True)
class Pace:
    """So many at once, and then one each so many seconds."""

    name: str
    amount: int
    every_s: float


PAIR = Pace("pair", 10, 30.0)
ADDRESS = Pace("address", 30, 20.0)
BARE = Pace("bare", 100, 6.0)
TRUNK = Pace("trunk", 300, 2.0)


@dataclass
class Turn:
    """New addresses come one at a time: when the next may, how long the wait is by now, when one last failed."""

    longest: float
    failed_at: float
    at: float = 0.0
    wait: float = 1.0


class Paces:
    """What each has done how often of late (the generic cell rate algorithm: one time for each)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: OrderedDict[tuple[str, ...], float] = OrderedDict()  # when all that is counted will be forgotten

    def check(self, pace: Pace, *names: str) -> None:
        """Raises `TooMany` until there is another to be had: `every_s` at the most."""
        due = self._due.get((pace.name, *names), 0.0)
        wait = due - self._clock.monotonic() - (pace.amount - 1) * pace.every_s
        if wait > 0:
            raise _too_many(min(wait, pace.every_s))

    def count(self, pace: Pace, *names: str) -> None:
        key, now = (pace.name, *names), self._clock.monotonic()
        remember(self._due, key, max(self._due.get(key, now), now) + pace.every_s, KNOWN_MAX)

    def give_back(self, pace: Pace, *names: str) -> None:
        """What was counted once."""
        if (key := (pace.name, *names)) in self._due:
            self._due[key] -= pace.every_s


class Guesses:
    """Look at a PIN inside `attempt`, and say there what became of it with `failed` or `succeeded`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits = FixedWindowRateLimiter(MemoryStorage())
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._asked: OrderedDict[tuple[str, str], int] = OrderedDict()  # how often without a PIN that may still come
        self._turns: OrderedDict[str, Turn] = OrderedDict()
        self._paces = Paces(clock)
        self._queues: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def attempt(self, number: str, address: str, caller: str = "", *, bare: bool = False) -> AsyncIterator[None]:
        """Few at a time from an address, or many at once would all be let through. `bare`: without a PIN.

        `caller`: who it is of those that an address, a telephone network's, stands for. Raises `TooMany`. `number` need
        not be a meeting's: guessing numbers is guessing too.
        """
        who = _who(address, caller)
        queue = self._queues.setdefault(who, asyncio.Semaphore(SIDE_BY_SIDE))
        async with queue:
            if caller:
                self._paces.check(TRUNK, network_of(address))
            if bare:
                self._paces.check(BARE, who)
            else:
                self._check(number, who)
            yield

    def _check(self, number: str, who: str) -> None:
        self._paces.check(PAIR, number, who)
        if (number, who) in self._known:
            return
        self._paces.check(ADDRESS, who)
        for limit, name in ((MEETING, number), (ALL, "all")):
            self._take_turn(limit, name)

    def failed(self, number: str, address: str, caller: str = "", *, bare: bool = False) -> None:
        who = _who(address, caller)
        if caller:
            self._paces.count(TRUNK, network_of(address))
        if bare:
            self._paces.count(BARE, who)
            remember(self._asked, (number, who), self._asked.get((number, who), 0) + 1, KNOWN_MAX)
            return
        self._paces.count(PAIR, number, who)
        self._paces.count(ADDRESS, who)
        for limit, name in ((MEETING, number), (ALL, "all")):
            self._limits.hit(limit, name)
        for turn in self._turns_of(number):
            turn.failed_at = self._clock.monotonic()
            turn.at, turn.wait = turn.failed_at + turn.wait, min(turn.wait * 2, turn.longest)

    def succeeded(self, number: str, address: str, caller: str = "") -> None:
        for turn in self._turns_of(number):
            turn.wait = 1.0
        who = _who(address, caller)
        pair = (number, who)
        if self._asked.get(pair):
            self._asked[pair] -= 1
            self._paces.give_back(BARE, who)
            if caller:
                self._paces.give_back(TRUNK, network_of(address))
        remember(self._known, pair, None, KNOWN_MAX)

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


def _who(address: str, caller: str) -> str:
    return f"{network_of(address)} {caller}" if caller else network_of(address)


def _too_many(seconds: float) -> TooMany:
    return TooMany("Wait, or use the personal link of the invitation.", retry_after=max(1, int(seconds + 0.999)))
