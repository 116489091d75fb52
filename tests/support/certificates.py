"""Certificates for tests, with the dates and names that a test wants: self-signed, or of an authority of its own."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.x509.oid import NameOID


def make_certificate(directory: Path, *names: str, begins: datetime, days: int) -> tuple[Path, Path]:
    """The files of a self-signed certificate for these DNS names and of its key."""
    key = generate_private_key(SECP256R1())
    made = _builder("test", key, begins, days).issuer_name(_name("test")).add_extension(_names(names), critical=False)
    return _written(directory, "", key, made.sign(key, hashes.SHA256()))


class Authority:
    """One that issues certificates; `path` has its own."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._name, self._key = directory, name, generate_private_key(SECP256R1())
        begins = datetime.now(UTC) - timedelta(days=100)
        made = (
            _builder(name, self._key, begins, 200)
            .issuer_name(_name(name))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path, _ = _written(directory, f"{name}-", self._key, made)

    def issue(self, *names: str, days: int = 30) -> tuple[Path, Path]:
        """For these: `sip:…` is a URI, what is an address one, all else a DNS name. `days` may be over already."""
        key, begins = generate_private_key(SECP256R1()), datetime.now(UTC) - timedelta(days=50)
        made = (
            _builder(names[0], key, begins, 50 + days)
            .issuer_name(_name(self._name))
            .add_extension(_names(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        safe = "".join(mark if mark.isalnum() else "-" for mark in names[0])
        return _written(self._directory, f"{self._name}-{safe}-{days}-", key, made)


def _builder(name: str, key: EllipticCurvePrivateKey, begins: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _names(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general(name) for name in names])


def _general(name: str) -> x509.GeneralName:
    if name.startswith("sip:"):
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _written(
    directory: Path, prefix: str, key: EllipticCurvePrivateKey, certificate: x509.Certificate
) -> tuple[Path, Path]:
    files = directory / f"{prefix}cert.pem", directory / f"{prefix}key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files
