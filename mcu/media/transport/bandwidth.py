"""What a leg can receive, from its REMB messages. Pure: the time is an argument.

A browser's estimate never rises beyond some one and a half times what it gets. While we send little it therefore says
little, of the encoder and not of the network: taken at its word it would hold the leg down for good. So an estimate
counts only where it is below what we send; and once it has, the leg may rise by a few percent a second as long as its
estimates do not fall below what we send then.
"""

RISE = 1.08  # a second, as the estimators themselves rise (draft-ietf-rmcat-gcc-02 section 5.5)
ENOUGH = 10_000_000  # bit/s: beyond any picture we compose; the limit is forgotten


class Bandwidth:
    """`limit` is None as long as nothing has shown that there is one."""

    def __init__(self) -> None:
        self.limit: float | None = None  # bit/s
        self._at = 0.0

    def estimate(self, bits_per_second: int, sending: int, now: float) -> int | None:
        """The leg's new limit after an estimate, while we send `sending`; None where there is none."""
        if bits_per_second < sending:
            self.limit = float(bits_per_second)
        elif self.limit is not None:
            self.limit *= RISE ** min(1.0, now - self._at)
            if self.limit > ENOUGH:
                self.limit = None
                return ENOUGH
        self._at = now
        return None if self.limit is None else int(self.limit)
