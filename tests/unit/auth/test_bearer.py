"""Who may call the API, by whose word."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from set_clock import SetClock

from mcu.auth.bearer import JWKS_MAX_BYTES, Bearer, Issuer, NoOrganisation, Scope, ScopeMissing
from mcu.auth.keys import SigningKey
from mcu.auth.tokens import SessionToken, Tokens
from mcu.errors import Unauthenticated, Unavailable
from mcu.ids import LegId, MeetingId, RoomId

NOW = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class RealIssuer:
    """An OIDC issuer's key page on a real port."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0
    status: int = 200
    body: bytes | None = None

    async def jwks(self, _request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(0)
        body = self.body if self.body is not None else json.dumps({"keys": self.keys}).encode()
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status, body=body, content_type="application/json", headers=headers)


@pytest.fixture
async def issuer() -> AsyncIterator[RealIssuer]:
    one = RealIssuer()
    app = web.Application()
    app.router.add_get("/jwks", one.jwks)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/jwks"
    yield one
    await runner.cleanup()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def bearer(issuer: RealIssuer, clock: SetClock) -> Bearer:
    trusted = Issuer(issuer="https://idp.example", jwks_url=issuer.url, audience="mcu")
    return Bearer(SigningKey(Ed25519PrivateKey.generate()), clock, trusted=(trusted,))


RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def shown(key: Any, kid: str, alg: str) -> dict[str, Any]:
    algorithm = jwt.get_algorithm_by_name(alg)
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "alg": alg, "use": "sig"}


def by_idp(key: Any, alg: str, kid: str, **changed: Any) -> str:
    claims = {"iss": "https://idp.example", "aud": "mcu", "sub": "svc", "scope": "meetings:write openid",
              "exp": NOW + HOUR, **changed}  # fmt: skip
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, alg, headers={"kid": kid})


async def test_our_own_token_says_who_and_what(bearer: Bearer, issuer: RealIssuer) -> None:
    caller = await bearer.caller(bearer.mint("cli", frozenset({Scope.MEETINGS_WRITE}), HOUR))
    assert caller.subject == "cli"
    assert caller.scopes == {Scope.MEETINGS_WRITE, Scope.MEETINGS_READ}
    caller.require(Scope.MEETINGS_READ)
    with pytest.raises(ScopeMissing):
        caller.require(Scope.ROOMS_CONTROL)
    assert issuer.asked == 0


async def test_admin_may_do_everything(bearer: Bearer) -> None:
    caller = await bearer.caller(bearer.mint("cli", frozenset({Scope.ADMIN}), HOUR))
    assert caller.scopes == set(Scope)


async def test_our_own_token_ends(bearer: Bearer, clock: SetClock) -> None:
    token = bearer.mint("cli", frozenset({Scope.ADMIN}), HOUR)
    clock.at += HOUR + timedelta(minutes=1)
    with pytest.raises(Unauthenticated):
        await bearer.caller(token)


async def test_a_session_token_is_no_api_token(clock: SetClock) -> None:
    key = SigningKey(Ed25519PrivateKey.generate())
    token = Tokens(key=key, clock=clock).mint(
        SessionToken(leg=LegId("leg_1"), room=RoomId("room_1"), meeting=MeetingId("mtg_1"))
    )
    with pytest.raises(Unauthenticated):
        await Bearer(key, clock).caller(token)


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256"), (Ed25519PrivateKey.generate(), "EdDSA")])
async def test_the_issuers_token_is_believed_by_its_keys(
    bearer: Bearer, issuer: RealIssuer, key: Any, alg: str
) -> None:
    issuer.keys = [shown(key, "k1", alg)]
    caller = await bearer.caller(by_idp(key, alg, "k1"))
    assert (caller.subject, caller.scopes) == ("svc", {Scope.MEETINGS_WRITE, Scope.MEETINGS_READ})
    await asyncio.gather(*(bearer.caller(by_idp(key, alg, "k1")) for _ in range(5)))
    assert issuer.asked == 1


@pytest.mark.parametrize(
    "changed",
    [{"aud": "other"}, {"aud": None}, {"iss": "https://evil.example"}, {"exp": NOW - HOUR}, {"exp": None},
     {"sub": None}, {"nbf": NOW + HOUR}, {"exp": "soon"}],
)  # fmt: skip
async def test_a_claim_that_is_wrong_or_missing_is_refused(
    bearer: Bearer, issuer: RealIssuer, changed: dict[str, Any]
) -> None:
    issuer.keys = [shown(EC, "k1", "ES256")]
    with pytest.raises(Unauthenticated):
        await bearer.caller(by_idp(EC, "ES256", "k1", **changed))


