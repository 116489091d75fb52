"""Counts and memories of things that come and go: none grows without bound."""

from collections import Counter, OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def one_less(counts: Counter[Key], key: Key) -> bool:
    """Whether that was the last of them, which is not kept. There is one at least."""
    counts[key] -= 1
    if counts[key]:
        return False
    del counts[key]
    return True


def remember(known: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> None:
    """As the newest of them. Where there are `most` already the oldest is forgotten."""
    known[key] = value
    known.move_to_end(key)
    if len(known) > most:
        known.popitem(last=False)
