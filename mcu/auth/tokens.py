"""Short-lived typed tokens that the server gives and takes back: join, session, reconnect.

Compact JWS, EdDSA by the server's own key. Each kind has its own `typ` (RFC 8725 section 3.11) and audience, so that
one cannot be used as another. No token shows a person's name. A token says what was granted; whether the meeting, the
participant or the seat still is, whoever takes it must look up.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import jwt
from jwt.types import Options

from mcu.auth.keys import SigningKey
from mcu.clock import Clock
from mcu.errors import Unauthenticated
from mcu.ids import LegId, MeetingId, ParticipantId, RoomId

Role = Literal["host", "guest"]
SESSION_LIFE = timedelta(minutes=10)  # from joining to the offer and the WebSocket; what comes later uses reconnect
RECONNECT_LIFE = timedelta(hours=12)
JOIN_LIFE = timedelta(hours=1)  # one that is asked for; a personal link lasts until its meeting closes
LEEWAY_S = 5


class TokenInvalid(Unauthenticated):
    """The token is not one of ours, of another kind, or past its time."""

    code, title = "token-invalid", "The token does not hold"


@dataclass(frozen=True, kw_only=True)
class JoinToken:
    """The right to join a meeting. `participant` `None`: no personal link."""

    meeting: MeetingId
    role: Role
    participant: ParticipantId | None = None


@dataclass(frozen=True, kw_only=True)
class SessionToken:
    """The right to connect a leg that has been given a seat."""

    leg: LegId
    room: RoomId
    meeting: MeetingId


@dataclass(frozen=True, kw_only=True)
class ReconnectToken:
    """The right to take a seat again. `person`: who sits there, sealed, for a server that has forgotten it."""

    leg: LegId
    room: RoomId
    meeting: MeetingId
    person: str


Token = JoinToken | SessionToken | ReconnectToken
T = TypeVar("T", bound=Token)

_TYPES: dict[type, str] = {
    JoinToken: "mcu-join+jwt",
    SessionToken: "mcu-session+jwt",
    ReconnectToken: "mcu-reconnect+jwt",
}
_FIELDS: dict[type, tuple[str, ...]] = {
    JoinToken: ("meeting", "role"),
    SessionToken: ("leg", "room", "meeting"),
    ReconnectToken: ("leg", "room", "meeting", "person"),
}


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Mints and reads. `issuer` is the service's name (its public address)."""

    key: SigningKey
    clock: Clock
    issuer: str = field(default="mcu")

    def mint(self, token: Token, *, life: timedelta | None = None, until: datetime | None = None) -> str:
        """Signed, ending at `until` or after `life` (by default that of its kind).

        The same token until the same time is the same text: an answer that shows it can keep its ETag.
        """
        ends = until or self.clock.now() + (life or _life(token))
        claims = {name: value for name, value in vars(token).items() if value is not None}
        typ = _TYPES[type(token)]
        claims |= {"iss": self.issuer, "aud": typ, "exp": int(ends.timestamp())}
        return jwt.encode(claims, self.key.private, "EdDSA", headers={"typ": typ, "kid": self.key.kid})

    def read(self, text: str, *kinds: type[T]) -> T:
        """The token, if it is of one of `kinds` and holds now. Raises `TokenInvalid`."""
        for kind in kinds:
            if _typ(text) == _TYPES[kind]:
                return self._read(text, kind)
        raise TokenInvalid("It is not a token for this.")

    def _read(self, text: str, kind: type[T]) -> T:
        try:
            claims = jwt.decode(
                text,
                self.key.public,
                algorithms=["EdDSA"],
                audience=_TYPES[kind],
                issuer=self.issuer,
                options=Options(require=["exp", "iss", "aud", *_FIELDS[kind]], verify_exp=False, verify_iat=False),
            )
        except jwt.PyJWTError as error:
            raise TokenInvalid("It was not made here, or has been changed.") from error
        if claims["exp"] + LEEWAY_S <= self.clock.now().timestamp():
            raise TokenInvalid("Its time is past: ask for a new link.")
        known = {name: claims[name] for name in kind.__dataclass_fields__ if name in claims}
        return kind(**known)


def _life(token: Token) -> timedelta:
    if isinstance(token, JoinToken):
        return JOIN_LIFE
    return SESSION_LIFE if isinstance(token, SessionToken) else RECONNECT_LIFE


def _typ(text: str) -> Any:
    """What the token says it is: unsigned yet, used only to choose which kind to check it as."""
    try:
        return jwt.get_unverified_header(text).get("typ")
    except jwt.PyJWTError as error:
        raise TokenInvalid("It is not a token.") from error
