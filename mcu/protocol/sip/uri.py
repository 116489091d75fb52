"""SIP, SIPS and tel URIs (RFC 3261, section 19.1; RFC 3966)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, unquote

from mcu.protocol.sip.grammar import Malformed, host_port

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_USER: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+")
_PASSWORD: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,]|%[0-9A-Fa-f]{2})*")
_PARAM: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/:&+$]|%[0-9A-Fa-f]{2})+")
_FIELD: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()\[\]/?:+$]|%[0-9A-Fa-f]{2})*")
_TEL: Final = re.compile(r"\+(?=[\-.()]*[0-9])[0-9\-.()]+|(?=[\-.()]*[0-9A-Fa-f*#])[0-9A-Fa-f*#\-.()]+")
_VISUAL: Final = re.compile(r"[\-.()]")
_USER_SAFE: Final = "-_.!~*'()&=+$,;?/"
_PARAM_SAFE: Final = "-_.!~*'()[]/:&+$"
COMPARED: Final = ("user", "ttl", "method", "maddr", "transport")  # of which both have none, or the same


@dataclass(frozen=True, slots=True)
class SipUri:
    """`sip:user@host:port;params?headers`, unescaped. Only `str()` writes escapes."""

    host: str  # in lower case; an IPv6 address in brackets
    user: str | None = None
    port: int | None = None
    params: Mapping[str, str | None] = field(default_factory=dict)  # names in lower case
    headers: Mapping[str, str] = field(default_factory=dict)
    secure: bool = False  # sips
    password: str | None = None

    def __str__(self) -> str:
        user = ""
        if self.user is not None:
            secret = "" if self.password is None else ":" + _escaped(self.password, "-_.!~*'()&=+$,")
            user = f"{_escaped(self.user, _USER_SAFE)}{secret}@"
        port = "" if self.port is None else f":{self.port}"
        headers = "&".join(f"{_escaped(k, '-_.!~*')}={_escaped(v, '-_.!~*[]/?:+$')}" for k, v in self.headers.items())
        return f"{self.scheme}:{user}{self.host}{port}{self._params()}{'?' + headers if headers else ''}"

    def _params(self) -> str:
        pairs = ((_escaped(name, _PARAM_SAFE), value) for name, value in self.params.items())
        return "".join(f";{n}" if v is None else f";{n}={_escaped(v, _PARAM_SAFE)}" for n, v in pairs)

    @property
    def scheme(self) -> str:
        return "sips" if self.secure else "sip"

    @property
    def transport(self) -> str | None:
        """The transport that is asked for, in lower case (RFC 3263, section 4.1)."""
        value = self.params.get("transport")
        return None if value is None else value.lower()

    def bare(self) -> "SipUri":
        """Who, without how to get there: what users and numbers are looked up by."""
        return replace(self, params={}, headers={}, password=None)

    def same(self, other: "SipUri") -> bool:
        """RFC 3261, section 19.1.4: not by spelling, and what one has that the other has not counts for some only."""
        mine, theirs = (
            (uri.scheme, uri.user, uri.password, uri.host, uri.port, _folded(uri.headers)) for uri in (self, other)
        )
        if mine != theirs or any((name in self.params) != (name in other.params) for name in COMPARED):
            return False
        return all(
            _lower(self.params[name]) == _lower(other.params[name]) for name in self.params.keys() & other.params
        )


@dataclass(frozen=True, slots=True)
class TelUri:
    """`tel:+46-8-123;phone-context=…`: `number` without its visual separators, `+` first where it is global."""

    number: str
    params: Mapping[str, str | None] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"tel:{self.number}{SipUri('x', params=self.params)._params()}"


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI that SIP may carry and this server does not follow."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri = SipUri | TelUri | OtherUri


def parse_uri(text: str) -> Uri:
    """Raises `Malformed`: for SIP and tel strictly, for other schemes only where there is none or a blank in it."""
    found = _SCHEME.fullmatch(text)
    if found is None or any(mark in text for mark in ' \t\r\n<>"'):
        raise Malformed("a URI has no scheme, or characters that it cannot have")
    scheme, rest = found[1].lower(), found[2]
    match scheme:
        case "sip" | "sips":
            return _sip(rest, secure=scheme == "sips")
        case "tel":
            return _tel(rest)
    return OtherUri(scheme, rest)


def _sip(rest: str, *, secure: bool) -> SipUri:
    user, password = None, None
    if "@" in rest:
        written, _, rest = rest.partition("@")
        name, colon, secret = written.partition(":")
        if not _USER.fullmatch(name) or not _PASSWORD.fullmatch(secret):
            raise Malformed("the user of a URI has characters that must be escaped")
        user, password = _plain(name), _plain(secret) if colon else None
    where, question, fields = rest.partition("?")
    place, *params = where.split(";")
    host, port = host_port(place)
    return SipUri(host, user, port, _parsed(params), _headers(fields) if question else {}, secure, password)


def _tel(rest: str) -> TelUri:
    number, *params = rest.split(";")
    if not _TEL.fullmatch(number):
        raise Malformed("a tel URI is not a telephone number")
    return TelUri(_VISUAL.sub("", number), _parsed(params))


def _parsed(params: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for param in params:
        name, equals, value = param.partition("=")
        key = _plain(name).lower()
        if not _PARAM.fullmatch(name) or (equals and not _PARAM.fullmatch(value)) or key in found:
            raise Malformed("a parameter of a URI is empty, there twice, or has characters that must be escaped")
        found[key] = _plain(value) if equals else None
    return found


def _headers(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split("&")]
    if not all(name and equals and _FIELD.fullmatch(name) and _FIELD.fullmatch(value) for name, equals, value in pairs):
        raise Malformed("the headers of a URI are not names and values")
    return {_plain(name): _plain(value) for name, _, value in pairs}


def _plain(text: str) -> str:
    return unquote(text, errors="surrogateescape") if "%" in text else text


def _escaped(text: str, safe: str) -> str:
    return quote(text, safe=safe, errors="surrogateescape")


def _folded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
