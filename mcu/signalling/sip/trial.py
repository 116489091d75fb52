"""A server of another domain that is called while others are left: whether the call is its own now (RFC 3263, 4.3)."""

import asyncio

from mcu.protocol.sip.call import Call
from mcu.signalling.sip.outcome import NEXT_WAY, TRY_S


class Trial:
    """One; `outcome` is awaited once."""

    def __init__(self) -> None:
        self._taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def taken(self) -> None:
        """It rings, or is answered, or was refused by somebody there."""
        if not self._taken.done():
            self._taken.set_result(True)

    def passes(self, status: int) -> bool:
        """Whether a call that has failed is the next server's: nothing has rung, and this one cannot."""
        if not self._taken.done():
            self._taken.set_result(status not in NEXT_WAY)
        return not self._taken.result()

    async def outcome(self, call: Call) -> bool | None:
        """Whether it was taken; None: nothing at all has come in time."""
        done, _ = await asyncio.wait([self._taken], timeout=TRY_S)
        return await self._taken if done or call.is_heard else None
