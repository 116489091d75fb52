"""Digest authentication, as the one who asks and as the one who is asked (RFC 3261, section 22; RFC 7616, RFC 8760).

SHA-256 is offered first and MD5 after it, for telephones that know no other. A password is never kept: what is stored
is HA1, the digest of user, realm and password, one for each algorithm.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcu.protocol.sip.grammar import Malformed, is_token, quoted
from mcu.protocol.sip.values import Credentials

ALGORITHMS: Final[Mapping[str, Callable[[bytes], Any]]] = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}  # best first
_UNQUOTED: Final = ("algorithm", "nc", "qop", "stale")
_COUNTS: Final = 2**32
_TIME_DIGITS: Final = 12  # of a nonce, which begins with its time in ms


def ha1(algorithm: str, user: str, realm: str, password: str) -> str:
    """What is kept in place of a password. Raises `KeyError` for an algorithm that is not in `ALGORITHMS`."""
    return _digest(algorithm, f"{user}:{realm}:{password}")


@dataclass(frozen=True, slots=True)
class Answered:
    """Credentials that name one of our challenges; whether they hold, `Challenger.holds` says."""

    user: str
    algorithm: str
    nonce: str
    count: int  # how often this nonce was used, from 1; 0 where the peer does not say (RFC 2069)


class Challenger:
    """The one who asks: makes nonces that name their time, and knows them again without keeping them."""

    def __init__(self, realm: str, *, lives_s: float = 300, secret: bytes | None = None) -> None:
        self.realm = realm
        self._lives_s = lives_s
        self._secret = secrets.token_bytes(32) if secret is None else secret

    def challenges(self, now: float, *, stale: bool = False, algorithms: Collection[str] = ALGORITHMS) -> list[str]:
        """The values of WWW-Authenticate or Proxy-Authenticate, one for each of the algorithms."""
        nonce = self._nonce(now)
        again = ", stale=true" if stale else ""
        realm = quoted(self.realm)
        asked = [algorithm for algorithm in ALGORITHMS if algorithm in algorithms]
        return [f'Digest realm={realm}, nonce="{nonce}", algorithm={a}, qop="auth"{again}' for a in asked]

    def read(self, credentials: Iterable[Credentials]) -> Answered | None:
        """The first that answers a challenge of this realm. Raises `Malformed` where it lacks a part."""
        for given in credentials:
            if given.scheme == "digest" and given.params.get("realm") == self.realm:
                return self._answered(given.params)
        return None

    def _answered(self, params: Mapping[str, str]) -> Answered:
        if missing := {"username", "nonce", "uri", "response"} - params.keys():
            raise Malformed(f"credentials lack {sorted(missing)[0]}")
        algorithm = params.get("algorithm", "MD5").upper()
        if algorithm not in ALGORITHMS:
            raise Malformed("the algorithm of the credentials was not offered")
        count = params.get("nc", "0" * 8)
        if len(count) != 8 or not set(count.lower()) <= set("0123456789abcdef"):
            raise Malformed("nc is not eight hexadecimal digits")
        return Answered(params["username"], algorithm, params["nonce"], int(count, 16))

    def fresh(self, answered: Answered, now: float) -> bool:
        """Whether the nonce is ours and not too old. Where it is not, `challenges(stale=True)` asks again."""
        made, _, _ = answered.nonce.partition(".")
        try:
            age = now - int(made[:_TIME_DIGITS], 16) / 1000
        except ValueError:
            return False
        is_ours = answered.nonce.isascii() and hmac.compare_digest(self._nonce_of(made), answered.nonce)
        return is_ours and 0 <= age <= self._lives_s

    def holds(self, credentials: Credentials, ha1_of_user: str, method: str) -> bool:
        """Whether who answered knows the password, for this method. In constant time."""
        params = credentials.params
        expected = response_to(params, ha1_of_user, method, params["uri"])
        return hmac.compare_digest(expected.encode(), params["response"].lower().encode(errors="replace"))

    def _nonce(self, now: float) -> str:
        """Each is another, for the uses of each are counted."""
        return self._nonce_of(f"{max(0, int(now * 1000)):0{_TIME_DIGITS}x}{secrets.token_hex(4)}")

    def _nonce_of(self, made: str) -> str:
        return f"{made}.{hmac.new(self._secret, made.encode(), hashlib.sha256).hexdigest()[:32]}"


def response_to(params: Mapping[str, str], ha1_of_user: str, method: str, uri: str) -> str:
    """The digest itself (RFC 7616, section 3.4.1), with `qop=auth` or, as RFC 2069 had it, without."""
    algorithm = params.get("algorithm", "MD5").upper()
    ha2 = _digest(algorithm, f"{method}:{uri}")
    if "qop" not in params:
        return _digest(algorithm, f"{ha1_of_user}:{params['nonce']}:{ha2}")
    counted = f"{params['nonce']}:{params.get('nc', '')}:{params.get('cnonce', '')}:{params['qop']}"
    return _digest(algorithm, f"{ha1_of_user}:{counted}:{ha2}")


class Answerer:
    """The one who is asked: keeps the challenge, and counts the uses of its nonce."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._challenge: Mapping[str, str] | None = None
        self._count = 0

    def begin(self) -> None:
        """Nothing has been refused yet of what is asked next."""
        self._count = 0

    def challenged(self, challenges: Iterable[Credentials]) -> bool:
        """Whether to try (again): not where the same was refused already and the nonce is not merely stale."""
        known = [c.params for c in challenges if c.scheme == "digest" and _algorithm(c.params) in ALGORITHMS]
        if not known:
            return False
        best = min(known, key=lambda params: list(ALGORITHMS).index(_algorithm(params)))
        refused = self._count > 0 and best.get("stale", "").lower() != "true"
        if refused and self._challenge is not None and self._challenge.get("realm") == best.get("realm"):
            return False
        self._challenge, self._count = best, 0
        return True

    def answer(self, method: str, uri: str) -> str | None:
        """The value of Authorization or Proxy-Authorization; None where nobody has asked."""
        if self._challenge is None:
            return None
        self._count = (self._count + 1) % _COUNTS
        asked = self._challenge
        params = {"username": self._user, "realm": asked.get("realm", ""), "nonce": asked.get("nonce", ""), "uri": uri}
        params["algorithm"] = _algorithm(asked)
        if "auth" in (word.strip() for word in asked.get("qop", "").split(",")):
            params |= {"qop": "auth", "nc": f"{self._count:08x}", "cnonce": secrets.token_hex(8)}
        known = ha1(params["algorithm"], self._user, params["realm"], self._password)
        params["response"] = response_to(params, known, method, uri)
        if "opaque" in asked:
            params["opaque"] = asked["opaque"]
        return "Digest " + ", ".join(f"{name}={_param(name, value)}" for name, value in params.items())


def _param(name: str, value: str) -> str:
    return value if name in _UNQUOTED and is_token(value) else quoted(value)


def _algorithm(params: Mapping[str, str]) -> str:
    return params.get("algorithm", "MD5").upper()


def _digest(algorithm: str, text: str) -> str:
    made = ALGORITHMS[algorithm](text.encode(errors="surrogateescape")).hexdigest()
    return str(made)
