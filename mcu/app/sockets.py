"""The listening sockets, opened before anything else is built: a port that is taken stops the start at once."""

import errno
import socket
import ssl
from pathlib import Path

from mcu.errors import McuError

_BACKLOG = 256


class CannotListen(McuError):
    """An address or port cannot be listened on. `detail` says what to change."""

    code, title = "cannot-listen", "The server cannot listen"


class BadCertificate(McuError):
    """The TLS certificate and key cannot be used."""

    code, title = "bad-certificate", "The TLS certificate cannot be used"


def listen(host: str, port: int, section: str) -> socket.socket:
    """A socket that listens; connections wait until somebody accepts. `section` is that of the settings.

    Raises `CannotListen`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=host == "::")
    except (OSError, OverflowError) as error:
        raise CannotListen(_advice(host, port, section, error)) from error


def _advice(host: str, port: int, section: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: stop what uses it, or set {section}.port to another"
    if number == errno.EACCES:
        return f"port {port} needs more rights: set {section}.port to 1024 or more, or give the process the capability"
    if number in {errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_NODATA}:
        return f"{host} is not an address of this machine: set {section}.host to one that is"
    return f"{host} port {port} cannot be listened on ({type(error).__name__}): set {section}.host and {section}.port"


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """TLS 1.2 or newer with this certificate; `None` without one. Raises `BadCertificate`."""
    if certificate is None or key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, certificate, key)
    return context


def check_clients(context: ssl.SSLContext, authorities: Path) -> None:
    """Asks those who connect for a certificate, and refuses one that these have not issued. Raises `BadCertificate`."""
    context.verify_mode = ssl.CERT_OPTIONAL
    _load_authorities(context, authorities)


def client_context(authorities: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """To connect with: verifies by these, or by this machine's, and shows the certificate where it is asked for one.

    Whose a certificate is must be checked by who connects. Raises `BadCertificate`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    if authorities is None:
        context.load_default_certs()
    else:
        _load_authorities(context, authorities)
    if certificate is not None and key is not None:
        load_certificate(context, certificate, key)
    return context


def _load_authorities(context: ssl.SSLContext, authorities: Path) -> None:
    try:
        context.load_verify_locations(authorities)
    except OSError as error:
        raise BadCertificate(f"{authorities} cannot be used: {_reason(error)}") from error


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Also into a context that is in use: new connections then get the new one. Raises `BadCertificate`."""
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise BadCertificate(f"{certificate} and {key} cannot be used together: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "they are not a PEM certificate and its key").lower().replace("_", " ")
    return (error.strerror or "they cannot be read") if isinstance(error, OSError) else str(error)


def _no_password() -> str:
    """OpenSSL asks this instead of the terminal."""
    raise ValueError("the key is encrypted: give one that is not")
