"""Whether a notice reached its recipients, by their RTCP receiver reports (S5.3-7, RFC 3550 section 6.4).

A notice was received when a report covers its last packet and counts no more than `MOST_LOST` packets lost since the
last report from before its first. `RoomLife` gives up on those that no report decides.
"""

from collections import deque
from dataclasses import dataclass, field

from mcu.ids import LegId, NoticeId

MOST_LOST = 3  # packets of 20 ms: of the shortest sound, a quarter of a second, three quarters are left
REPORTS_KEPT = 16  # by leg
AWAITED_KEPT = 64  # notices by leg: of a leg that never reports, `RoomLife` gives up on the older ones anyway


@dataclass(frozen=True)
class Awaited:
    """A notice that was sent to a leg in these packets (extended sequence numbers)."""

    notice: NoticeId
    first: int
    last: int


@dataclass
class Ledger:
    """One leg's reports, oldest first, and what it has yet to confirm."""

    reports: deque[tuple[int, int]] = field(default_factory=lambda: deque([(-1, 0)], maxlen=REPORTS_KEPT))
    awaited: deque[Awaited] = field(default_factory=lambda: deque(maxlen=AWAITED_KEPT))

    def lost_before(self, sequence: int) -> int:
        """Packets counted as lost by the last report that covers nothing from `sequence` on."""
        return next((lost for highest, lost in reversed(self.reports) if highest < sequence), self.reports[0][1])


class Receipts:
    """What all legs of a room have yet to confirm."""

    def __init__(self) -> None:
        self._ledgers: dict[LegId, Ledger] = {}

    def sent(self, leg: LegId, notice: NoticeId, *, first: int, last: int) -> None:
        """A notice has been sent whole to a leg."""
        ledger = self._ledger(leg)
        ledger.awaited.append(Awaited(notice, first, last))

    def reported(self, leg: LegId, highest: int, lost: int) -> list[tuple[NoticeId, bool]]:
        """A receiver report came; the notices it decides, and whether each was received."""
        ledger = self._ledger(leg)
        decided = [
            (awaited.notice, lost - ledger.lost_before(awaited.first) <= MOST_LOST)
            for awaited in ledger.awaited
            if awaited.last <= highest
        ]
        while ledger.awaited and ledger.awaited[0].last <= highest:
            ledger.awaited.popleft()
        ledger.reports.append((highest, lost))
        return decided

    def _ledger(self, leg: LegId) -> Ledger:
        if (ledger := self._ledgers.get(leg)) is None:
            ledger = self._ledgers[leg] = Ledger()
        return ledger

    def forget(self, leg: LegId) -> None:
        """The leg's connection is over: it will report no more, and a new one counts from nothing."""
        self._ledgers.pop(leg, None)
