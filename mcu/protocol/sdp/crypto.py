"""Keys in SDP (RFC 4568; AES-256 by RFC 6188, AEAD by RFC 7714), for SRTP.

Nothing below AES-128 with an 80-bit tag is taken (policy S10): `AES_CM_128_HMAC_SHA1_32` is refused as if unknown.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mcu.errors import Invalid

SUITES: Final = {  # key and salt, in bytes; best first
    "AEAD_AES_256_GCM": (32, 12),
    "AEAD_AES_128_GCM": (16, 12),
    "AES_256_CM_HMAC_SHA1_80": (32, 14),
    "AES_CM_128_HMAC_SHA1_80": (16, 14),
}
_CRYPTO: Final = re.compile(r"([0-9]{1,9})\s+(\S+)\s+(\S+)((?:\s+\S+)*)")
_INLINE: Final = re.compile(r"inline:([A-Za-z0-9+/]+=*)((?:\|[^|;]*){0,2})")
_MAY_BE_IGNORED: Final = re.compile(r"-|WSH=[0-9]", re.IGNORECASE)  # parameters of a session (RFC 4568, section 6.3)
_LIFETIME: Final = re.compile(r"(?:2\^)?[0-9]{1,3}|[0-9]{1,15}")
_MKI: Final = re.compile(r"[0-9]{1,38}:[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Crypto:
    """One `a=crypto`: what its sender encrypts with. `key` is master key and salt, one after the other."""

    tag: int
    suite: str
    key: bytes

    def __str__(self) -> str:
        return f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}"

    def __repr__(self) -> str:
        return f"Crypto(tag={self.tag}, suite={self.suite!r})"  # a key is in no log


def offered() -> list[Crypto]:
    """One for each suite, with new keys."""
    return [made(tag, suite) for tag, suite in enumerate(SUITES, 1)]


def made(tag: int, suite: str) -> Crypto:
    return Crypto(tag, suite, secrets.token_bytes(sum(SUITES[suite])))


def chosen(values: Iterable[str]) -> Crypto | None:
    """The best of those that can be used; None where there is none.

    Raises `Invalid` for one that is not well-formed: who writes keys wrongly must not be heard in the clear.
    """
    usable = [crypto for crypto in map(parse, values) if crypto is not None]
    return min(usable, key=lambda crypto: list(SUITES).index(crypto.suite), default=None)


def parse(value: str) -> Crypto | None:
    """None for what is well-formed and not done here: unknown suites, MKI, unencrypted or unauthenticated SRTP."""
    found = _CRYPTO.fullmatch(value.strip())
    if found is None:
        raise Invalid("A crypto line of the SDP is not a tag, a suite and a key.")
    suite = found[2].upper()
    if suite not in SUITES or ";" in found[3] or not all(_MAY_BE_IGNORED.match(one) for one in found[4].split()):
        return None
    inline = _INLINE.fullmatch(found[3])
    if inline is None:
        raise Invalid("The key of a crypto line is not inline.")
    return None if _has_mki(inline[2]) else Crypto(int(found[1]), suite, _key(inline[1], sum(SUITES[suite])))


def _has_mki(extra: str) -> bool:
    """Raises `Invalid` where what follows the key is neither a lifetime nor a master key's name."""
    parts = extra.split("|")[1:]
    if not all(_LIFETIME.fullmatch(part) or _MKI.fullmatch(part) for part in parts):
        raise Invalid("The lifetime of a key is not a number.")
    return any(":" in part for part in parts)


def _key(text: str, size: int) -> bytes:
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise Invalid("The key of a crypto line is not in base 64.") from error
    if len(key) != size:
        raise Invalid("The key of a crypto line is not as long as its suite asks for.")
    return key
