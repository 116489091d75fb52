"""Counts of things that come and go: what is gone is not kept."""

from collections import Counter
from typing import TypeVar

Key = TypeVar("Key")


def one_less(counts: Counter[Key], key: Key) -> bool:
    """Whether that was the last of them. There is one at least."""
    counts[key] -= 1
    if counts[key]:
        return False
    del counts[key]
    return True
