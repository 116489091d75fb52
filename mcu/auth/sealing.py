"""Keeping what must be stored for a while but not be read from the database: sealed under the server's own key.

Used for replies kept by Idempotency-Key, which may show a PIN that is otherwise stored as a hash only.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mcu.auth.keys import SigningKey
from mcu.errors import Unavailable

NONCE_BYTES = 12


class Seal:
    """AES-256-GCM and HMAC-SHA-256 under keys derived (HKDF, RFC 5869) from the server's signing key."""

    def __init__(self, key: SigningKey) -> None:
        secret = key.private.private_bytes_raw()
        self._mac_key = _derive(secret, b"mcu mac")
        self._cipher = AESGCM(_derive(secret, b"mcu seal"))

    def mac(self, *parts: bytes) -> bytes:
        """32 bytes that only this server can compute; each part's length counts."""
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.new(self._mac_key, framed, hashlib.sha256).digest()

    def close(self, plain: bytes, context: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises `Unavailable` if it was sealed under another key or context."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
        except InvalidTag as error:
            raise Unavailable("What was stored was sealed under another key: was the signing key replaced?") from error


def _derive(secret: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(secret)
