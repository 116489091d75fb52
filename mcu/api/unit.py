"""One request's writing: a transaction begun when it is first needed, and what is done once it is durable."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import structlog

from mcu.booking.store import Store, Transaction

log = structlog.get_logger()


class Unit:
    """`async with Unit(store) as unit:` commits at its end, or undoes everything with an error."""

    def __init__(self, store: Store) -> None:
        self._store, self._stack = store, AsyncExitStack()
        self._tx: Transaction | None = None
        self._after: list[Callable[[], Awaitable[None]]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def begin(self) -> Transaction:
        if self._tx is None:
            self._tx = await self._stack.enter_async_context(self._store.writing())
        return self._tx

    def after_commit(self, act: Callable[[], Awaitable[None]]) -> None:
        self._after.append(act)

    async def committed(self) -> None:
        """Tells those who asked. What is durable stays so, whatever becomes of the telling."""
        for act in self._after:
            try:
                await act()
            except Exception as error:
                log.error("listener-failed", error=type(error).__name__)