async def test_the_algorithm_is_the_keys_and_never_the_tokens_choice(bearer: Bearer, issuer: RealIssuer) -> None:
    issuer.keys = [shown(RSA, "k1", "RS256"), {"kty": "oct", "k": "AAAA", "kid": "k2", "alg": "HS256"}]
    for token in (
        by_idp(RSA, "RS512", "k1"),
        by_idp(RSA, "PS256", "k1"),
        by_idp("A" * 64, "HS256", "k1"),
        by_idp(b"\x00" * 32, "HS256", "k2"),
        by_idp(None, "none", "k1"),
    ):
        with pytest.raises(Unauthenticated):
            await bearer.caller(token)


async def test_a_new_key_of_the_issuer_is_found_and_an_invented_one_does_not_make_us_ask_and_ask(
    bearer: Bearer, issuer: RealIssuer, clock: SetClock
) -> None:
    issuer.keys = [shown(EC, "k1", "ES256")]
    await bearer.caller(by_idp(EC, "ES256", "k1"))
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await bearer.caller(by_idp(RSA, "RS256", "k2"))
    assert issuer.asked == 1
    issuer.keys.append(shown(RSA, "k2", "RS256"))
    clock.at += timedelta(seconds=31)
    await bearer.caller(by_idp(RSA, "RS256", "k2"))
    assert issuer.asked == 2


async def test_a_key_that_the_issuer_has_withdrawn_is_believed_ten_minutes_at_most(
    bearer: Bearer, issuer: RealIssuer, clock: SetClock
) -> None:
    issuer.keys = [shown(EC, "k1", "ES256")]
    await bearer.caller(by_idp(EC, "ES256", "k1"))
    issuer.keys = []
    clock.at += timedelta(minutes=11)
    with pytest.raises((Unauthenticated, Unavailable)):
        await bearer.caller(by_idp(EC, "ES256", "k1"))


@pytest.mark.parametrize(
    ("status", "body"), [(500, b""), (302, b""), (200, b"nothing"), (200, b"[]"), (200, b"x" * (JWKS_MAX_BYTES + 1))]
)
async def test_an_issuer_that_shows_nothing_useful_makes_the_service_unavailable(
    bearer: Bearer, issuer: RealIssuer, status: int, body: bytes
) -> None:
    issuer.status, issuer.body = status, body
    with pytest.raises(Unavailable):
        await bearer.caller(by_idp(EC, "ES256", "k1"))


async def test_nobody_is_asked_when_no_issuer_is_configured(issuer: RealIssuer, clock: SetClock) -> None:
    bearer = Bearer(SigningKey(Ed25519PrivateKey.generate()), clock)
    with pytest.raises(Unauthenticated):
        await bearer.caller(by_idp(EC, "ES256", "k1"))
    assert issuer.asked == 0


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "å", "e30.e30.", "bnVsbA.bnVsbA.x", "W10.W10.x"])
async def test_what_is_no_token_is_refused(bearer: Bearer, text: str) -> None:
    with pytest.raises(Unauthenticated):
        await bearer.caller(text)


def shared(issuer: RealIssuer, clock: SetClock, *organisations: str) -> Bearer:
    trusted = Issuer(issuer="https://idp.example", jwks_url=issuer.url, audience="mcu", organisation_claim="org_id")
    return Bearer(SigningKey(Ed25519PrivateKey.generate()), clock, trusted=(trusted,), organisations=organisations)


async def test_a_token_of_an_organisation_is_for_what_is_its_own(issuer: RealIssuer, clock: SetClock) -> None:
    bearer = shared(issuer, clock, "norr", "syd")
    caller = await bearer.caller(bearer.mint("cli", frozenset({Scope.MEETINGS_READ}), HOUR, "norr"))
    assert [caller.owns(one) for one in ("norr", "syd", "")] == [True, False, False]
    issuer.keys = [shown(RSA, "k1", "RS256")]
    theirs = await bearer.caller(by_idp(RSA, "RS256", "k1", org_id="syd"))
    assert (theirs.organisation, theirs.owns("norr")) == ("syd", False)


async def test_a_token_of_no_organisation_is_the_operators_alone(issuer: RealIssuer, clock: SetClock) -> None:
    bearer = shared(issuer, clock, "norr", "syd")
    operator = await bearer.caller(bearer.mint("cli", frozenset({Scope.ADMIN}), HOUR))
    assert all(operator.owns(one) for one in ("norr", "syd", ""))
    with pytest.raises(NoOrganisation):
        bearer.mint("cli", frozenset({Scope.MEETINGS_WRITE}), HOUR)
    issuer.keys = [shown(RSA, "k1", "RS256")]
    with pytest.raises(NoOrganisation):
        await bearer.caller(by_idp(RSA, "RS256", "k1", organisation="norr"))  # it is another claim that is read


@pytest.mark.parametrize("claimed", ["vast", 7, ["norr"], None, {"norr": 1}])
async def test_a_token_of_an_organisation_that_there_is_not_is_refused(
    issuer: RealIssuer, clock: SetClock, claimed: Any
) -> None:
    issuer.keys = [shown(RSA, "k1", "RS256")]
    with pytest.raises(NoOrganisation):
        await shared(issuer, clock, "norr").caller(by_idp(RSA, "RS256", "k1", org_id=claimed))
