"""How late something was, as a histogram that a worker counts and the metrics show. Knows nothing of either."""

from bisect import bisect_right
from typing import Final

BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50)  # upper bounds of the buckets; the last bucket has none


def no_counts() -> list[int]:
    """Of each bucket, to begin with."""
    return [0] * (len(BOUNDS_MS) + 1)


def bucket(late_ms: float) -> int:
    """Which bucket it is counted in."""
    return bisect_right(BOUNDS_MS, late_ms)
