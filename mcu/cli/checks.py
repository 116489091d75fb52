"""The checks of `mcu doctor`: each looks at one thing, says that it is well or what to do, and changes nothing."""

import asyncio
import ctypes
import ipaddress
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from mcu.app.parts import WEB_DIRECTORY
from mcu.app.sockets import BadCertificate, CannotListen, listen, tls_context
from mcu.cli import trunks, ways
from mcu.cli.lines import Line, advice, fail, ok
from mcu.clock import Clock
from mcu.config.settings import Settings
from mcu.errors import McuError
from mcu.media import capabilities
from mcu.storage.migrate import newest
from mcu.storage.state import revision

RENEW_BEFORE = timedelta(days=14)
OLDEST = datetime(2026, 11, 1, tzinfo=UTC)  # a clock before this program was written is wrong
_TIMEX_BYTES = 512  # more than struct timex takes (adjtimex(2))
_TIME_ERROR = 5


def examine(settings: Settings, clock: Clock) -> Iterator[Line]:
    """A line for each thing that the server needs."""
    yield data_directory(settings.data.directory)
    yield from ports(settings)
    yield certificate(settings, clock.now())
    yield secure_context(settings)
    yield codecs()
    yield extension()
    yield walls()
    yield database(settings)
    yield time_of_day(clock.now())
    yield from ways.media(settings.media, running=_runs(settings))
    yield from ways.turn(settings.turn, clock)
    yield from trunks.trunks(settings.sip, clock)
    yield web_client(WEB_DIRECTORY)
    yield fonts()


def data_directory(directory: Path) -> Line:
    if not directory.exists():
        return ok("data", f"{directory} will be made at the first start")
    if not os.access(directory, os.W_OK | os.X_OK):
        return fail("data", f"{directory} cannot be written to: give this user the right to, or set data.directory")
    if directory.stat().st_mode & 0o077:
        return fail("data", f"{directory} can be read by others: chmod 700 it")
    return ok("data", f"{directory} is private and can be written to")


def ports(settings: Settings) -> Iterator[Line]:
    running = _runs(settings)
    for section in ("server", "operations"):
        host, port = getattr(settings, section).host, getattr(settings, section).port
        if running:
            yield ok(f"{section} port", f"{host} port {port}: a server of ours is running there")
            continue
        try:
            listen(host, port, section).close()
        except CannotListen as error:
            yield fail(f"{section} port", error.detail)
        else:
            yield ok(f"{section} port", f"{host} port {port} is free")


def _runs(settings: Settings) -> bool:
    """Whether our own health answers on the operations port."""
    host, port = settings.operations.host, settings.operations.port
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/health/live"
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=1) as answer:
            return bool(answer.read(64) == b'{"status": "ok"}')
    except (OSError, ValueError, urllib.error.URLError):
        return False


def certificate(settings: Settings, now: datetime) -> Line:
    path, key = settings.server.tls_cert, settings.server.tls_key
    if path is None or key is None:
        return ok("tls", "off; see the next line")
    try:
        tls_context(path, key)
        first = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (BadCertificate, ValueError) as error:
        return fail("tls", str(error))
    return _dates(path, first, now) or _host(path, first, settings) or _soon(path, first, now)


def _dates(path: Path, certificate: x509.Certificate, now: datetime) -> Line | None:
    if certificate.not_valid_before_utc > now:
        return fail("tls", f"{path} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}: check the clock")
    if certificate.not_valid_after_utc < now:
        return fail("tls", f"{path} expired {certificate.not_valid_after_utc:%Y-%m-%d}: renew it, then send SIGHUP")
    return None


def _host(path: Path, certificate: x509.Certificate, settings: Settings) -> Line | None:
    host = urlsplit(settings.public_url(settings.server.port)).hostname or ""
    if any(_matches(host, name) for name in _names(certificate)):
        return None
    return fail("tls", f"{path} is not for {host}: get one that is, or set server.public_url")


def _matches(host: str, name: str) -> bool:
    """A wildcard stands for one label (RFC 9525 section 6.3)."""
    return host == name or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def _soon(path: Path, certificate: x509.Certificate, now: datetime) -> Line:
    left = certificate.not_valid_after_utc - now
    if left < RENEW_BEFORE:
        return advice("tls", f"{path} expires in {left.days} days: renew it, then send SIGHUP")
    return ok("tls", f"{path} holds until {certificate.not_valid_after_utc:%Y-%m-%d}")


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def secure_context(settings: Settings) -> Line:
    """Browsers give camera and microphone to pages from https, and from this machine itself, alone."""
    url = urlsplit(settings.public_url(settings.server.port))
    if url.scheme == "https":
        return ok("browsers", f"{url.geturl()} may use camera and microphone")
    if _is_loopback(url.hostname or "") and _is_loopback(settings.server.host):
        return advice("browsers", f"{url.geturl()} works in browsers on this machine alone: others need https")
    return fail(
        "browsers",
        f"browsers give {url.geturl()} no camera or microphone: set server.tls_cert and server.tls_key, "
        "or put a proxy with TLS in front and set server.public_url to its https address",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def codecs() -> Line:
    missing = capabilities.missing_codecs()
    if missing:
        return fail("codecs", f"PyAV has no encoder for {', '.join(missing)}: install the av wheel from PyPI")
    return ok("codecs", "Opus, H.264 and VP8")


def extension() -> Line:
    problem = capabilities.extension_problem()
    if problem:
        return fail("C extension", f"it cannot be loaded ({problem}): build it with `make ext`")
    return ok("C extension", "loaded")


def walls() -> Line:
    problem = capabilities.walls_problem()
    if problem:
        return advice(
            "walls", f"{problem}: a media worker could make any call; use a kernel with seccomp, and libseccomp2"
        )
    return ok("walls", "a media worker can make no call that media does not need")


def database(settings: Settings) -> Line:
    sqlite = settings.database_url.removeprefix("sqlite+aiosqlite:///")
    if sqlite != settings.database_url and not Path(sqlite).exists():
        return ok("database", "SQLite; it will be made at the first start")
    try:
        now = asyncio.run(revision(settings.database_url))
    except McuError as error:
        return fail("database", f"{error.detail}: check database.url and that the database runs")
    if now != newest():
        return fail("database", f"its schema is {now or 'not there'} and ours {newest()}: run `mcu migrate`")
    return ok("database", f"it answers, with schema {now}")


def time_of_day(now: datetime) -> Line:
    if now < OLDEST:
        return fail("clock", f"it says {now:%Y-%m-%d}: set it, and run an NTP client such as chrony")
    if not _synchronised():
        return advice("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, but the kernel knows of no NTP client: run chrony")
    return ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, kept by NTP")


def _synchronised() -> bool:
    """What the kernel knows of its clock (adjtimex(2) that changes nothing)."""
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return state not in {-1, _TIME_ERROR}


def web_client(directory: Path) -> Line:
    if not (directory / "index.html").is_file():
        return fail("web client", "it is not built: run `make web`")
    return ok("web client", f"built, in {directory}")


def fonts() -> Line:
    if not capabilities.font_installed():
        return advice("fonts", "names in the picture are written in Pillow's own font: install fonts-dejavu-core")
    return ok("fonts", "DejaVu Sans")
