"""How a time is spread, as every command tells it."""

from collections.abc import Sequence

import numpy as np


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95 and the longest, in ms."""
    p50, p95, longest = (round(1000 * float(np.percentile(seconds, p)), 1) for p in (50, 95, 100))
    return {"p50_ms": p50, "p95_ms": p95, "longest_ms": longest}
