"""Globally routable names of one device among several of a user (RFC 5627): the public one, and those that hide who.

A temporary one holds nothing that another could tell of two of the same device: its content is masked by a nonce of
its own, and a check shows that it was made here (section 8.1 and appendix A.2). None is kept.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final

from mcu.protocol.sip.uri import SipUri

PREFIX: Final = "~"  # of the user part: no user's name begins so
_PART: Final = 8  # bytes of the nonce, of what is masked, and of the check


class Gruus:
    """`secret`: kept over restarts, or the temporary ones end with each."""

    def __init__(self, domain: str, secret: bytes) -> None:
        self._domain, self._secret = domain, secret

    def public(self, user: str, instance: str) -> SipUri:
        return SipUri(self._domain, user, params={"gr": instance})

    def temporary(self, user: str, instance: str, call_id: str) -> SipUri:
        """Another each time; all hold as long as the device registers with that Call-ID (section 5.4)."""
        nonce = secrets.token_bytes(_PART)
        masked = _xor(self.mark(user, instance, call_id), self._mac(b"mask", nonce))
        text = base64.urlsafe_b64encode(nonce + masked + self._mac(b"check", nonce + masked)).decode().rstrip("=")
        return SipUri(self._domain, PREFIX + text, params={"gr": None})

    def mark(self, user: str, instance: str, call_id: str) -> bytes:
        """What a temporary name says of whom it is of, to who has this to compare it with."""
        return self._mac(b"mark", "\0".join((user, instance, call_id)).encode(errors="surrogateescape"))

    def read(self, uri: SipUri) -> bytes | None:
        """The mark in a temporary name; None where it is none of ours."""
        text = (uri.user or "").removeprefix(PREFIX)
        try:
            data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        nonce, masked, check = data[:_PART], data[_PART : 2 * _PART], data[2 * _PART :]
        if len(data) != 3 * _PART or not hmac.compare_digest(check, self._mac(b"check", nonce + masked)):
            return None
        return _xor(masked, self._mac(b"mask", nonce))

    def _mac(self, what: bytes, data: bytes) -> bytes:
        return hmac.digest(self._secret, what + b"\0" + data, hashlib.sha256)[:_PART]


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
