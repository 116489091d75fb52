"""What header fields mean: Via, the name and address of a party, CSeq and their like (RFC 3261, section 20)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mcu.protocol.sip.grammar import (
    TOKEN,
    Malformed,
    Params,
    host_port,
    is_token,
    number,
    parameters,
    quoted,
    split,
    unquoted,
    written,
)
from mcu.protocol.sip.uri import Uri, parse_uri

MAGIC: Final = "z9hG4bK"  # a branch that begins so names its transaction (section 8.1.1.7)
_VIA: Final = re.compile(rf"({TOKEN})\s*/\s*({TOKEN})\s*/\s*({TOKEN})\s+(\S.*)", re.DOTALL)
_BRACKETED: Final = re.compile(r'("(?:[^"\\]|\\.)*"\s*|[^"<>]*)<([^<>]*)>(.*)', re.DOTALL)
_MEDIA_TYPE: Final = re.compile(rf"({TOKEN})\s*/\s*({TOKEN})")
_CSEQ: Final = re.compile(rf"([0-9]+)\s+({TOKEN})")
_RACK: Final = re.compile(rf"([0-9]+)\s+([0-9]+)\s+({TOKEN})")
LARGEST: Final = 2**31  # of a sequence number (section 8.1.1.5)


@dataclass(frozen=True, slots=True)
class Via:
    """One hop that a request went, and the response goes back (section 18)."""

    transport: str  # UDP, TCP, TLS, WS, WSS, in upper case
    host: str
    port: int | None = None
    params: Params = field(default_factory=dict)
    version: str = "2.0"

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/{self.version}/{self.transport} {self.host}{port}{written(self.params)}"

    @property
    def branch(self) -> str | None:
        return self.params.get("branch")

    @property
    def sent_by(self) -> tuple[str, int]:
        """Host and port, the transport's usual port where none is named."""
        return self.host, self.port or (5061 if self.transport in ("TLS", "WSS") else 5060)

    def came_from(self, host: str, port: int) -> "Via":
        """`received` where the address is not the one it says, `rport` filled in where it is asked for (RFC 3581)."""
        params = dict(self.params)
        if host != self.host.strip("[]") or "rport" in params:
            params["received"] = host
        if "rport" in params:
            params["rport"] = str(port)
        return replace(self, params=params)

    @property
    def answer_to(self) -> tuple[str, int]:
        """Where a response goes over UDP (section 18.2.2; RFC 3581, section 4)."""
        host = self.params.get("received") or self.host
        rport = self.params.get("rport")
        return host.strip("[]"), number(rport, 65536, "rport") if rport else self.sent_by[1]


@dataclass(frozen=True, slots=True)
class Address:
    """From, To, Contact, Route: `"name" <uri>;params`."""

    uri: Uri
    name: str = ""
    params: Params = field(default_factory=dict)

    def __str__(self) -> str:
        name = f"{quoted(self.name)} " if self.name else ""
        return f"{name}<{self.uri}>{written(self.params)}"

    @property
    def tag(self) -> str | None:
        return self.params.get("tag")

    def with_(self, **params: str | None) -> "Address":
        return replace(self, params={**self.params, **params})


@dataclass(frozen=True, slots=True)
class CSeq:
    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class RAck:
    """Which provisional response a PRACK is about (RFC 3262, section 7.2)."""

    rseq: int
    cseq: CSeq

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"


@dataclass(frozen=True, slots=True)
class Valued:
    """A word and its parameters: Content-Type, Content-Disposition, Session-Expires, Event, Reason."""

    value: str
    params: Params = field(default_factory=dict)

    def __str__(self) -> str:
        return self.value + written(self.params)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A challenge, or the answer to one: a scheme and its parameters (RFC 3261, section 25.1; RFC 8760)."""

    scheme: str
    params: Mapping[str, str]  # names in lower case, values without quotes


def parse_via(text: str) -> Via:
    sent, *params = split(text, ";")
    found = _VIA.fullmatch(sent)
    if found is None or found[1].upper() != "SIP":
        raise Malformed("a Via does not say SIP, a version, a transport and a host")
    host, port = host_port(found[4])
    return Via(found[3].upper(), host, port, parameters(iter(params)), found[2])


def parse_address(text: str) -> Address:
    """With angle brackets or without; without them a parameter belongs to the field and not to the URI (20.10)."""
    found = _BRACKETED.fullmatch(text.strip())
    if found is None:
        return _bare_address(text)
    name = found[1].strip()
    if not name.startswith('"') and not all(is_token(word) for word in name.split()):
        raise Malformed("a name has characters that must be in quotes")
    after = found[3].strip()
    if after and not after.startswith(";"):
        raise Malformed("something follows an address that is no parameter")
    params = parameters(split(after[1:], ";")) if after else {}
    return Address(parse_uri(found[2]), unquoted(name), params)


def _bare_address(text: str) -> Address:
    where, *params = split(text, ";")
    if "?" in where or "," in where:
        raise Malformed("a URI with a question mark or a comma must be in angle brackets")
    return Address(parse_uri(where), params=parameters(iter(params)))


def parse_cseq(text: str) -> CSeq:
    found = _CSEQ.fullmatch(text)
    if found is None:
        raise Malformed("CSeq is not a number and a method")
    return CSeq(number(found[1], LARGEST, "CSeq"), found[2])


def parse_rack(text: str) -> RAck:
    found = _RACK.fullmatch(text)
    if found is None:
        raise Malformed("RAck is not two numbers and a method")
    return RAck(number(found[1], 2**32, "RAck"), CSeq(number(found[2], LARGEST, "RAck"), found[3]))


def parse_valued(text: str) -> Valued:
    value, *params = split(text, ";")
    if not value:
        raise Malformed("a field has parameters and no value")
    return Valued(value, parameters(iter(params)))


def parse_media_type(text: str) -> Valued:
    """Content-Type, in lower case without blanks. Raises `Malformed`."""
    valued = parse_valued(text)
    found = _MEDIA_TYPE.fullmatch(valued.value)
    if found is None:
        raise Malformed("Content-Type is not a type and a subtype")
    return replace(valued, value=f"{found[1]}/{found[2]}".lower())


def parse_credentials(text: str) -> Credentials:
    """`Digest realm="…", nonce="…"`. Raises `Malformed`; a scheme that is not known is no error here."""
    scheme, _, rest = text.strip().partition(" ")
    if not is_token(scheme):
        raise Malformed("credentials do not begin with a scheme")
    if scheme.lower() != "digest":
        return Credentials(scheme.lower(), {})
    pairs = parameters(split(rest, ","))
    if any(value is None for value in pairs.values()):
        raise Malformed("a parameter of credentials has no value")
    return Credentials("digest", {name: value or "" for name, value in pairs.items()})
