"""Messages: bytes to values and back (RFC 3261, section 7). Nothing is decided here: `check` does that."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from mcu.protocol.sip.grammar import TOKEN, Malformed, is_token, number
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.uri import Uri, parse_uri
from mcu.protocol.sip.values import (
    Address,
    Credentials,
    CSeq,
    Valued,
    Via,
    parse_address,
    parse_credentials,
    parse_cseq,
    parse_media_type,
    parse_via,
)

MAX_HEAD: Final = 32 * 1024  # bytes of the start line and header fields
MAX_BODY: Final = 64 * 1024
MAX_FIELDS: Final = 256
VERSION: Final = "SIP/2.0"
HOPS: Final = 70  # that a request may go, where nobody says how many (section 8.1.1.6)
_BLANK_LINE: Final = b"\r\n\r\n"
_FOLD: Final = re.compile(r"(?<![ \t])[ \t]*\r\n[ \t]+")  # never tried from the middle of blanks
_STATUS_LINE: Final = re.compile(r"(SIP/[0-9]+\.[0-9]+) ([0-9]+) (.*)", re.IGNORECASE)
_NAME: Final = re.compile(rf"({TOKEN})[ \t]*:([^\r\n\0]*(?:(?<=\\)\0[^\r\n\0]*)*)")  # NUL: in a quoted pair alone


@dataclass(frozen=True)
class Message:
    """What a request and a response share. The properties raise `Malformed` where a field does not mean anything."""

    headers: Headers = field(kw_only=True)
    body: bytes = field(default=b"", kw_only=True)

    @cached_property
    def vias(self) -> list[Via]:
        """The hops, the latest first."""
        return [parse_via(item) for item in self.headers.listed("Via")]

    @cached_property
    def via(self) -> Via:
        if not self.vias:
            raise Malformed("Via is missing")
        return self.vias[0]

    @cached_property
    def from_(self) -> Address:
        return parse_address(self._needed("From"))

    @cached_property
    def to(self) -> Address:
        return parse_address(self._needed("To"))

    @cached_property
    def call_id(self) -> str:
        return self._needed("Call-ID")

    @cached_property
    def cseq(self) -> CSeq:
        return parse_cseq(self._needed("CSeq"))

    @cached_property
    def contacts(self) -> list[Address]:
        """Without `*`, which only a REGISTER may have: see `headers`."""
        return [parse_address(item) for item in self.headers.listed("Contact") if item != "*"]

    @cached_property
    def content_type(self) -> Valued | None:
        text = self.headers.one("Content-Type")
        return None if text is None else parse_media_type(text)

    def tokens(self, name: str) -> frozenset[str]:
        """The words of Supported, Require, Allow and their like."""
        return frozenset(self.headers.listed(name))

    def _needed(self, name: str) -> str:
        value = self.headers.one(name)
        if not value:
            raise Malformed(f"{name} is missing")
        return value

    def _written(self, start: str) -> bytes:
        fields = self.headers.with_("Content-Length", str(len(self.body)))
        lines = [start, *(f"{name}: {value}" for name, value in fields), "", ""]
        return "\r\n".join(lines).encode(errors="surrogateescape") + self.body


@dataclass(frozen=True)
class Request(Message):
    method: str
    target: str  # the Request-URI as it came: `uri` reads it
    version: str = VERSION

    @cached_property
    def uri(self) -> Uri:
        return parse_uri(self.target)

    @cached_property
    def max_forwards(self) -> int | None:
        text = self.headers.one("Max-Forwards")
        return None if text is None else number(text, 256, "Max-Forwards")

    @cached_property
    def credentials(self) -> list[Credentials]:
        """Who it says that it is from."""
        return [parse_credentials(text) for text in self.headers.all("Authorization")]

    def with_(self, headers: Headers) -> "Request":
        return replace(self, headers=headers)

    def __bytes__(self) -> bytes:
        return self._written(f"{self.method} {self.target} {self.version}")


@dataclass(frozen=True)
class Response(Message):
    status: int
    reason: str = ""

    @property
    def is_provisional(self) -> bool:
        return self.status < 200

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def __bytes__(self) -> bytes:
        return self._written(f"{VERSION} {self.status} {self.reason}")


def read(data: bytes) -> Request | Response:
    """A whole datagram, or what `stream` cut. Raises `Malformed` where it cannot even be answered.

    Of a datagram what is beyond Content-Length is left out (section 18.3).
    """
    head, blank, body = data.lstrip(b"\r\n").partition(_BLANK_LINE)
    if not blank or len(head) > MAX_HEAD or len(body) > MAX_BODY:
        raise Malformed("a message has no end of its header fields, or is too long", 513)
    start, _, rest = head.decode(errors="surrogateescape").partition("\r\n")
    headers = read_fields(rest)
    try:
        size = content_length(headers)
    except Malformed:
        size = None  # `check` says so, in an answer
    return _started(start, headers, body if size is None else body[:size])


def _started(start: str, headers: Headers, body: bytes) -> Request | Response:
    if found := _STATUS_LINE.fullmatch(start):
        return Response(number(found[2], 700, "a status"), found[3], headers=headers, body=body)
    method, _, rest = start.partition(" ")
    target, _, version = rest.rpartition(" ")
    if not is_token(method):
        raise Malformed("a message begins with neither a method nor a version")
    return Request(method, target, version, headers=headers, body=body)


def read_fields(text: str) -> Headers:
    """The lines between the start line and the blank one, folded ones made whole. Raises `Malformed`."""
    lines = _FOLD.sub(" ", text).split("\r\n") if text else []
    if len(lines) > MAX_FIELDS:
        raise Malformed("a message has too many header fields", 513)
    return Headers(_fields(lines))


def _fields(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        found = _NAME.fullmatch(line)
        if found is None:
            raise Malformed("a header field has no name, no colon after it, or what ends a line in it")
        yield found[1], found[2].strip(" \t")


def content_length(headers: Headers) -> int | None:
    """How long the body says it is, in bytes. Raises `Malformed`."""
    text = headers.one("Content-Length")
    return None if text is None else number(text, 2**31, "Content-Length")
