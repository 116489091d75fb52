"""Pages by cursor: one row more than asked for tells whether there is more."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from mcu.booking.store import Page


class Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Named)


def cut(items: Sequence[T], size: int) -> Page[T]:
    """The page of `items`, which are up to `size` + 1 rows in the order of their ids."""
    shown = items[:size]
    return Page(items=shown, last=shown[-1].id if len(items) > size else "")
