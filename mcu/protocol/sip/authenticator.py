"""Who sends a request: asks for digest credentials, and takes each answer once (RFC 3261, section 22; RFC 7616, 3.4).

An unknown user and a wrong password are answered alike, after the same work. Who claims to be a user is asked for the
algorithms that there is a digest for: some telephones give up where they are asked for one that they do not know.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from mcu.errors import Refused, Unauthenticated
from mcu.protocol.sip.digest import ALGORITHMS, Answered, Challenger
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Credentials
from mcu.tally import remember

NONCES_MAX: Final = 20_000  # whose uses are counted; more are asked for anew
_NOBODY: Final = "0" * 64

Passwords = Callable[[str], Mapping[str, str] | None]  # a user's HA1 by algorithm; None: there is no such user


class Challenged(Unauthenticated):
    """They have not said who they are, or with a nonce that has served: 401 with `headers`."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        super().__init__()
        self.headers = headers


class WrongPassword(Refused):
    """There is no such user, or the password is another."""

    code, title = "wrong-password", "The user or the password is wrong"


class Authenticator:
    """One realm's."""

    def __init__(self, challenger: Challenger, passwords: Passwords) -> None:
        self._challenger, self._passwords = challenger, passwords
        self._used: OrderedDict[str, int] = OrderedDict()  # the highest count of each nonce

    def user(self, request: Request, now: float) -> str:
        """Who it is. Raises `Challenged`, `WrongPassword` or `Malformed`."""
        answered = self._challenger.read(request.credentials)
        if answered is None:
            raise self._asked(request, now)
        credentials = next(one for one in request.credentials if one.params.get("realm") == self._challenger.realm)
        if credentials.params["uri"] != request.target:
            raise Malformed("the credentials are for another address")
        self._check(answered, credentials, request.method)
        if not self._challenger.fresh(answered, now) or not self._counts(answered):
            raise self._asked(request, now, stale=True)
        return answered.user

    def _check(self, answered: Answered, credentials: Credentials, method: str) -> None:
        known = self._passwords(answered.user)
        holds = self._challenger.holds(credentials, (known or {}).get(answered.algorithm, _NOBODY), method)
        if known is None or not holds:
            raise WrongPassword

    def _asked(self, request: Request, now: float, *, stale: bool = False) -> Challenged:
        claimed = request.from_.uri
        known = self._passwords(claimed.user or "") if isinstance(claimed, SipUri) else None
        asked = self._challenger.challenges(now, stale=stale, algorithms=known or ALGORITHMS)
        return Challenged([("WWW-Authenticate", one) for one in asked])

    def _counts(self, answered: Answered) -> bool:
        """Whether this use of the nonce is later than all before it; one that does not count serves once."""
        if answered.count <= self._used.get(answered.nonce, -1):
            return False
        remember(self._used, answered.nonce, answered.count, NONCES_MAX)
        return True
