"""What a browser is told of TURN relays (RFC 8656): where they are, and credentials that end.

Credentials are made as coturn's `use-auth-secret` takes them (draft-uberti-behave-turn-rest): the user name is the
Unix time at which they end and a word that means nothing, the password an HMAC over it by a secret that the relay
shares. Who holds them can use the relay until then and learns nothing of the secret. Or there is one user name and
password for all.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from mcu.clock import Clock


@dataclass(frozen=True)
class Relay:
    """One entry of WebRTC's `RTCConfiguration.iceServers`."""

    urls: tuple[str, ...]
    username: str
    credential: str = field(repr=False)


class Relays:
    """What is offered; nothing without `urls`. With a `secret` credentials are made, else the fixed ones hold."""

    def __init__(
        self,
        urls: Sequence[str],
        clock: Clock,
        *,
        secret: str | None = None,
        ttl_s: int = 0,
        username: str = "",
        credential: str = "",
    ) -> None:
        self._urls, self._clock = tuple(urls), clock
        self._secret, self._ttl_s = secret, ttl_s
        self._fixed = Relay(self._urls, username, credential)

    @property
    def renew_s(self) -> float | None:
        """Seconds after which who was offered credentials should be offered others; `None`: they do not end."""
        return self._ttl_s / 2 if self._urls and self._secret is not None else None

    def offered(self, at_most_s: int | None = None) -> list[Relay]:
        """For one browser, for the time that is set or `at_most_s` seconds."""
        if not self._urls:
            return []
        if self._secret is None:
            return [self._fixed]
        ttl_s = self._ttl_s if at_most_s is None else min(self._ttl_s, at_most_s)
        username = f"{int(self._clock.now().timestamp()) + ttl_s}:{secrets.token_hex(8)}"
        mac = hmac.digest(self._secret.encode(), username.encode(), hashlib.sha1)
        return [Relay(self._urls, username, base64.b64encode(mac).decode())]
