"""What a transport throws away, counted by reason: for one leg, and for its worker."""

from collections import Counter


class Drops:
    """Counts for one leg; each also counts in `worker`, which outlives the leg."""

    def __init__(self, worker: Counter[str]) -> None:
        self.leg: Counter[str] = Counter()
        self._worker = worker

    def __call__(self, reason: str, number: int = 1) -> None:
        self.leg[reason] += number
        self._worker[reason] += number
