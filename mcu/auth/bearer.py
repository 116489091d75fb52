"""Who calls the API: a JWT in `Authorization: Bearer`, from the server's own key or from a configured issuer.

Owns which keys and algorithms are believed (RFC 8725) and what the scopes mean. Asks an issuer for its keys only when
one is configured and a token names it. Nothing of a token is ever put in an error.
"""

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import aiohttp
import jwt
from jwt.types import Options

from mcu.auth.keys import SigningKey
from mcu.clock import Clock
from mcu.errors import Refused, Unauthenticated, Unavailable

OWN_TYP = "mcu-api+jwt"
AUDIENCE = "mcu-api"
CLAIM = "organisation"
ISSUER_ALGORITHMS = ("EdDSA", "RS256", "ES256")
LEEWAY_S = 30
JWKS_LIFE_S = 600.0
JWKS_RETRY_S = 30.0  # an unknown key id makes us ask again, at most this often
JWKS_MAX_BYTES = 256 * 1024
JWKS_TIMEOUT_S = 5.0


class Scope(StrEnum):
    """What a caller may do."""

    MEETINGS_READ = "meetings:read"
    MEETINGS_WRITE = "meetings:write"  # and read
    ROOMS_CONTROL = "rooms:control"  # see and steer rooms that run
    ADMIN = "admin"  # everything


IMPLIED: Mapping[Scope, frozenset[Scope]] = {
    Scope.MEETINGS_READ: frozenset({Scope.MEETINGS_READ}),
    Scope.MEETINGS_WRITE: frozenset({Scope.MEETINGS_WRITE, Scope.MEETINGS_READ}),
    Scope.ROOMS_CONTROL: frozenset({Scope.ROOMS_CONTROL}),
    Scope.ADMIN: frozenset(Scope),
}


class NoOrganisation(Refused):
    """Each token is of an organisation that there is, but the operator's, which may all."""

    code, title = "no-organisation", "The token is of no organisation"


class ScopeMissing(Refused):
    """The token holds, but not for this."""

    code, title = "scope-missing", "The token does not allow this"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls, as its issuer names it, and what it may do: with what is its organisation's. "": with everybody's."""

    subject: str
    scopes: frozenset[Scope]
    organisation: str = ""

    def owns(self, organisation: str) -> bool:
        """Whether what is that organisation's is for this caller."""
        return self.organisation in ("", organisation)

    def require(self, scope: Scope) -> None:
        """Raises `ScopeMissing`."""
        if scope not in self.scopes:
            raise ScopeMissing(f"It needs the scope {scope}.")


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """An OIDC issuer whose tokens are believed. `jwks_url` is where its keys are."""

    issuer: str
    jwks_url: str
    audience: str = AUDIENCE
    organisation_claim: str = CLAIM


class Bearer:
    """Checks API tokens; mints the server's own (`mcu token`)."""

    def __init__(
        self,
        key: SigningKey,
        clock: Clock,
        issuer: str = "mcu",
        trusted: tuple[Issuer, ...] = (),
        organisations: Collection[str] = (),
    ) -> None:
        """`organisations`: the ids of those that there are; none: all is one."""
        self._key, self._clock, self._issuer, self._organisations = key, clock, issuer, organisations
        self._trusted = {one.issuer: KeySet(one, clock) for one in trusted}

    def mint(self, subject: str, scopes: frozenset[Scope], life: timedelta, organisation: str = "") -> str:
        """Raises `NoOrganisation` for what no caller would be."""
        self._check_organisation(organisation, scopes)
        now = self._clock.now()
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "scope": " ".join(sorted(scopes)),
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
            **({CLAIM: organisation} if organisation else {}),
        }
        return jwt.encode(claims, self._key.private, "EdDSA", headers={"typ": OWN_TYP, "kid": self._key.kid})

    async def caller(self, token: str) -> Caller:
        """Who the token says, if it holds.

        Raises `Unauthenticated`, `NoOrganisation`, or `Unavailable` if its issuer does not answer.
        """
        try:
            header = jwt.get_unverified_header(token)
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
            claims = await self._claims(token, header, issuer)
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated("The bearer token does not hold.") from error
        _check_times(claims, self._clock.now())
        scopes = _scopes(claims.get("scope", ""))
        organisation = claims.get(self._claim(issuer), "")
        self._check_organisation(organisation, scopes)
        return Caller(subject=claims["sub"], scopes=scopes, organisation=organisation)

    def _claim(self, issuer: object) -> str:
        keys = self._trusted.get(issuer) if isinstance(issuer, str) else None
        return CLAIM if keys is None else keys.issuer.organisation_claim

    def _check_organisation(self, organisation: object, scopes: frozenset[Scope]) -> None:
        if organisation == "":
            if self._organisations and Scope.ADMIN not in scopes:
                raise NoOrganisation("Without an organisation it must allow admin.")
        elif not isinstance(organisation, str) or organisation not in self._organisations:
            raise NoOrganisation("The settings have no such organisation.")

    async def _claims(self, token: str, header: dict[str, Any], issuer: object) -> dict[str, Any]:
        if isinstance(issuer, str) and (keys := self._trusted.get(issuer)) is not None:
            key = await keys.key(header.get("kid"))
            return _decode(token, key.key, [_pinned(key, header)], keys.issuer.audience, issuer)
        if header.get("typ") != OWN_TYP:
            raise Unauthenticated("The bearer token is not an API token.")
        return _decode(token, self._key.public, ["EdDSA"], AUDIENCE, self._issuer)


