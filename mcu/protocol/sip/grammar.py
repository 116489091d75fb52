"""The grammar that header fields share (RFC 3261, section 25.1): tokens, quoted strings, lists, parameters."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from mcu.errors import Invalid

TOKEN: Final = r"[A-Za-z0-9\-.!%*_+`'~]+"
HOST: Final = r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?\.?)"  # an IPv6 address in brackets
_TOKEN: Final = re.compile(TOKEN)
_HOST_PORT: Final = re.compile(rf"({HOST})(?:[ \t]*:[ \t]*([0-9]{{1,5}}))?")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ADDRESS: Final = re.compile(r"[\[\]0-9A-Fa-f:.]+")
_CONTROL: Final = re.compile(r"[\0-\x08\x0a-\x1f\x7f]")
_SPECIAL: Final = re.compile(r'["<>,;]')

Params = Mapping[str, str | None]  # names in lower case, None where there is no value; in order


class Malformed(Invalid):
    """What was received is not SIP, or not all of it. `sip` is the status that a request is answered with."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.sip = status  # type: ignore[misc] # of this one alone: 505 and 416 are kinds of the same


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def number(text: str, below: int, what: str) -> int:
    """Digits alone, and less than `below`: a value that no peer can mean is an error, not an overflow."""
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) >= below:
        raise Malformed(f"{what} is not a number below {below}")
    return int(text)


def host_port(text: str) -> tuple[str, int | None]:
    """`[2001:db8::1]:5060` and the like. The host in lower case, with its brackets where it has some."""
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise Malformed("a host is not a name, an IPv4 address or an IPv6 address in brackets")
    return found[1].lower(), None if found[2] is None else number(found[2], 65536, "a port")


def split(text: str, separator: str) -> Iterator[str]:
    """The parts between separators that stand in no quoted string and between no angle brackets, stripped.

    Raises `Malformed` where a quoted string or an angle bracket does not end.
    """
    if '"' not in text and "<" not in text:
        yield from (part.strip() for part in text.split(separator))
        return
    start = at = 0
    bracket = False
    while found := _SPECIAL.search(text, at):
        at = found.end()
        match found[0]:
            case '"' if not bracket:
                at = _after_quoted(text, found.start())
            case "<" if not bracket:
                bracket = True
            case ">" if bracket:
                bracket = False
            case mark if mark == separator and not bracket:
                yield text[start : found.start()].strip()
                start = at
    if bracket:
        raise Malformed("an angle bracket does not end")
    yield text[start:].strip()


def _after_quoted(text: str, start: int) -> int:
    found = _QUOTED.match(text, start)
    if found is None:
        raise Malformed("a quoted string does not end")
    return found.end()


def listed(text: str) -> list[str]:
    """A comma-separated list. Raises `Malformed` for an item that is empty."""
    items = list(split(text, ","))
    if not all(items):
        raise Malformed("a list has an empty item")
    return items


def unquoted(text: str) -> str:
    """A quoted string's meaning; anything else as it is."""
    found = _QUOTED.fullmatch(text)
    return text if found is None else _ESCAPE.sub(r"\1", found[1])


def quoted(text: str) -> str:
    """Without control characters, which stand in no quoted string but for themselves."""
    escaped = _CONTROL.sub("", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parameters(parts: Iterator[str], *, separator: str = "=") -> dict[str, str | None]:
    """What follows a value, part by part. The first of two with one name counts. Raises `Malformed`."""
    found: dict[str, str | None] = {}
    for part in parts:
        name, equals, value = (piece.strip() for piece in part.partition(separator))
        if not is_token(name) or (equals and not _is_value(value)):
            raise Malformed("a parameter is not a name, or a name and a value")
        found.setdefault(name.lower(), unquoted(value) if equals else None)
    return found


def _is_value(text: str) -> bool:
    """gen-value: a token, a host or a quoted string."""
    return is_token(text) or _QUOTED.fullmatch(text) is not None or _ADDRESS.fullmatch(text) is not None


def written(params: Params) -> str:
    """Parameters as they are sent, each with its semicolon."""
    return "".join(f";{name}" if value is None else f";{name}={_value(name, value)}" for name, value in params.items())


def _value(name: str, text: str) -> str:
    """`received` alone has an address of IPv6 without brackets."""
    bare = is_token(text) or ((text.startswith("[") or name == "received") and _ADDRESS.fullmatch(text))
    return text if bare else quoted(text)
