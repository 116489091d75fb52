"""Takes what is private out of any structure before it leaves the process: pure; logs and crash reports use it alike.

Two nets. Keys that hold something private lose their value whatever it is. In all other text, whatever looks like a
token, a PIN, a telephone number, a personal number or an address' query goes. A name cannot be told from other words:
so names must stand under one of the keys, and text of unknown origin (an exception's message) is not passed on at all.
"""

import re
from collections.abc import Mapping
from typing import Final

REMOVED: Final = "[removed]"
_DEPTH = 8  # deeper structures are removed whole

_PRIVATE_KEYS: Final = frozenset(
    {
        "answer",
        "authorization",
        "bearer",
        "body",
        "chat",
        "cookie",
        "data",
        "display_name",
        "dsn",
        "email",
        "from_name",
        "guest_pin",
        "headers",
        "host_pin",
        "invitation",
        "join_link",
        "join_url",
        "jwt",
        "label",
        "labels",
        "name",
        "names",
        "number",
        "offer",
        "participant_name",
        "password",
        "payload",
        "person",
        "phone",
        "phone_number",
        "pin",
        "pins",
        "query",
        "query_string",
        "reconnect_token",
        "sdp",
        "secret",
        "session_token",
        "set_cookie",
        "subject",
        "text",
        "title",
        "to",
        "token",
        "tokens",
        "url",
        "user",
        "user_name",
        "username",
        "web_url",
    }
)
_PRIVATE_ENDINGS: Final = ("_pin", "_token", "_secret", "_password", "_name", "_phone", "_email", "_key")

_IN_TEXT: Final = (
    (re.compile(r"(?i)\b(bearer|basic|digest)\s+[\w.~+/=-]+"), r"\1 " + REMOVED),
    (
        re.compile(r"\b[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\b"),
        REMOVED,
    ),  # a JWT: three base64url parts
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/@'\"]+@"), r"\1" + REMOVED + "@"),  # user:password@ of a URL
    (re.compile(r"(\S/\S*?)[?#][^\s'\"]+"), r"\1?" + REMOVED),  # the query or fragment of a path or URL
    (re.compile(r"\+\d[\d\s().-]{5,18}\d"), REMOVED),  # E.164, however it is spaced
    (re.compile(r"(?<![\w.-])\d{6,8}[-+]\d{4}(?!\w)"), REMOVED),  # a Swedish personal number
    (
        re.compile(r"(?<![\w.:-])0\d{1,3}(?:[ -]\d{2,8}){1,4}(?![\w.:])"),
        REMOVED,
    ),  # a telephone number as written at home
    (re.compile(r"(?i)\b(pin(?:-?kod)?|kod|code)\b(\W{0,4})\d{4,20}\b"), r"\1\2" + REMOVED),
    (re.compile(r"(?<![\w.-])\d{6,}(?![\w.])"), REMOVED),  # a long number: a PIN, a meeting's number, a telephone's
)


def scrub(value: object, _depth: int = 0) -> object:
    """The same structure with everything private replaced by `[removed]`; what is neither text, number nor container
    becomes the name of its type."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return scrub_text(value)
    if _depth >= _DEPTH:
        return REMOVED
    if isinstance(value, Mapping):
        return {_key(key): REMOVED if is_private(key) else scrub(item, _depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub(item, _depth + 1) for item in value]
    return f"<{type(value).__qualname__}>"


def scrub_text(text: str) -> str:
    """The text without what looks private."""
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    return text


def is_private(key: object) -> bool:
    """Whether what stands under this key is private whatever it looks like."""
    plain = str(key).lower().replace("-", "_")
    return plain in _PRIVATE_KEYS or plain.endswith(_PRIVATE_ENDINGS)


def _key(key: object) -> str:
    """Keys are text of ours, unless somebody logs a mapping from what people wrote."""
    return scrub_text(str(key))
