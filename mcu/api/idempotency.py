"""Idempotency-Key: the same request sent again gets the first one's reply, and nothing is done twice.

The reply is stored in the transaction of its effect: after a crash either both are there or neither. Kept 24 h, sealed.
Keys belong to the caller that sent them. Only replies to what was done are kept; a refused request may be sent again.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from aiohttp import web

from mcu.api.problems import Malformed
from mcu.auth.bearer import Caller
from mcu.auth.sealing import Seal
from mcu.booking.store import StoredReply, Transaction
from mcu.clock import Clock
from mcu.errors import Conflict, McuError

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")


class KeyReused(McuError):
    """The key came before with another request."""

    code, title = "idempotency-key-reused", "The Idempotency-Key was used for another request"
    http: ClassVar[int] = 422


class KeyInFlight(Conflict):
    """The first request with the key is still being carried out."""

    code, title = "idempotency-key-in-flight", "The first request with this Idempotency-Key is not finished"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One request with a key: where its reply is kept, and what it said."""

    key: str
    fingerprint: bytes


class Replies:
    """Knows which keys are in flight in this process; asks the store for the rest."""

    def __init__(self, seal: Seal, clock: Clock) -> None:
        self._seal, self._clock = seal, clock
        self._in_flight: set[str] = set()

    async def claim(self, request: web.Request, caller: Caller) -> Claim | None:
        """`None` without the header. Raises `Malformed`."""
        if (key := request.headers.get(HEADER)) is None:
            return None
        if not _KEY.fullmatch(key):
            raise Malformed("An Idempotency-Key is 1 to 255 visible ASCII characters.")
        said = (request.method, request.path_qs, request.content_type, request.headers.get("If-Match", ""))
        who = (caller.subject, *([caller.organisation] if caller.organisation else []), key)
        return Claim(
            key=self._seal.mac(*(part.encode() for part in who)).hex(),
            fingerprint=self._seal.mac(*(part.encode() for part in said), await request.read()),
        )

    @contextmanager
    def in_flight(self, claim: Claim) -> Iterator[None]:
        """Raises `KeyInFlight` if the same key is."""
        if claim.key in self._in_flight:
            raise KeyInFlight("Wait, and send it again.")
        self._in_flight.add(claim.key)
        try:
            yield
        finally:
            self._in_flight.discard(claim.key)

    async def earlier(self, claim: Claim, tx: Transaction) -> web.Response | None:
        """The first reply, if there is one. Raises `KeyReused`."""
        stored = await tx.replies.get(claim.key, self._clock.now() - KEPT)
        if stored is None:
            return None
        if stored.fingerprint != claim.fingerprint:
            raise KeyReused("Use a new key for a new request.")
        body = self._seal.open(stored.body, claim.key.encode())
        return web.Response(status=stored.status, headers=stored.headers, body=body)

    async def keep(self, claim: Claim, response: web.Response, tx: Transaction) -> None:
        assert isinstance(response.body, bytes)
        now = self._clock.now()
        reply = StoredReply(
            key=claim.key,
            fingerprint=claim.fingerprint,
            at=now,
            status=response.status,
            headers={name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers},
            body=self._seal.close(response.body, claim.key.encode()),
        )
        await tx.replies.add(reply, now - KEPT)
