"""The server's own Ed25519 signing key: a file, made at the first start.

The file is PKCS#8 PEM, readable by its owner alone. It never leaves the machine; the public half may.
"""

import base64
import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mcu.errors import Unavailable


class SigningKey:
    """A private key, its public half, and a key id (`kid`, RFC 7515 section 4.1.4) made from the public half."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.private = private
        self.public: Ed25519PublicKey = private.public_key()
        digest = hashlib.sha256(self.public.public_bytes_raw()).digest()
        self.kid = base64.urlsafe_b64encode(digest[:12]).decode()

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r})"


def load_or_create(path: Path) -> SigningKey:
    """The key in the file, made if there is none. Two processes that start together get the same one.

    Raises `Unavailable` if the file cannot be read, is not such a key, or may be read by others.
    """
    if not path.exists():
        _create(path)
    try:
        if path.stat().st_mode & 0o077:
            raise Unavailable(f"{path} may be read by others than its owner: chmod 600 it, and consider a new key.")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise Unavailable(f"{path} cannot be read as a private key: {type(error).__name__}.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Unavailable(f"{path} is not an Ed25519 key.")
    return SigningKey(private)


def _create(path: Path) -> None:
    """Written and synced under another name, then linked: the file is whole or absent, and the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        _sync_directory(path.parent)
    finally:
        Path(temporary).unlink()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
