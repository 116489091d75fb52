"""What waits for a room's owner: work that others ask for, in order and bounded, and news, of which the newest counts.

Work that finds the mailbox full is refused. News (from the worker) cannot be refused, so it is kept by what it is
about: there is never more of it than there are legs and notices.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import structlog

from mcu.errors import Unavailable

log = structlog.get_logger(__name__)

MAX_WORK = 512

T = TypeVar("T")


class Mailbox:
    """Work and news for one owner."""

    def __init__(self, dropped: Callable[[str], None]) -> None:
        self._dropped = dropped
        self._work: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._news: dict[Hashable, Callable[[], None]] = {}
        self._filled = asyncio.Event()
        self._closed = False

    async def ask(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, when the owner has done it. Raises `Unavailable` when too much waits."""
        if self._closed:
            raise Unavailable("The room has closed.")
        if len(self._work) >= MAX_WORK:
            self._dropped("room_work")
            raise Unavailable("The room has too much to do: try again.")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._work.append((work, future))
        self._filled.set()
        return await future

    def tell(self, about: Hashable, news: Callable[[], None]) -> None:
        """Replaces what waits about the same."""
        self._news.pop(about, None)
        self._news[about] = news
        self._filled.set()

    async def wait(self) -> None:
        await self._filled.wait()

    def do_all(self) -> None:
        """The owner does what waits: first the news, then the work. What raises is told to whoever asked."""
        self._filled.clear()
        news, self._news = self._news, {}
        for one in news.values():
            try:
                one()
            except Exception:  # the owner's loop: one piece of news does not cost the others
                log.exception("news_failed")
        work, self._work = self._work, deque()
        for one_work, future in work:
            self._do(one_work, future)

    def close(self) -> None:
        """Whoever waits, and whoever asks from now on, is told that the room has closed."""
        self._closed = True
        for _, future in self._work:
            if not future.done():
                future.set_exception(Unavailable("The room has closed."))
        self._work.clear()
        self._news.clear()

    @staticmethod
    def _do(work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        if future.done():  # whoever asked has gone away
            return
        try:
            future.set_result(work())
        except Exception as error:  # handed on, whatever it is, to the one who asked
            future.set_exception(error)
