"""A certificate of our own making, for those who know it by its fingerprint in SDP (RFC 8122) and ask nobody else."""

import os
import secrets
import ssl
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mcu.net.fingerprint import hexadecimal

LASTS: Final = timedelta(days=3650)  # longer than this process
BEFORE: Final = timedelta(days=1)  # for clocks that are late


class OwnCertificate:
    """Made anew by each process, and kept nowhere."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(8))])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - BEFORE).not_valid_after(now + LASTS)
        self.shown = builder.sign(self.key, hashes.SHA256())

    @property
    def fingerprint(self) -> str:
        """As SDP has it."""
        return f"sha-256 {hexadecimal(self.shown.public_bytes(serialization.Encoding.DER), 'sha-256')}"

    @cached_property
    def to_connect(self) -> ssl.SSLContext:
        """It shows this one to whoever asks, and believes nobody: see `fingerprint.is_one_of`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        pem = serialization.Encoding.PEM
        private = self.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        with os.fdopen(os.memfd_create("certificate"), "wb") as file:  # `ssl` reads files alone
            file.write(private + self.shown.public_bytes(pem))
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
        return context
