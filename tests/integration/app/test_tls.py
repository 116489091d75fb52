"""The server's own TLS: what it shows, what it refuses, and a certificate renewed while it runs."""

import asyncio
import contextlib
import re
import signal
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from certificates import make_certificate
from hall import hall, inside
from running_server import RunningServer, running_server, wait_for

pytestmark = pytest.mark.timeout(300)  # each starts servers, also on a busy machine


def shown_by(server: RunningServer, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, port: int = 0) -> bytes:
    """The certificate that a new connection is shown, in DER. `port`: another than the page's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if newest is not ssl.TLSVersion.TLSv1_3:
        context.minimum_version = context.maximum_version = newest
    port = port or int(server.base_url.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        return tls.getpeercert(binary_form=True) or b""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_a_certificate_is_renewed_without_a_stop_and_old_tls_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    cert, key = make_certificate(tmp_path, "localhost", begins=now, days=1)
    settings = {
        **{"server__tls_cert": str(cert), "server__tls_key": str(key), "sip__tls_cert": str(cert)},
        **{"sip__tls_key": str(key), "sip__addresses": "127.0.0.1", "sip__port": "0", "sip__tls_port": "0"},
    }
    with running_server(tmp_path / "server", **settings) as server:
        assert server.base_url.startswith("https://localhost:")
        sip_port, floor_port = (server.logged("sip_serving")[0][name] for name in ("tls_port", "floor_tls_port"))
        first = shown_by(server)
        assert shown_by(server, port=sip_port) == first
        make_certificate(tmp_path, "localhost", begins=now, days=2)
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: shown_by(server) != first)
        assert shown_by(server, port=sip_port) == shown_by(server, port=floor_port) == shown_by(server)

        cert.write_text("nothing")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: server.logged("certificate_not_renewed"))
        assert shown_by(server) != first

        with pytest.raises(ssl.SSLError):
            shown_by(server, newest=ssl.TLSVersion.TLSv1_1)
        assert server.health("ready")[0] == 200


async def test_a_thousand_connections_that_never_finish_their_handshake_keep_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them from the address of the person who joins."""
    cert, key = make_certificate(tmp_path, "localhost", begins=datetime.now(UTC), days=1)
    tls = {"server__tls_cert": str(cert), "server__tls_key": str(key)}
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context(cafile=str(cert)))
    with running_server(tmp_path / "server", **tls) as server, contextlib.ExitStack() as stack:
        async with hall(server) as here:
            port = int(server.base_url.rpartition(":")[2])
            for _ in range(1000):
                half = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                half.send(b"\x16\x03\x01\x02")  # as a ClientHello begins
            async with asyncio.timeout(10):
                await inside(await here.host())
            refused = re.search(r'mcu_control_dropped_total{reason="too many handshakes"} ([0-9]+)', server.metrics())
            assert refused is not None
            assert int(float(refused[1])) >= 400
