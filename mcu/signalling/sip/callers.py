"""Those who call over a trunk, told apart for the limits: all of them have the trunk's one address.

A caller is the number that the trunk says, whether it has checked it or not; who says another number each time is held
by what the trunk as a whole may (`auth.guesses`). A number is kept as a hash under a key of this process, in memory
alone.
"""

import hashlib
import secrets
from typing import Final

from mcu.auth.guesses import Pace, Paces
from mcu.clock import Clock
from mcu.protocol.sip.identity import calling_number
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri

CALLS: Final = Pace("calls of a caller", 30, 2.0)  # a house may show one number for all who are in it
NAMELESS: Final = Pace("calls of nameless callers", 120, 0.5)  # of a trunk, all of them together
ANONYMOUS: Final = "anonymous"  # RFC 3323, section 4.1.1.3


class Callers:
    """Of all trunks."""

    def __init__(self, clock: Clock) -> None:
        self._key = secrets.token_bytes(32)
        self._paces = Paces(clock)

    def called(self, trunk: str, invite: Request) -> str:
        """Who makes this call, as the limits name them; "": nobody says. Raises `TooMany`."""
        said = calling_number(invite) or _user(invite)
        who = hashlib.blake2b(f"{trunk}\0{said}".encode(errors="replace"), key=self._key, digest_size=16).hexdigest()
        pace, name = (CALLS, who) if said else (NAMELESS, trunk)
        self._paces.check(pace, name)
        self._paces.count(pace, name)
        return who if said else ""


def _user(invite: Request) -> str:
    """Of From: a number as it is written in its own country, for instance."""
    uri = invite.from_.uri
    user = uri.user or "" if isinstance(uri, SipUri) else ""
    return "" if user.lower() == ANONYMOUS else user
