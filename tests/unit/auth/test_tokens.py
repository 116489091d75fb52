"""Typed tokens: each good for one thing, for a while, and only if made here."""

import base64
import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from set_clock import SetClock

from mcu.auth.keys import SigningKey, load_or_create
from mcu.auth.tokens import JoinToken, ReconnectToken, SessionToken, Token, TokenInvalid, Tokens
from mcu.errors import Unavailable
from mcu.ids import LegId, MeetingId, ParticipantId, RoomId


@pytest.fixture
def key() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.generate())


@pytest.fixture
def tokens(key: SigningKey) -> Tokens:
    return Tokens(key=key, clock=SetClock())


SEAT: Any = {"leg": LegId("leg_1"), "room": RoomId("room_1"), "meeting": MeetingId("mtg_1")}
EXAMPLES: list[Token] = [
    JoinToken(meeting=MeetingId("mtg_1"), role="host", participant=ParticipantId("pt_1")),
    JoinToken(meeting=MeetingId("mtg_1"), role="guest"),
    SessionToken(**SEAT),
    ReconnectToken(**SEAT, person="sealed"),
]


@pytest.mark.parametrize("token", EXAMPLES)
def test_what_is_minted_is_read_back(tokens: Tokens, token: Token) -> None:
    assert tokens.read(tokens.mint(token), type(token)) == token


@pytest.mark.parametrize(("one", "other"), [*permutations([JoinToken, SessionToken, ReconnectToken], 2)])
def test_a_token_of_one_kind_is_not_taken_for_another(tokens: Tokens, one: type[Token], other: type[Token]) -> None:
    example = next(token for token in EXAMPLES if type(token) is one)
    with pytest.raises(TokenInvalid):
        tokens.read(tokens.mint(example), other)


def test_the_kind_in_the_header_alone_does_not_change_the_kind(tokens: Tokens, key: SigningKey) -> None:
    claims = jwt.decode(tokens.mint(SessionToken(**SEAT)), options={"verify_signature": False})
    forged = jwt.encode(claims, key.private, "EdDSA", headers={"typ": "mcu-reconnect+jwt"})
    with pytest.raises(TokenInvalid):
        tokens.read(forged, ReconnectToken)


def test_a_token_ends(tokens: Tokens) -> None:
    text = tokens.mint(EXAMPLES[0], life=timedelta(minutes=1))
    clock = tokens.clock
    assert isinstance(clock, SetClock)
    clock.at += timedelta(seconds=59)
    tokens.read(text, JoinToken)
    clock.at += timedelta(seconds=10)
    with pytest.raises(TokenInvalid):
        tokens.read(text, JoinToken)


def test_a_token_signed_by_another_or_not_at_all_does_not_hold(tokens: Tokens) -> None:
    other = Tokens(key=SigningKey(Ed25519PrivateKey.generate()), clock=tokens.clock)
    with pytest.raises(TokenInvalid):
        tokens.read(other.mint(EXAMPLES[0]), JoinToken)
    head, body, _ = tokens.mint(EXAMPLES[0]).split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "mcu-join+jwt"}).encode()).decode().rstrip("=")
    for text in (f"{none}.{body}.", f"{head}.{body}.", f"{head}.{body}", "", "x", "a.b.c", "å.ä.ö"):
        with pytest.raises(TokenInvalid):
            tokens.read(text, JoinToken)


def test_a_token_for_another_service_does_not_hold(tokens: Tokens, key: SigningKey) -> None:
    other = Tokens(key=key, clock=tokens.clock, issuer="https://other.example")
    with pytest.raises(TokenInvalid):
        tokens.read(other.mint(EXAMPLES[0]), JoinToken)


def test_the_same_token_until_the_same_time_is_the_same_text(tokens: Tokens) -> None:
    until = datetime(2026, 12, 2, tzinfo=UTC)
    assert tokens.mint(EXAMPLES[0], until=until) == tokens.mint(EXAMPLES[0], until=until)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "auth.pem"
    assert load_or_create(path).kid == load_or_create(path).kid
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["auth.pem"]


def test_a_key_that_others_may_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "auth.pem"
    load_or_create(path)
    path.chmod(0o644)
    with pytest.raises(Unavailable, match="chmod 600"):
        load_or_create(path)
    path.chmod(0o600)
    path.write_text("nothing")
    with pytest.raises(Unavailable):
        load_or_create(path)


def test_a_key_is_not_shown(key: SigningKey) -> None:
    assert repr(key) == f"SigningKey(kid={key.kid!r})"