class KeySet:
    """The public keys of one issuer (RFC 7517), fetched when first needed and kept for ten minutes."""

    def __init__(self, issuer: Issuer, clock: Clock) -> None:
        self.issuer, self._clock = issuer, clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._lock = asyncio.Lock()

    async def key(self, kid: str | None) -> jwt.PyJWK:
        """Raises `Unauthenticated` if the issuer has no such key, `Unavailable` if it does not answer."""
        async with self._lock:
            if self._due(kid):
                self._keys = _parse(await _fetch(self.issuer.jwks_url))
                self._fetched = self._clock.monotonic()
        try:
            return self._keys[kid]
        except KeyError as error:
            raise Unauthenticated("The bearer token is signed with a key that its issuer does not show.") from error

    def _due(self, kid: str | None) -> bool:
        if self._fetched is None:
            return True
        age = self._clock.monotonic() - self._fetched
        return age > (JWKS_LIFE_S if kid in self._keys else JWKS_RETRY_S)


def _decode(token: str, key: Any, algorithms: list[str], audience: str, issuer: str) -> dict[str, Any]:
    options = Options(
        require=["exp", "iss", "aud", "sub"], verify_exp=False, verify_nbf=False, verify_iat=False
    )  # the times are checked by our clock
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=algorithms, audience=audience, issuer=issuer, options=options
    )
    return claims


def _check_times(claims: dict[str, Any], now: datetime) -> None:
    seconds = now.timestamp()
    times = [claims["exp"], claims.get("nbf", 0)]
    if not all(isinstance(one, int | float) for one in times):
        raise Unauthenticated("The bearer token's times are not numbers.")
    if times[0] + LEEWAY_S <= seconds or times[1] - LEEWAY_S > seconds:
        raise Unauthenticated("The bearer token is past its time, or not valid yet.")


def _pinned(key: jwt.PyJWK, header: dict[str, Any]) -> str:
    """The key's own algorithm, never the header's choice (RFC 8725 section 3.1)."""
    if key.algorithm_name not in ISSUER_ALGORITHMS or header.get("alg") != key.algorithm_name:
        raise Unauthenticated("The bearer token is signed in a way that is not taken here.")
    return key.algorithm_name


def _scopes(text: object) -> frozenset[Scope]:
    """What the words mean; unknown ones mean nothing."""
    words = text.split() if isinstance(text, str) else []
    return frozenset().union(*(IMPLIED[Scope(word)] for word in words if word in set(Scope)))


async def _fetch(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=JWKS_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise Unavailable("The issuer of the token does not show its keys.")
            body = bytearray()
            async for chunk in answer.content.iter_chunked(16_384):
                body += chunk
                if len(body) > JWKS_MAX_BYTES:
                    raise Unavailable("The issuer of the token shows more keys than can be.")
            return bytes(body)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable("The issuer of the token cannot be reached for its keys.") from error


def _parse(document: bytes) -> dict[str | None, jwt.PyJWK]:
    try:
        keys = jwt.PyJWKSet.from_dict(json.loads(document)).keys
    except (jwt.PyJWTError, ValueError, AttributeError, TypeError) as error:
        raise Unavailable("The issuer of the token shows keys that cannot be read.") from error
    return {key.key_id: key for key in keys}
